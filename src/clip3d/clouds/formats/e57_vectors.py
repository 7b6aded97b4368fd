"""The binary part of E57: pages with checksums, and in them the packets that a scan's points are packed in.

Points are stored field by field, whole numbers in as many bits as their range needs. Sources: ASTM E2807, and what
libE57 writes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed

PAGE, CHECKSUM = 1024, 4
CONTENT = PAGE - CHECKSUM
SECTION = struct.Struct("<B7xQQQ")
PACKET = struct.Struct("<BBH")
VECTOR_SECTION, DATA_PACKET = 1, 1
# Points that are unpacked at once.
BLOCK = 1 << 17
MAX_READS = 10_000_000
CUT_SHORT = "the file is cut short or damaged: copy or export it again"


class Pages:
    """The content of a file of pages of 1024 bytes, of which the last 4 are a checksum that is not looked at."""

    def __init__(self, stream: BinaryIO, file_bytes: int) -> None:
        self._stream = stream
        self.length = file_bytes // PAGE * CONTENT
        # Honest files are read once, packets' heads twice.
        self._left, self._reads = 3 * self.length, MAX_READS

    @staticmethod
    def place(offset: int) -> int:
        """Where an offset into the file lies in the content."""
        return offset // PAGE * CONTENT + min(offset % PAGE, CONTENT)

    def read(self, place: int, count: int) -> bytes:
        """So many bytes of the content."""
        if place + count > self.length:
            raise Malformed("it names bytes that it does not hold", CUT_SHORT)
        self._left, self._reads = self._left - count, self._reads - 1
        if self._left < 0 or self._reads < 0:
            raise Malformed("its scans lie over one another, or in too many packets", CUT_SHORT)
        first, last = place // CONTENT, -(-(place + count) // CONTENT)
        self._stream.seek(first * PAGE)
        pages = np.frombuffer(self._stream.read((last - first) * PAGE), np.uint8).reshape(-1, PAGE)
        start = place - first * CONTENT
        return pages[:, :CONTENT].tobytes()[start : start + count]


@dataclass(frozen=True)
class Field:
    """How one number of each point is stored.

    Attributes:
        name: as the standard has it.
        bits: of one number.
        smallest: of a whole number, which is stored less this; None for floats.
        scale, offset: what turns it into the value.
    """

    name: str
    bits: int
    smallest: int | None = None
    scale: float = 1.0
    offset: float = 0.0


class Column:
    """The packed bytes of one field as they come, and how far they are used."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._bytes = bytearray()
        self._bit = 0

    def add(self, data: bytes) -> None:
        """Bytes that follow those before."""
        self._bytes += data

    def ready(self) -> int:
        """How many values these bytes hold."""
        bits = self._field.bits
        return (8 * len(self._bytes) - self._bit) // bits if bits else 1 << 62

    def take(self, count: int) -> NDArray[np.float64]:
        """The next values (count,)."""
        field = self._field
        end = self._bit + count * field.bits
        data = np.frombuffer(bytes(self._bytes[: -(-end // 8)]), np.uint8)
        if field.smallest is None:
            values: NDArray[np.float64] = data.view("<f4" if field.bits == 32 else "<f8").astype(np.float64)
        else:
            whole = _whole(data, self._bit, count, field.bits) + np.uint64(field.smallest % (1 << 64))
            values = whole.view(np.int64).astype(np.float64) * field.scale + field.offset
        del self._bytes[: end // 8]
        self._bit = end % 8
        return values


def _whole(data: NDArray[np.uint8], bit: int, count: int, bits: int) -> NDArray[np.uint64]:
    """Unsigned numbers of so many bits each, the lowest bit first."""
    if bits <= 57:  # with the bits before it in its first byte, each lies within 8 bytes
        padded = np.concatenate([data, np.zeros(8, np.uint8)])
        words: NDArray[np.uint64] = np.ndarray(len(data) + 1, "<u8", buffer=padded, strides=(1,))
        place = bit + bits * np.arange(count)
        return np.asarray((words[place >> 3] >> (place & 7).astype(np.uint64)) & np.uint64((1 << bits) - 1))
    wide = np.zeros((count, 64), np.uint8)
    wide[:, :bits] = np.unpackbits(data, bitorder="little")[bit : bit + count * bits].reshape(count, bits)
    return np.packbits(wide, axis=1, bitorder="little").view("<u8")[:, 0].astype(np.uint64)


def read_vector(
    pages: Pages, offset: int, count: int, fields: Sequence[Field], wanted: frozenset[str]
) -> Iterator[dict[str, NDArray[np.float64]]]:
    """The values of the wanted fields, some ten thousand points at a time.

    Args:
        pages: the file.
        offset: where its section begins in the file.
        count: of points.
        fields: all that are stored, in their order.
        wanted: names of those to read.

    Raises:
        Malformed: if the section holds fewer points.
    """
    columns = {i: Column(field) for i, field in enumerate(fields) if field.name in wanted}
    left = count
    for streams in _packets(pages, offset, len(fields)):
        for i, column in columns.items():
            column.add(streams[i])
        # Of a field without bits any number is ready.
        ready = min(left, *(column.ready() for column in columns.values()))
        left -= ready
        while ready:
            block = min(ready, BLOCK)
            ready -= block
            yield {fields[i].name: column.take(block) for i, column in columns.items()}
        if not left:
            return
    raise Malformed(f"it ends before its {count:,} points", CUT_SHORT)


def _packets(pages: Pages, offset: int, fields: int) -> Iterator[list[bytes]]:
    """The bytes that each packet adds to each field."""
    at = pages.place(offset)
    kind, length, data, _ = SECTION.unpack(pages.read(at, SECTION.size))
    end = min(at + length, pages.length)
    if kind != VECTOR_SECTION:
        raise Malformed("there are no points where it says that they begin", CUT_SHORT)
    at = pages.place(data)
    while at + PACKET.size <= end:
        kind, _, last = PACKET.unpack(pages.read(at, PACKET.size))
        if kind == DATA_PACKET:
            yield _streams(pages.read(at, last + 1), fields)
        at += last + 1


def _streams(packet: bytes, fields: int) -> list[bytes]:
    at = PACKET.size + 2 + 2 * fields
    if len(packet) < at or int.from_bytes(packet[4:6], "little") != fields:
        raise Malformed("a packet of points does not have the fields of its scan", CUT_SHORT)
    streams = []
    for length in struct.unpack_from(f"<{fields}H", packet, 6):
        streams.append(packet[at : at + length])
        at += length
    if at > len(packet):
        raise Malformed("a packet of points ends before its content", CUT_SHORT)
    return streams
