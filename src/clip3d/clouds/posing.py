"""Rotations for clouds whose pose nobody knows: those of quaternions, and the six sides that a cloud may lie on."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clip3d.errors import ShapeError

Pose = Literal["upright", "any"]

# Rotations that turn each side of an upright cloud up; the first leaves it as it is.
SIDES = np.array(
    [
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
        [[0, 0, -1], [0, 1, 0], [1, 0, 0]],
        [[0, 0, 1], [0, 1, 0], [-1, 0, 0]],
        [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
        [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
    ],
    dtype=np.float64,
)
# So many faces of a hull are tried as a side of the smallest box.
HULL_FACES = 40


def quaternion_rotation(w: ArrayLike, x: ArrayLike, y: ArrayLike, z: ArrayLike) -> NDArray[np.float64]:
    """The rotations (…, 3, 3) of unit quaternions, given by their real part w and the others, each of shape (…)."""
    w, x, y, z = (np.asarray(part, np.float64) for part in (w, x, y, z))
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def stances(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """The ways in which a cloud of unknown pose may stand: rotations (6, 3, 3), one for each side put up.

    What people make stands on a side of its box: the smallest box about the cloud is laid along the axes, and
    each of its six sides is turned up.

    Args:
        points: (p, 3), at least one.
    """
    return np.asarray(SIDES @ box_axes(points))


def box_axes(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """The rotation (3, 3) that lays a small box about points (p, 3) along the axes; x along its longest edge.

    Of the boxes with a side on one of the largest faces of the convex hull and another along an edge of the hull's
    outline on that face it is the smallest. Points in a plane give their principal axes.
    """
    from scipy.spatial import ConvexHull, QhullError

    centred = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    try:
        hull = ConvexHull(centred)
    except (QhullError, ValueError):
        return _proper(np.linalg.eigh(centred.T @ centred)[1].T[::-1])
    corners = centred[hull.vertices]
    smallest, axes = np.inf, np.eye(3)
    for normal in _largest_faces(centred, hull.simplices, hull.equations[:, :3]):
        frame = np.linalg.svd(normal[None])[2]  # rows: the normal, then two directions in the plane
        heights, flat = corners @ frame[0], corners @ frame[1:].T
        outline = flat[ConvexHull(flat).vertices]
        edges = np.roll(outline, -1, axis=0) - outline
        angles = np.arctan2(edges[:, 1], edges[:, 0])
        along = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        area = np.ptp(outline @ along.T, axis=0) * np.ptp(outline @ across.T, axis=0)
        best = int(area.argmin())
        if area[best] * np.ptp(heights) < smallest:
            smallest = area[best] * np.ptp(heights)
            axes = np.stack([along[best] @ frame[1:], across[best] @ frame[1:], frame[0]])
    return _proper(axes[np.argsort(-np.ptp(corners @ axes.T, axis=0), kind="stable")])


def _largest_faces(
    points: NDArray[np.float64], simplices: NDArray[np.int32], normals: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Normals (n, 3) of the hull's faces, triangles of one plane and of opposite planes as one, largest first."""
    a, b, c = points[simplices].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    # Opposite normals become one by the side they lie on of a plane that no usual face is square to.
    half = normals * np.where(normals @ np.array([0.61, 0.52, 0.6]) < 0, -1, 1)[:, None]
    index = np.unique(np.round(half, 2), axis=0, return_inverse=True)[1].ravel()
    summed = np.zeros((index.max() + 1, 3))
    np.add.at(summed, index, area[:, None] * half)
    length = np.linalg.norm(summed, axis=1)
    largest = np.argsort(-length, kind="stable")[:HULL_FACES]
    return np.asarray(summed[largest] / length[largest, None])


def _proper(axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthogonal axes (3, 3) as a rotation, the last one reversed if need be."""
    return np.asarray(axes * np.array([1, 1, np.sign(np.linalg.det(axes))])[:, None])


def check_pose(value: str) -> Pose:
    """The value, if it is one of the poses that a cloud may be said to have; else ShapeError."""
    if value in ("upright", "any"):
        return value  # type: ignore[return-value]
    raise ShapeError(f"pose must be upright or any, got {value!r}")
