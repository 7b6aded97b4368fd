"""The data behind a PLY header: tables of numbers and of lists, checked against the size of the file first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed, Numbers
from clip3d.clouds.formats.text import integers, numbers

MAX_UNEVEN_ROWS = 4_000_000
CUT_SHORT = "the file is cut short or damaged: export or copy it again"


@dataclass(frozen=True)
class Property:
    """A column: `item` is its numpy type; `count` is the type of a list's length, or None for a plain number."""

    name: str
    item: str
    count: str | None


@dataclass(frozen=True)
class Element:
    """A table of `count` rows."""

    name: str
    count: int
    properties: list[Property]

    @property
    def has_lists(self) -> bool:
        """Whether rows differ in length."""
        return any(p.count for p in self.properties)


@dataclass(frozen=True)
class Ragged:
    """Lists: counts (n,) and all values in one run (sum of counts,)."""

    counts: Numbers
    values: Numbers


Column = Numbers | Ragged
Tables = dict[str, dict[str, Column]]


def read_binary(body: memoryview, elements: list[Element], order: str) -> Tables:
    """Tables by element and property name; `order` is "<" or ">"."""
    tables: Tables = {}
    start = 0
    for element in elements:
        lengths = [1 if p.count is None else 0 for p in element.properties]
        if element.count * _row_type(element, lengths, order).itemsize > len(body) - start:
            raise Malformed(f"it ends before its {element.count:,} rows of {element.name[:40]}", CUT_SHORT)
        if not element.count or not element.properties:
            tables[element.name] = {p.name: _empty(p) for p in element.properties}
        elif element.has_lists:
            table = _even_lists(body, element, order, start) or _ragged_lists(body, element, order, start)
            tables[element.name], start = table
        else:
            rows = np.frombuffer(body, _row_type(element, lengths, order), element.count, start)
            tables[element.name] = {p.name: rows[p.name] for p in element.properties}
            start += rows.nbytes
    return tables


def _row_type(element: Element, lengths: list[int], order: str) -> np.dtype[np.void]:
    fields: list[tuple[str, str] | tuple[str, str, tuple[int]]] = []
    for index, (prop, length) in enumerate(zip(element.properties, lengths, strict=True)):
        if prop.count is None:
            fields.append((prop.name, order + prop.item))
        else:
            fields.append((f"length of list {index}", order + prop.count))
            fields.append((prop.name, order + prop.item, (length,)))
    return np.dtype(fields)


def _even_lists(body: memoryview, element: Element, order: str, start: int) -> tuple[dict[str, Column], int] | None:
    """The table when every row has lists as long as the first row's, as most files do; otherwise None."""
    lengths = _lengths_of_row(body, element, order, start)
    row_type = _row_type(element, lengths, order)
    if element.count * row_type.itemsize > len(body) - start:
        return None
    rows = np.frombuffer(body, row_type, element.count, start)
    table: dict[str, Column] = {}
    for index, (prop, length) in enumerate(zip(element.properties, lengths, strict=True)):
        if prop.count is None:
            table[prop.name] = rows[prop.name]
        elif (rows[f"length of list {index}"] != length).any():
            return None
        else:
            table[prop.name] = Ragged(np.full(element.count, length), rows[prop.name].reshape(-1))
    return table, start + rows.nbytes


def _lengths_of_row(body: memoryview, element: Element, order: str, at: int) -> list[int]:
    lengths = []
    for prop in element.properties:
        length = 1
        if prop.count is not None:
            size = np.dtype(prop.count).itemsize
            if at + size > len(body):
                raise Malformed(f"it ends inside a {element.name[:40]}", CUT_SHORT)
            length = int(np.frombuffer(body, order + prop.count, 1, at)[0])
            at += size
        at += length * np.dtype(prop.item).itemsize
        if length < 0 or at > len(body):
            raise Malformed(f"a list in a {element.name[:40]} is longer than the file", CUT_SHORT)
        lengths.append(length)
    return lengths


def _ragged_lists(body: memoryview, element: Element, order: str, start: int) -> tuple[dict[str, Column], int]:
    """The table when lists differ in length: a walk finds each, then all are gathered at once."""
    _check_uneven(element)
    byteorder = "little" if order == "<" else "big"
    steps = [
        (0, np.dtype(p.item).itemsize, False) if p.count is None
        else (np.dtype(p.count).itemsize, np.dtype(p.item).itemsize, p.count.startswith("i"))
        for p in element.properties
    ]  # fmt: skip
    begins: list[list[int]] = [[] for _ in steps]
    lengths: list[list[int]] = [[] for _ in steps]
    at, end = start, len(body)
    for _ in range(element.count):
        for index, (size, item, signed) in enumerate(steps):
            length = int.from_bytes(body[at : at + size], byteorder, signed=signed) if size else 1  # type: ignore[arg-type]
            at += size
            begins[index].append(at)
            lengths[index].append(length)
            at += length * item
            if length < 0 or at > end:
                raise Malformed(f"a list in a {element.name[:40]} is longer than the file", CUT_SHORT)
    raw = np.frombuffer(body, np.uint8)
    table: dict[str, Column] = {}
    for prop, begin, sizes in zip(element.properties, begins, lengths, strict=True):
        counts = np.array(sizes)
        values = _gather(raw, np.array(begin), counts, np.dtype(order + prop.item))
        table[prop.name] = values if prop.count is None else Ragged(counts, values)
    return table, at


