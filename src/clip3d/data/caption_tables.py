"""Tables of captions: CSV or JSON files that say what the files of a folder show."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clip3d.errors import DataError

MAX_BYTES = 1 << 30
MAX_ROWS = 20_000_000
NAMES = ("path", "uid", "id", "file", "file_name")
COLUMNS = "columns are path (or uid), caption, and perhaps more captions, class and split"


@dataclass(frozen=True)
class Row:
    """What a table says of one object.

    Attributes:
        name: path of its file, or the file's name without suffix, as a uid of Objaverse is.
        captions: the most specific first.
        label: name of its class; empty where the table has none.
        split: empty where the table has none.
    """

    name: str
    captions: tuple[str, ...]
    label: str = ""
    split: str = ""


def read_captions(path: Path) -> list[Row]:
    """The rows of a table of captions, rows of one name joined into one.

    A CSV file has a first line of names: `path` or `uid`, `caption` (also `caption2`, ...; several in one cell are
    parted by "|"), and perhaps `class` and `split`; without such a line it has two columns, a name and a caption. A
    JSON file is an object of captions by name, or a list of objects with those keys.

    Raises:
        DataError: if the file is missing, damaged, too large, or of another form.
    """
    text = _text(path)
    rows = _json_rows(path, text) if path.suffix.lower() == ".json" else _csv_rows(path, text)
    joined: dict[str, Row] = {}
    for row in rows:
        known = joined.get(row.name)
        if known is None:
            joined[row.name] = row
            continue
        captions = tuple(dict.fromkeys((*known.captions, *row.captions)))
        joined[row.name] = Row(row.name, captions, known.label or row.label, known.split or row.split)
    if not joined:
        raise DataError(path, "it holds no captions", COLUMNS)
    return list(joined.values())


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(path, f"it holds more than {MAX_BYTES:,} bytes", "split it")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(path, "there is no such file", "check the spelling of the path") from error
    except UnicodeDecodeError as error:
        raise DataError(path, f"it is not UTF-8 text: {error.reason}", "save it as UTF-8") from error
    except OSError as error:
        raise DataError(path, f"it cannot be read: {error.strerror or error}") from error


def _csv_rows(path: Path, text: str) -> Iterable[Row]:
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline="")) if any(map(str.strip, line))]
    except csv.Error as error:
        raise DataError(path, f"it is not a CSV file: {error}", COLUMNS) from error
    if not lines:
        return
    heading = [cell.strip().lower() for cell in lines[0]]
    if not set(heading) & set(NAMES):
        if len(heading) != 2:
            named = ", ".join(heading)[:100]
            raise DataError(path, f"its first line names no column path or uid: {named}", COLUMNS)
        lines.insert(0, ["path", "caption"])
        heading = ["path", "caption"]
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(heading):
            reason = f"row {number} has {len(line)} cells, not {len(heading)}"
            raise DataError(path, reason, "quote cells that hold commas")
        yield _row(path, dict(zip(heading, line, strict=True)), f"row {number}")


def _json_rows(path: Path, text: str) -> Iterable[Row]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(path, f"it is not JSON: {error}", COLUMNS) from error
    if isinstance(content, dict):
        content = [{"path": name, "caption": value} for name, value in content.items()]
    if not isinstance(content, list):
        raise DataError(path, "it is neither an object of captions by name nor a list of objects", COLUMNS)
    for number, item in enumerate(content, 1):
        if not isinstance(item, dict):
            raise DataError(path, f"entry {number} is not an object", COLUMNS)
        yield _row(path, {str(key).lower(): value for key, value in item.items()}, f"entry {number}")


def _row(path: Path, cells: Mapping[str, Any], where: str) -> Row:
    name = next((cells[key] for key in NAMES if key in cells), None)
    captions = _captions(value for key, value in cells.items() if key.startswith("caption"))
    if not isinstance(name, str) or not name.strip():
        raise DataError(path, f"{where} names no file", COLUMNS)
    label = cells.get("class") or cells.get("label") or ""
    split = cells.get("split") or ""
    if not isinstance(label, str) or not isinstance(split, str):
        raise DataError(path, f"{where}: class and split must be text", COLUMNS)
    captions = captions or ((label.strip(),) if label.strip() else ())
    if not captions:
        raise DataError(path, f"{where} has no caption", COLUMNS)
    return Row(name.strip(), captions, label.strip(), split.strip())


def _captions(values: Iterable[Any]) -> tuple[str, ...]:
    """All phrases in cells that are text, with "|" between several, or lists of text."""
    texts = [text for value in values for text in (value if isinstance(value, list) else [value])]
    phrases = [phrase.strip() for text in texts if isinstance(text, str) for phrase in text.split("|")]
    return tuple(dict.fromkeys(phrase for phrase in phrases if phrase))
