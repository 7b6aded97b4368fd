"""MCAP: records of a code, a length and content, most of them inside of packed chunks."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.inflating import Allowance
from clip3d.clouds.formats.pointcloud2 import CUT_SHORT
from clip3d.clouds.formats.recordings import KINDS, MAX_MESSAGE_BYTES, MAX_SCANNED_BYTES, REMEDY, TOO_FAR, Message

MARK = b"\x89MCAP0\r\n"
SCHEMA, CHANNEL, MESSAGE, CHUNK, DATA_END = 3, 4, 5, 6, 15
RECORD = struct.Struct("<BQ")
CHUNK_HEAD = struct.Struct("<QQQI")
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
    """Which channels carry clouds: topics by channel, filled from the records that describe them."""

    def __init__(self) -> None:
        self._clouds: set[int] = set()
        self._channels: dict[int, tuple[str, str]] = {}

    def messages(self, code: int, data: bytes | memoryview) -> Generator[Message, None, None]:
        """Note what a record describes, or yield the cloud that it is."""
        content = Content(data)
        if code == SCHEMA:
            number = content.whole("H")
            if content.text() in KINDS:
                self._clouds.add(number)
        elif code == CHANNEL:
            number, schema = content.whole("H"), content.whole("H")
            if schema in self._clouds:
                self._channels[number] = content.text(), content.text()
        elif code == MESSAGE:
            channel = content.whole("H")
            if channel in self._channels:
                topic, encoding = self._channels[channel]
                if encoding not in ENCODINGS:
                    raise Malformed(f"its clouds are written as {encoding[:20]!r}", REMEDY)
                content.take(20)  # a running number and two times
                yield Message(topic, ENCODINGS[encoding], partial(bytes, content.rest()))


def messages(path: Path) -> Generator[Message, None, None]:
    """The clouds of an .mcap in the order of the file, as far as 4 GiB into it.

    The index at its end is not used, so a recording that was cut short gives what it holds.
    """
    topics = Topics()
    size = path.stat().st_size
    allowance = Allowance(size, MAX_SCANNED_BYTES)
    with path.open("rb") as stream:
        if stream.read(len(MARK)) != MARK:
            raise Malformed("it does not begin as an MCAP file of version 0 does", CUT_SHORT)
        while stream.tell() < min(size, MAX_SCANNED_BYTES):
            allowance.record()
            code, length = _head(stream, size)
            place = stream.tell()
            if code == DATA_END:
                return
            if code == CHUNK:
                records = _unpacked(Content(_some(stream, length)), allowance)
                yield from _in_chunk(records, topics, allowance)
            elif code in (SCHEMA, CHANNEL, MESSAGE):
                yield from topics.messages(code, _some(stream, length))
            stream.seek(place + length)
    if size > MAX_SCANNED_BYTES:
        raise Malformed(*TOO_FAR)


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


def _in_chunk(chunk: bytes | memoryview, topics: Topics, allowance: Allowance) -> Generator[Message, None, None]:
    content = Content(chunk)
    while content.rest():
        allowance.record()
        code, length = content.numbers(RECORD)
        yield from topics.messages(code, content.take(length))
