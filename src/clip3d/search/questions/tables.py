"""Columns of values as CSV and Parquet files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clip3d.atomic import replacing
from clip3d.errors import DataError, MissingExtra
from clip3d.search.conditions.columns import FIXED, as_utf8
from clip3d.search.stores.store import Value

if TYPE_CHECKING:
    import pyarrow as pa

FORMULA = tuple("=+-@\t\r\n")

Columns = Mapping[str, Sequence[Value]]


def csv_text(columns: Columns) -> str:
    """Columns of one length as CSV with a line of names; nothing for None, true and false in words.

    A text that a spreadsheet would take for a formula, beginning with = + - @, a tab or the end of a line, gets an
    apostrophe before it: metadata may be a stranger's. Numbers are written as they are.
    """
    rows = zip(*columns.values(), strict=True)
    return "".join(_csv_row(row) for row in ([*columns], *rows))


def _csv_row(values: Iterable[Value]) -> str:
    stream = io.StringIO(newline="")
    # the writer puts in quotes what its end of line has: both signs, since readers take either for one
    csv.writer(stream, lineterminator="\r\n").writerow([_csv_cell(value) for value in values])
    return stream.getvalue().removesuffix("\r\n") + "\n"


def _csv_cell(value: Value) -> Value:
    if isinstance(value, bool):
        return plain_text(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def write_csv(path: str | PathLike[str], columns: Columns) -> Path:
    """Write columns as CSV in UTF-8, whole or not at all.

    Raises:
        DataError: if the file cannot be written.
    """
    target = Path(path)
    try:
        with replacing(target) as temporary:
            temporary.write_text(csv_text(columns), encoding="utf-8", errors="backslashreplace", newline="")
    except OSError as error:
        raise DataError(target, f"it cannot be written: {error.strerror or error}") from error
    return target


def arrow_columns(columns: Columns) -> dict[str, pa.Array]:
    """Columns as arrays of Arrow: truth values, whole numbers, numbers, or text where the values are mixed.

    Raises:
        MissingExtra: if pyarrow is not installed.
    """
    pyarrow = import_pyarrow()
    found = {}
    for name, values in columns.items():
        kinds = {type(value) for value in values} - {type(None)}
        if len(kinds) > 1 and not kinds <= {int, float}:
            values = [None if value is None else plain_text(value) for value in values]
        values = [as_utf8(value) if isinstance(value, str) else value for value in values]
        kind = pyarrow.float64() if kinds == {int, float} else None
        found[name] = pyarrow.array(values, type=kind or (None if kinds else pyarrow.string()))
    return found


def write_parquet(
    path: str | PathLike[str], columns: Mapping[str, pa.Array], metadata: Mapping[str, str] | None = None
) -> Path:
    """Write arrays of Arrow to a Parquet file, with texts in its metadata, whole or not at all.

    Raises:
        DataError: if the file cannot be written.
        MissingExtra: if pyarrow is not installed.
    """
    pyarrow = import_pyarrow()
    from pyarrow import parquet

    target = Path(path)
    table = pyarrow.table(dict(columns)).replace_schema_metadata(dict(metadata or {}))
    try:
        with replacing(target) as temporary:
            parquet.write_table(table, temporary)
    except OSError as error:
        raise DataError(target, f"it cannot be written: {error.strerror or error}") from error
    return target


def import_pyarrow() -> Any:
    """The package pyarrow, or MissingExtra."""
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtra("a Parquet file", "pyarrow", "parquet") from error
    return pyarrow


def metadata_columns(
    said: Sequence[Mapping[str, Value]], names: Iterable[str] = (), taken: Sequence[str] = ()
) -> dict[str, list[Value]]:
    """Metadata of n records as columns of n values, in the order of their names.

    Args:
        said: the metadata.
        names: columns that are there even if no record has them; those of `FIXED` are no metadata.
        taken: names of other columns, which get `metadata.` before them here.
    """
    every = sorted({name for one in said for name in one} | (set(names) - set(FIXED)))
    return {f"metadata.{name}" if name in taken else name: [one.get(name) for one in said] for name in every}


def plain_text(value: Value) -> str:
    """A value as text, true and false in small letters."""
    return str(value).lower() if isinstance(value, bool) else str(value)
