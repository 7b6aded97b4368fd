"""Depth maps of what a camera sees of a sweep, through its own lens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clip3d.lidar.views import View
from clip3d.render.clip2point_depth import perspective_depth_map

Array = NDArray[np.float32]


def scene_depth(view: View, size: int, shift: float = 0.0) -> Array:
    """The depth map (size, size) of a view's points in its region; see `perspective_depth_map`.

    Args:
        view: of a camera.
        size: pixels of a side.
        shift: metres that are added to every depth.
    """
    x, y, z = view.frustum.points[:, :3].T.astype(np.float64)
    pixels = view.camera.project(np.stack([-y, -z, x], axis=1))
    left, top, right, bottom = view.region
    across = (pixels - (left, top)) / (right - left, bottom - top) * 2 - 1
    return perspective_depth_map(np.column_stack([across[:, 0], -across[:, 1], x + shift]), size)
