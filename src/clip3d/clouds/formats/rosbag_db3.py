"""The .db3 files of ROS 2 recordings: SQLite with a table of topics and one of messages."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import quote

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.recordings import KINDS, MAX_MESSAGE_BYTES, REMEDY, Message

MAX_SECONDS = 30
ZSTANDARD = b"\x28\xb5\x2f\xfd"


def messages(path: Path) -> Generator[Message, None, None]:
    """The clouds of a .db3 in the order of time. The file is never written to."""
    name = quote(str(path.resolve()))
    with closing(sqlite3.connect(f"file:{name}?mode=ro&immutable=1", uri=True)) as connection:
        _guard(connection)
        # CROSS JOIN: messages are gone through by the index of their times, not sorted.
        found = connection.execute(
            "SELECT m.id, length(m.data), t.name, t.serialization_format "
            "FROM messages m CROSS JOIN topics t ON t.id = m.topic_id WHERE t.type IN (?, ?) "
            "ORDER BY m.timestamp, m.id",
            sorted(KINDS),
        )
        for row, size, topic, form in found:
            if form != "cdr" or not isinstance(size, int) or not 0 < size <= MAX_MESSAGE_BYTES:
                raise Malformed(f"a message has {size} bytes of the form {str(form)[:20]!r}", REMEDY)
            yield Message(str(topic), cdr=True, load=partial(_load, connection, row))


def _load(connection: sqlite3.Connection, row: int) -> bytes:
    message = bytes(connection.execute("SELECT data FROM messages WHERE id = ?", (row,)).fetchone()[0])
    if message.startswith(ZSTANDARD):
        raise Malformed("its messages are packed one by one", "unpack the recording with `ros2 bag convert`")
    return message


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
