"""What users say of their files: tables beside them (CSV, JSON, JSON lines), and key=value.

Types are told from the text: a column of a CSV table is numbers, truth values or text; JSON says itself.
"""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from clip3d.clouds.remote import URI
from clip3d.errors import DataError, ShapeError
from clip3d.search.conditions.columns import check_name
from clip3d.search.stores.store import Value

PATH = "path"
MAX_BYTES = 1 << 28
MAX_ROWS = 10_000_000
MAX_COLUMNS = 200
MAX_TEXT = 10_000
LARGEST_INTEGER = 2**63

TRUTH = {"true": True, "false": False}
INTEGER = re.compile(r"[+-]?(0|[1-9]\d{0,17})", re.ASCII)
NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)?(\.\d*)?([eE][+-]?\d+)?", re.ASCII)

PathName = str | os.PathLike[str]
Metadata = dict[str, Value]


def read_assignments(assignments: Iterable[str]) -> Metadata:
    """Metadata from phrases such as `split=test`; text in double quotes stays text, whatever it looks like.

    Raises:
        ShapeError: if a phrase has no `=`, or its name cannot be that of a column.
    """
    found: Metadata = {}
    for phrase in assignments:
        name, sign, value = phrase.partition("=")
        if not sign:
            raise ShapeError(f"metadata is given as name=value, got {phrase!r}")
        if len(value) > MAX_TEXT:
            raise ShapeError(f"the value of {name.strip()!r} has more than {MAX_TEXT} characters")
        quoted = len(value) > 1 and value[0] == value[-1] == '"'
        found[check_name(name.strip())] = value[1:-1] if quoted else _typed(value.strip())
    return found


def read_table(path: str | os.PathLike[str]) -> dict[str, Metadata]:
    """Metadata of files by their absolute paths, or URIs.

    A table is CSV with a line of headings, JSON (a list of objects), or JSON lines. It has a column `path`; paths
    that are not absolute start from the table's folder. Empty cells and nulls say nothing.

    Raises:
        DataError: if the table is missing, too large, of another kind, or holds what cannot be metadata.
    """
    table = Path(path)
    try:
        if table.stat().st_size > MAX_BYTES:
            raise DataError(table, f"the table is larger than {MAX_BYTES >> 20} MiB", "split it")
        found = _by_path(table, _rows(table))
    except ShapeError as error:
        raise DataError(table, str(error), "rename the column") from error
    except RecursionError as error:
        raise DataError(table, "it is nested too deeply") from error
    except (ValueError, csv.Error) as error:  # among them damaged UTF-8 and JSON
        raise DataError(table, f"it cannot be read: {error}", "save it as CSV in UTF-8, or JSON lines") from error
    except OSError as error:
        raise DataError(table, f"it cannot be read: {error.strerror or error}") from error
    return found


def read_tables(paths: PathName | Iterable[PathName]) -> dict[str, Metadata]:
    """`read_table` of several; what a later one says of a file goes before an earlier."""
    found: dict[str, Metadata] = {}
    for path in [paths] if isinstance(paths, str | os.PathLike) else paths:
        for name, said in read_table(path).items():
            found[name] = {**found.get(name, {}), **said}
    return found


def _rows(table: Path) -> Iterator[Mapping[str, Any]]:
    if table.suffix.lower() == ".csv":
        return _csv_rows(table)
    if table.suffix.lower() in (".json", ".jsonl", ".ndjson"):
        return _json_rows(table)
    raise DataError(table, f"a table of metadata is named .csv, .json or .jsonl, not {table.suffix!r}")


def _csv_rows(table: Path) -> Iterator[Metadata]:
    with table.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        names = next(reader, [])
        if len(set(names)) != len(names):
            raise DataError(table, "two of its columns have one name", "rename one")
        cells = list(_checked_cells(table, reader, len(names)))
    columns = [_column(texts) for texts in zip(*cells, strict=True)]
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def _checked_cells(table: Path, reader: Any, width: int) -> Iterator[list[str]]:
    for row in reader:
        if not row:
            continue
        if len(row) != width:
            raise DataError(table, f"line {reader.line_num} has {len(row)} cells, the first line has {width}")
        yield row


def _column(texts: tuple[str, ...]) -> list[Value]:
    """Cells of one column, all of one type; empty ones are None."""
    said = {text.strip() for text in texts} - {""}
    kinds = {type(_typed(text)) for text in said}
    if kinds <= {int, float} or kinds == {bool}:
        return [_typed(text.strip()) if text.strip() else None for text in texts]
    return [text if text.strip() else None for text in texts]


def _typed(text: str) -> Value:
    """A number or truth value that a text plainly is; itself otherwise, as 007 and nan are."""
    if text.lower() in TRUTH:
        return TRUTH[text.lower()]
    if INTEGER.fullmatch(text):
        return int(text)
    # a whole number too long for 64 bits is a name
    if set(text) & set(".eE") and set(text) & set("0123456789") and NUMBER.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text


def _json_rows(table: Path) -> Iterator[Mapping[str, Any]]:
    with table.open(encoding="utf-8-sig") as stream:
        start = stream.read(1)
        while start.isspace():
            start = stream.read(1)
        stream.seek(0)
        if start == "[":
            yield from _parsed(stream.read())
            return
        for line in stream:
            if line.strip():
                yield _parsed(line)


def _parsed(text: str) -> Any:
    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no number of JSON")

    return json.loads(text.lstrip("\ufeff"), parse_constant=refuse)


def _by_path(table: Path, rows: Iterator[Mapping[str, Any]]) -> dict[str, Metadata]:
    folder = table.absolute().parent
    found: dict[str, Metadata] = {}
    names: set[str] = set()
    for number, row in enumerate(rows, start=1):
        if number > MAX_ROWS:
            raise DataError(table, f"it has more than {MAX_ROWS} rows", "split it")
        if not isinstance(row, dict) or not isinstance(row.get(PATH), str) or not row[PATH]:
            raise DataError(table, f"row {number} does not say of which file it is", "give it a column path")
        said = {name: value for name, value in row.items() if name != PATH and value is not None}
        names = _check_names(table, names, said)
        found[_absolute(folder, row[PATH])] = {name: _checked(table, number, said[name]) for name in said}
    return found


def _check_names(table: Path, known: set[str], said: Mapping[str, Any]) -> set[str]:
    """All names so far, each checked once."""
    new = said.keys() - known
    for name in new:
        check_name(name)
    if len(known) + len(new) > MAX_COLUMNS:
        raise DataError(table, f"it has more than {MAX_COLUMNS} columns", "leave some out")
    return known | new if new else known


def _checked(table: Path, row: int, value: Any) -> Value:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise DataError(table, f"row {row} has a text of more than {MAX_TEXT} characters", "shorten it")
        if "\x00" in value:
            raise DataError(table, f"row {row} has a text with zero bytes")
        value.encode()
        return value
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) < LARGEST_INTEGER):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise DataError(table, f"row {row} has a value that is neither text, a number nor a truth value: {value!r:.60}")


def _absolute(folder: Path, named: str) -> str:
    """The name that the file has in a collection; only looked up, never opened."""
    return named if URI.match(named) else os.path.normpath(folder / named)
