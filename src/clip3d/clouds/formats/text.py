"""Numbers in text, read at the speed of C."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed


def numbers(text: bytes) -> NDArray[np.float64]:
    """Every number (n,) of a text in which only white space parts them.

    Raises:
        Malformed: if anything in the text is not a number.
    """
    if not text or text.isspace():
        return np.zeros(0)
    with warnings.catch_warnings():
        # numpy reports text that is not a number as a DeprecationWarning or, in later versions, as a ValueError.
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return np.fromstring(text, dtype=np.float64, sep=" ")
        except (DeprecationWarning, ValueError) as error:
            raise Malformed("it holds words where numbers should stand", "export it again") from error


def integers(values: NDArray[np.float64], what: str) -> NDArray[np.int64]:
    """Whole numbers of a size that can be a count or an index, as int64.

    Raises:
        Malformed: if a value is not finite, not whole or beyond 2**40.
    """
    if values.size and not (np.abs(values) < 2**40).all():
        raise Malformed(f"{what} that is not a sensible number")
    whole = values.astype(np.int64)
    if (whole != values).any():
        raise Malformed(f"{what} that is not a whole number")
    return whole


def lines_of(data: bytes, comment: bytes = b"#") -> list[bytes]:
    """The lines of a text without comments, empty lines and white space at both ends."""
    if comment in data:
        lines = (line.split(comment, 1)[0].strip() for line in data.splitlines())
    else:
        lines = (line.strip() for line in data.splitlines())
    return [line for line in lines if line]
