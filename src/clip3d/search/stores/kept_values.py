"""What both stores ask of what they keep, and of what they read back: a collection may be a stranger's."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError
from clip3d.search.stores.store import Entry, Header, Value

Array = NDArray[np.float32]
Stamp = tuple[int, int, int]

# Names of vectors become names of files and columns.
VECTOR_NAME = re.compile(r"[a-z0-9_-]{1,64}")


class Damaged(ValueError):
    """What was read back is not what a collection keeps."""


def check_header(header: Header) -> None:
    """Raise ShapeError unless a header can be kept: its mean (d,), and the names of its vectors."""
    if header.mean.shape != (header.dim,):
        raise ShapeError(f"the mean must have shape ({header.dim},), got {header.mean.shape}")
    _check_vector_names(header.towers)


def read_header(space: Any, dim: Any, mean: Array, stored: Any, model: Any, weights: Any, towers: Any) -> Header:
    """The header of what was read; Damaged if it is none."""
    if not all(isinstance(text, str) for text in (space, model, weights)) or stored not in ("raw", "unit"):
        raise Damaged("its header is none")
    if mean.shape != (dim,) or not np.isfinite(mean).all():
        raise Damaged("the mean of its header is none")
    if not isinstance(towers, dict) or not all(isinstance(tower, str) for tower in towers.values()):
        raise Damaged("the towers of its header are none")
    if not all(VECTOR_NAME.fullmatch(name) for name in towers):
        raise Damaged("its vectors have names that no vectors have")
    return Header(space, int(dim), mean, stored, model, weights, towers)


def check_vectors(entry: Entry, header: Header) -> None:
    """Raise ShapeError unless an entry has vectors, each finite, as long as the header says, and well named."""
    if not entry.vectors:
        raise ShapeError(f"{entry.trace.path}: an item needs at least one vector")
    _check_vector_names(entry.vectors)
    for name, vector in entry.vectors.items():
        if np.shape(vector) != (header.dim,) or not np.isfinite(vector).all():
            raise ShapeError(f"{entry.trace.path}: the {name} vector must be {header.dim} finite numbers")


def check_asked(directions: Mapping[str, Array], k: int) -> None:
    """Raise ShapeError unless there is a direction to search in, and something to be found."""
    if not directions or k < 1:
        raise ShapeError("a search needs a direction, and k of at least 1")


def check_directions(directions: Mapping[str, Array], header: Header) -> None:
    """Raise ShapeError unless each direction is as long as the header says, (d,)."""
    for name, direction in directions.items():
        if direction.shape != (header.dim,):
            raise ShapeError(f"the {name} direction must be ({header.dim},), got {direction.shape}")


def _check_vector_names(names: Iterable[str]) -> None:
    for name in names:
        if not VECTOR_NAME.fullmatch(name):
            raise ShapeError(f"vectors are named with 1 to 64 of a-z, 0-9, _ and -, got {name!r:.80}")


def metadata_text(metadata: Mapping[str, Value]) -> str:
    """Metadata as JSON, names in plain letters since conditions ask for them so.

    Raises:
        ShapeError: for a value that is neither text, number, truth value nor None, or no finite number.
    """
    _check_metadata(metadata)
    return json.dumps(dict(metadata), ensure_ascii=False)


def read_metadata(text: str) -> dict[str, Value]:
    """Metadata of JSON; Damaged if a value is none that can be kept."""
    said = parsed(text)
    if not isinstance(said, dict):
        raise Damaged("the metadata of an item are none")
    try:
        _check_metadata(said)
    except ShapeError as error:
        raise Damaged(f"the metadata of an item are none: {error}") from error
    return said


def _check_metadata(metadata: Mapping[str, Any]) -> None:
    for name, value in metadata.items():
        odd = (isinstance(value, float) and not math.isfinite(value)) or (isinstance(value, str) and "\0" in value)
        if odd or not isinstance(value, str | bool | int | float | None):
            raise ShapeError(f"metadata {name!r} must be text, a finite number, true or false, got {value!r:.80}")
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ShapeError(f"metadata {name!r} must fit into 64 bits, got {value!r:.80}")
        try:
            name.encode()
            if isinstance(value, str):
                value.encode()
        except UnicodeEncodeError as error:
            raise ShapeError(f"metadata must be text of Unicode: {error}") from error


def read_sources(files: Any) -> tuple[str, ...]:
    """Names of files of a list; Damaged if it is none."""
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        raise Damaged("the files of an item are none")
    return tuple(files)


def read_stamps(stamps: Any) -> tuple[Stamp | None, ...]:
    """Sizes and times of files of a list; Damaged if it is none."""
    if not isinstance(stamps, list):
        raise Damaged("the times of an item's files are none")
    return tuple(_stamp(stamp) for stamp in stamps)


def _stamp(stamp: Any) -> Stamp | None:
    if stamp is None:
        return None
    if not isinstance(stamp, list) or len(stamp) != 3 or not all(type(number) is int for number in stamp):
        raise Damaged("the times of an item's files are none")
    return stamp[0], stamp[1], stamp[2]


def parsed(text: str) -> Any:
    """What JSON says; Damaged if it is none, or nested as nothing is that a store writes."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError, TypeError) as error:
        raise Damaged(f"what should be JSON is none: {error!s:.100}") from error


def now() -> float:
    """Seconds since the epoch."""
    return time.time()
