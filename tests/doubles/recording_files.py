"""Recordings of ROS 2, their bytes laid out here as ROS writes them."""

from __future__ import annotations

import sqlite3
import struct
from pathlib import Path

import numpy as np

POINTS = np.random.default_rng(0).uniform(-20, 20, (60, 3)).astype(np.float32)
COLORS = np.random.default_rng(1).integers(0, 256, (60, 3)).astype(np.uint32)
KIND = "sensor_msgs/msg/PointCloud2"


def message(
    points: np.ndarray = POINTS, *, cdr: bool = True, big: bool = False, height: int = 1, frame: str = "lidar",
    count: int | None = None,
) -> bytes:  # fmt: skip
    """One PointCloud2 with a packed colour, in rows that are filled up with 8 bytes."""
    order = ">" if big else "<"
    out = bytearray()

    def whole(*values: int) -> None:
        for value in values:
            out.extend(bytes(-len(out) % 4) if cdr else b"")
            out.extend(struct.pack("<I", value))

    def text(value: str) -> None:
        data = value.encode() + (b"\x00" if cdr else b"")
        whole(len(data))
        out.extend(data)

    row = np.dtype([("xyz", order + "f4", 3), ("rgb", order + "u4"), ("ring", order + "u2")])
    rows = np.zeros(len(points), row)
    rows["xyz"], rows["rgb"] = points, COLORS[:, 0] << 16 | COLORS[:, 1] << 8 | COLORS[:, 2]
    width, step = len(points) // height, rows.itemsize
    body = b"".join(rows[i * width : (i + 1) * width].tobytes() + bytes(8) for i in range(height))
    whole(*([] if cdr else [7]), 1, 2)
    text(frame)
    whole(height, width if count is None else count)
    whole(5)
    for name, offset, kind in (("x", 0, 7), ("y", 4, 7), ("z", 8, 7), ("rgb", 12, 7), ("ring", 16, 4)):
        text(name)
        whole(offset)
        out.append(kind)
        whole(1)
    out.append(int(big))
    whole(step, width * step + 8, len(body))
    out.extend(body + b"\x01")
    return (b"\x00\x01\x00\x00" if cdr else b"") + bytes(out)


def write_db3(path: Path, rows: list[tuple[int, int, bytes]], kinds: tuple[str, ...] = (KIND,)) -> None:
    """A recording with topics 1, 2, ... of these types, and rows of topic, time and message."""
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, "
            "serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL)"
        )
        connection.execute(
            "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, timestamp INTEGER NOT NULL, "
            "data BLOB NOT NULL)"
        )
        for number, kind in enumerate(kinds, 1):
            connection.execute("INSERT INTO topics VALUES (?, ?, ?, 'cdr', '')", (number, f"/topic{number}", kind))
        connection.executemany("INSERT INTO messages(topic_id, timestamp, data) VALUES (?, ?, ?)", rows)
    connection.close()
