"""Lidar sweeps as bare rows of float32: KITTI's .bin with four numbers a point, nuScenes' .pcd.bin with five.

Nothing in such a file says what it is, and many other files are named .bin. So its size must fit whole rows, and
its numbers must be such as a lidar gives.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Contents, Malformed, rows_finite
from clip3d.clouds.formats.neighbours import Neighbours

KITTI, NUSCENES = 4, 5
FORMS = "KITTI's x, y, z, reflectance or nuScenes' x, y, z, intensity, ring"
REMEDY = "only lidar sweeps in the forms of KITTI and nuScenes are read from .bin files; save others as PLY or NPZ"
MAX_METRES = 10_000
MAX_REFLECTANCE = 65_535
MAX_RING = 255
FEWEST_ROWS = 32
# Whole numbers read as float32 come out below this, and no sensor tells such distances from zero.
SMALLEST = 1e-30
# Whole rows of both forms.
HEAD_BYTES = 80 * 1024
BLOCK_ROWS = 1 << 20
NAME_OF_SWEEP = re.compile(r"\d+|.+\.pcd", re.IGNORECASE)


def read_bin(data: bytes, neighbours: Neighbours) -> Contents:
    """Read a sweep: x, y, z in metres, z up, as both formats state. Reflectance and ring are left out.

    A file named .pcd.bin has nuScenes' five columns. Another has KITTI's four where its size is a multiple of 16
    bytes, else five where it is a multiple of 20; where it is both, five if the last of five columns would be a
    ring: whole numbers from 0 to 255.

    Raises:
        Malformed: if the size fits neither, or the numbers are none of a sweep.
    """
    return Contents(points=rows_of_sweep(data, neighbours.path)[:, :3], up="z", unit="m")


def rows_of_sweep(data: bytes, path: Path) -> NDArray[np.float32]:
    """All columns (p, 4 or 5) of a sweep, by the rules of `read_bin`."""
    return _rows(data, len(data), path)


def is_sweep(path: Path) -> bool:
    """Whether a file is named as sweeps are (digits alone, or .pcd.bin), and has a sweep's size and first rows."""
    if not NAME_OF_SWEEP.fullmatch(path.stem):
        return False
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            _rows(stream.read(HEAD_BYTES), size, path)
    except (OSError, Malformed):
        return False
    return True


def _rows(data: bytes, size: int, path: Path) -> NDArray[np.float32]:
    """The rows (p, 4 or 5) of a file of so many bytes, or of its first 80 KiB."""
    numbers = np.frombuffer(data[: len(data) // 4 * 4], "<f4")
    width = _width(numbers, size, path)
    rows = numbers[: len(numbers) // width * width].reshape(-1, width)
    if len(rows) < FEWEST_ROWS:
        raise Malformed(f"it has {len(rows)} points, too few for a lidar sweep", REMEDY)
    for at in range(0, len(rows), BLOCK_ROWS):
        block = rows[at : at + BLOCK_ROWS]
        _check(block[rows_finite(block)])
    return rows


def _width(numbers: NDArray[np.float32], size: int, path: Path) -> int:
    fits = [width for width in (KITTI, NUSCENES) if size and size % (4 * width) == 0]
    if path.stem.lower().endswith(".pcd"):
        if NUSCENES not in fits:
            raise Malformed(f"its {size:,} bytes are no whole number of nuScenes' rows of 20", REMEDY)
        return NUSCENES
    if not fits:
        raise Malformed(f"its {size:,} bytes are no whole number of rows of 16 or 20 bytes ({FORMS})", REMEDY)
    if len(fits) == 1:
        return fits[0]
    last = numbers[: len(numbers) // NUSCENES * NUSCENES].reshape(-1, NUSCENES)[:, 4]
    with np.errstate(invalid="ignore"):
        ring = (last >= 0) & (last <= MAX_RING) & (last == np.floor(last))
    return NUSCENES if ring.all() else KITTI


def _check(rows: NDArray[np.float32]) -> None:
    """Complain about finite rows (p, 4 or 5) that no lidar gives."""
    size = np.abs(rows)
    if not size[:, :3].any():
        raise Malformed("it holds no distances, only zeros or numbers that are not finite", REMEDY)
    if float(size[:, :3].max()) > MAX_METRES:
        raise Malformed(f"as a lidar sweep it would reach {size[:, :3].max():.3g} m", REMEDY)
    if ((size > 0) & (size < SMALLEST)).any():
        raise Malformed("its bytes are no float32 numbers of a lidar sweep", REMEDY)
    reflectance = rows[:, 3]
    if float(reflectance.min()) < 0 or float(reflectance.max()) > MAX_REFLECTANCE:
        raise Malformed("its fourth column is no reflectance: it has numbers below 0 or beyond 65,535", REMEDY)
