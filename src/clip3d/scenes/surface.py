"""The surface that voxels lie on: their neighbours, normals, and how flat it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.scenes.voxels import Array, Voxels

NEIGHBOURS = 14
# Neighbours farther away than so many times the usual distance are on another surface.
REACH = 3.5
# Normals of a file are trusted if half of them lie as near as this to those of the neighbourhood (cosine).
TRUSTED = 0.8


@dataclass(frozen=True, eq=False)
class Surface:
    """Voxels with their neighbours and normals.

    Attributes:
        points: (m, 3) float32 metres, z up.
        normals: (m, 3) float32, of either sign.
        flatness: (m,) float32 in [0, 1], 1 where the neighbourhood is a plane.
        neighbours: (m, k) int32, nearest first, itself among them; m where there are fewer within reach.
        colors: (m, 3) float32 in [0, 1], or None.
        spacing: edge in metres of the square of surface that is a voxel's own: that of a voxel, or more in a sparse
            scan.
    """

    points: Array
    normals: Array
    flatness: Array
    neighbours: NDArray[np.int32]
    colors: Array | None
    spacing: float

    def __len__(self) -> int:
        return len(self.points)

    def edges(self) -> NDArray[np.int32]:
        """Each voxel with each of its neighbours (e, 2); most pairs stand there in both directions."""
        one = np.repeat(np.arange(len(self), dtype=np.int32), self.neighbours.shape[1])
        other = self.neighbours.reshape(-1)
        there = (other < len(self)) & (other != one)
        return np.stack([one[there], other[there]], axis=1)

    def turned(self, rotation: NDArray[np.floating]) -> Surface:
        """The same surface with points and normals turned about the origin."""
        turn = rotation.astype(np.float32).T
        return Surface(
            self.points @ turn, self.normals @ turn, self.flatness, self.neighbours, self.colors, self.spacing
        )


def surface_of(voxels: Voxels) -> Surface:
    """Neighbours, normals and flatness of voxels; the normals are the file's own where they are to be trusted."""
    from scipy.spatial import cKDTree

    points = voxels.points
    tree = cKDTree(points)
    k = min(NEIGHBOURS, len(points))
    distance, found = tree.query(points, k=k, workers=2)
    distance, neighbours = distance.reshape(len(points), k), found.reshape(len(points), k).astype(np.int32)
    # so many neighbours lie in a disc as far about a point as the farthest of them
    own = float(np.median(distance[:, -1])) * np.sqrt(np.pi / k)
    spacing = max(voxels.grid.size, own)
    neighbours[distance > REACH * spacing] = len(points)
    normals, flatness = _fit_planes(points, neighbours)
    if voxels.normals is not None:
        agreement = np.abs((normals * voxels.normals).sum(axis=1))
        if len(agreement) and float(np.median(agreement)) >= TRUSTED:
            normals = voxels.normals
    return Surface(points, normals, flatness, neighbours, voxels.colors, spacing)


def _fit_planes(points: Array, neighbours: NDArray[np.int32], block: int = 1 << 16) -> tuple[Array, Array]:
    """Directions of least spread (m, 3) among the neighbours of each point, and how flat they are (m,)."""
    normals, flatness = np.zeros_like(points), np.zeros(len(points), np.float32)
    beyond = np.vstack([points, np.zeros((1, 3), np.float32)])
    for start in range(0, len(points), block):
        rows = slice(start, start + block)
        index = neighbours[rows]
        there = (index < len(points))[..., None]
        around = (beyond[index] - points[rows, None]) * there  # small numbers, whose squares keep their digits
        count = np.maximum(there.sum(axis=1), 1)
        centred = (around - (around.sum(axis=1) / count)[:, None]) * there
        spread, axes = np.linalg.eigh(centred.transpose(0, 2, 1) @ centred)
        normals[rows] = axes[..., 0]
        flatness[rows] = 1 - spread[:, 0] / np.maximum(spread[:, 1], 1e-12)
    return normals, np.clip(flatness, 0, 1)
