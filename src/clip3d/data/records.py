"""Tables in binary files: every count is held against the bytes that are there before anything is made of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from clip3d.clouds.formats.contents import Malformed


def table(data: bytes, offset: int, count: int, dtype: DTypeLike, what: str) -> NDArray[Any]:
    """`count` records that begin at byte `offset`; a view of `data`.

    Args:
        data: the whole file.
        offset, count: as the file states them, so of any value.
        dtype: of one record.
        what: name of the table for the message.

    Raises:
        Malformed: if the table does not lie within the file.
    """
    size = np.dtype(dtype).itemsize
    if offset < 0 or count < 0 or offset + count * size > len(data):
        raise Malformed(f"{what}: {count:,} records at byte {offset:,} do not fit into {len(data):,} bytes")
    return np.frombuffer(data, dtype, count, offset)


class Cursor:
    """Walks through a file whose tables follow each other, never past its end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int, dtype: DTypeLike, what: str) -> NDArray[Any]:
        """The next `count` records; as `table`."""
        found = table(self.data, self.at, count, dtype, what)
        self.at += count * np.dtype(dtype).itemsize
        return found

    def number(self, what: str, dtype: DTypeLike = "<u4") -> int:
        """The next integer."""
        return int(self.take(1, dtype, what)[0])
