"""A sector of a sweep, for sweeps without a camera."""

from __future__ import annotations

import numpy as np

from clip3d.errors import ShapeError
from clip3d.lidar.frustum import FARTHEST, Frustum
from clip3d.lidar.sweep import Sweep

QUARTER = np.pi / 4


def wedge(sweep: Sweep, heading: float = 0.0, half_angle: float = QUARTER) -> Frustum:
    """What lies within an angle of a heading, seen from the sensor, turned so that the heading is x forward.

    Args:
        sweep: in its own frame.
        heading: radians from x towards y, of the wedge's middle.
        half_angle: radians to either side, above 0 and at most pi; points at its left edge belong to it, those at
            its right edge to the next, so that wedges side by side share none.
    """
    if not 0 < half_angle <= np.pi:
        raise ShapeError(f"half an angle must lie above 0 and not above pi, got {half_angle}")
    turn = np.eye(4)
    cos, sin = np.cos(heading), np.sin(heading)
    turn[:2, :2] = [[cos, sin], [-sin, cos]]
    turned = sweep.points @ turn[:3, :3].T
    angle = np.arctan2(turned[:, 1], turned[:, 0])
    within = np.ones(len(turned), bool) if half_angle == np.pi else (angle > -half_angle) & (angle <= half_angle)
    index = np.flatnonzero((np.abs(sweep.points) < FARTHEST).all(1) & within)
    points = np.concatenate([turned[index], sweep.intensity[index][:, None]], axis=1)
    return Frustum(points, turn, None, index)
