"""Bringing clouds to a common place and size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError

Array = NDArray[np.float32]


class Normalized(NamedTuple):
    """A cloud in the unit sphere, and the way back: `points * scale + centroid`.

    Attributes:
        points: (p, 3) float32, mean zero, the longest of length 1.
        centroid: (3,) float32, in the original unit.
        scale: distance from the centroid to the farthest point, in the original unit; 1 where all points coincide.
    """

    points: Array
    centroid: Array
    scale: float


def normalize_unit_sphere(points: Array) -> Normalized:
    """Subtract the centroid of points (p, 3) and divide by the distance of the farthest.

    Works in double precision, so that clouds far from the origin keep their digits. Where all points coincide
    they all come to the origin and the scale is 1.
    """
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) == 0:
        raise ShapeError(f"points must have shape (p, 3) with at least one point, got {points.shape}")
    exact = points.astype(np.float64)
    centroid = exact.mean(axis=0)
    centred = exact - centroid
    radius = float(np.sqrt((centred**2).sum(axis=1).max()))
    # The mean of equal numbers may differ from them in the last digit.
    if radius <= 1e-12 * float(np.abs(centroid).max()):
        return Normalized(np.zeros(points.shape, np.float32), centroid.astype(np.float32), 1.0)
    return Normalized((centred / radius).astype(np.float32), centroid.astype(np.float32), radius)
