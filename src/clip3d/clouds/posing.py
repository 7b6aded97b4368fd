"""Rotations from quaternions, and rotations spread evenly over all, for clouds whose pose nobody knows."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clip3d.errors import ShapeError

Pose = Literal["upright", "any"]


def quaternion_rotation(w: ArrayLike, x: ArrayLike, y: ArrayLike, z: ArrayLike) -> NDArray[np.float64]:
    """The rotations (…, 3, 3) of unit quaternions, given by their real part w and the others, each of shape (…)."""
    w, x, y, z = (np.asarray(part, np.float64) for part in (w, x, y, z))
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def spread_rotations(n: int) -> NDArray[np.float32]:
    """n rotations (n, 3, 3) that lie far from each other: a super-Fibonacci spiral of quaternions (Alexa 2022).

    Raises:
        ShapeError: if n is not positive.
    """
    if n < 1:
        raise ShapeError(f"at least one rotation is needed, got {n}")
    s = np.arange(n) + 0.5
    small, large = np.sqrt(s / n), np.sqrt(1 - s / n)
    # The constants of section 4: the square root of 2, and the positive root of psi^4 = psi + 4.
    alpha, beta = 2 * np.pi * s / np.sqrt(2), 2 * np.pi * s / 1.533751168755204288118041
    w, x, y, z = small * np.sin(alpha), small * np.cos(alpha), large * np.sin(beta), large * np.cos(beta)
    return np.asarray(quaternion_rotation(w, x, y, z), np.float32)


def check_pose(value: str) -> Pose:
    """The value, if it is one of the poses that a cloud may be said to have; else ShapeError."""
    if value in ("upright", "any"):
        return value  # type: ignore[return-value]
    raise ShapeError(f"pose must be upright or any, got {value!r}")
