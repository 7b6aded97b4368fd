"""The .bag files of ROS 1, version 2.0: records of a header and data, most of them inside of packed chunks."""

from __future__ import annotations

import struct
from collections.abc import Collection, Generator
from functools import lru_cache, partial
from pathlib import Path
from typing import BinaryIO

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.inflating import Allowance
from clip3d.clouds.formats.pointcloud2 import CUT_SHORT
from clip3d.clouds.formats.recordings import (
    KINDS,
    MAX_MESSAGE_BYTES,
    MAX_SCANNED_BYTES,
    TOO_FAR,
    Message,
    Place,
    message_at,
    some_bytes,
)

MARK = b"#ROSBAG V2.0\n"
MESSAGE, CHUNK, CONNECTION = 2, 5, 7
MAX_HEADER_BYTES = 1 << 20
Fields = dict[bytes, bytes]
# By connection, its topic and the type of its messages.
Topics = dict[bytes, tuple[str, str]]


def messages(
    path: Path, kinds: Collection[str] = KINDS, *, whole: bool = False
) -> Generator[Message, None, None]:
    """The clouds, or messages of other types, of a .bag in the order of the file.

    The index at its end is not used, so a recording that was cut short gives what it holds.

    Args:
        path: of the file.
        kinds: types of messages.
        whole: look for them further than 4 GiB into the file.
    """
    topics: Topics = {}
    size = path.stat().st_size
    farthest = size if whole else MAX_SCANNED_BYTES
    allowance = Allowance(size, MAX_SCANNED_BYTES, whole=whole)
    with path.open("rb") as stream:
        if stream.read(len(MARK)) != MARK:
            raise Malformed("it is no .bag of version 2.0", "convert it with `rosbag fix` or `rosbag migrate`")
        while stream.tell() < min(size, farthest):
            allowance.record()
            begin = stream.tell()
            fields, length = _header(stream, size)
            place = stream.tell()
            if fields.get(b"op") == bytes([CHUNK]):
                chunk = _unpacked(fields, stream.read(length), allowance)
                yield from _in_chunk(chunk, begin, kinds, topics, allowance)
            elif fields.get(b"op") in (bytes([MESSAGE]), bytes([CONNECTION])):
                yield from _record(fields, stream.read(length), (-1, place, place + length), kinds, topics)
            stream.seek(place + length)
    if size > farthest:
        raise Malformed(*TOO_FAR)


def reread(path: Path, place: Place) -> bytes:
    """The bytes of a message that `messages` gave."""
    return message_at(path, place, _chunk_at)


@lru_cache(maxsize=2)
def _chunk_at(path: Path, changed: int, begin: int) -> bytes:
    """A chunk, unpacked; the last two stay, since messages are mostly read in their order."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(begin)
        fields, length = _header(stream, size)
        return _unpacked(fields, stream.read(length), Allowance(size, MAX_SCANNED_BYTES))


def _header(stream: BinaryIO, size: int) -> tuple[Fields, int]:
    """The fields of the record that begins here, and how many bytes of data follow them."""
    length = _whole(stream.read(4))
    if length > MAX_HEADER_BYTES:
        raise Malformed(f"a record declares a header of {length:,} bytes", CUT_SHORT)
    fields = _fields(stream.read(length), length)
    data = _whole(stream.read(4))
    if data > MAX_MESSAGE_BYTES or stream.tell() + data > size:
        raise Malformed(f"a record declares {data:,} bytes that the file does not hold", CUT_SHORT)
    return fields, data


def _whole(data: bytes) -> int:
    if len(data) != 4:
        raise Malformed("it ends inside a record", CUT_SHORT)
    return int(struct.unpack("<I", data)[0])


def _fields(data: bytes, length: int) -> Fields:
    if len(data) != length:
        raise Malformed("it ends inside a record", CUT_SHORT)
    fields: Fields = {}
    at = 0
    while at < length:
        end = at + 4 + _whole(data[at : at + 4])
        name, equals, value = data[at + 4 : end].partition(b"=")
        if end > length or not equals:
            raise Malformed("a record's header is damaged", CUT_SHORT)
        fields[name] = value
        at = end
    return fields


def _unpacked(fields: Fields, data: bytes, allowance: Allowance) -> bytes:
    packing = fields.get(b"compression", b"none").decode("ascii", "replace")
    return data if packing == "none" else allowance.inflate(packing, data, _whole(fields.get(b"size", b"")))


def _in_chunk(
    chunk: bytes, begin: int, kinds: Collection[str], topics: Topics, allowance: Allowance
) -> Generator[Message, None, None]:
    at = 0
    while at < len(chunk):
        allowance.record()
        start = at + 4 + _whole(chunk[at : at + 4])
        fields = _fields(chunk[at + 4 : start], start - at - 4)
        at = start + 4 + _whole(chunk[start : start + 4])
        if at > len(chunk):
            raise Malformed("a record reaches out of its chunk", CUT_SHORT)
        yield from _record(fields, memoryview(chunk)[start + 4 : at], (begin, start + 4, at), kinds, topics)


def _record(
    fields: Fields, data: bytes | memoryview, place: Place, kinds: Collection[str], topics: Topics
) -> Generator[Message, None, None]:
    """Note a connection of messages that are asked for, or yield one."""
    operation, connection = fields.get(b"op"), fields.get(b"conn", b"")
    if operation == bytes([CONNECTION]):
        kind = _fields(bytes(data), len(data)).get(b"type", b"").decode("utf-8", "replace")
        if kind in kinds:
            topics[connection] = fields.get(b"topic", b"").decode("utf-8", "replace"), kind
    elif operation == bytes([MESSAGE]) and connection in topics:
        topic, kind = topics[connection]
        moment = fields.get(b"time", b"")
        seconds, rest = struct.unpack("<II", moment) if len(moment) == 8 else (0, 0)
        yield Message(topic, False, partial(some_bytes, data), kind, seconds * 1_000_000_000 + rest, place)
