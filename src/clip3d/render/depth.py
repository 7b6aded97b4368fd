"""Depth maps of a cloud as PointCLIP draws them (Zhang et al. 2022)."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.normalizing import normalize_unit_sphere

Array = NDArray[np.float32]

# Degrees (azimuth, elevation, roll) of the eye: around the cloud, above, below, and four corners about one side,
# which the paper found to be worth most. Their published rotations by eighths of a turn make an azimuth of
# atan(1 / sqrt 2) from that side and the same angle of roll.
Direction = tuple[float, float, float]
SIDES: tuple[Direction, ...] = ((0, 0, 0), (90, 0, 0), (180, 0, 0), (270, 0, 0))
ENDS: tuple[Direction, ...] = ((0, 90, 0), (0, -90, 0))
SLANT = math.degrees(math.atan(math.sqrt(0.5)))
CORNERS: tuple[Direction, ...] = (
    (270 - SLANT, -30, -SLANT),
    (270 - SLANT, 30, SLANT),
    (270 + SLANT, 30, -SLANT),
    (270 + SLANT, -30, SLANT),
)
DIRECTIONS = {6: (*SIDES, *ENDS), 10: (*SIDES, *ENDS, *CORNERS)}
# Distance of the eye from the centre, in radii of the cloud: the paper's zero-shot and few-shot settings.
DISTANCE = {6: 1.6, 10: 1.4}


def depth_maps(points: Array, views: Literal[6, 10] = 10, size: int = 224) -> Array:
    """Perspective depth maps, one pixel a point.

    The cloud is brought into the unit sphere and seen from 1.6 radii (6 views: four sides, top, bottom) or 1.4
    radii (10 views: four corners too), a pinhole with a field of view of 90 degrees. Where several points fall in
    a pixel, their depths are averaged with weights of one over the depth. The published code's maps are the same
    but for a turn about the vertical and for being mirrored, left and right changed over.

    Args:
        points: (p, 3), z up, any unit.
        views: 6 or 10.
        size: pixels of a side.

    Returns:
        (views, size, size) float32, distance along the optical axis in radii of the cloud; 0 where no point is.
        Row 0 is the top; a point to the right of the eye has a higher column.
    """
    points = normalize_unit_sphere(points).points
    camera_from_world = np.stack([camera_rotation(*direction) for direction in DIRECTIONS[views]])
    seen = np.einsum("vij,pj->vpi", camera_from_world, points)  # right, up, towards the eye
    depth = DISTANCE[views] - seen[..., 2]
    column = np.floor((1 + seen[..., 0] / depth) / 2 * size).astype(np.intp)
    row = np.floor((1 - seen[..., 1] / depth) / 2 * size).astype(np.intp)
    inside = (column >= 0) & (column < size) & (row >= 0) & (row < size)

    view = np.arange(views)[:, None]
    pixel = ((view * size + row) * size + column)[inside]
    total = views * size * size
    count = np.bincount(pixel, minlength=total)
    inverse = np.bincount(pixel, weights=1 / depth[inside], minlength=total)
    # With weights 1/d the mean of the depths d is the number of points over the sum of 1/d.
    mean = np.divide(count, inverse, out=np.zeros(total), where=count > 0)
    return mean.reshape(views, size, size).astype(np.float32)


def camera_rotation(azimuth: float, elevation: float, roll: float = 0.0) -> NDArray[np.float64]:
    """Rows right, up and towards the eye (3, 3) of a camera that looks at the origin of a z-up world.

    Args:
        azimuth: degrees of the eye from the x axis towards the y axis.
        elevation: degrees of the eye above the horizon, -90 to 90.
        roll: degrees that the camera is turned clockwise about its axis, as who holds it sees it.
    """
    a, e, r = np.radians([azimuth, elevation, roll])
    right = [-np.sin(a), np.cos(a), 0]
    up = [-np.sin(e) * np.cos(a), -np.sin(e) * np.sin(a), np.cos(e)]
    eye = [np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)]
    turn = [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
    return np.asarray(np.array(turn) @ np.array([right, up, eye]))
