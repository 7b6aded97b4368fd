"""glTF's arrays: accessors into views of buffers, each checked against the bytes that are there."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np

from clip3d.clouds.formats.contents import Malformed, Numbers
from clip3d.clouds.formats.neighbours import Neighbours

TYPES = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
MAX_NUMBERS = 64_000_000
MAX_BLANK_ROWS = 1_000_000
CUT_SHORT = "the file or its .bin is cut short or damaged: export it again"


class Accessors:
    """Reads the accessors of one glTF document."""

    def __init__(self, document: dict[str, Any], chunk: bytes | None, neighbours: Neighbours) -> None:
        self._accessors = document.get("accessors", [])
        self._views = document.get("bufferViews", [])
        self._buffers = document.get("buffers", [])
        self._chunk = chunk
        self._neighbours = neighbours
        self._loaded: dict[int, bytes] = {}
        self._arrays: dict[int, Numbers] = {}
        self._numbers_left = MAX_NUMBERS

    def has_data(self, index: int) -> bool:
        """Whether an accessor names bytes; those of compressed geometry without a fallback do not."""
        return "bufferView" in self._accessors[_position(index, self._accessors)]

    def read(self, index: int, *, width: int | tuple[int, ...]) -> Numbers:
        """The accessor's rows (n, width) as float32 for normalised or float types, else as stored.

        Raises:
            Malformed: if it has another width, does not lie inside its buffer, or is too large.
        """
        at = _position(index, self._accessors)
        if at not in self._arrays:
            self._arrays[at] = self._array(self._accessors[at])
        rows = self._arrays[at]
        if rows.shape[1] not in (width if isinstance(width, tuple) else (width,)):
            raise Malformed(f"accessor {at} has rows of {rows.shape[1]} numbers where {width} are needed")
        return rows

    def view(self, index: int) -> tuple[memoryview, int]:
        """The bytes of a buffer view, and its stride (0: packed)."""
        view = self._views[_position(index, self._views)]
        buffer = self._buffer(view["buffer"])
        start, length = _size(view.get("byteOffset", 0)), _size(view["byteLength"])
        stride = _size(view.get("byteStride", 0))
        if start + length > len(buffer):
            raise Malformed(f"buffer view {index} reaches beyond its buffer of {len(buffer):,} bytes", CUT_SHORT)
        return memoryview(buffer)[start : start + length], stride

    def _array(self, accessor: dict[str, Any]) -> Numbers:
        kind, width = TYPES.get(accessor["componentType"]), WIDTHS.get(accessor["type"])
        if kind is None or width is None:
            raise Malformed("an accessor has a type that a mesh cannot use")
        count = _size(accessor["count"])
        self._numbers_left -= count * width
        # Accessors may overlap, and one without a view takes no room in the file, so sizes alone bound nothing.
        if self._numbers_left < 0 or ("bufferView" not in accessor and count > MAX_BLANK_ROWS):
            raise Malformed(f"its accessors hold more than {MAX_NUMBERS:,} numbers", "simplify the scene")
        if "bufferView" in accessor:
            offset = _size(accessor.get("byteOffset", 0))
            rows = self._rows(accessor["bufferView"], offset, np.dtype(kind), width, count)
        else:
            rows = np.zeros((count, width), dtype=kind)
        if "sparse" in accessor:
            rows = self._replaced(rows, accessor["sparse"], width)
        return _normalised(rows) if accessor.get("normalized") and rows.dtype.kind in "ui" else rows

    def _rows(self, view: int, offset: int, kind: np.dtype[Any], width: int, count: int) -> Numbers:
        data, stride = self.view(view)
        size = kind.itemsize * width
        stride = stride or size
        if count and (stride < size or offset + (count - 1) * stride + size > len(data)):
            raise Malformed(f"an accessor of {count:,} rows reaches beyond its buffer view", CUT_SHORT)
        if not count:
            return np.zeros((0, width), dtype=kind)
        strided = np.ndarray((count, width), kind, data, offset, (stride, kind.itemsize))
        return np.ascontiguousarray(strided)

    def _replaced(self, rows: Numbers, sparse: dict[str, Any], width: int) -> Numbers:
        """Rows with those replaced that a sparse accessor names."""
        count = _size(sparse["count"])
        where, values = sparse["indices"], sparse["values"]
        kind = TYPES[where["componentType"]]
        at = self._rows(where["bufferView"], _size(where.get("byteOffset", 0)), np.dtype(kind), 1, count)[:, 0]
        new = self._rows(values["bufferView"], _size(values.get("byteOffset", 0)), rows.dtype, width, count)
        if count and (at.max() >= len(rows) or at.min() < 0):
            raise Malformed("a sparse accessor replaces a row that is not there", CUT_SHORT)
        rows = rows.copy()
        rows[at] = new
        return rows

    def _buffer(self, index: int) -> bytes:
        at = _position(index, self._buffers)
        if at not in self._loaded:
            self._loaded[at] = self._load(self._buffers[at], at)
        return self._loaded[at]

    def _load(self, buffer: dict[str, Any], index: int) -> bytes:
        uri = buffer.get("uri")
        if uri is None:
            if index or self._chunk is None:
                raise Malformed(f"buffer {index} has no bytes", CUT_SHORT)
            return self._chunk
        data = data_uri(uri) if uri.startswith("data:") else self._neighbours.read(uri)
        if data is None:
            remedy = "keep the buffer in the folder of the glTF file, or export as GLB"
            raise Malformed(f"its buffer {uri[:80]!r} cannot be read", remedy)
        return data


def data_uri(uri: str) -> bytes | None:
    """The bytes that a data URI holds, or None if it is not a valid one."""
    head, comma, body = uri.partition(",")
    if not comma:
        return None
    try:
        return base64.b64decode(unquote_to_bytes(body)) if head.endswith(";base64") else unquote_to_bytes(body)
    except (binascii.Error, ValueError):
        return None


def _normalised(rows: Numbers) -> Numbers:
    """Integers as the fractions of their type's largest value that they stand for."""
    return np.maximum(rows / np.float32(np.iinfo(rows.dtype).max), np.float32(-1)).astype(np.float32)


def _position(index: object, items: list[Any]) -> int:
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(items):
        raise Malformed(f"it names entry {str(index)[:40]} of a list of {len(items)}", "export it again")
    return index


def _size(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**40:
        raise Malformed(f"a size or count is {str(value)[:40]}", "the file is damaged: export it again")
    return value
