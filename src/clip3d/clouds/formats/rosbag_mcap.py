"""MCAP: records of a code, a length and content, most of them inside of packed chunks."""

from __future__ import annotations

import struct
import zlib
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
    REMEDY,
    TOO_FAR,
    Message,
    Place,
    message_at,
    some_bytes,
)

MARK = b"\x89MCAP0\r\n"
SCHEMA, CHANNEL, MESSAGE, CHUNK, DATA_END = 3, 4, 5, 6, 15
RECORD = struct.Struct("<BQ")
CHUNK_HEAD = struct.Struct("<QQQI")
# A running number, and the times of recording and of sending.
MESSAGE_HEAD = struct.Struct("<IQQ")
# How messages are written, by MCAP's names, and whether that is CDR.
ENCODINGS = {"cdr": True, "ros1": False}


class Content:
    """What is left of one record."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data)

    def numbers(self, form: struct.Struct) -> tuple[int, ...]:
        """The next numbers."""
        return form.unpack(self.take(form.size))

    def whole(self, form: str) -> int:
        """The next number, in the letter of `struct`."""
        return int(self.numbers(struct.Struct("<" + form))[0])

    def text(self) -> str:
        """The next string, after its length."""
        return bytes(self.take(self.whole("I"))).decode("utf-8", "replace")

    def take(self, count: int) -> memoryview:
        """The next bytes."""
        taken, self._data = self._data[:count], self._data[count:]
        if len(taken) < count:
            raise Malformed("a record ends before its content", CUT_SHORT)
        return taken

    def rest(self) -> memoryview:
        """All bytes that are left."""
        return self._data


class Topics:
    """Which channels carry what is asked for: topics by channel, filled from the records that describe them."""

    def __init__(self, kinds: Collection[str]) -> None:
        self._kinds = kinds
        self._schemas: dict[int, str] = {}
        self._channels: dict[int, tuple[str, str, str]] = {}

    def messages(self, code: int, data: bytes | memoryview, place: Place) -> Generator[Message, None, None]:
        """Note what a record describes, or yield the message that it is."""
        content = Content(data)
        if code == SCHEMA:
            number = content.whole("H")
            kind = content.text()
            if kind in self._kinds:
                self._schemas[number] = kind
        elif code == CHANNEL:
            number, schema = content.whole("H"), content.whole("H")
            if schema in self._schemas:
                self._channels[number] = content.text(), content.text(), self._schemas[schema]
        elif code == MESSAGE:
            channel = content.whole("H")
            if channel in self._channels:
                topic, encoding, kind = self._channels[channel]
                if encoding not in ENCODINGS:
                    raise Malformed(f"its clouds are written as {encoding[:20]!r}", REMEDY)
                _, time, _ = content.numbers(MESSAGE_HEAD)
                chunk, start, end = place
                place = chunk, start + 2 + MESSAGE_HEAD.size, end
                yield Message(topic, ENCODINGS[encoding], partial(some_bytes, content.rest()), kind, time, place)


def messages(
    path: Path, kinds: Collection[str] = KINDS, *, whole: bool = False
) -> Generator[Message, None, None]:
    """The clouds, or messages of other types, of an .mcap in the order of the file.

    The index at its end is not used, so a recording that was cut short gives what it holds.

    Args:
        path: of the file.
        kinds: types of messages.
        whole: look for them further than 4 GiB into the file.
    """
    topics = Topics(kinds)
    size = path.stat().st_size
    farthest = size if whole else MAX_SCANNED_BYTES
    allowance = Allowance(size, MAX_SCANNED_BYTES, whole=whole)
    with path.open("rb") as stream:
        if stream.read(len(MARK)) != MARK:
            raise Malformed("it does not begin as an MCAP file of version 0 does", CUT_SHORT)
        while stream.tell() < min(size, farthest):
            allowance.record()
            begin = stream.tell()
            code, length = _head(stream, size)
            place = stream.tell()
            if code == DATA_END:
                return
            if code == CHUNK:
                records = _unpacked(Content(_some(stream, length)), allowance)
                yield from _in_chunk(records, begin, topics, allowance)
            elif code in (SCHEMA, CHANNEL, MESSAGE):
                yield from topics.messages(code, _some(stream, length), (-1, place, place + length))
            stream.seek(place + length)
    if size > farthest:
        raise Malformed(*TOO_FAR)


def reread(path: Path, place: Place) -> bytes:
    """The bytes of a message that `messages` gave."""
    return message_at(path, place, _chunk_at)


@lru_cache(maxsize=2)
def _chunk_at(path: Path, changed: int, begin: int) -> bytes | memoryview:
    """A chunk, unpacked; the last two stay, since messages are mostly read in their order."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(begin)
        _, length = _head(stream, size)
        return _unpacked(Content(_some(stream, length)), Allowance(size, MAX_SCANNED_BYTES))


def _head(stream: BinaryIO, size: int) -> tuple[int, int]:
    head = stream.read(RECORD.size)
    if len(head) < RECORD.size:
        raise Malformed("it ends inside a record", CUT_SHORT)
    code, length = RECORD.unpack(head)
    if stream.tell() + length > size:
        raise Malformed(f"a record declares {length:,} bytes that the file does not hold", CUT_SHORT)
    return code, length


def _some(stream: BinaryIO, length: int) -> bytes:
    if length > MAX_MESSAGE_BYTES:
        raise Malformed(f"a record declares {length:,} bytes, more than 1 GiB", CUT_SHORT)
    return stream.read(length)


def _unpacked(chunk: Content, allowance: Allowance) -> bytes | memoryview:
    _, _, size, checksum = chunk.numbers(CHUNK_HEAD)
    packing = chunk.text()
    packed = chunk.take(chunk.whole("Q"))
    records = packed if not packing else allowance.inflate(packing, bytes(packed), size)
    if checksum and zlib.crc32(records) != checksum:
        raise Malformed("a chunk does not fit its checksum", CUT_SHORT)
    return records


def _in_chunk(
    chunk: bytes | memoryview, begin: int, topics: Topics, allowance: Allowance
) -> Generator[Message, None, None]:
    content = Content(chunk)
    while content.rest():
        allowance.record()
        code, length = content.numbers(RECORD)
        start = len(chunk) - len(content.rest())
        yield from topics.messages(code, content.take(length), (begin, start, start + length))
