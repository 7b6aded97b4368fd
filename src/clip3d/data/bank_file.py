"""A bank of phrases with their vectors, as one npz file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.data.npz import read_npz
from clip3d.errors import DataError

MAX_PHRASES = 2_000_000


@dataclass(frozen=True, eq=False)
class BankFile:
    """Phrases as they were put to the encoder, with what came out.

    Attributes:
        phrases: n phrases.
        names: the name that each speaks of, without an article; empty where it speaks of none.
        vectors: (n, d) numbers, of any length but zero.
        space: id of the space; may be empty.
    """

    phrases: tuple[str, ...]
    names: tuple[str, ...]
    vectors: NDArray[Any]
    space: str = ""

    def is_plain(self, row: int) -> bool:
        """Whether a row is "a <name>" or "an <name>" alone."""
        name, phrase = self.names[row], self.phrases[row]
        return bool(name) and phrase != name and without_article(phrase).casefold() == name.casefold()


def without_article(phrase: str) -> str:
    """A phrase without "a" or "an" before it."""
    return re.sub(r"^an? ", "", phrase)


def read_bank_file(path: Path) -> BankFile:
    """Read a bank: an npz with `phrases` (n,) text, `vectors` (n, d), and perhaps `names` (n,) text and `space`.

    Without `names`, every phrase is a name, with or without "a".

    Raises:
        DataError: if the file cannot be read or is no bank; objects are never unpickled.
    """
    arrays = read_npz(path, required=("phrases", "vectors"), optional=("names", "space"))
    phrases, vectors = arrays["phrases"], arrays["vectors"]
    if phrases.ndim != 1 or phrases.dtype.kind != "U" or not 0 < len(phrases) <= MAX_PHRASES:
        raise DataError(path, f"its `phrases` must be text of shape (n,), 1 to {MAX_PHRASES:,} phrases")
    if vectors.ndim != 2 or vectors.dtype.kind not in "fiu" or len(vectors) != len(phrases) or not vectors.shape[1]:
        raise DataError(path, f"its `vectors` must be numbers of shape ({len(phrases)}, d), got {vectors.shape}")
    if not np.isfinite(vectors).all() or not np.abs(vectors).max(1).all():
        raise DataError(path, "holds a vector that is zero or not finite")
    texts = [str(phrase) for phrase in phrases]
    names = arrays.get("names")
    if names is None:
        # every phrase counts as a name, written as it may be
        subjects = [without_article(text) for text in texts]
        texts = [f"a {name}" for name in subjects]
    elif names.shape != phrases.shape or names.dtype.kind != "U":
        raise DataError(path, f"its `names` must be text of shape ({len(phrases)},)")
    else:
        subjects = [str(name) for name in names]
    return BankFile(tuple(texts), tuple(subjects), vectors, _line(arrays.get("space")))


def write_bank_file(
    path: Path, phrases: Sequence[str], names: Sequence[str], vectors: NDArray[Any], space: str
) -> None:
    """Write a bank whole or not at all, the vectors as float16, which keeps cosines to about 1e-6."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            phrases=np.array(phrases, dtype=np.str_),
            names=np.array(names, dtype=np.str_),
            vectors=np.asarray(vectors, dtype=np.float16),
            space=np.array(space),
        )


def read_phrases(path: Path) -> list[tuple[str, str]]:
    """Phrases and the name each speaks of, from a text file: `phrase` or `phrase<TAB>name` a line.

    Without a name, the phrase's own is meant if it begins with "a" or "an", and else none. Empty lines, lines that
    begin with `#`, and repeated phrases are left out.

    Raises:
        DataError: if the file cannot be read, or holds no phrase or more than a bank may.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(path, f"cannot be read as text: {error}") from error
    rows: dict[str, str] = {}
    for line in lines:
        phrase, name = (part.strip() for part in f"{line}\t".split("\t")[:2])
        if phrase and not phrase.startswith("#"):
            bare = without_article(phrase)
            rows.setdefault(phrase, name if "\t" in line else bare if bare != phrase else "")
    if not rows:
        raise DataError(path, "holds no phrases", "write one a line")
    if len(rows) > MAX_PHRASES:
        raise DataError(path, f"holds more than {MAX_PHRASES:,} phrases", "split it")
    return list(rows.items())


def _line(value: NDArray[Any] | None) -> str:
    return "" if value is None or value.dtype.kind != "U" or value.ndim else str(value)[:200]
