"""KITTI's calibration files: lines of a name and numbers, and the cameras that they describe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import FrameError, ShapeError
from clip3d.lidar.camera import Camera
from clip3d.lidar.files import DAMAGED, floats, read_text
from clip3d.lidar.motion import rigid

Array = NDArray[np.float64]
Lines = dict[str, list[float]]
MAX_BYTES = 1024**2
# Folders of pictures, and the line with each one's projection.
CAMERAS = {"image_0": "P0", "image_1": "P1", "image_2": "P2", "image_3": "P3"}


def number_of(file: Path) -> int | None:
    """The number that a file is named by; None for a name that is none."""
    return int(file.stem) if file.stem.isdecimal() and len(file.stem) < 16 else None


def read_lines(path: Path) -> Lines:
    """Numbers by name; lines that hold anything else, such as dates, are passed over.

    Raises:
        FrameError: if the file cannot be read.
    """
    lines: Lines = {}
    for line in read_text(path, MAX_BYTES).splitlines():
        name, _, words = line.partition(":") if ":" in line else line.partition(" ")
        try:
            lines[name.strip()] = floats(words.split())
        except ValueError:
            continue
    return lines


def matrix(lines: Mapping[str, list[float]], path: Path, *names: str) -> Array:
    """The (3, 4) or (3, 3) matrix under the first of the names that is there.

    Raises:
        FrameError: if none is, or it has another number of numbers.
    """
    numbers = next((lines[name] for name in names if name in lines), None)
    if numbers is None:
        raise FrameError(path, f"it has no line {names[0]}", DAMAGED)
    if len(numbers) not in (9, 12):
        raise FrameError(path, f"its line {names[0]} has {len(numbers)} numbers, not 9 or 12", DAMAGED)
    return np.array(numbers, dtype=np.float64).reshape(3, -1)


def rotation(values: Array) -> Array:
    """The nearest rotation (3, 3): KITTI prints seven digits, older files four."""
    u, _, v = np.linalg.svd(values)
    nearest: Array = u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v
    if not np.allclose(nearest, values, atol=1e-2):
        raise ShapeError("it is no rotation")
    return nearest


def motion_of(values: Array, path: Path) -> Array:
    """A (4, 4) motion of a (3, 4) matrix, or of a (3, 3) rotation.

    Raises:
        FrameError: if it is none.
    """
    try:
        return rigid(rotation(values[:, :3]), values[:, 3] if values.shape[1] == 4 else (0, 0, 0))
    except (ShapeError, np.linalg.LinAlgError) as error:
        raise FrameError(path, "it has a rotation that is none", DAMAGED) from error


def rectified_camera(
    name: str, size: tuple[int, int], projection: Array, rectified_from_lidar: Array, path: Path
) -> Camera:
    """A camera of a projection (3, 4) from rectified coordinates of camera 0 to its pixels (KITTI's P_rect).

    Its fourth column, divided by the intrinsics, is where camera 0 lies in this camera's frame.

    Args:
        name: of the camera.
        size: width and height of its pictures.
        projection: (3, 4).
        rectified_from_lidar: (4, 4), camera 0's rotation of rectification times its motion from the lidar.
        path: what an error names.

    Raises:
        FrameError: if the projection is none of a camera.
    """
    intrinsics = projection[:, :3]
    try:
        if projection.shape != (3, 4):
            raise ShapeError("its projection must be (3, 4)")
        shift = np.linalg.solve(intrinsics, projection[:, 3])
        return Camera(name, *size, intrinsics, rigid(np.eye(3), shift) @ rectified_from_lidar)
    except (ShapeError, np.linalg.LinAlgError) as error:
        raise FrameError(path, f"its projection of {name} cannot be used: {error}", DAMAGED) from error
