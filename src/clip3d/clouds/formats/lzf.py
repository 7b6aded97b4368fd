"""LZF, the packing of PCD's compressed files."""

from __future__ import annotations

from clip3d.clouds.formats.contents import Malformed

# Three bytes make at most 264.
MOST_PER_BYTE = 88


def inflate(packed: bytes, size: int) -> bytes:
    """Unpack to exactly `size` bytes, as liblzf's format has it.

    A control byte below 32 is followed by that many bytes and one more, as they are. Otherwise its upper three bits
    are a length (7: the next byte adds to it) and its lower five, with the byte that follows, say how far back to
    copy from; a copy may run into what it writes.

    Raises:
        Malformed: if the packed bytes end early, reach back too far, or give another size.
    """
    if size > MOST_PER_BYTE * len(packed):
        raise Malformed(f"{len(packed):,} packed bytes cannot hold {size:,}")
    out = bytearray()
    at, end = 0, len(packed)
    try:
        while at < end and len(out) <= size:
            control = packed[at]
            at += 1
            if control < 32:
                out += packed[at : at + control + 1]
                at += control + 1
                continue
            length = control >> 5
            if length == 7:
                length += packed[at]
                at += 1
            back = ((control & 31) << 8) + packed[at] + 1
            at += 1
            _copy(out, back, length + 2)
    except IndexError as error:
        raise Malformed("its packed points end early") from error
    if len(out) != size or at > end:
        raise Malformed(f"its points unpack to {len(out):,} bytes, not {size:,}")
    return bytes(out)


def _copy(out: bytearray, back: int, length: int) -> None:
    start = len(out) - back
    if start < 0:
        raise Malformed("its packed points are damaged")
    if back >= length:
        out += out[start : start + length]
    else:
        out += (out[start:] * (length // back + 1))[:length]
