"""How items are written in a table of LanceDB, and read back.

A record is a row. Its trace and metadata are JSON, from which they are read back; what conditions ask for is there
once more in columns: those of `clip3d.search.conditions.columns.FIXED`, and one for each name and type of metadata,
such as `text_split`. Vectors are kept centred, as searches need them: as they were given they are computed back, so
that no vector takes up room twice.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import DataError, ShapeError
from clip3d.search.conditions.columns import as_utf8
from clip3d.search.stores.kept_values import (
    VECTOR_NAME,
    Damaged,
    parsed,
    read_header,
    read_metadata,
    read_sources,
    read_stamps,
)
from clip3d.search.stores.store import Entry, Header, Kind, Record, Trace, Value

if TYPE_CHECKING:
    import pyarrow as pa

Array = NDArray[np.float32]
Row = dict[str, Any]

RECORD_COLUMNS = ["id", "kind", "content", "reading", "trace", "metadata", "indexed"]
TRACE_COLUMNS = ["id", "content", "reading", "trace", "generation"]
VECTOR, LENGTH = "vector_", "length_"
TYPES = ("text", "number", "boolean")
MOST_COLUMNS = 1000


def fixed_schema() -> pa.Schema:
    """The columns of records that every collection has."""
    import pyarrow as pa

    texts = ("key", "path", "name", "part", "kind", "content", "reading", "trace", "metadata")
    return pa.schema(
        [
            pa.field("id", pa.int64(), nullable=False),
            *(pa.field(name, pa.string(), nullable=False) for name in texts),
            pa.field("indexed", pa.float64(), nullable=False),
            pa.field("generation", pa.int64(), nullable=False),
            pa.field("thumbnail", pa.binary()),
        ]
    )


def state_schema() -> pa.Schema:
    """The columns of what records have in common: names and JSON."""
    import pyarrow as pa

    return pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("name", "value")])


def check_columns(schema: pa.Schema, expected: pa.Schema, where: str) -> None:
    """Raise DataError unless a table has the columns expected, and beside them those of vectors and metadata."""
    names = dict(zip(schema.names, schema.types, strict=True))
    fits = all(names.pop(field.name, None) == field.type for field in expected)
    strange = [name for name, kind in names.items() if not _is_own(name, str(kind))]
    # LanceDB would make and call what is named there.
    calls = b"embedding_functions" in (schema.metadata or {})
    if not fits or strange or calls:
        remedy = "do not use it if you do not know where it comes from"
        raise DataError(where, "its tables are not those of a collection of clip3d", remedy)


def _is_own(name: str, kind: str) -> bool:
    if name.startswith(VECTOR):
        fits = kind.startswith("fixed_size_list<item: float>")
        return fits and VECTOR_NAME.fullmatch(name.removeprefix(VECTOR)) is not None
    prefix = name.split("_", 1)[0]
    return kind == {"text": "string", "number": "double", "boolean": "bool", "length": "float"}.get(prefix)


def key_of(path: str, part: str) -> str:
    """What tells a path and part from all others, as a plain word."""
    return hashlib.sha256(json.dumps([path, part]).encode()).hexdigest()[:32]


def trace_values(trace: Trace) -> Row:
    """The columns of a trace."""
    facts = [trace.path, trace.part, trace.sources, trace.stamps, trace.taken_ns]
    path = as_utf8(trace.path)
    return {
        "key": key_of(trace.path, trace.part),
        "path": path,
        "name": re.split(r"[/\\]" if "\\" in path and "/" not in path else "/", path)[-1],
        "part": as_utf8(trace.part),
        "content": trace.content,
        "reading": trace.reading,
        "trace": json.dumps(facts),
    }


def trace_of(row: Row, *, void: bool = False) -> Trace:
    """The trace of a row, one that was read in no way if its vectors were voided; Damaged if it is none."""
    facts = parsed(row["trace"])
    if not isinstance(facts, list) or len(facts) != 5:
        raise Damaged("the place of an item is no place")
    path, part, sources, stamps, taken_ns = facts
    if not isinstance(path, str) or not isinstance(part, str) or not isinstance(taken_ns, int):
        raise Damaged("the place of an item is no place")
    reading = "" if void else row["reading"]
    return Trace(path, part, row["content"], reading, read_sources(sources), read_stamps(stamps), taken_ns)


def record_of(row: Row, *, void: bool = False) -> Record:
    """The record of a row of `RECORD_COLUMNS`; Damaged if it is none."""
    kinds: dict[str, Kind] = {name: name for name in get_args(Kind)}
    if row["kind"] not in kinds:
        raise Damaged("the kind of an item is none")
    trace = trace_of(row, void=void)
    return Record(row["id"], kinds[row["kind"]], trace, read_metadata(row["metadata"]), row["indexed"])


def metadata_values(metadata: Mapping[str, Value]) -> Row:
    """The columns of metadata: JSON, and for each value the one of its name and type."""
    typed = {metadata_column(n, type_of(v)): _plain(v) for n, v in metadata.items() if v is not None}
    return {"metadata": json.dumps(dict(metadata), ensure_ascii=False), **typed}


def type_of(value: str | int | float | bool) -> str:
    """The type of a value, of `TYPES`."""
    return "boolean" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def _plain(value: str | int | float | bool) -> str | float | bool:
    return value if isinstance(value, str | bool) else float(value)


def metadata_column(name: str, kind: str) -> str:
    """The column of metadata of a name and type; only plain small letters and figures stand for themselves."""
    plain = (sign if sign.isascii() and (sign.islower() or sign.isdigit()) else f"_{ord(sign):x}_" for sign in name)
    return f"{kind}_{''.join(plain)}"


def metadata_columns(columns: Iterable[str]) -> dict[str, list[str]]:
    """Names of metadata, with the types in which they have columns."""
    found: dict[str, list[str]] = {}
    for column in columns:
        kind, _, written = column.partition("_")
        if kind in TYPES and written:
            name = re.sub("_([0-9a-f]+)_", lambda sign: chr(int(sign[1], 16)), written)
            found.setdefault(name, []).append(kind)
    return found


def column_sql(name: str, kinds: Sequence[str]) -> str:
    """SQL for a name of metadata: its column, or for a name of several types what fits all of them."""
    column = {kind: f"`{metadata_column(name, kind)}`" for kind in kinds}
    if len(column) == 1:
        return next(iter(column.values()))
    target = "VARCHAR" if "text" in column else "DOUBLE"
    return f"coalesce({', '.join(f'CAST({column[kind]} AS {target})' for kind in TYPES if kind in column)})"


def missing_fields(rows: Sequence[Row], header: Header | None, columns: Iterable[str]) -> list[pa.Field]:
    """The columns that rows need and a table lacks."""
    import pyarrow as pa

    kinds = {"text": pa.string(), "number": pa.float64(), "boolean": pa.bool_(), "length": pa.float32()}
    if header is not None:
        kinds["vector"] = pa.list_(pa.float32(), header.dim)
    there = set(columns)
    lacking = dict.fromkeys(name for row in rows for name in row if name not in there)
    if len(lacking) + len(there) > MOST_COLUMNS:
        raise ShapeError(f"a collection in LanceDB has at most {MOST_COLUMNS} columns of metadata")
    return [pa.field(name, kinds[name.split("_", 1)[0]]) for name in lacking]


def vector_values(entries: Sequence[Entry], header: Header) -> list[Row]:
    """The columns of vectors: centred, and where vectors are kept raw their lengths."""
    space = header.own_space()
    rows: list[Row] = [{} for _ in entries]
    for name in dict.fromkeys(name for entry in entries for name in entry.vectors):
        having = [i for i, entry in enumerate(entries) if name in entry.vectors]
        given = np.stack([np.asarray(entries[i].vectors[name], np.float32) for i in having])
        for i, centred, vector in zip(having, space.centre(given), given, strict=True):
            rows[i][VECTOR + name] = centred
            if header.stored == "raw":
                rows[i][LENGTH + name] = float(np.linalg.norm(vector))
    return rows


def uncentred(centred: Array, mean: Array, lengths: Array | None) -> Array:
    """Vectors (n, d) as they were kept, but for rounding, from the centred ones and their lengths (n,) if not one.

    A unit vector is mean + a times its centred one, with the only a >= 0 that makes its length one: the mean of
    unit vectors lies within the sphere.
    """
    directions, middle = centred.astype(np.float64), mean.astype(np.float64)
    along = directions @ middle
    squares = (directions**2).sum(1)  # one, or nought for a vector that is the mean
    inside = 1 - middle @ middle
    reach = (np.sqrt(along**2 + squares * inside) - along) / np.maximum(squares, 1e-12)
    found = middle + reach[:, None] * directions
    return np.asarray(found if lengths is None else found * lengths[:, None], np.float32)


def as_table(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    """Rows as a table; what a row lacks is null."""
    import pyarrow as pa

    arrays = []
    for field in schema:
        values = [row.get(field.name) for row in rows]
        if pa.types.is_fixed_size_list(field.type):
            arrays.append(_vector_array(values, field.type))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def _vector_array(values: Sequence[Array | None], kind: Any) -> pa.Array:
    import pyarrow as pa

    dim = kind.list_size
    flat = np.zeros((len(values), dim), np.float32)
    for row, value in zip(flat, values, strict=True):
        if value is not None:
            row[:] = value
    lacking = pa.array([value is None for value in values])
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.reshape(-1)), type=kind, mask=lacking)


def vectors_of(column: pa.ChunkedArray) -> tuple[NDArray[np.bool_], Array]:
    """Of a column of vectors which rows (n,) have one, and those (m, d)."""
    array = column.combine_chunks()
    there = array.is_valid().to_numpy(zero_copy_only=False)
    flat = array.flatten().to_numpy(zero_copy_only=False)  # leaves out those that lack
    return there, flat.reshape(-1, array.type.list_size)


def header_text(header: Header) -> str:
    """A header as JSON."""
    mean = [float(value) for value in header.mean]
    return json.dumps({**vars(header), "mean": mean, "towers": dict(header.towers)})


def header_of(text: str) -> Header:
    """The header of a JSON text; ValueError, LookupError or TypeError if it is none."""
    facts = parsed(text)
    fixed = (facts["stored"], facts["model"], facts["weights"], facts["towers"])
    return read_header(facts["space"], facts["dim"], np.array(facts["mean"], np.float32), *fixed)
