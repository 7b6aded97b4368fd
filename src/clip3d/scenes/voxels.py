"""A scan of any size as occupied voxels, on which all dense work is done, and the way back to its points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
class Voxels:
    """The occupied voxels of a scan, in metres, z up, with the origin at the least corner of the scan.

    Attributes:
        points: (m, 3) float32, the mean of the points in each voxel.
        colors: (m, 3) float32 in [0, 1], or None.
        normals: (m, 3) float32, the mean of the points' normals at unit length, or None.
        counts: (m,) int32, points in each voxel.
        owner: (n,) int32, the voxel of each point of the scan.
        size: edge of a voxel in metres.
        metres: that one unit of the scan has.
        rotation: (3, 3) float64 that turns the scan's own axes to these.
        origin: (3,) float64, in the scan's own unit after the rotation.
        notes: what was taken for granted, to be told.
    """

    points: Array
    colors: Array | None
    normals: Array | None
    counts: Labels
    owner: Labels
    size: float
    metres: float
    rotation: NDArray[np.float64]
    origin: NDArray[np.float64]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.points)

    def to_scan(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (…, 3) of these axes in the scan's own axes and unit."""
        own: NDArray[np.float64] = (np.asarray(points, np.float64) / self.metres + self.origin) @ self.rotation
        return own


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
    low, high = cloud.points.min(axis=0).astype(np.float64), cloud.points.max(axis=0).astype(np.float64)
    rotation = Z_UP_FROM[cloud.up].astype(np.float64)
    corners = np.stack([low, high]) @ rotation.T
    metres, notes = metres_of(cloud, float(np.ptp(corners[:, 2])))
    origin, extent = corners.min(axis=0), np.ptp(corners, axis=0) * metres
    edge = FINEST if size is None else size
    keys, owner = _occupied(cloud, rotation, origin, metres, extent, edge)
    while size is None and len(keys) > most:
        edge *= max(1.02 * float(np.sqrt(len(keys) / most)), 1.05)
        keys, owner = _occupied(cloud, rotation, origin, metres, extent, edge)
    sums = _Sums(len(keys))
    for rows in _blocks(len(cloud)):
        mine = owner[rows]
        sums.add("points", mine, (cloud.points[rows] @ rotation.T - origin) * metres)
        if cloud.colors is not None:
            sums.add("colors", mine, cloud.colors[rows])
        if cloud.normals is not None:
            sums.add("normals", mine, cloud.normals[rows] @ rotation.T)
    counts = np.bincount(owner, minlength=len(keys)).astype(np.int32)
    colors, normals = sums.total.get("colors"), sums.total.get("normals")
    return Voxels(
        points=(sums.total["points"] / counts[:, None]).astype(np.float32),
        colors=None if colors is None else np.clip(colors / counts[:, None], 0, 1).astype(np.float32),
        normals=None if normals is None else _unit(normals),
        counts=counts,
        owner=owner,
        size=edge,
        metres=metres,
        rotation=rotation,
        origin=origin,
        notes=notes,
    )


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


def _occupied(
    cloud: PointCloud,
    rotation: NDArray[np.float64],
    origin: NDArray[np.float64],
    metres: float,
    extent: NDArray[np.float64],
    edge: float,
) -> tuple[NDArray[np.int64], Labels]:
    """Numbers of the occupied cells (m,), ascending, and for each point the place of its own among them (n,)."""
    cells = np.floor(extent / edge).astype(np.int64) + 1
    if float(np.prod(cells.astype(np.float64))) >= 2.0**62:
        raise ShapeError(f"the scene is {extent.max():.3g} m long, too large for voxels of {edge:g} m")
    strides = np.array([cells[1] * cells[2], cells[2], 1])

    def numbers(rows: slice) -> NDArray[np.int64]:
        turned = (cloud.points[rows] @ rotation.T - origin) * (metres / edge)
        return np.asarray(np.clip(turned.astype(np.int64), 0, cells - 1) @ strides)

    owner = np.zeros(len(cloud), np.int32)
    total = int(np.prod(cells))
    if total <= MOST_CELLS:
        taken = np.zeros(total, np.bool_)
        for rows in _blocks(len(cloud)):
            taken[numbers(rows)] = True
        keys = np.flatnonzero(taken)
        place = np.zeros(total, np.int32)
        place[keys] = np.arange(len(keys), dtype=np.int32)
        for rows in _blocks(len(cloud)):
            owner[rows] = place[numbers(rows)]
        return keys, owner
    keys = np.zeros(0, np.int64)
    for rows in _blocks(len(cloud)):
        keys = np.union1d(keys, numbers(rows))
    for rows in _blocks(len(cloud)):
        owner[rows] = np.searchsorted(keys, numbers(rows))
    return keys, owner


class _Sums:
    """Sums of rows (n, 3) by voxel, in double precision."""

    def __init__(self, voxels: int) -> None:
        self.voxels = voxels
        self.total: dict[str, NDArray[np.float64]] = {}

    def add(self, name: str, owner: Labels, rows: NDArray[np.floating]) -> None:
        total = self.total.setdefault(name, np.zeros((self.voxels, 3)))
        for axis in range(3):
            total[:, axis] += np.bincount(owner, weights=rows[:, axis], minlength=self.voxels)


def _unit(rows: NDArray[np.float64]) -> Array:
    """Rows at unit length; those without a direction point to z."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(length > 1e-6, rows / np.maximum(length, 1e-6), np.array([0.0, 0.0, 1.0])).astype(np.float32)
