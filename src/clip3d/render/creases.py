"""Normals of meshes that say none: smooth over curved surfaces, broken at creases."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

CREASE = 40.0  # degrees between faces, beyond which the edge between them shows
MAX_PAIRS = 6_000_000  # of corners that meet; meshes with more have faces too small for a difference to show
GRID = 1 << 20  # corners nearer than one cell of so many across are one


def corner_normals(corners: Array) -> Array:
    """A unit normal (f, 3, 3) for each corner of each face: the mean over the faces around it, weighted by area.

    Only faces that turn at most 40 degrees from the corner's own count, whichever way round either is wound.
    A face without an area has normals along z.

    Args:
        corners: (f, 3, 3) in the unit ball.
    """
    flat, area = _face_normals(corners)
    normals = np.repeat(flat[:, None], 3, axis=1)
    mine, other = _meeting(corners)
    if not len(mine):
        return normals
    turn = np.einsum("pd,pd->p", flat[mine // 3], flat[other // 3])
    near = np.flatnonzero(np.abs(turn) >= np.cos(np.radians(CREASE)))
    mine, other = mine[near], other[near]
    share = (np.sign(turn[near]) * area[other // 3])[:, None] * flat[other // 3]
    summed = [np.bincount(mine, share[:, axis], minlength=3 * len(corners)) for axis in range(3)]
    mean = np.stack(summed, axis=1).reshape(-1, 3, 3)
    length = np.linalg.norm(mean, axis=2, keepdims=True)
    return np.where(length > 1e-20, mean / np.maximum(length, 1e-20), normals).astype(np.float32)


def _face_normals(corners: Array) -> tuple[Array, NDArray[np.float64]]:
    wide = corners.astype(np.float64)
    cross = np.cross(wide[:, 1] - wide[:, 0], wide[:, 2] - wide[:, 0])
    length = np.linalg.norm(cross, axis=1)
    unit = np.where(length[:, None] > 0, cross / np.maximum(length, 1e-300)[:, None], (0, 0, 1))
    return unit.astype(np.float32), length


def _meeting(corners: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All ordered pairs (p,), (p,) of corners, by number, that lie in one place; none if there are too many."""
    # Rounded, so that noise about round coordinates does not part corners.
    cell = np.rint((corners.reshape(-1, 3).astype(np.float64) + 1) * (GRID / 2)).astype(np.int64)
    place = np.unique((cell[:, 0] << 42) + (cell[:, 1] << 21) + cell[:, 2], return_inverse=True)[1].reshape(-1)
    count = np.bincount(place)
    if int((count.astype(np.int64) ** 2).sum()) > MAX_PAIRS:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    order = np.argsort(place, kind="stable")
    start = (np.cumsum(count) - count)[place]
    times = count[place]
    mine = np.repeat(np.arange(len(place)), times)
    step = np.arange(len(mine)) - np.repeat(np.cumsum(times) - times, times)
    return mine, order[start[mine] + step]
