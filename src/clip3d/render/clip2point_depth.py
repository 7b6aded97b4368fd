"""Depth maps of a cloud as CLIP2Point draws them (Huang et al. 2023): discs, dark where near."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.normalizing import normalize_unit_sphere
from clip3d.render.depth import camera_rotation

Array = NDArray[np.float32]
View = tuple[float, float]

# Degrees (azimuth, elevation) of the eye: around the cloud, above, below and, as published, four from below.
SIDES: tuple[View, ...] = ((0, 0), (90, 0), (180, 0), (270, 0))
ENDS: tuple[View, ...] = ((0, 90), (0, -90))
CORNERS: tuple[View, ...] = ((45, -45), (135, -45), (225, -45), (315, -45))
DIRECTIONS: dict[int, tuple[View, ...]] = {6: (*SIDES, *ENDS), 10: (*SIDES, *ENDS, *CORNERS)}

LIGHTEST = 200 / 255  # level of the farthest point, were the nearest at depth zero; the background is 1


def disc_depth_maps(
    points: Array,
    views: Sequence[View] = DIRECTIONS[6],
    size: int = 224,
    *,
    radius: float = 0.02,
    distance: float = 1.0,
) -> Array:
    """Orthographic depth maps as levels of grey, each point a disc.

    The cloud is brought into the unit sphere and made smaller by the distance; the picture reaches from -1 to 1. A
    pixel shows the nearest disc over its centre. With z its depth, the level is (z - least) / greatest · 200 / 255
    over the depths of the picture; as published, the empty pixels count as depth 1 for the least, and it is divided
    by the greatest depth, not by the range.

    Args:
        points: (p, 3), z up, any unit.
        views: azimuth and elevation of each eye in degrees, as for `clip3d.render.splat.splat`.
        size: pixels of a side.
        radius: of a disc, in half sides of the picture.
        distance: of the eye from the centre, in radii of the cloud; below 1 the eye is inside the sphere, and
            points behind it are not seen.

    Returns:
        (v, size, size) float32 in [0, 1]; 1 where nothing is. Row 0 is the top, columns go to the eye's right.
    """
    placed = normalize_unit_sphere(points).points.astype(np.float64) / distance
    seen = [placed @ camera_rotation(*view).T for view in views]
    return np.stack([_levels(_nearest(xyz, distance, size, radius)) for xyz in seen])


def perspective_depth_map(points: NDArray[np.floating], size: int = 224, *, radius: float = 0.02) -> Array:
    """The same drawing of what a camera sees, through its own lens, as CLIP2Point is tuned on driving scenes.

    Args:
        points: (p, 3): place across and up in the picture, each from -1 to 1, and depth; what does not lie ahead is
            not drawn.
        size: pixels of a side.
        radius: of a disc, in half sides of the picture.

    Returns:
        (size, size) float32 in [0, 1]; 1 where nothing is.
    """
    placed = np.asarray(points, np.float64) * (1, 1, -1)
    return _levels(_nearest(placed, 0.0, size, radius))


def _nearest(seen: NDArray[np.float64], distance: float, size: int, radius: float) -> NDArray[np.float64]:
    """Depth (size, size) of the nearest disc in each pixel, infinity where there is none.

    Args:
        seen: (p, 3) right, up, towards the eye.
    """
    depth = distance - seen[:, 2]
    order = np.argsort(-depth, kind="stable")
    order = order[depth[order] > 0]
    # in pixels, with the centre of the first one at 0
    column, row = (1 + seen[order, 0]) * size / 2 - 0.5, (1 - seen[order, 1]) * size / 2 - 0.5
    reach = np.arange(-np.ceil(radius * size / 2), np.ceil(radius * size / 2) + 1)
    columns, rows = (np.rint(middle)[:, None] + reach for middle in (column, row))
    squared = (rows - row[:, None])[:, :, None] ** 2 + (columns - column[:, None])[:, None, :] ** 2
    covered = squared < (radius * size / 2) ** 2  # (q, reach, reach)
    covered &= ((rows >= 0) & (rows < size))[:, :, None] & ((columns >= 0) & (columns < size))[:, None, :]

    which, i, j = np.nonzero(covered)  # far points first: the last value of a pixel, the nearest, stays
    nearest = np.full((size, size), np.inf)
    nearest[rows[which, i].astype(np.intp), columns[which, j].astype(np.intp)] = depth[order][which]
    return nearest


def _levels(depth: NDArray[np.float64]) -> Array:
    drawn = np.isfinite(depth)
    if not drawn.any():
        return np.ones(depth.shape, np.float32)
    least = min(depth[drawn].min(), np.inf if drawn.all() else 1.0)
    levels = np.where(drawn, (np.where(drawn, depth, 0) - least) / depth[drawn].max() * LIGHTEST, 1.0)
    return levels.astype(np.float32)
