"""What a scan of a room gives: points with colours and the things that they belong to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
NOBODY = -1  # of points that lie on nothing: mixed from two surfaces


@dataclass(frozen=True, eq=False)
class Scan:
    """Points of one room.

    Attributes:
        points: (p, 3) float32 metres, in the room's frame.
        colors: (p, 3) uint8 sRGB.
        instances: (p,) int32, places in the room's `things`; -1 for what lies between two of them.
    """

    points: Array
    colors: NDArray[np.uint8]
    instances: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.points)


def fuse(
    points: Array, facts: Array, instances: NDArray[np.int32], cell: float, *, least: int = 1,
    weights: Array | None = None,
) -> tuple[Array, Array, NDArray[np.int32]]:  # fmt: skip
    """One point for each cell and thing: the weighted mean of those that fell there.

    Args:
        points: (n, 3) metres, of all views.
        facts: (n, k) what else is known of each and can be averaged.
        instances: (n,) things that they belong to; those of two things in one cell stay apart.
        cell: metres of a cell's side.
        least: cells with fewer points are taken for errors.
        weights: (n,) of the points; all alike if None.

    Returns:
        Points (m, 3), facts (m, k) and instances (m,).
    """
    if not len(points):
        return points, facts, instances
    place = np.floor((points - points.min(0)) / np.float32(cell)).astype(np.int64)
    extent = place.max(0) + 1
    key = (place[:, 0] * extent[1] + place[:, 1]) * extent[2] + place[:, 2]
    key = key * (int(instances.max(initial=0)) + 2) + instances + 1
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    counts = np.diff(starts, append=len(order))
    weight = np.ones(len(points), np.float32) if weights is None else weights
    columns = np.concatenate([points, facts, np.ones((len(points), 1), np.float32)], 1)[order]
    columns *= weight[order, None]
    kept = counts >= least
    sums = np.add.reduceat(columns, starts)[kept]
    mean = (sums[:, :-1] / sums[:, -1:]).astype(np.float32)
    return mean[:, :3].copy(), mean[:, 3:].copy(), instances[order][starts][kept]


def mixed(distance: Array, shape: tuple[int, int], rng: np.random.Generator, chance: float, jump: float,
          wraps: bool = False) -> tuple[Array, NDArray[np.bool_]]:  # fmt: skip
    """Distances of which some at edges lie between the two surfaces that a beam or pixel met at once.

    Args:
        distance: (h * w,) metres, infinite where nothing was met.
        shape: h and w.
        rng: chance.
        chance: that a pixel at an edge is mixed.
        jump: least share of the distance by which neighbours differ at an edge.
        wraps: whether the last column lies beside the first.

    Returns:
        The distances, and which (h * w,) are mixed.
    """
    grid = distance.reshape(shape)
    beside = np.roll(grid, -1, axis=1) if wraps else np.concatenate([grid[:, 1:], grid[:, -1:]], axis=1)
    under = np.concatenate([grid[1:], grid[-1:]], axis=0)
    other = np.where(rng.random(shape) < 0.5, beside, under)
    with np.errstate(invalid="ignore"):
        edge = np.isfinite(grid) & np.isfinite(other) & (np.abs(grid - other) > jump * grid)
    chosen = edge & (rng.random(shape) < chance)
    weight = rng.random(shape).astype(np.float32)
    blend = np.where(chosen, grid * weight + np.where(chosen, other, 0) * (1 - weight), grid)
    return blend.ravel().astype(np.float32), chosen.ravel()