def _check_uneven(element: Element) -> None:
    if element.count > MAX_UNEVEN_ROWS:
        raise Malformed(f"it has more than {MAX_UNEVEN_ROWS:,} polygons of differing sizes", "use triangles")


def _gather(
    raw: NDArray[np.uint8], begin: NDArray[np.intp], counts: NDArray[np.intp], kind: np.dtype[np.generic]
) -> Numbers:
    owner = np.repeat(np.arange(len(counts)), counts)
    step = np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner]
    at = begin[owner] + step * kind.itemsize
    return np.ascontiguousarray(raw[at[:, None] + np.arange(kind.itemsize)]).view(kind).reshape(-1)


def read_ascii(body: bytes, elements: list[Element]) -> Tables:
    """Tables by element and property name."""
    for element in elements:
        if element.count * max(2 * len(element.properties) - 1, 1) > len(body) + 1 and element.properties:
            raise Malformed(f"it ends before its {element.count:,} rows of {element.name[:40]}", CUT_SHORT)
    values = numbers(body)
    tables: Tables = {}
    start = 0
    for element in elements:
        if not element.count or not element.properties:
            tables[element.name] = {p.name: _empty(p) for p in element.properties}
        elif element.has_lists:
            even = _even_text_lists(values, element, start)
            tables[element.name], start = even or _uneven_text_lists(values, element, start)
        else:
            end = start + element.count * len(element.properties)
            if end > len(values):
                raise Malformed(f"it ends before the last {element.name[:40]}", CUT_SHORT)
            rows = values[start:end].reshape(element.count, -1)
            tables[element.name] = {p.name: _typed(rows[:, i], p) for i, p in enumerate(element.properties)}
            start = end
    return tables


def _even_text_lists(
    values: NDArray[np.float64], element: Element, start: int
) -> tuple[dict[str, Column], int] | None:
    """The table when every row has lists as long as the first row's; otherwise None."""
    columns: list[tuple[int, int]] = []  # where each property begins in a row, and how many values it has
    width = 0
    for prop in element.properties:
        length = 1
        if prop.count is not None:
            value = values[start + width] if start + width < len(values) else -1
            if not 0 <= value <= len(values):
                return None
            length, width = int(value), width + 1
        columns.append((width, length))
        width += length
    end = start + element.count * width
    if end > len(values):
        return None
    rows = values[start:end].reshape(element.count, width)
    table: dict[str, Column] = {}
    for prop, (at, length) in zip(element.properties, columns, strict=True):
        if prop.count is None:
            table[prop.name] = _typed(rows[:, at], prop)
        elif (rows[:, at - 1] != length).any():
            return None
        else:
            found = _typed(rows[:, at : at + length].reshape(-1), prop)
            table[prop.name] = Ragged(np.full(element.count, length), found)
    return table, end


def _uneven_text_lists(
    values: NDArray[np.float64], element: Element, start: int
) -> tuple[dict[str, Column], int]:
    _check_uneven(element)
    begins: list[list[int]] = [[] for _ in element.properties]
    lengths: list[list[int]] = [[] for _ in element.properties]
    at, end = start, len(values)
    numbers_of_file = values.tolist()
    for _ in range(element.count):
        for index, prop in enumerate(element.properties):
            length = 1
            if prop.count is not None:
                value = numbers_of_file[at] if at < end else -1
                if not 0 <= value <= end or value != int(value):
                    raise Malformed(f"a list in a {element.name[:40]} has no sensible length", CUT_SHORT)
                length = int(value)
                at += 1
            begins[index].append(at)
            lengths[index].append(length)
            at += length
        if at > end:
            raise Malformed(f"it ends before the last {element.name[:40]}", CUT_SHORT)
    table: dict[str, Column] = {}
    for prop, begin, sizes in zip(element.properties, begins, lengths, strict=True):
        counts = np.array(sizes)
        owner = np.repeat(np.arange(len(counts)), counts)
        step = np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner]
        found = _typed(values[np.array(begin)[owner] + step], prop)
        table[prop.name] = found if prop.count is None else Ragged(counts, found)
    return table, at


def _typed(values: NDArray[np.float64], prop: Property) -> Numbers:
    """Text as the declared type, so that `uchar` colours are told from `float` ones."""
    if prop.item[0] == "f":
        return values
    if prop.item == "u1":
        return np.clip(np.nan_to_num(values), 0, 255).astype(np.uint8)
    return integers(values, f"{prop.name[:40]} holds a value")


def _empty(prop: Property) -> Column:
    values = np.zeros(0, prop.item)
    return values if prop.count is None else Ragged(np.zeros(0, np.intp), values)
