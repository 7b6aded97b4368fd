"""A whole collection in blocks for other programs, and as one npz file."""

from __future__ import annotations

import json
import zipfile
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.errors import DataError
from clip3d.search.conditions.columns import as_utf8
from clip3d.search.conditions.where import Condition
from clip3d.search.stores.store import Header, Record, Store

Array = NDArray[np.float32]
Ids = NDArray[np.int64]
Progress = Callable[[int, int], None]

BLOCK = 2000
MOST_CHARACTERS = 4_000_000  # of texts that are made an array at once


@dataclass(frozen=True, eq=False)
class Block:
    """Some records with their vectors.

    Attributes:
        records: n.
        vectors: (n, d) float32 by name, as they were kept; NaN in rows of records without one.
    """

    records: list[Record]
    vectors: dict[str, Array]


@dataclass(frozen=True, eq=False)
class Selection:
    """What is to be exported.

    Attributes:
        store: of the collection.
        header: what its vectors have in common.
        ids: (n,) of the records.
        names: of the vectors that there are.
    """

    store: Store
    header: Header
    ids: Ids
    names: tuple[str, ...]

    def blocks(self, progress: Progress | None = None, *, vectors: bool = True) -> Iterator[Block]:
        """The records in the order of their ids, some thousands at a time; those that are gone are left out."""
        for start in range(0, len(self.ids), BLOCK):
            records = self.store.records(self.ids[start : start + BLOCK].tolist())
            ids = [record.id for record in records]
            names = self.names if vectors else ()
            yield Block(records, {name: self.store.vectors(name, ids) for name in names})
            if progress is not None:
                progress(min(start + BLOCK, len(self.ids)), len(self.ids))

    def origin(self) -> dict[str, str]:
        """Ids of space and model, and the hash of its weights."""
        return {"space": self.header.space, "model": self.header.model, "weights": self.header.weights}


def select(store: Store, where: Condition | None = None) -> Selection:
    """The records of a collection that meet a condition.

    Raises:
        DataError: if the collection is empty, or no record meets the condition.
        ConditionError: if it names a column that no record has.
    """
    header = store.header()
    if header is None:
        raise DataError(store.address, "the collection is empty", "put files into it with clip3d index")
    if where is not None:
        where.check(store.columns())
    ids = store.select(where)
    if not len(ids):
        raise DataError(store.address, "no item meets the condition")
    names = tuple(name for name in sorted(header.towers) if _is_there(store, name, ids))
    return Selection(store, header, ids, names)


def _is_there(store: Store, name: str, ids: Ids) -> bool:
    parts = (ids[start : start + BLOCK].tolist() for start in range(0, len(ids), BLOCK))
    return any(np.isfinite(store.vectors(name, part)).all(axis=1).any() for part in parts)


def export_npz(path: str | PathLike[str], selection: Selection, progress: Progress | None = None) -> int:
    """Write records and vectors to an npz file, whole or not at all; gives the number of records.

    It holds `ids` (n,) int64, `paths`, `parts`, `kinds` and `contents` (n,) unicode, `indexed` (n,) float64 in
    seconds since the epoch, `mean` (d,) float32, and `space`, `model` and `weights`, unicode of no dimension. The
    metadata of item i are JSON, the bytes from `metadata_offsets[i]` up to `metadata_offsets[i + 1]` of `metadata`
    (m,) uint8: an array of unicode would take room for the longest n times. Vectors of one name are `vectors`
    (n, d) float32, as `clip3d embed` writes them; of several names they are `vectors_NAME` each, NaN where a record
    has none.

    Raises:
        DataError: if the file cannot be written.
    """
    target = Path(path)
    facts = _Facts(selection)
    told = Selection(selection.store, selection.header, np.asarray(facts.ids, np.int64), selection.names)
    try:
        with replacing(target) as temporary, zipfile.ZipFile(temporary, "x", allowZip64=True) as archive:
            facts.write(archive, told)
            for name in told.names:
                written = "vectors" if len(told.names) == 1 else f"vectors_{name}"
                rows = _rows(told, name, progress)
                _write(archive, written, (len(told.ids), told.header.dim), np.dtype(np.float32), rows)
    except OSError as error:
        raise DataError(target, f"it cannot be written: {error.strerror or error}") from error
    return len(told.ids)


class _Texts:
    """Many texts, in little memory: their bytes one after the other."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.offsets = array("q", [0])
        self.longest = 1

    def add(self, text: str) -> None:
        self.data += text.encode("utf-8", "surrogatepass")
        self.offsets.append(len(self.data))
        self.longest = max(self.longest, len(text))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def write(self, archive: zipfile.ZipFile, name: str) -> None:
        """As an array of unicode, of which no more than a block is ever in memory."""
        dtype = np.dtype(f"<U{self.longest}")
        _write(archive, name, (len(self),), dtype, self._blocks(dtype))

    def _blocks(self, dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
        rows = max(1, MOST_CHARACTERS // self.longest)
        for start in range(0, len(self), rows):
            places = pairwise(self.offsets[start : start + rows + 1])
            yield np.array([self.data[a:b].decode("utf-8", "surrogatepass") for a, b in places], dtype)


class _Facts:
    """What records say, but for their vectors, read in one go."""

    def __init__(self, selection: Selection) -> None:
        self.ids = array("q")
        self.indexed = array("d")
        self.texts = {name: _Texts() for name in ("paths", "parts", "kinds", "contents")}
        self.metadata = _Texts()
        for block in selection.blocks(vectors=False):
            for record in block.records:
                self._take(record)

    def _take(self, record: Record) -> None:
        trace = record.trace
        self.ids.append(record.id)
        self.indexed.append(record.indexed)
        for texts, text in zip(
            self.texts.values(), (trace.path, trace.part, record.kind, trace.content), strict=True
        ):
            texts.add(text)
        # what is no Unicode becomes an escape of JSON
        self.metadata.add(as_utf8(json.dumps(dict(record.metadata), ensure_ascii=False)))

    def write(self, archive: zipfile.ZipFile, selection: Selection) -> None:
        arrays: dict[str, NDArray[Any]] = {
            "ids": selection.ids,
            "indexed": np.asarray(self.indexed, np.float64),
            "metadata": np.frombuffer(self.metadata.data, np.uint8),
            "metadata_offsets": np.asarray(self.metadata.offsets, np.int64),
            "mean": selection.header.mean,
            **{name: np.array(value, np.str_) for name, value in selection.origin().items()},
        }
        for name, values in arrays.items():
            _write(archive, name, values.shape, values.dtype, [values])
        for name, texts in self.texts.items():
            texts.write(archive, name)


def _rows(selection: Selection, name: str, progress: Progress | None) -> Iterator[Array]:
    ids = selection.ids
    for start in range(0, len(ids), BLOCK):
        yield selection.store.vectors(name, ids[start : start + BLOCK].tolist())
        if progress is not None:
            progress(min(start + BLOCK, len(ids)), len(ids))


def _write(
    archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], parts: Any
) -> None:
    """Write an array part by part, so that it need never be in memory as a whole."""
    facts = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
        np.lib.format.write_array_header_1_0(cast(Any, stream), facts)
        for part in parts:
            stream.write(np.ascontiguousarray(part).tobytes())
