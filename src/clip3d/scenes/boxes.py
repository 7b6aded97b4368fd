"""Boxes of parts: upright, and turned about the vertical so that they are smallest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Box:
    """An upright box.

    Attributes:
        center: (3,) float64.
        size: (3,) float64, along its own x and y, x the longer, and upwards.
        axes: (3, 3) float64, rows the directions of its own x, y and z; a rotation.
    """

    center: Floats
    size: Floats
    axes: Floats

    def corners(self) -> Floats:
        """The eight corners (8, 3)."""
        signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
        found: Floats = self.center + (signs * self.size / 2) @ self.axes
        return found

    def bounds(self) -> tuple[Floats, Floats]:
        """Least and largest coordinates (3,) of the corners: the box along the axes about it."""
        corners = self.corners()
        return corners.min(axis=0), corners.max(axis=0)


def upright_box(points: NDArray[np.floating]) -> Box:
    """The smallest upright box about points (p, 3), z up: one of its sides lies along the outline from above."""
    flat = np.asarray(points[:, :2], np.float64)
    low, high = float(points[:, 2].min()), float(points[:, 2].max())
    outline = _outline(flat)
    edges = np.roll(outline, -1, axis=0) - outline
    angle = np.unique(np.round(np.arctan2(edges[:, 1], edges[:, 0]) % (np.pi / 2), 6))
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    across = np.stack([-np.sin(angle), np.cos(angle)], axis=1)
    best = int((np.ptp(outline @ along.T, axis=0) * np.ptp(outline @ across.T, axis=0)).argmin())
    x, y = along[best], across[best]
    if np.ptp(outline @ y) > np.ptp(outline @ x):
        x, y = y, -x
    turn = np.stack([x, y])
    mine = outline @ turn.T
    middle = (mine.min(axis=0) + mine.max(axis=0)) / 2 @ turn
    axes = np.eye(3)
    axes[:2, :2] = turn
    size = np.array([*np.ptp(mine, axis=0), high - low])
    return Box(np.array([*middle, (low + high) / 2]), size, axes)


def _outline(flat: Floats) -> Floats:
    """The corners of the convex hull of points (p, 2); the points themselves where they lie on a line."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        return np.asarray(flat[ConvexHull(flat).vertices])
    except (QhullError, ValueError):
        far = flat[[int((flat @ d).argmax()) for d in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1))]]
        return np.asarray(far)
