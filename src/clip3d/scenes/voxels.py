"""A scan of any size as occupied voxels, on which all dense work is done, and the way back to its points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import METRES_PER_UNIT, Z_UP_FROM, PointCloud
from clip3d.errors import ShapeError

Array = NDArray[np.float32]
Labels = NDArray[np.int32]

MOST_POINTS = 20_000_000
MOST_VOXELS = 350_000
FINEST = 0.02  # metres
# So many points are looked at at a time: what is made of them beside the scan stays below 100 MB.
BLOCK = 1_000_000
# A table of all cells is faster than sorting while it holds no more than these.
MOST_CELLS = 64_000_000
# Metres that a room is high, to tell an unknown unit.
ROOM_HEIGHT = 2.7


@dataclass(frozen=True, eq=False)
class Grid:
    """The occupied cells of a scan, and how its points come to them.

    Attributes:
        keys: (m,) int64, numbers of the occupied cells, ascending.
        cells: (3,) int64, cells along each side.
        size: edge of a cell in metres.
        metres: that one unit of the scan has.
        rotation: (3, 3) float64 that turns the scan's own axes to z up.
        origin: (3,) float64, the least corner, in the scan's own unit after the rotation.
    """

    keys: NDArray[np.int64]
    cells: NDArray[np.int64]
    size: float
    metres: float
    rotation: NDArray[np.float64]
    origin: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.keys)

    def numbers(self, points: Array) -> NDArray[np.int64]:
        """The cell of each of points (n, 3) of the scan, occupied or not: (n,)."""
        found = np.zeros(len(points), np.int64)
        for axis in range(3):
            cell = ((_along(points, self.rotation[axis]) - self.origin[axis]) * (self.metres / self.size)).astype(
                np.int64
            )
            np.maximum(cell, 0, out=cell)
            np.minimum(cell, self.cells[axis] - 1, out=cell)
            found *= self.cells[axis]
            found += cell
        return found

    def owner_of(self, points: Array) -> Labels:
        """For each of the points (n, 3) that the grid was made of, which of the occupied cells is its own."""
        owner = np.zeros(len(points), np.int32)
        total = int(np.prod(self.cells))
        place = None
        if total <= MOST_CELLS:
            place = np.zeros(total, np.int32)
            place[self.keys] = np.arange(len(self.keys), dtype=np.int32)
        for rows in _blocks(len(points)):
            mine = self.numbers(points[rows])
            owner[rows] = place[mine] if place is not None else np.searchsorted(self.keys, mine)
        return owner

    def to_metres(self, points: Array) -> NDArray[np.float64]:
        """Points (n, 3) of the scan in metres, z up, from the least corner."""
        columns = [_along(points, row) - low for row, low in zip(self.rotation, self.origin, strict=True)]
        return np.stack(columns, axis=1) * self.metres

    def to_scan(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (…, 3) in metres, z up, in the scan's own axes and unit."""
        own: NDArray[np.float64] = (np.asarray(points, np.float64) / self.metres + self.origin) @ self.rotation
        return own


@dataclass(frozen=True, eq=False)
class Voxels:
    """The occupied voxels of a scan, in metres, z up, from the least corner of the scan.

    Attributes:
        grid: of the voxels.
        points: (m, 3) float32, the mean of the points in each voxel.
        colors: (m, 3) float32 in [0, 1], or None.
        normals: (m, 3) float32, the mean of the points' normals at unit length, or None.
        owner: (n,) int32, the voxel of each point of the scan.
        notes: what was taken for granted, to be told.
    """

    grid: Grid
    points: Array
    colors: Array | None
    normals: Array | None
    owner: Labels
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.points)


