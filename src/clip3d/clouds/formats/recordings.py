"""Recordings of ROS: which of their PointCloud2 messages is the cloud, whatever file they are stored in."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from clip3d.clouds.formats.contents import Contents, Malformed
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.formats.pointcloud2 import CUT_SHORT, read_message

KINDS = frozenset({"sensor_msgs/PointCloud2", "sensor_msgs/msg/PointCloud2"})
STORES: dict[str, str] = {
    ".bag": "clip3d.clouds.formats.rosbag1",
    ".db3": "clip3d.clouds.formats.rosbag_db3",
    ".mcap": "clip3d.clouds.formats.rosbag_mcap",
}
# Suffixes of files with many clouds, on several topics.
RECORDINGS = frozenset(STORES)
BAG, DATABASE = b"#ROSBAG V", b"SQLite format 3\x00"
HEAD_BYTES = 1 << 16
MAX_MESSAGE_BYTES = 1024**3
MAX_TOPICS = 1000
# How far into a file clouds are looked for.
MAX_SCANNED_BYTES = 4 * 1024**3
TOO_FAR = "that cloud is not in its first 4 GiB", "cut the recording, or choose an earlier message"
REMEDY = "it must be a recording with a topic of sensor_msgs/PointCloud2"


# In a packed chunk: where its record begins in the file, and from where to where the message lies in what it
# unpacks to. Otherwise -1, and from where to where it lies in the file. In .db3 the row's number first.
Place = tuple[int, int, int]


@dataclass(frozen=True)
class Message:
    """One message of a recording, of the kinds that were asked for.

    Attributes:
        topic: its name.
        cdr: as ROS 2 writes messages; otherwise as ROS 1 does.
        load: gives its bytes, or its first so many, as long as the recording is open.
        kind: its type, such as "sensor_msgs/PointCloud2"; ROS 2 has /msg/ in it.
        time: nanoseconds since 1970 at which it was recorded.
        place: where the store's `reread` finds it later.
    """

    topic: str
    cdr: bool
    load: Callable[..., bytes]
    kind: str = ""
    time: int = 0
    place: Place = (0, 0, 0)


def some_bytes(data: bytes | memoryview, count: int | None = None) -> bytes:
    """All bytes of a message, or the first of them."""
    return bytes(data[:count])


def message_at(path: Path, place: Place, chunk_at: Callable[[Path, int, int], bytes | memoryview]) -> bytes:
    """The bytes of a message whose place a store of packed chunks gave.

    Args:
        path: of the file.
        place: of the message.
        chunk_at: unpacks the chunk of a file, as it was changed last, that begins somewhere in it.
    """
    chunk, start, end = place
    if chunk >= 0:
        return bytes(chunk_at(path, path.stat().st_mtime_ns, chunk)[start:end])
    with path.open("rb") as stream:
        stream.seek(start)
        return stream.read(end - start)


def read_recording(
    data: bytes, neighbours: Neighbours, *, topic: str | None = None, message: int = 0
) -> Contents:
    """Read one cloud of a ROS 1 .bag, a .db3 or .mcap of ROS 2, or a folder that ROS 2 recorded into.

    Args:
        data: unused; the file is read from its path.
        neighbours: of the file or folder.
        topic: where the cloud was sent; by default where the first cloud was.
        message: how many clouds of that topic to pass over, in the order of the file, or of time in .db3.

    Raises:
        MissingExtra: where messages are packed by lz4 or zstandard, and the package is not installed.
        Malformed: if there is no such cloud.
    """
    with closing(_messages(parts_of(neighbours.path))) as found:
        return _pick(found, topic, message)


def is_recording(path: Path) -> bool:
    """Whether a .bag or .db3 file begins as recordings of ROS do."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError:
        return False
    # A database begins with the definitions of its tables.
    return head.startswith(BAG) or (head.startswith(DATABASE) and b"topics" in head and b"messages" in head)


def is_recording_folder(path: Path) -> bool:
    """Whether a folder is one that ROS 2 recorded into."""
    try:
        return path.is_dir() and (path / "metadata.yaml").is_file() and bool(parts_of(path))
    except OSError:  # shut, or a name too long: whoever opens it says so
        return False


def parts_of(path: Path) -> list[Path]:
    """The files of a recording in their order: ROS 2 numbers them at the end of their names, from 0."""
    if not path.is_dir():
        return [path]
    parts = [part for part in path.iterdir() if part.suffix.lower() in {".db3", ".mcap"} and part.is_file()]
    return sorted(parts, key=lambda part: (int((re.findall(r"\d{1,18}$", part.stem) or ["0"])[0]), part.name))


def _messages(parts: Iterable[Path]) -> Generator[Message, None, None]:
    for part in parts:
        store = import_module(STORES[part.suffix.lower()])
        with closing(store.messages(part)) as found:
            yield from found


def _pick(found: Iterable[Message], topic: str | None, number: int) -> Contents:
    topics: dict[str, int] = {}
    for message in found:
        topic = message.topic if topic is None else topic
        passed = topics.get(message.topic, 0)
        if message.topic == topic and passed == number:
            return read_message(message.load(), cdr=message.cdr)
        topics[message.topic] = passed + 1
        if len(topics) > MAX_TOPICS:
            raise Malformed(f"it has more than {MAX_TOPICS:,} topics with clouds", CUT_SHORT)
    if not topics:
        raise Malformed("it holds no message PointCloud2", REMEDY)
    if topic not in topics:
        known = ", ".join(sorted(topics)[:20])
        raise Malformed(f"it has no clouds on the topic {topic}", f"its clouds are on {known}")
    count = topics[topic]
    raise Malformed(f"its topic {topic} has {count:,} clouds", f"choose a message from 0 to {count - 1}")
