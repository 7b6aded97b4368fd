"""Small files that lie beside scans: read within bounds, and whatever is wrong becomes a DataError."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed, Numbers, rows_finite, to_unit_range
from clip3d.clouds.formats.ply import vertex_columns
from clip3d.errors import DataError

MAX_TEXT, MAX_SCAN = 2**28, 2**32
AGAIN = "it may be damaged or cut short: copy it again"


def read_bytes(path: Path, limit: int = MAX_SCAN) -> bytes:
    """All bytes of a file that has no more than `limit`; DataError if it is missing, larger or cannot be opened."""
    try:
        if not path.is_file():
            raise DataError(path, "there is no such file", "copy the set again with all its files")
        size = path.stat().st_size
        if size > limit:
            raise DataError(path, f"it holds {size:,} bytes, more than {limit:,}", "it is no such file of a scan")
        return path.read_bytes()
    except OSError as error:
        raise DataError(path, f"it cannot be opened: {error.strerror or error}", "check its permissions") from error


def read_text(path: Path) -> str:
    """Its text, UTF-8; DataError as above, or if it is none."""
    try:
        return read_bytes(path, MAX_TEXT).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(path, "it is no text in UTF-8", AGAIN) from error


def read_object(path: Path) -> dict[str, Any]:
    """Its JSON, which must be an object; DataError as above, or if it is none."""
    try:
        found = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DataError(path, f"it is no valid JSON: {str(error)[:200]}", AGAIN) from error
    if not isinstance(found, dict):
        raise DataError(path, "it is JSON, but no object", AGAIN)
    return found


def read_vertices(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, dict[str, Numbers]]:
    """Points (p, 3), colours (p, 3) in [0, 1] or None, and all columns of a PLY file's vertices.

    Raises:
        DataError: if it is missing, damaged, or holds no or infinite points.
    """
    try:
        columns = vertex_columns(read_bytes(path))
    except Malformed as error:
        raise DataError(path, str(error), AGAIN) from error
    if not all(axis in columns for axis in "xyz"):
        raise DataError(path, "its vertices have no x, y and z", AGAIN)
    points = np.stack([columns[axis] for axis in "xyz"], axis=1).astype(np.float32)
    if not len(points) or not rows_finite(points).all():
        raise DataError(path, "it holds no points, or some that are not finite", AGAIN)
    names = ("red", "green", "blue")
    colors = None
    if all(name in columns for name in names):
        colors = to_unit_range(np.stack([columns[name] for name in names], axis=1))
    return points, colors, columns
