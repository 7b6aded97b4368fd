"""How items are written in the tables of a collection's file, and read back."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError
from clip3d.search.store import Entry, Header, Kind, Record, Trace, Value

Array = NDArray[np.float32]
Row = tuple[Any, ...]

TRACE_COLUMNS = "path, part, content, reading, sources, stamps, taken_ns"
RECORD_COLUMNS = f"id, {TRACE_COLUMNS}, kind, metadata, indexed"


def header_row(header: Header) -> Row:
    """The row of a header."""
    mean = np.asarray(header.mean, "<f4").tobytes()
    towers = json.dumps(dict(header.towers))
    return 1, header.space, header.dim, mean, header.stored, header.model, header.weights, towers


def header_of(row: Row) -> Header:
    """The header of a row; ValueError if it cannot be one."""
    _, space, dim, mean, stored, model, weights, towers = row
    kept: dict[str, Literal["raw", "unit"]] = {"raw": "raw", "unit": "unit"}
    found = np.frombuffer(mean, "<f4").astype(np.float32)
    names = json.loads(towers)
    if found.shape != (dim,) or stored not in kept or not isinstance(names, dict):
        raise ValueError("the header of the collection is damaged")
    return Header(space, dim, found, kept[stored], model, weights, {str(k): str(v) for k, v in names.items()})


def trace_row(trace: Trace) -> Row:
    """The values of `TRACE_COLUMNS`, of which the first two are bytes, and the file's name, bytes too."""
    sources, stamps = json.dumps(trace.sources), json.dumps(trace.stamps)
    path, part = os.fsencode(trace.path), os.fsencode(trace.part)
    return path, part, trace.content, trace.reading, sources, stamps, trace.taken_ns, _name(path)


def _name(path: bytes) -> bytes:
    return path.replace(b"\\", b"/").rsplit(b"/", 1)[-1] if os.name == "nt" else path.rsplit(b"/", 1)[-1]


def trace_of(row: Row) -> Trace:
    """The trace of a row of `TRACE_COLUMNS`; ValueError if it is none, since SQLite keeps anything anywhere."""
    path, part, content, reading, sources, stamps, taken_ns = row
    files, times = json.loads(sources), json.loads(stamps)
    texts = isinstance(path, str) and isinstance(part, str) and all(isinstance(file, str) for file in files)
    if not texts or not isinstance(taken_ns, int):
        raise ValueError("the place of an item is no place")
    typed = tuple(None if stamp is None else (stamp[0], stamp[1], stamp[2]) for stamp in times)
    return Trace(path, part, str(content), str(reading), tuple(files), typed, taken_ns)


def record_of(row: Row) -> Record:
    """The record of a row of `RECORD_COLUMNS`."""
    kind, metadata, indexed = row[8:]
    kinds: dict[str, Kind] = {name: name for name in get_args(Kind)}
    said = json.loads(metadata)
    if not isinstance(said, dict):
        raise ValueError("the metadata of an item are none")
    return Record(row[0], kinds[kind], trace_of(row[1:8]), said, indexed)


def metadata_text(metadata: Mapping[str, Value]) -> str:
    """Metadata as JSON, names in plain letters since conditions ask for them so.

    Raises:
        ShapeError: for a value that is neither text, number, truth value nor None, or no finite number.
    """
    for name, value in metadata.items():
        odd = (isinstance(value, float) and not math.isfinite(value)) or (isinstance(value, str) and "\0" in value)
        if odd or not isinstance(value, str | bool | int | float | None):
            raise ShapeError(f"metadata {name!r} must be text, a finite number, true or false, got {value!r}")
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ShapeError(f"metadata {name!r} must fit into 64 bits, got {value!r}")
    text = json.dumps(dict(metadata), ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ShapeError(f"metadata must be text of Unicode: {error}") from error
    return text


def vector_blobs(entry: Entry, header: Header) -> dict[str, bytes]:
    """The vectors of an entry as they are stored.

    Raises:
        ShapeError: if there is none, or one is not finite or of another length than the header says.
    """
    if not entry.vectors:
        raise ShapeError(f"{entry.trace.path}: an item needs at least one vector")
    for name, vector in entry.vectors.items():
        if np.shape(vector) != (header.dim,) or not np.isfinite(vector).all():
            raise ShapeError(f"{entry.trace.path}: the {name} vector must be {header.dim} finite numbers")
    return {name: np.asarray(vector, "<f4").tobytes() for name, vector in entry.vectors.items()}


def vectors_of(blobs: list[bytes], dim: int) -> Array:
    """Vectors (n, d) of the bytes of each; ValueError if some are of another length."""
    if any(len(blob) != 4 * dim for blob in blobs):
        raise ValueError("a vector is of another length than the header of the collection says")
    return np.frombuffer(b"".join(blobs), "<f4").astype(np.float32).reshape(len(blobs), dim)


def now() -> float:
    """Seconds since the epoch."""
    return time.time()
