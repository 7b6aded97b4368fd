"""Unpacking of bz2, lz4 and zstandard, which stops before it fills the memory."""

from __future__ import annotations

from typing import Any

from clip3d.clouds.formats.contents import MAX_INFLATED_BYTES, Malformed, inflation_limit
from clip3d.errors import MissingExtra

# Frames of zstandard that ask for more memory are none that recorders write.
MAX_WINDOW_BYTES = 128 * 1024**2
MAX_RECORDS = 10_000_000


class Allowance:
    """What may be spent on one file of records: how many, and how many bytes their packed pieces may unpack to.

    Args:
        file_bytes: the size of the file. Its pieces may unpack to 20 times that, or to 64 MiB if that is more.
        most: bytes that they may never exceed.
        whole: whether all of the file is to be gone through, however long that takes.
    """

    def __init__(self, file_bytes: int, most: int, *, whole: bool = False) -> None:
        unpacked = max(inflation_limit(0), 20 * file_bytes)
        self._bytes = unpacked if whole else min(most, unpacked)
        self._records = max(MAX_RECORDS, file_bytes // 64 if whole else 0)

    def record(self) -> None:
        """Count one record; raise Malformed after too many."""
        self._records -= 1
        if self._records < 0:
            raise Malformed(f"it has more than {MAX_RECORDS:,} records before its cloud", "cut it")

    def inflate(self, packing: str, data: bytes, size: int) -> bytes:
        """The unpacked bytes of one piece.

        Args:
            packing: "bz2", "lz4" or "zstd".
            data: the piece.
            size: what it says to unpack to.

        Raises:
            Malformed: if it unpacks to another size, or to too much, or by an unknown method.
            MissingExtra: without the package that unpacks it.
        """
        if not 0 <= size <= min(self._bytes, MAX_INFLATED_BYTES):
            raise Malformed(f"a piece of {len(data):,} packed bytes declares {size:,}", "unpack the file")
        self._bytes -= size
        unpacked = _unpack(packing, data, size + 1)
        if len(unpacked) != size:
            raise Malformed(f"a packed piece does not unpack to its {size:,} bytes", "copy or export it again")
        return unpacked


def _unpack(packing: str, data: bytes, most: int) -> bytes:
    if packing == "bz2":
        import bz2

        return bz2.BZ2Decompressor().decompress(data, most)
    if packing == "lz4":
        return bytes(_lz4().LZ4FrameDecompressor().decompress(data, most))
    if packing == "zstd":
        unpacker = _zstandard().ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
        with unpacker.stream_reader(data, read_across_frames=True) as stream:
            return bytes(stream.read(most))
    raise Malformed(f"its pieces are packed by {packing[:20]!r}", "bz2, lz4 and zstd are read")


def _lz4() -> Any:
    try:
        import lz4.frame
    except ImportError as error:
        raise MissingExtra("unpacking lz4", "lz4", "ros") from error
    return lz4.frame


def _zstandard() -> Any:
    try:
        import zstandard
    except ImportError as error:
        raise MissingExtra("unpacking zstandard", "zstandard", "ros") from error
    return zstandard
