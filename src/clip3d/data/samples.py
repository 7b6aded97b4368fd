"""The sample objects that come with the package, for a first try and for the demonstration."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from clip3d.errors import DataError

FOLDER = Path(__file__).parent / "sample_files"


@dataclass(frozen=True)
class Sample:
    """One sample object: its file, what it is, and where it comes from."""

    path: Path
    name: str
    licence: str
    source: str


@dataclass(frozen=True)
class Samples:
    """The objects, and queries that suit them: phrases, a picture's file, and one of the objects."""

    objects: list[Sample]
    texts: list[str]
    image: Path
    like: Path


def list_samples() -> Samples:
    """The sample files of the package.

    Raises:
        DataError: if they are missing or their list is damaged.
    """
    index = FOLDER / "samples.json"
    try:
        facts = json.loads(index.read_text(encoding="utf-8"))
        objects = [
            Sample(FOLDER / item["file"], str(item["name"]), str(item["licence"]), str(item["source"]))
            for item in facts["objects"]
        ]
        queries = facts["queries"]
        return Samples(objects, list(queries["texts"]), FOLDER / queries["image"], FOLDER / queries["like"])
    except OSError as error:
        raise DataError(index, f"cannot be read: {error.strerror}", "install clip3d again") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(index, f"lacks or misstates {error}", "install clip3d again") from error
