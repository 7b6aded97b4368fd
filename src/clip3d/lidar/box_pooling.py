"""One vector for what stands in a box, from the cells of a sweep (LidarCLIP, section 5.3, with its gaps closed)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError
from clip3d.lidar.bev_grid import BevGrid
from clip3d.lidar.cell_features import CellFeatures
from clip3d.lidar.frame import Box

Array = NDArray[np.float32]
How = Literal["footprint", "points", "nearest", "none"]


@dataclass(frozen=True, eq=False)
class PooledBox:
    """A box's vector and how it came about.

    Attributes:
        vector: (d,) float32; zeros where `how` is "none", which are as near to one word as to any other.
        how: "footprint": the mean of the non-empty cells with their middle under the box; "points": the mean of
            cells weighted by their points inside the box; "nearest": the non-empty cell nearest to the box's
            middle, since the box covers none or holds no point; "none": the box lies outside the grid, or no
            cell is near.
        cells: how many cells were averaged.
    """

    vector: Array
    how: How
    cells: int


# A box may fall between the middles of cells: so many metres from its edge one is looked for.
REACH = 1.0


def pool_box(features: CellFeatures, box: Box, points: NDArray[np.floating] | None = None) -> PooledBox:
    """The vector of a box in the frame of the cells.

    Args:
        features: of the sweep's cells.
        box: an upright box: its centre in metres, its length along the heading, width and height, and its yaw in
            radians from x towards y.
        points: (p, 3 or more) of the sweep, in the same frame: cells are then weighted by how many of them lie in
            the box; without them all non-empty cells under the box count alike.
    """
    size = np.asarray(box.size, dtype=np.float64)
    whole = np.shape(box.center) == (3,) and size.shape == (3,)
    if not (whole and np.isfinite(box.center).all() and (size >= 0).all()):
        raise ShapeError("a box needs a finite centre (3,) and a length, width and height of at least 0")
    if points is not None:
        pooled = _by_points(features, box, np.asarray(points)[:, :3])
        return pooled or _nearest(features, box)
    across = _in_box(features.centers, box)
    under = (np.abs(across) <= size[:2] / 2).all(1)
    if not under.any():
        return _nearest(features, box)
    return PooledBox(features.features[under].mean(0), "footprint", int(under.sum()))


def pool_boxes(
    features: CellFeatures, boxes: Sequence[Box], points: NDArray[np.floating] | None = None
) -> list[PooledBox]:
    """The vectors of several boxes: see `pool_box`."""
    return [pool_box(features, box, points) for box in boxes]


def points_in_box(points: NDArray[np.floating], box: Box) -> NDArray[np.bool_]:
    """Which of points (p, 3) lie in a box, its faces counted."""
    half = np.asarray(box.size, dtype=np.float64) / 2
    level = np.abs(points[:, 2] - box.center[2]) <= half[2]
    found: NDArray[np.bool_] = level & (np.abs(_in_box(points[:, :2], box)) <= half[:2]).all(1)
    return found


def _by_points(features: CellFeatures, box: Box, points: NDArray[np.floating]) -> PooledBox | None:
    weights = _weights(features.cells, features.grid, points[points_in_box(points, box)])
    if not weights.sum():
        return None
    vector = (weights[:, None] * features.features).sum(0) / weights.sum()
    return PooledBox(vector.astype(np.float32), "points", int((weights > 0).sum()))


def _weights(cells: NDArray[np.intp], grid: BevGrid, inside: NDArray[np.floating]) -> NDArray[np.float64]:
    """Points (m,) of each cell."""
    found = grid.cell_of(inside)
    count = np.bincount(found[found >= 0], minlength=grid.cells)
    return np.asarray(count[cells], dtype=np.float64)


def _nearest(features: CellFeatures, box: Box) -> PooledBox:
    size, low, high = np.asarray(box.size), features.grid.extent[:2], features.grid.extent[3:5]
    inside = all(a <= place < b for place, a, b in zip(box.center[:2], low, high, strict=True))
    if inside and len(features.cells):
        across = _in_box(features.centers, box)
        away = np.linalg.norm(np.maximum(np.abs(across) - size[:2] / 2, 0), axis=1)
        near = np.lexsort((np.linalg.norm(across, axis=1), away > REACH))[0]
        if away[near] <= REACH:
            return PooledBox(features.features[near], "nearest", 1)
    return PooledBox(np.zeros(features.features.shape[1], np.float32), "none", 0)


def _in_box(xy: NDArray[np.floating], box: Box) -> NDArray[np.float64]:
    """Places (n, 2) seen from a box's middle: along its length and across."""
    cos, sin = np.cos(box.yaw), np.sin(box.yaw)
    found: NDArray[np.float64] = (np.asarray(xy, np.float64) - box.center[:2]) @ np.array([[cos, -sin], [sin, cos]])
    return found
