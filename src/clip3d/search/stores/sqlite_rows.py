"""How items are written in the tables of a collection's file, and read back."""

from __future__ import annotations

import json
import os
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from clip3d.search.stores.kept_values import (
    Damaged,
    check_vectors,
    parsed,
    read_header,
    read_metadata,
    read_sources,
    read_stamps,
)
from clip3d.search.stores.store import Entry, Header, Kind, Record, Trace

Array = NDArray[np.float32]
Row = tuple[Any, ...]

HEADER_COLUMNS = "one, space, dim, mean, stored, model, weights, towers"
TRACE_COLUMNS = "path, part, content, reading, sources, stamps, taken_ns"
RECORD_COLUMNS = f"id, {TRACE_COLUMNS}, kind, metadata, indexed"


def header_row(header: Header) -> Row:
    """The values of `HEADER_COLUMNS`."""
    mean = np.asarray(header.mean, "<f4").tobytes()
    towers = json.dumps(dict(header.towers))
    return 1, header.space, header.dim, mean, header.stored, header.model, header.weights, towers


def header_of(row: Row) -> Header:
    """The header of a row; Damaged or TypeError if it cannot be one."""
    _, space, dim, mean, stored, model, weights, towers = row
    found = np.frombuffer(mean, "<f4").astype(np.float32)
    return read_header(space, dim, found, stored, model, weights, parsed(towers))


def trace_row(trace: Trace) -> Row:
    """The values of `TRACE_COLUMNS`, of which the first two are bytes, and the file's name, bytes too."""
    sources, stamps = json.dumps(trace.sources), json.dumps(trace.stamps)
    path, part = os.fsencode(trace.path), os.fsencode(trace.part)
    return path, part, trace.content, trace.reading, sources, stamps, trace.taken_ns, _name(path)


def _name(path: bytes) -> bytes:
    return path.replace(b"\\", b"/").rsplit(b"/", 1)[-1] if os.name == "nt" else path.rsplit(b"/", 1)[-1]


def trace_of(row: Row) -> Trace:
    """The trace of a row of `TRACE_COLUMNS`; Damaged if it is none, since SQLite keeps anything anywhere."""
    path, part, content, reading, sources, stamps, taken_ns = row
    if not all(isinstance(text, str) for text in (path, part, content, reading)) or not isinstance(taken_ns, int):
        raise Damaged("the place of an item is no place")
    return Trace(path, part, content, reading, read_sources(parsed(sources)), read_stamps(parsed(stamps)), taken_ns)


def record_of(row: Row) -> Record:
    """The record of a row of `RECORD_COLUMNS`; Damaged if it is none."""
    kind, metadata, indexed = row[8:]
    kinds: dict[str, Kind] = {name: name for name in get_args(Kind)}
    if kind not in kinds or not isinstance(indexed, float):
        raise Damaged("the kind or the time of an item is none")
    return Record(row[0], kinds[kind], trace_of(row[1:8]), read_metadata(metadata), indexed)


def vector_blobs(entry: Entry, header: Header) -> dict[str, bytes]:
    """The vectors of an entry as they are stored.

    Raises:
        ShapeError: if there is none, or one cannot be kept.
    """
    check_vectors(entry, header)
    return {name: np.asarray(vector, "<f4").tobytes() for name, vector in entry.vectors.items()}


def vectors_of(blobs: list[bytes], dim: int) -> Array:
    """Vectors (n, d) of the bytes of each; ValueError if some are of another length."""
    if any(len(blob) != 4 * dim for blob in blobs):
        raise ValueError("a vector is of another length than the header of the collection says")
    return np.frombuffer(b"".join(blobs), "<f4").astype(np.float32).reshape(len(blobs), dim)
