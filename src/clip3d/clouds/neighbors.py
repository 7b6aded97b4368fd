"""Nearest neighbours in a cloud, by a k-d tree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError

Array = NDArray[np.float32]
Index = NDArray[np.intp]


def nearest_neighbors(points: Array, queries: Array, k: int, *, approximate: float = 0.0) -> tuple[Index, Array]:
    """The k points nearest to each query, nearest first.

    Equal distances come in the order of the points' indices; which of several points at the k-th distance are in
    is not defined. Where k > p the p points are repeated in the same order, so that every row is full.

    Args:
        points: (p, 3), finite.
        queries: (q, 3), finite.
        k: number of neighbours.
        approximate: the i-th neighbour may be up to this fraction farther away than the true i-th; 0 is exact.

    Returns:
        Indices into points (q, k) intp, and Euclidean distances (q, k) float32.

    Raises:
        ShapeError: if an array has another shape, there is no point, k < 1, or approximate < 0.
    """
    points, queries = _rows(points, "points"), _rows(queries, "queries")
    if len(points) == 0 or k < 1 or approximate < 0:
        raise ShapeError(f"need at least one point, k >= 1 and approximate >= 0: {len(points)}, {k}, {approximate}")
    from scipy.spatial import cKDTree

    distinct = min(k, len(points))
    # A tree that lives for one question is not worth balancing.
    tree = cKDTree(points, balanced_tree=False, compact_nodes=False)
    distance, index = tree.query(queries, k=distinct, eps=approximate)
    distance, index = distance.reshape(-1, distinct), index.reshape(-1, distinct)
    order = np.lexsort((index, distance), axis=1)
    columns = order[:, np.arange(k) % distinct]
    taken, distance = np.take_along_axis(index, columns, 1), np.take_along_axis(distance, columns, 1)
    return taken.astype(np.intp, copy=False), distance.astype(np.float32)


def group(points: Array, centers_index: Index, k: int) -> Index:
    """For each of m centres, given as indices (m,) into points (p, 3), the k nearest points: (m, k) intp.

    A centre is its own nearest point, unless another one lies in the same place. k > p as in `nearest_neighbors`.
    """
    return nearest_neighbors(points, points[centers_index], k)[0]


def _rows(value: Array, name: str) -> Array:
    rows = np.asarray(value, dtype=np.float32)
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise ShapeError(f"{name} must have shape (n, 3), got {rows.shape}")
    return rows
