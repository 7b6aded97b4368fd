"""Choosing points of a cloud: farthest-point, voxel and random samples, as indices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError

Array = NDArray[np.float32]
Index = NDArray[np.intp]

# Clouds of a batch advance together, so that small ones share the cost of a NumPy call; a block of this many
# points still fits the second-level cache.
BLOCK_POINTS = 32768

# Each try makes voxels smaller by a third; where this many do not part the points, most of them coincide.
THINNING_ATTEMPTS = 12


def farthest_point_sample(points: Array, n: int, *, start: int = 0, exact: bool = True) -> Index:
    """Choose n points, each the farthest from those chosen before it (Eldar et al. 1997).

    Args:
        points: (p, 3), finite.
        n: number of points; where n > p all points come in farthest-point order, again and again.
        start: index of the first point.
        exact: give exactly the order of the plain loop in float32, ties going to the lower index. Otherwise a
            sample of the same coverage, many times faster, in an order of its own: `start` need not be in it.

    Returns:
        (n,) intp, indices into points.

    Raises:
        ShapeError: if points is not (p, 3) with p >= 1, n < 1, or there is no point `start`.
    """
    points = _checked(points, n)
    if not 0 <= start < len(points):
        raise ShapeError(f"start must name one of the {len(points)} points, got {start}")
    if exact:
        return np.asarray(farthest_point_samples(points[None], n, start=start)[0])
    return np.asarray(_cycle(_fast_order(points, min(n, len(points)), start)[None], n)[0])


def farthest_point_samples(clouds: Array, n: int, *, start: int = 0) -> Index:
    """Exact farthest-point samples of equally large clouds: as `farthest_point_sample` for each, but faster.

    Args:
        clouds: (b, p, 3), finite.
        n: number of points; where n > p all points come in farthest-point order, again and again.
        start: index of the first point in every cloud.

    Returns:
        (b, n) intp.
    """
    clouds = np.asarray(clouds, dtype=np.float32)
    if clouds.ndim != 3 or clouds.shape[1] < 1 or clouds.shape[2] != 3 or n < 1:
        raise ShapeError(f"clouds must have shape (b, p, 3) with p and n at least 1, got {clouds.shape} and {n}")
    block = max(1, BLOCK_POINTS // clouds.shape[1])
    order = np.zeros((len(clouds), min(n, clouds.shape[1])), dtype=np.intp)
    for first in range(0, len(clouds), block):
        order[first : first + block] = _exact_order(clouds[first : first + block], order.shape[1], start)
    return _cycle(order, n)


def resample(points: Array, n: int, *, exact: bool = True) -> Index:
    """Exactly n indices (n,) intp that cover the cloud evenly, whether it has more points than n or fewer.

    More: a farthest-point sample (`exact` as there). Equal: every point in its place. Fewer: every point equally
    often, and the remainder by farthest-point sampling.
    """
    points = _checked(points, n)
    times, rest = divmod(n, len(points))
    parts = [np.arange(len(points))] * times
    if rest:
        parts.append(farthest_point_sample(points, rest, exact=exact))
    return np.concatenate(parts)


def voxel_sample(points: Array, size: float) -> Index:
    """One point a voxel: the one nearest to the mean of the points in its voxel.

    The same points are chosen whatever the order of the rows.

    Args:
        points: (p, 3).
        size: edge of a voxel in the unit of the points; the grid starts at the origin.

    Returns:
        (m,) intp, ascending, m <= p.
    """
    points = _checked(points, 1)
    if not size > 0:
        raise ShapeError(f"the size of a voxel must be positive, got {size}")
    canonical = np.lexsort(points.T[::-1])
    ordered = points[canonical].astype(np.float64)
    voxel = _voxel_numbers(ordered, size)
    count = np.bincount(voxel)
    mean = np.stack([np.bincount(voxel, weights=axis) / count for axis in ordered.T], axis=1)
    distance = ((ordered - mean[voxel]) ** 2).sum(1)
    by_voxel = np.lexsort((distance, voxel))  # stable: equal distances keep the canonical order
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    return np.sort(canonical[by_voxel[first]])


def random_sample(points: Array, n: int, seed: int) -> Index:
    """n points at random, (n,) intp: no repeats while n <= p, else every point equally often, give or take one."""
    points = _checked(points, n)
    times, rest = divmod(n, len(points))
    chosen = np.random.default_rng(seed).permutation(len(points))[:rest]
    return np.concatenate([np.tile(np.arange(len(points)), times), chosen])


def _exact_order(clouds: Array, n: int, start: int) -> Index:
    b, p, _ = clouds.shape
    xyz = np.ascontiguousarray(clouds.transpose(2, 0, 1))  # (3, b, p): each pass runs over contiguous memory
    flat, first_row = xyz.reshape(3, b * p), p * np.arange(b)
    nearest = np.full((b, p), np.inf, dtype=np.float32)  # squared distance to the points chosen so far
    square, newest = np.zeros_like(xyz), np.zeros((3, b), dtype=np.float32)
    distance, square_y, square_z = square
    order = np.full((n, b), start, dtype=np.intp)
    for step in range(1, n):
        flat.take(first_row + order[step - 1], axis=1, out=newest, mode="clip")
        np.subtract(xyz, newest[:, :, None], out=square)
        np.multiply(square, square, out=square)
        np.add(distance, square_y, out=distance)
        np.add(distance, square_z, out=distance)
        np.minimum(nearest, distance, out=nearest)
        nearest.argmax(axis=1, out=order[step])
    return order.T


def _fast_order(points: Array, n: int, start: int) -> Index:
    """A farthest-point order of n <= p points: by fpsample's k-d tree where installed, else of a thinned cloud."""
    try:
        from fpsample import bucket_fps_kdline_sampling
    except ImportError:
        return _thinned_order(points, n, start)
    height = min(5, len(points).bit_length() - 1)
    if height < 1:
        return np.zeros(n, dtype=np.intp)
    return np.asarray(bucket_fps_kdline_sampling(points, n, height, start), dtype=np.intp)


