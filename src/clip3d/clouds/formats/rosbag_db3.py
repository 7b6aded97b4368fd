"""The .db3 files of ROS 2 bags: SQLite with a table of topics and one of messages."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from urllib.parse import quote

from clip3d.clouds.formats.contents import Contents, Malformed
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.formats.pointcloud2 import read_message

KIND = "sensor_msgs/msg/PointCloud2"
MAX_MESSAGE_BYTES = 1024**3
MAX_SECONDS = 30
REMEDY = "it must be a ROS 2 recording with a topic of PointCloud2"


def read_db3(data: bytes, neighbours: Neighbours) -> Contents:
    """Read the earliest PointCloud2 of the first topic of that type that has messages.

    The file alone is read, not the metadata.yaml beside it, and never written to.

    Raises:
        Malformed: if there is none, or it is packed message by message.
    """
    name = quote(str(neighbours.path.resolve()))
    with closing(sqlite3.connect(f"file:{name}?mode=ro&immutable=1", uri=True)) as connection:
        _guard(connection)
        first = connection.execute(
            "SELECT m.id, length(m.data), t.serialization_format FROM topics t JOIN messages m ON m.topic_id = t.id "
            "WHERE t.type = ? AND t.id = (SELECT t2.id FROM topics t2 WHERE t2.type = ? AND EXISTS "
            "(SELECT 1 FROM messages m2 WHERE m2.topic_id = t2.id) ORDER BY t2.id LIMIT 1) "
            "ORDER BY m.timestamp, m.id LIMIT 1",
            (KIND, KIND),
        ).fetchone()
        if first is None:
            raise Malformed("it holds no message PointCloud2", REMEDY)
        row, size, form = first
        if form != "cdr" or not 0 < size <= MAX_MESSAGE_BYTES:
            raise Malformed(f"its message has {size:,} bytes of the form {str(form)[:20]!r}", REMEDY)
        message = bytes(connection.execute("SELECT data FROM messages WHERE id = ?", (row,)).fetchone()[0])
    if message.startswith(b"\x28\xb5\x2f\xfd"):
        raise Malformed("its messages are packed one by one", "unpack the recording with `ros2 bag convert`")
    return read_message(message, cdr=True)


def _guard(connection: sqlite3.Connection) -> None:
    """Let no query run without end, and no view or virtual table stand for a table."""
    end = time.monotonic() + MAX_SECONDS
    connection.set_progress_handler(lambda: int(time.monotonic() > end), 100_000)
    connection.execute("PRAGMA trusted_schema = OFF")
    plain = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('topics', 'messages') "
        "AND sql NOT LIKE '%virtual%' AND sql NOT LIKE '%generated%' AND sql NOT LIKE '% as (%'"
    ).fetchone()[0]
    if plain != 2:
        raise Malformed("it has no tables of topics and messages", REMEDY)
