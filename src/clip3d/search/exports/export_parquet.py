"""A collection as a Parquet file: a row for each record, with metadata as columns and vectors as lists."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clip3d.atomic import replacing
from clip3d.errors import DataError
from clip3d.search.conditions.columns import as_utf8
from clip3d.search.exports.exporting import Array, Block, Progress, Selection
from clip3d.search.questions.tables import import_pyarrow, metadata_columns, plain_text
from clip3d.search.stores.store import Value

if TYPE_CHECKING:
    import pyarrow as pa

OWN = ("id", "path", "part", "kind", "content", "indexed", "thumbnail")


def export_parquet(
    path: str | PathLike[str], selection: Selection, progress: Progress | None = None, *, thumbnails: bool = False
) -> int:
    """Write records and vectors to a Parquet file, whole or not at all; gives the number of records.

    The columns are id, path, part, kind, content and indexed, one for each name of metadata, `vector_NAME`, a
    list of d float32 or null, for each name of vectors, and `thumbnail` if wanted. The file's metadata hold space,
    model, weights, and the mean of the space as JSON. What a run of `clip3d index` changes meanwhile is written as
    far as it fits the columns that there were at the start.

    Raises:
        DataError: if the file cannot be written.
        MissingExtra: if pyarrow is not installed.
    """
    import_pyarrow()
    from pyarrow import parquet

    target, written = Path(path), 0
    schema = _schema(selection, thumbnails)
    try:
        with replacing(target) as temporary, parquet.ParquetWriter(temporary, schema) as writer:
            for block in selection.blocks(progress):
                writer.write_table(_table(block, selection, schema))
                written += len(block.records)
    except OSError as error:
        raise DataError(target, f"it cannot be written: {error.strerror or error}") from error
    return written


def _schema(selection: Selection, thumbnails: bool) -> pa.Schema:
    """The columns; the types of metadata are told from all values, which are read once for that."""
    pa = import_pyarrow()
    kinds: dict[str, set[type]] = {}
    for block in selection.blocks(vectors=False):
        for record in block.records:
            for name, value in record.metadata.items():
                kinds.setdefault(name, set()).update([] if value is None else [_kind_of(value)])
    types = {frozenset({bool}): pa.bool_(), frozenset({int}): pa.int64()}
    types |= dict.fromkeys((frozenset({float}), frozenset({int, float})), pa.float64())
    said = {name: types.get(frozenset(found), pa.string()) for name, found in kinds.items()}
    vector = pa.list_(pa.float32(), selection.header.dim)
    fields = [pa.field("id", pa.int64()), *(pa.field(name, pa.string()) for name in OWN[1:5])]
    fields.append(pa.field("indexed", pa.float64()))
    fields += [pa.field(_free(name, selection), said[name]) for name in sorted(said)]
    fields += [pa.field(f"vector_{name}", vector) for name in selection.names]
    fields += [pa.field("thumbnail", pa.binary())] if thumbnails else []
    told = {**selection.origin(), "mean": str(selection.header.mean.tolist())}
    return pa.schema(fields, metadata=told)


def _kind_of(value: Value) -> type:
    """The type of a value; of whole numbers that 64 bits do not hold, text."""
    return type(value) if not isinstance(value, int) or abs(value) < 2**63 else str


def _free(name: str, selection: Selection) -> str:
    return f"metadata.{name}" if name in _taken(selection) else name


def _taken(selection: Selection) -> tuple[str, ...]:
    return (*OWN, *(f"vector_{name}" for name in selection.names))


def _table(block: Block, selection: Selection, schema: pa.Schema) -> pa.Table:
    pa = import_pyarrow()
    records = block.records
    columns: dict[str, Any] = {
        "id": [record.id for record in records],
        "path": [as_utf8(record.trace.path) for record in records],
        "part": [as_utf8(record.trace.part) for record in records],
        "kind": [record.kind for record in records],
        "content": [record.trace.content for record in records],
        "indexed": [record.indexed for record in records],
    }
    said = metadata_columns([record.metadata for record in records], (), _taken(selection))
    columns |= _typed(said, schema)
    columns |= {f"vector_{name}": _lists(vectors, schema) for name, vectors in block.vectors.items()}
    if "thumbnail" in schema.names:
        pictures = selection.store.thumbnails(columns["id"])
        columns["thumbnail"] = [pictures.get(number) for number in columns["id"]]
    nothing = [None] * len(records)
    return pa.table({field.name: columns.get(field.name, nothing) for field in schema}, schema=schema)


def _typed(columns: Mapping[str, list[Value]], schema: pa.Schema) -> dict[str, list[Value]]:
    """Columns of the schema, mixed values as texts; what came since and does not fit a column is left out."""
    pa = import_pyarrow()
    of = {pa.string(): _text, pa.bool_(): _truth, pa.int64(): _whole, pa.float64(): _number}
    known = {name: of[schema.field(name).type] for name in columns if name in schema.names}
    return {name: [convert(value) for value in columns[name]] for name, convert in known.items()}


def _text(value: Value) -> str | None:
    return None if value is None else as_utf8(plain_text(value))


def _truth(value: Value) -> bool | None:
    return value if isinstance(value, bool) else None


def _whole(value: Value) -> int | None:
    return value if isinstance(value, int) and _kind_of(value) is int else None


def _number(value: Value) -> float | None:
    number = value if isinstance(value, float) else _whole(value)
    return None if number is None else float(number)


def _lists(vectors: Array, schema: pa.Schema) -> pa.Array:
    pa = import_pyarrow()
    there = np.isfinite(vectors).all(axis=1)
    flat = pa.array(np.ascontiguousarray(vectors).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1], mask=pa.array(~there))
