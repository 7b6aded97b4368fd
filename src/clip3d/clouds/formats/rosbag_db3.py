"""The .db3 files of ROS 2 recordings: SQLite with a table of topics and one of messages."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Generator
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import quote

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.recordings import KINDS, MAX_MESSAGE_BYTES, REMEDY, Message, Place

MAX_SECONDS = 30
MAX_SECONDS_OF_WHOLE = 3600
ZSTANDARD = b"\x28\xb5\x2f\xfd"


def messages(
    path: Path, kinds: Collection[str] = KINDS, *, whole: bool = False
) -> Generator[Message, None, None]:
    """The clouds, or messages of other types, of a .db3 in the order of time. The file is never written to.

    Args:
        path: of the file.
        kinds: types of messages.
        whole: look for them longer than 30 seconds.
    """
    with closing(_opened(path)) as connection:
        _guard(connection, MAX_SECONDS_OF_WHOLE if whole else MAX_SECONDS)
        # CROSS JOIN: messages are gone through by the index of their times, not sorted.
        found = connection.execute(
            "SELECT m.id, length(m.data), t.name, t.serialization_format, t.type, m.timestamp "
            "FROM messages m CROSS JOIN topics t ON t.id = m.topic_id "
            f"WHERE t.type IN ({', '.join('?' * len(kinds))}) ORDER BY m.timestamp, m.id",
            sorted(kinds),
        )
        for row, size, topic, form, kind, time_ in found:
            if form != "cdr" or not isinstance(size, int) or not 0 < size <= MAX_MESSAGE_BYTES:
                raise Malformed(f"a message has {size} bytes of the form {str(form)[:20]!r}", REMEDY)
            moment = time_ if isinstance(time_, int) else 0
            yield Message(str(topic), True, partial(_load, connection, row), str(kind), moment, (row, 0, size))


def reread(path: Path, place: Place) -> bytes:
    """The bytes of a message that `messages` gave."""
    with closing(_opened(path)) as connection:
        _guard(connection, MAX_SECONDS)
        return _load(connection, place[0])


def _opened(path: Path) -> sqlite3.Connection:
    name = quote(str(path.resolve()))
    return sqlite3.connect(f"file:{name}?mode=ro&immutable=1", uri=True)


def _load(connection: sqlite3.Connection, row: int, count: int | None = None) -> bytes:
    some = "data" if count is None else f"substr(data, 1, {count:d})"
    message = bytes(connection.execute(f"SELECT {some} FROM messages WHERE id = ?", (row,)).fetchone()[0])
    if message.startswith(ZSTANDARD):
        raise Malformed("its messages are packed one by one", "unpack the recording with `ros2 bag convert`")
    return message


def _guard(connection: sqlite3.Connection, seconds: float) -> None:
    """Let no query run without end, and no view or virtual table stand for a table."""
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: int(time.monotonic() > end), 100_000)
    connection.execute("PRAGMA trusted_schema = OFF")
    plain = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('topics', 'messages') "
        "AND sql NOT LIKE '%virtual%' AND sql NOT LIKE '%generated%' AND sql NOT LIKE '% as (%'"
    ).fetchone()[0]
    if plain != 2:
        raise Malformed("it has no tables of topics and messages", REMEDY)