def voxelise(cloud: PointCloud, *, size: float | None = None, most: int = MOST_VOXELS) -> Voxels:
    """The voxels of a scan of up to 20 million points; memory is bounded by the scan's own.

    Args:
        cloud: of a room or a building.
        size: edge of a voxel in metres; None for 2 cm, or as much more as keeps the number of voxels below `most`.
        most: voxels, where no size is given.

    Raises:
        ShapeError: if the cloud has more points than 20 million, or the size is not positive.
    """
    if len(cloud) > MOST_POINTS:
        raise ShapeError(f"a scene may have {MOST_POINTS:,} points, this has {len(cloud):,}: thin it out")
    if size is not None and not size > 0:
        raise ShapeError(f"the size of a voxel must be positive, got {size}")
    sides = [(float(column.min()), float(column.max())) for column in cloud.points.T]  # faster than over axis 0
    rotation = Z_UP_FROM[cloud.up].astype(np.float64)
    corners = np.array(sides).T @ rotation.T
    metres, notes = metres_of(cloud, float(np.ptp(corners[:, 2])))
    frame = (metres, rotation, corners.min(axis=0), np.ptp(corners, axis=0) * metres)
    grid = _occupied(cloud.points, FINEST if size is None else size, *frame)
    while size is None and len(grid) > most:
        larger = grid.size * max(1.02 * float(np.sqrt(len(grid) / most)), 1.05)
        grid = _occupied(cloud.points, larger, *frame)
    owner = grid.owner_of(cloud.points)
    count = np.bincount(owner, minlength=len(grid))[:, None]
    points = _sums(owner, len(grid), cloud.points, grid.to_metres) / count
    colors, normals = cloud.colors, cloud.normals
    if colors is not None:
        colors = np.clip(_sums(owner, len(grid), colors) / count, 0, 1).astype(np.float32)
    if normals is not None:
        normals = _unit(_sums(owner, len(grid), normals, lambda rows: rows @ rotation.T))
    return Voxels(grid, points.astype(np.float32), colors, normals, owner, notes)


def metres_of(cloud: PointCloud, height: float) -> tuple[float, tuple[str, ...]]:
    """Metres a unit, and what is to be told of it: an unknown unit is the one that makes most of a room.

    Args:
        cloud: of a scene.
        height: of it in its own unit.
    """
    if cloud.unit != "unknown":
        return METRES_PER_UNIT[cloud.unit], ()
    off = {unit: abs(np.log(max(height, 1e-9) * METRES_PER_UNIT[unit] / ROOM_HEIGHT)) for unit in ("m", "cm", "mm")}
    unit = min(off, key=lambda name: off[name])
    return METRES_PER_UNIT[unit], (f"the unit is not stated, taken for {unit}: --unit states it",)


def _blocks(n: int) -> Iterator[slice]:
    for start in range(0, n, BLOCK):
        yield slice(start, min(start + BLOCK, n))


def _along(points: Array, row: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coordinates (n,) of points along a direction; axes that it does not lean to cost nothing."""
    total = np.zeros(len(points))
    for axis in np.flatnonzero(row):
        total += points[:, axis] * row[axis]
    return total


def _occupied(
    points: Array,
    size: float,
    metres: float,
    rotation: NDArray[np.float64],
    origin: NDArray[np.float64],
    extent: NDArray[np.float64],
) -> Grid:
    """The grid of those cells that points (n, 3) of a scan lie in, which is `extent` metres large."""
    cells = np.floor(extent / size).astype(np.int64) + 1
    if float(np.prod(cells.astype(np.float64))) >= 2.0**62:
        raise ShapeError(f"the scene is {extent.max():.3g} m long, too large for voxels of {size:g} m")
    empty = Grid(np.zeros(0, np.int64), cells, size, metres, rotation, origin)
    keys = empty.keys
    total = int(np.prod(cells))
    if total <= MOST_CELLS:
        taken = np.zeros(total, np.bool_)
        for rows in _blocks(len(points)):
            taken[empty.numbers(points[rows])] = True
        keys = np.flatnonzero(taken)
    else:
        for rows in _blocks(len(points)):
            keys = np.union1d(keys, empty.numbers(points[rows]))
    return replace(empty, keys=keys)


def _sums(
    owner: Labels, voxels: int, rows: Array, turn: Callable[[Array], NDArray[np.floating]] | None = None
) -> NDArray[np.float64]:
    """Sums (m, 3) over voxels of rows (n, 3), each block of them turned first."""
    total = np.zeros((voxels, 3))
    for block in _blocks(len(rows)):
        mine = rows[block] if turn is None else turn(rows[block])
        for axis in range(3):
            total[:, axis] += np.bincount(owner[block], weights=mine[:, axis], minlength=voxels)
    return total


def _unit(rows: NDArray[np.float64]) -> Array:
    """Rows at unit length; those without a direction point to z."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(length > 1e-6, rows / np.maximum(length, 1e-6), np.array([0.0, 0.0, 1.0])).astype(np.float32)
