"""The room that things take up, and the tops that others can stand on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.driving.solids import Solid

Flat = NDArray[np.float64]
LOW = 0.03  # metres: what is no higher can be stood upon


@dataclass(frozen=True, eq=False)
class Footprint:
    """A rectangle on the floor with the heights that it takes up.

    Attributes:
        center: (2,) metres.
        half: (2,) half its depth and width.
        yaw: radians.
        low: metres above the floor from which it takes up room.
        high: to which.
    """

    center: Flat
    half: Flat
    yaw: float
    low: float = 0.0
    high: float = 3.0

    def corners(self, grow: float = 0.0) -> Flat:
        """(4, 2) counter-clockwise, moved outwards by `grow` metres."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * (self.half + grow)
        found: Flat = signs @ np.array([[c, s], [-s, c]]) + self.center
        return found

    def meets(self, other: Footprint) -> bool:
        """Whether both take up the same room (separating axes)."""
        if self.low >= other.high or other.low >= self.high:
            return False
        mine, others = self.corners(), other.corners()
        for yaw in (self.yaw, other.yaw):
            for axis in (np.array([np.cos(yaw), np.sin(yaw)]), np.array([-np.sin(yaw), np.cos(yaw)])):
                a, b = mine @ axis, others @ axis
                if a.max() <= b.min() + 1e-4 or b.max() <= a.min() + 1e-4:
                    return False
        return True


def top_of(solid: Solid, at: Flat, below: float) -> Flat:
    """Height (n,) of the highest surface at places (n, 2) that lies below a height; minus infinity for none."""
    corners = solid.corners.astype(np.float64)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    p = at[:, None, :]
    area = _turn(a[None, :, :2], b[None, :, :2], c[None, :, :2])
    with np.errstate(divide="ignore", invalid="ignore"):
        u = _turn(p, b[None, :, :2], c[None, :, :2]) / area
        v = _turn(a[None, :, :2], p, c[None, :, :2]) / area
        z = u * a[:, 2] + v * b[:, 2] + (1 - u - v) * c[:, 2]
        inside = (u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9) & (np.abs(area) > 1e-12) & (z <= below)
    found: Flat = np.where(inside, z, -np.inf).max(1)
    return found


def _turn(a: Flat, b: Flat, c: Flat) -> Flat:
    (ax, ay), (bx, by), (cx, cy) = ((v[..., 0], v[..., 1]) for v in (a, b, c))
    found: Flat = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    return found