def _thinned_order(points: Array, n: int, start: int) -> Index:
    """Keep one point a voxel, with voxels so small that at least 4n points stay, then sample those exactly."""
    size = float(np.ptp(points, axis=0).max()) / np.sqrt(4 * n)
    for _ in range(THINNING_ATTEMPTS if size > 0 else 0):
        kept = np.unique(_voxel_numbers(points, size), return_index=True)[1]
        if 2 * len(kept) > len(points):
            break
        if len(kept) >= 4 * n:
            return np.asarray(kept[_exact_order(points[kept][None], n, 0)[0]])
        size /= 1.5
    return np.asarray(_exact_order(points[None], n, start)[0])


def _voxel_numbers(points: NDArray[np.floating], size: float) -> Index:
    """(p,) intp: the number of each point's voxel, counted over occupied voxels in the order of x, y, z."""
    cell = np.floor(points / size).astype(np.int64)
    cell -= cell.min(axis=0)
    extent = cell.max(axis=0) + 1
    if float(extent[0]) * float(extent[1]) * float(extent[2]) >= 2.0**62:
        return np.unique(cell, axis=0, return_inverse=True)[1].reshape(-1)
    key = (cell[:, 0] * extent[1] + cell[:, 1]) * extent[2] + cell[:, 2]
    return np.unique(key, return_inverse=True)[1].reshape(-1)


def _cycle(order: Index, n: int) -> Index:
    """Lengthen (b, m) to (b, n) by starting again from the first column."""
    return order if order.shape[1] == n else order[:, np.arange(n) % order.shape[1]]


def _checked(points: Array, n: int) -> Array:
    points = np.ascontiguousarray(points, dtype=np.float32)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) == 0:
        raise ShapeError(f"points must have shape (p, 3) with at least one point, got {points.shape}")
    if n < 1:
        raise ShapeError(f"at least one point must be asked for, got {n}")
    return points


def without_outliers(points: Array, factor: float, *, k: int = 4) -> Index:
    """The points that lie near others: statistical outlier removal (after Rusu et al. 2008).

    A point stays if the mean distance to its k nearest neighbours is at most `factor` times the median of that over
    the cloud. The median, where the paper has mean and deviation, holds however many the outliers are below half.

    Args:
        points: (p, 3).
        factor: above 1; the larger, the fewer points go.
        k: neighbours looked at.

    Returns:
        (q,) intp, ascending. All points, where there are too few to tell or more than half lie in one place.

    Raises:
        ShapeError: if the factor is not above 1.
    """
    from clip3d.clouds.neighbors import nearest_neighbors

    if not factor > 1:
        raise ShapeError(f"the factor must be above 1, got {factor}")
    if len(points) <= 4 * k:
        return np.arange(len(points))
    apart = nearest_neighbors(points, points, k + 1)[1][:, 1:].mean(axis=1)
    usual = np.median(apart)
    return np.flatnonzero(apart <= factor * usual) if usual > 0 else np.arange(len(points))
