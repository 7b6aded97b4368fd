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
