"""Parts of a room by k-means over coordinates, as CLIP goes 3D does it (Hegde et al. 2023, querying of scenes)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clip3d.scenes.voxels import Array, Labels

CLUSTERS = 16  # not stated in the paper
SHARE_OF_HEIGHT = 0.06  # at floor and ceiling that is dropped; not stated either
LEAST_POINTS = 32


def between_layers(points: Array, share: float = SHARE_OF_HEIGHT) -> NDArray[np.intp]:
    """Which of points (n, 3), z up, lie between the lowest and the highest layer of a room: (m,) ascending."""
    height = points[:, 2]
    low, high = np.percentile(height, [0.5, 99.5])
    margin = share * (high - low)
    return np.flatnonzero((height > low + margin) & (height < high - margin))


def kmeans_labels(points: Array, clusters: int = CLUSTERS, seed: int = 0) -> Labels:
    """Cluster of each of points (n, 3), z up: (n,) int32, -1 for floor, ceiling and clusters that are too small."""
    from scipy.cluster.vq import kmeans2

    labels = np.full(len(points), -1, np.int32)
    between = between_layers(points)
    if len(between) < max(clusters, LEAST_POINTS):
        return labels
    generator = np.random.default_rng(seed)
    _, found = kmeans2(points[between].astype(np.float64), clusters, minit="++", seed=generator)
    large = np.bincount(found, minlength=clusters) >= LEAST_POINTS
    number = np.where(large, np.cumsum(large) - 1, -1)
    labels[between] = number[found]
    return labels
