"""PCD, the format of the Point Cloud Library: ascii, binary, and binary compressed with LZF."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import (
    MAX_POINTS,
    Contents,
    Malformed,
    Numbers,
    inflation_limit,
    to_unit_range,
)
from clip3d.clouds.formats.lzf import inflate
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.formats.text import numbers

MAX_PACKED_BYTES = 64 * 1024**2
CUT_SHORT = "the file is cut short or damaged: copy or export it again"
TYPES = {"F4": "<f4", "F8": "<f8", "U1": "u1", "U2": "<u2", "U4": "<u4", "U8": "<u8", "I1": "i1", "I2": "<i2",
         "I4": "<i4", "I8": "<i8"}  # fmt: skip
KEYS = ("VERSION", "FIELDS", "SIZE", "TYPE", "COUNT", "WIDTH", "HEIGHT", "VIEWPOINT", "POINTS", "DATA")


@dataclass(frozen=True)
class Header:
    """A parsed PCD header: the row of one point, how many there are, how they are stored, and where they begin."""

    row: np.dtype[np.void]
    points: int
    storage: str
    body: int


def read_pcd(data: bytes, neighbours: Neighbours) -> Contents:
    """Read a PCD file; colours come from `rgb` or `rgba`, packed in a float or an integer."""
    columns = pcd_columns(data)
    points = triple(columns, ("x", "y", "z"))
    if points is None:
        raise Malformed("it has no fields named x, y and z")
    normals = triple(columns, ("normal_x", "normal_y", "normal_z"))
    return Contents(points=points, colors=packed_colors(columns), normals=normals)


def pcd_columns(data: bytes) -> dict[str, Numbers]:
    """All fields (p,) of a PCD file by their names, each of its own type; of a field of many values the first."""
    header = _header(data)
    if header.storage == "ascii":
        return _ascii(data[header.body :], header)
    if header.storage == "binary":
        return _binary(data, header)
    return _compressed(data, header)


def _header(data: bytes) -> Header:
    words: dict[str, list[str]] = {}
    at = 0
    while "DATA" not in words:
        end = data.find(b"\n", at, at + 4096)
        if end < 0 or at > 65536:
            raise Malformed("its header has no end", CUT_SHORT)
        key, *values = data[at:end].decode("latin-1").split("#")[0].split() or [""]
        if key in KEYS:
            words[key] = values
        elif key:
            raise Malformed(f"its header has a line that PCD does not know: {key[:40]!r}")
        at = end + 1
    points = _points(words)
    storage = words["DATA"][0].lower() if words["DATA"] else ""
    if storage not in ("ascii", "binary", "binary_compressed"):
        raise Malformed(f"its data are stored as {storage[:40]!r}, expected ascii, binary or binary_compressed")
    return Header(_row(words), points, storage, at)


def _points(words: dict[str, list[str]]) -> int:
    if "POINTS" in words:
        points = _whole(words["POINTS"])[0]
    else:
        points = _whole(words.get("WIDTH", []))[0] * _whole(words.get("HEIGHT", ["1"]))[0]
    if points > MAX_POINTS:
        raise Malformed(f"it declares {points:,} points, more than {MAX_POINTS:,}", "thin the cloud out")
    return points


def _row(words: dict[str, list[str]]) -> np.dtype[np.void]:
    names = words.get("FIELDS", [])
    sizes, kinds = words.get("SIZE", []), words.get("TYPE", [])
    counts = _whole(words["COUNT"]) if "COUNT" in words else [1] * len(names)
    if not names or not len(names) == len(sizes) == len(kinds) == len(counts):
        raise Malformed("its header does not give every field a size, a type and a count")
    fields: list[tuple[str, str, tuple[int]]] = []
    for index, (name, size, kind, count) in enumerate(zip(names, sizes, kinds, counts, strict=True)):
        if kind + size not in TYPES or count > 65536:
            raise Malformed(f"its field {name[:40]} has the unknown type {kind[:8]}{size[:8]} or too many values")
        taken = {field[0] for field in fields}
        unique = f"padding {index}" if name in taken or name == "_" else name
        fields.append((unique, TYPES[kind + size], (count,)))
    return np.dtype(fields)


def _whole(words: list[str]) -> list[int]:
    if not words or not all(word.isdecimal() and len(word) < 16 for word in words):
        raise Malformed("a size or count in its header is not a whole number")
    return [int(word) for word in words]


def _ascii(body: bytes, header: Header) -> dict[str, Numbers]:
    shapes = [(name, header.row[name].base, header.row[name].shape[0]) for name in header.row.names or ()]
    width = sum(count for _, _, count in shapes)
    if 2 * header.points * width - 1 > len(body):
        raise Malformed(f"it ends before its {header.points:,} points", CUT_SHORT)
    values = numbers(body)
    if len(values) < header.points * width:
        raise Malformed(f"it ends before its {header.points:,} points", CUT_SHORT)
    rows = values[: header.points * width].reshape(header.points, width)
    columns, at = {}, 0
    for name, kind, count in shapes:
        column = rows[:, at]
        whole = kind.kind in "ui" and bool(np.isfinite(column).all()) and bool((np.abs(column) < 2**62).all())
        columns[name] = column.astype(np.int64).astype(kind) if whole else column.astype(np.float32)
        at += count
    return columns


def _binary(data: bytes, header: Header) -> dict[str, Numbers]:
    if header.points * header.row.itemsize > len(data) - header.body:
        raise Malformed(f"it ends before its {header.points:,} points", CUT_SHORT)
    rows = np.frombuffer(data, header.row, header.points, header.body)
    return {name: rows[name][:, 0] for name in header.row.names or () if rows[name].shape[1]}


def _compressed(data: bytes, header: Header) -> dict[str, Numbers]:
    """Fields stored one after the other, all packed together."""
    if len(data) < header.body + 8:
        raise Malformed("it ends before its points", CUT_SHORT)
    packed, unpacked = np.frombuffer(data, "<u4", 2, header.body).tolist()
    expected = header.points * header.row.itemsize
    if unpacked != expected:
        raise Malformed(f"its points should unpack to {expected:,} bytes, not {unpacked:,}", CUT_SHORT)
    if unpacked > inflation_limit(len(data)):
        raise Malformed(f"its points would unpack to {unpacked:,} bytes", "save it without compression")
    if packed > MAX_PACKED_BYTES:
        raise Malformed(f"it has {packed:,} packed bytes", "save it as binary, without compression")
    if packed > len(data) - header.body - 8:
        raise Malformed("it ends inside its points", CUT_SHORT)
    raw = inflate(data[header.body + 8 : header.body + 8 + packed], unpacked)
    columns, at = {}, 0
    for name in header.row.names or ():
        kind, count = header.row[name].base, header.row[name].shape[0]
        if count:
            columns[name] = np.frombuffer(raw, kind, header.points * count, at).reshape(header.points, count)[:, 0]
        at += header.points * count * kind.itemsize
    return columns


def triple(columns: dict[str, Numbers], names: tuple[str, str, str]) -> Numbers | None:
    """Three named columns (p,) side by side (p, 3), or None if one is missing."""
    found = [columns[name] for name in names if name in columns]
    return np.stack(found, axis=1) if len(found) == 3 else None


def packed_colors(columns: dict[str, Numbers]) -> NDArray[np.float32] | None:
    """Colours (p, 3) in [0, 1] from columns `rgb` or `rgba`, three bytes in a number, or `r`, `g` and `b`."""
    for name in ("rgb", "rgba"):
        column = columns.get(name)
        if column is None or column.dtype.itemsize < 4:
            continue
        # The three bytes travel inside the bits of a float32, or inside an integer.
        bits = column.astype(np.float32).view(np.uint32) if column.dtype.kind == "f" else column.astype(np.uint32)
        return to_unit_range(np.stack([bits >> 16, bits >> 8, bits], axis=1).astype(np.uint8))
    separate = triple(columns, ("r", "g", "b"))
    return None if separate is None else to_unit_range(separate)
