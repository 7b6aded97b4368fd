"""PointCloud2, the message in which ROS sends clouds: as ROS 1 writes it, and as ROS 2 does (CDR)."""

from __future__ import annotations

import struct
from collections.abc import Collection

import numpy as np

from clip3d.clouds.formats.contents import MAX_POINTS, Contents, Malformed, Numbers, rows_finite
from clip3d.clouds.formats.pcd import packed_colors, triple

MAX_FIELDS = 256
# The message's numbers for types of fields.
TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
# Fields that become something; others may lie over one another, and as columns take more than the message.
USED = frozenset({"x", "y", "z", "rgb", "rgba", "r", "g", "b", "normal_x", "normal_y", "normal_z"})
CUT_SHORT = "the recording is cut short or damaged: record or copy it again"


class Cursor:
    """A place in a message, whose numbers are aligned to their size where it is CDR."""

    def __init__(self, data: bytes, *, cdr: bool) -> None:
        self._data = data[4:] if cdr else data
        self._order = ">" if cdr and data[1:2] == b"\x00" else "<"
        self.cdr = cdr
        self._at = 0

    def whole(self) -> int:
        """An unsigned number of 4 bytes."""
        self._align(4)
        return int(struct.unpack(self._order + "I", self.take(4))[0])

    def doubles(self, count: int) -> tuple[float, ...]:
        """Numbers of 8 bytes."""
        if count:
            self._align(8)
        return struct.unpack(f"{self._order}{count}d", self.take(8 * count))

    def byte(self) -> int:
        """An unsigned number of 1 byte."""
        return self.take(1)[0]

    def text(self) -> str:
        """A string after its length; CDR ends it with a zero."""
        return self.take(self.whole()).rstrip(b"\x00").decode("utf-8", "replace")

    def take(self, count: int) -> bytes:
        """The next bytes."""
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise Malformed("its message ends inside of what it declares", CUT_SHORT)
        self._at += count
        return taken

    def _align(self, size: int) -> None:
        if self.cdr:
            self._at += -self._at % size


def read_message(data: bytes, *, cdr: bool) -> Contents:
    """Points, colours (`rgb`, `rgba`) and normals of one message sensor_msgs/PointCloud2; NaN are left out.

    Lengths are in metres and z is up, as ROS lays down for all frames but those of cameras (REP 103); for a frame
    whose name ends in `_optical` or `_optical_frame` no up axis is stated.

    Args:
        data: the message as recorded.
        cdr: as ROS 2 writes it, with the four bytes that say so; otherwise as ROS 1 does.
    """
    columns, frame = read_columns(data, cdr=cdr, used=USED)
    points = triple(columns, ("x", "y", "z"))
    if points is None:
        raise Malformed("its cloud has no fields named x, y and z")
    # Where a sensor saw nothing its cloud has NaN, however many these are.
    seen = rows_finite(points)
    colors, normals = packed_colors(columns), triple(columns, ("normal_x", "normal_y", "normal_z"))
    return Contents(
        points=points[seen],
        colors=None if colors is None else colors[seen],
        normals=None if normals is None else normals[seen],
        up=None if frame.endswith(("_optical", "_optical_frame")) else "z",
        unit="m",
    )


def read_columns(data: bytes, *, cdr: bool, used: Collection[str]) -> tuple[dict[str, Numbers], str]:
    """Those fields (p,) of a message that have one of the names, each of its own type, and its frame's name."""
    cursor = Cursor(data, cdr=cdr)
    _, frame = read_head(cursor)
    height, width = cursor.whole(), cursor.whole()
    fields = [(cursor.text(), cursor.whole(), cursor.byte(), cursor.whole()) for _ in range(_few(cursor.whole()))]
    big, step, row_step = cursor.byte(), cursor.whole(), cursor.whole()
    body = cursor.take(cursor.whole())
    return _columns(_rows(body, height, width, step, row_step), fields, ">" if big else "<", used), frame


def read_head(cursor: Cursor) -> tuple[int, str]:
    """The time, in nanoseconds, and the frame's name with which most messages begin (std_msgs/Header)."""
    if not cursor.cdr:
        cursor.whole()  # a running number
    seconds, rest = cursor.whole(), cursor.whole()
    return seconds * 1_000_000_000 + rest, cursor.text()


def _few(count: int) -> int:
    if count > MAX_FIELDS:
        raise Malformed(f"its cloud declares {count:,} fields", CUT_SHORT)
    return count


def _rows(body: bytes, height: int, width: int, step: int, row_step: int) -> Numbers:
    """The points as bytes (p, step), without what fills up the rows of an organised cloud."""
    if height * width > MAX_POINTS:
        raise Malformed(f"{height * width:,} points, more than {MAX_POINTS:,}", "thin the cloud out")
    row_step = row_step if height > 1 else width * step
    if not height * width or row_step < width * step or height * row_step > len(body):
        raise Malformed(f"its cloud declares {height:,} rows of {width:,} points but does not hold them", CUT_SHORT)
    rows = np.frombuffer(body, np.uint8, height * row_step).reshape(height, row_step)
    return np.ascontiguousarray(rows[:, : width * step]).reshape(height * width, step)


def _columns(
    rows: Numbers, fields: list[tuple[str, int, int, int]], order: str, used: Collection[str]
) -> dict[str, Numbers]:
    columns: dict[str, Numbers] = {}
    for name, offset, kind, _ in fields:
        if name not in used:
            continue
        if kind not in TYPES:
            raise Malformed(f"its field {name[:40]} has the unknown type {kind}")
        dtype = np.dtype(order + TYPES[kind])
        if offset + dtype.itemsize > rows.shape[1]:
            raise Malformed(f"its field {name[:40]} lies outside of a point", CUT_SHORT)
        piece = np.ascontiguousarray(rows[:, offset : offset + dtype.itemsize])
        columns[name] = piece.view(dtype)[:, 0].astype(dtype.newbyteorder("="))
    return columns
