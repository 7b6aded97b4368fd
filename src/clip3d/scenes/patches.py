"""Over-segmentation: small patches of one surface, and what lies between each two that touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.scenes.surface import Surface
from clip3d.scenes.voxels import Array, Labels

PATCH = 4.0  # edge of a patch in spacings
LEAST_PATCH = 0.06  # metres
BENT = np.cos(np.radians(35.0))  # neighbours whose normals differ by more are of different patches
GAP = 0.12  # metres over which what does not touch may still belong together
LEVEL, STEEP = 0.85, 0.5  # |z| of the normals of a surface that carries something, and of what stands on it


@dataclass(frozen=True, eq=False)
class Patches:
    """Patches and the pairs of them that touch or nearly do.

    Attributes:
        owner: (m,) int32, the patch of each voxel, -1 for those that were left out.
        points, normals: (p, 3) float32, their means.
        colors: (p, 3) float32, or None.
        sizes: (p,) int32, voxels in each.
        pairs: (e, 2) int32, the lower first.
        contact: (e,) float32, voxel edges across; of a gap, one.
        bend: (e,) float32, 1 - |cosine| of the normals.
        shade: (e,) float32, distance of the colours; 0 where there are none.
        step: (e,) float32, 1 where one stands on the other.
        gap: (e,) float32, metres between them; 0 where they touch.
    """

    owner: Labels
    points: Array
    normals: Array
    colors: Array | None
    sizes: Labels
    pairs: Labels
    contact: Array
    bend: Array
    shade: Array
    step: Array
    gap: Array

    def __len__(self) -> int:
        return len(self.sizes)


def make_patches(surface: Surface, standing: NDArray[np.bool_]) -> Patches:
    """Cut what stands in a room into patches of a few voxels, at the borders of cells and where the surface bends.

    Args:
        surface: of the scan.
        standing: (m,) which voxels are to be cut; the others are left out.
    """
    edges = surface.edges()
    edges = edges[standing[edges].all(axis=1)]
    a, b = edges.T
    cell = np.floor(surface.points / max(PATCH * surface.spacing, LEAST_PATCH)).astype(np.int64)
    cell -= cell.min(axis=0)
    key = (cell[:, 0] * (cell[:, 1].max() + 1) + cell[:, 1]) * (cell[:, 2].max() + 1) + cell[:, 2]
    cosine = np.abs((surface.normals[a] * surface.normals[b]).sum(axis=1))
    owner = np.full(len(surface), -1, np.int32)
    inside = (key[a] == key[b]) & (cosine > BENT)
    owner[standing] = components(len(surface), edges[inside])[standing]
    used, owner[standing] = np.unique(owner[standing], return_inverse=True)
    sizes = np.bincount(owner[standing], minlength=len(used)).astype(np.int32)
    points = _means(surface.points, owner, sizes)
    colors = None if surface.colors is None else _means(surface.colors, owner, sizes)
    normals = _mean_normals(surface.normals, owner, sizes)
    pairs, contact = _touching(owner, edges, len(sizes))
    near, gap = _near(surface, owner, pairs, len(sizes))
    pairs = np.concatenate([pairs, near])
    contact = np.concatenate([contact, np.ones(len(near), np.float32)])
    gap = np.concatenate([np.zeros(len(contact) - len(near), np.float32), gap])
    a, b = pairs.T
    bend = 1 - np.abs((normals[a] * normals[b]).sum(axis=1))
    shade = np.zeros(len(pairs), np.float32)
    if colors is not None:
        shade = np.linalg.norm(colors[a] - colors[b], axis=1)
    return Patches(
        owner, points, normals, colors, sizes, pairs, contact, bend, shade, _steps(points, normals, pairs), gap
    )


def components(n: int, edges: NDArray[np.integer]) -> Labels:
    """Connected component (n,) int32 of each of n nodes under edges (e, 2)."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    graph = coo_matrix((np.ones(len(edges), np.bool_), (edges[:, 0], edges[:, 1])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int32)


def _means(rows: Array, owner: Labels, sizes: Labels) -> Array:
    mine = owner >= 0
    sums = [np.bincount(owner[mine], weights=rows[mine, axis], minlength=len(sizes)) for axis in range(3)]
    return (np.stack(sums, axis=1) / np.maximum(sizes, 1)[:, None]).astype(np.float32)


def _mean_normals(normals: Array, owner: Labels, sizes: Labels) -> Array:
    """Mean normals (p, 3) at unit length; their signs are made those of one normal of each patch first."""
    first = np.zeros(len(sizes), np.intp)
    mine = np.flatnonzero(owner >= 0)
    first[owner[mine]] = mine
    signs = np.sign((normals[mine] * normals[first[owner[mine]]]).sum(axis=1))
    turned = np.zeros_like(normals)
    turned[mine] = normals[mine] * np.where(signs == 0, 1, signs)[:, None]
    mean = _means(turned, owner, sizes)
    return np.asarray(mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-6), np.float32)


def _touching(owner: Labels, edges: Labels, n: int) -> tuple[Labels, Array]:
    """Pairs of patches (e, 2) that voxel edges cross, and how many (e,)."""
    a, b = owner[edges[:, 0]].astype(np.int64), owner[edges[:, 1]].astype(np.int64)
    low, high = np.minimum(a, b), np.maximum(a, b)
    keys, count = np.unique((low * n + high)[low < high], return_counts=True)
    return np.stack([keys // n, keys % n], axis=1).astype(np.int32), count.astype(np.float32)


def _near(surface: Surface, owner: Labels, touching: Labels, n: int) -> tuple[Labels, Array]:
    """Pairs of patches (e, 2) of different connected components with a small gap between, and the gap (e,)."""
    from scipy.spatial import cKDTree

    whole = components(n, touching)
    mine = np.flatnonzero(owner >= 0)
    # one voxel a patch that lies at its border would do; its mean and every fourth voxel come close to that
    shown = mine[::4] if len(mine) > 4 * n else mine
    tree = cKDTree(surface.points[shown])
    count = min(12, len(shown))
    distance, found = tree.query(surface.points[shown], k=count, distance_upper_bound=GAP, workers=2)
    distance, found = distance.reshape(len(shown), count), found.reshape(len(shown), count)
    one = np.repeat(owner[shown], count)
    there = found.reshape(-1) < len(shown)
    other = owner[shown][np.where(there, found.reshape(-1), 0)]
    apart = there & (whole[one] != whole[other])
    low, high = np.minimum(one, other)[apart].astype(np.int64), np.maximum(one, other)[apart].astype(np.int64)
    far = distance.reshape(-1)[apart]
    order = np.argsort(far, kind="stable")
    keys, first = np.unique((low * n + high)[order], return_index=True)
    return np.stack([keys // n, keys % n], axis=1).astype(np.int32), far[order][first].astype(np.float32)


def _steps(points: Array, normals: Array, pairs: Labels) -> Array:
    """1 (e,) where one patch is level and the other rises from it, as what stands on a table does; else 0."""
    step = np.zeros(len(pairs), np.float32)
    for a, b in (pairs.T, pairs.T[::-1]):
        carries, stands = np.abs(normals[a, 2]) > LEVEL, np.abs(normals[b, 2]) < STEEP
        step[carries & stands & (points[b, 2] > points[a, 2] + 0.01)] = 1
    return step
