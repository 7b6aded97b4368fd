"""Random changes to clouds for training. All randomness comes from the generator that the caller passes.

Functions that move points return points; functions that remove points return the indices of those that stay, so
that colours and normals can follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from clip3d.clouds.cloud import Axis
from clip3d.clouds.posing import quaternion_rotation
from clip3d.clouds.sampling import resample
from clip3d.errors import ShapeError

Array = NDArray[np.float32]
Index = NDArray[np.intp]
Matrix = NDArray[np.float64]

EYE = 3.0  # distance of a viewer from the centroid, in radii of the cloud


@dataclass(frozen=True)
class Augmentation:
    """A chain of changes to a z-up cloud in the unit sphere, in the order of the attributes.

    A probability is the chance that a step happens to a cloud. The defaults turn a cloud about the vertical and
    change nothing else.

    Attributes:
        partial: probability that only the points visible from a random direction stay.
        partial_most: fraction of the points that a partial view keeps at most.
        dropout: probability that random points are removed.
        dropout_most: the fraction removed is uniform between 0 and this.
        outliers: probability that some points are thrown to random places.
        outlier_fraction: how many of the points are thrown.
        mirror: probability of a reflection that keeps the vertical.
        scale: lowest and highest factor, drawn for each axis apart.
        turn: probability of a rotation about z by any angle.
        tilt: probability of leaning over, by up to `tilt_degrees`.
        tilt_degrees: largest angle between z before and after.
        tumble: probability of a rotation drawn evenly from all rotations.
        shift: the cloud moves by up to this along each axis.
        jitter: probability that each point moves on its own.
        jitter_sigma: standard deviation of that movement along each axis.
        jitter_limit: its largest size along each axis.
        drop_colors: probability that all colours become `color_fill`.
        color_fill: what a cloud without colour is given, in [0, 1].
        color_jitter: largest relative change of the contrast and largest change of each channel's level.
    """

    partial: float = 0.0
    partial_most: float = 0.6
    dropout: float = 0.0
    dropout_most: float = 0.5
    outliers: float = 0.0
    outlier_fraction: float = 0.02
    mirror: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    turn: float = 1.0
    tilt: float = 0.0
    tilt_degrees: float = 15.0
    tumble: float = 0.0
    shift: float = 0.0
    jitter: float = 0.0
    jitter_sigma: float = 0.01
    jitter_limit: float = 0.05
    drop_colors: float = 0.0
    color_fill: float = 0.5
    color_jitter: float = 0.0

    def __call__(self, points: Array, colors: Array | None, rng: Generator) -> tuple[Array, Array | None]:
        """Change points (p, 3) and colours (p, 3) in [0, 1], if any; at least one of the p points stays."""
        kept = self._removed(points, rng)
        points, colors = points[kept], None if colors is None else colors[kept]
        points = self._moved(points, rng)
        return points, None if colors is None else self._painted(colors, rng)

    def _removed(self, points: Array, rng: Generator) -> Index:
        kept = np.arange(len(points))
        if rng.random() < self.partial:
            kept = kept[partial_view(points, rng, most=self.partial_most)]
        if rng.random() < self.dropout:
            kept = kept[dropout(len(kept), rng.uniform(0, self.dropout_most), rng)]
        return kept

    def _moved(self, points: Array, rng: Generator) -> Array:
        if rng.random() < self.outliers:
            points = throw_outliers(points, self.outlier_fraction, rng)
        if rng.random() < self.mirror:
            points = mirror(points)
        points = scale_axes(points, rng, *self.scale)
        if rng.random() < self.turn:
            points = rotate(points, rotation_about("z", rng.uniform(0, 2 * np.pi)))
        if rng.random() < self.tilt:
            points = rotate(points, random_tilt(rng, self.tilt_degrees))
        if rng.random() < self.tumble:
            points = rotate(points, random_rotation(rng))
        points = shift(points, rng, self.shift)
        if rng.random() < self.jitter:
            points = jitter(points, rng, self.jitter_sigma, self.jitter_limit)
        return points

    def _painted(self, colors: Array, rng: Generator) -> Array:
        if rng.random() < self.drop_colors:
            return np.full_like(colors, self.color_fill, dtype=np.float32)
        return jitter_colors(colors, rng, self.color_jitter)


def augment_cg3d(
    points: Array, n: int, rng: Generator, *, up: Axis, probability: float = 0.3, exact: bool = True
) -> Array:
    """The training augmentation of CG3D (Hegde et al. 2023), n points out.

    In this order: a quarter turn, any turn and a small rotation about all axes, jitter, removal of points drawn
    with replacement, each with the given probability; then farthest-point sampling, scale U(2/3, 3/2) and shift
    U(-0.2, 0.2) for each axis. The authors' code moves a tenth of the points to the origin where this
    one removes them: many points in one place would draw the sampling there.

    Args:
        points: (p, 3), in the unit sphere.
        n: number of points to return.
        rng: source of all randomness.
        up: the axis about which clouds turn ("y" in the authors' data).
        probability: of each of the first five steps.
        exact: as of `clip3d.clouds.sampling.farthest_point_sample`, which is many times faster without.
    """
    if rng.random() < probability:
        points = rotate(points, rotation_about(up, np.pi / 2 * rng.integers(4)))
    if rng.random() < probability:
        points = rotate(points, rotation_about(up, rng.uniform(0, 2 * np.pi)))
    if rng.random() < probability:
        points = rotate(points, small_rotation(rng))
    if rng.random() < probability:
        points = jitter(points, rng)
    if rng.random() < probability:
        points = points[dropout(len(points), 0.1, rng, replace=True)]
    points = points[resample(points, n, exact=exact)]
    return shift(scale_axes(points, rng, 2 / 3, 3 / 2), rng, 0.2)


def rotate(points: Array, rotation: Matrix) -> Array:
    """Each row of points (p, 3) turned by rotation (3, 3): float32."""
    return np.asarray(points @ rotation.T.astype(np.float32), dtype=np.float32)


def rotation_about(axis: Axis, angle: float) -> Matrix:
    """The rotation (3, 3) by `angle` radians about a coordinate axis, counter-clockwise seen from its tip."""
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    rotation = np.eye(3)
    rotation[i, i] = rotation[j, j] = np.cos(angle)
    rotation[j, i] = np.sin(angle)
    rotation[i, j] = -rotation[j, i]
    return rotation


def random_rotation(rng: Generator) -> Matrix:
    """A rotation (3, 3) drawn evenly from all: that of a normally distributed quaternion (Shoemake 1992)."""
    return quaternion_rotation(*_unit(rng.normal(size=4)))


def small_rotation(rng: Generator, sigma: float = 0.06, limit: float = 0.18) -> Matrix:
    """Rotations about x, then y, then z by angles N(0, sigma), clipped to ±limit radians, as one (3, 3)."""
    x, y, z = np.clip(rng.normal(0, sigma, size=3), -limit, limit)
    return rotation_about("z", z) @ rotation_about("y", y) @ rotation_about("x", x)


def random_tilt(rng: Generator, degrees: float) -> Matrix:
    """A rotation (3, 3) by up to `degrees`, evenly drawn, about a random horizontal axis of a z-up frame."""
    heading = rotation_about("z", rng.uniform(0, 2 * np.pi))
    return np.asarray(heading @ rotation_about("x", np.radians(rng.uniform(0, degrees))) @ heading.T)


def mirror(points: Array) -> Array:
    """Points (p, 3) reflected in the plane x = 0; every upright mirroring is this one and a turn about z."""
    return points * np.array([-1, 1, 1], dtype=np.float32)


def scale_axes(points: Array, rng: Generator, low: float, high: float) -> Array:
    """Points (p, 3) with each axis multiplied by its own factor, uniform in [low, high]."""
    return points * rng.uniform(low, high, size=3).astype(np.float32)


def shift(points: Array, rng: Generator, limit: float) -> Array:
    """Points (p, 3) moved together, along each axis by a distance uniform in [-limit, limit]."""
    return points + rng.uniform(-limit, limit, size=3).astype(np.float32)


def jitter(points: Array, rng: Generator, sigma: float = 0.01, limit: float = 0.05) -> Array:
    """Points (p, 3) moved each on its own by N(0, sigma) along each axis, clipped to ±limit."""
    noise = rng.normal(0, sigma, size=points.shape)
    return points + np.clip(noise, -limit, limit).astype(np.float32)


def dropout(p: int, fraction: float, rng: Generator, *, replace: bool = False) -> Index:
    """Which of p points stay, ascending, when int(fraction * p) of them are drawn and removed; at least one does.

    With `replace` a point can be drawn more than once, so that fewer are removed.
    """
    drawn = rng.integers(p, size=int(fraction * p)) if replace else rng.permutation(p)[: int(fraction * p)]
    stays = np.ones(p, dtype=bool)
    stays[drawn] = False
    return np.flatnonzero(stays) if stays.any() else rng.integers(p, size=1)


def throw_outliers(points: Array, fraction: float, rng: Generator) -> Array:
    """Points (p, 3) of which int(fraction * p) come to lie anywhere in the bounding box, made a fifth larger."""
    thrown = rng.permutation(len(points))[: int(fraction * len(points))]
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.1 * (high - low)
    moved = np.array(points, dtype=np.float32)
    moved[thrown] = rng.uniform(low - margin, high + margin, size=(len(thrown), 3))
    return moved


def partial_view(points: Array, rng: Generator, *, most: float = 1.0) -> Index:
    """The points visible from a random direction, ascending; if over `most` of all p, the nearest to the eye."""
    direction = rng.normal(size=3)
    visible = visible_from(points, direction)
    limit = max(1, int(most * len(points)))
    if len(visible) <= limit:
        return visible
    away = np.linalg.norm(_from_eye(points, direction, EYE)[visible], axis=1)
    return np.sort(visible[np.argsort(away, kind="stable")[:limit]])


def visible_from(points: Array, direction: NDArray[np.floating], *, distance: float = EYE) -> Index:
    """Hidden point removal (Katz, Tal and Basri 2007): the points that an eye would see, were they a surface.

    Points are reflected in a sphere about the eye, 10^1.5 times as wide as the cloud is far, and those on the
    convex hull of the reflections and the eye are visible.

    Args:
        points: (p, 3).
        direction: (3,), from the centroid to the eye, of any length but zero.
        distance: of the eye from the centroid, in radii of the cloud; above 1.

    Returns:
        (q,) intp, ascending. All points, where they are too few or too flat for a hull.
    """
    from scipy.spatial import ConvexHull, QhullError

    if distance <= 1 or not np.any(direction):
        raise ShapeError(f"the eye must be outside the cloud in some direction, got {direction} at {distance}")
    from_eye = _from_eye(points, direction, distance)
    length = np.linalg.norm(from_eye, axis=1, keepdims=True)
    reflected = from_eye * (2 * 10**1.5 * length.max() / length - 1)
    try:
        corners = ConvexHull(np.concatenate([reflected, np.zeros((1, 3))])).vertices
    except QhullError:
        return np.arange(len(points))
    visible = np.sort(corners[corners < len(points)]).astype(np.intp)
    return visible if len(visible) else np.arange(len(points))


def _from_eye(points: Array, direction: NDArray[np.floating], distance: float) -> Matrix:
    """Where points (p, 3) lie seen from the eye, in radii of the cloud."""
    centred = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    radius = np.linalg.norm(centred, axis=1).max() or 1.0
    return np.asarray(centred / radius - distance * _unit(np.asarray(direction, dtype=np.float64)))


def jitter_colors(colors: Array, rng: Generator, size: float) -> Array:
    """Colours (p, 3) in [0, 1], contrast changed by a factor in 1 ± size, and each channel raised by ± size."""
    contrast = rng.uniform(1 - size, 1 + size)
    level = rng.uniform(-size, size, size=3)
    mean = colors.mean(axis=0)
    return np.asarray(np.clip((colors - mean) * contrast + mean + level, 0, 1), dtype=np.float32)


def _unit(vector: Matrix) -> Matrix:
    return np.asarray(vector / np.linalg.norm(vector))
