"""Rigid motions: what turns and shifts points from one frame into another, and how a vehicle moved meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clip3d.clouds.posing import quaternion_rotation
from clip3d.errors import ShapeError
from clip3d.lidar.camera import Camera

Array = NDArray[np.float64]
# Where the words of an axis point in a sweep's frame: x forward, y left, z up.
DIRECTIONS = {
    "forward": (1, 0, 0),
    "back": (-1, 0, 0),
    "left": (0, 1, 0),
    "right": (0, -1, 0),
    "up": (0, 0, 1),
    "down": (0, 0, -1),
}
OUR_AXES = "forward-left-up"
# Seconds beyond its first and last pose for which a track still answers, by going on as it went.
BEYOND = 0.2


def from_axes(axes: str) -> Array:
    """The (3, 3) rotation that brings points of a sensor into a sweep's frame.

    Args:
        axes: where the sensor's x, y and z point, such as "right-forward-up" for nuScenes.

    Raises:
        ShapeError: if the words are others, or make no right-handed frame.
    """
    words = axes.split("-")
    if len(words) != 3 or not set(words) <= DIRECTIONS.keys():
        known = ", ".join(DIRECTIONS)
        raise ShapeError(f"axes must be three of {known} joined by '-', such as {OUR_AXES}; got {axes!r}")
    rotation = np.array([DIRECTIONS[word] for word in words], dtype=np.float64).T
    if round(float(np.linalg.det(rotation))) != 1:
        raise ShapeError(f"axes {axes!r} do not make a right-handed frame")
    return rotation


def rigid(rotation: ArrayLike, translation: ArrayLike = (0, 0, 0)) -> Array:
    """A (4, 4) motion of a rotation (3, 3) and a translation (3,)."""
    motion = np.eye(4)
    motion[:3, :3] = rotation
    motion[:3, 3] = translation
    return motion


def inverse(motion: Array) -> Array:
    """The (4, 4) motion back; its rotation is taken for orthogonal."""
    back = motion[:3, :3].T
    return rigid(back, -back @ motion[:3, 3])


def of_quaternion(wxyz: ArrayLike, translation: ArrayLike = (0, 0, 0)) -> Array:
    """A (4, 4) motion of a quaternion w, x, y, z of any length but zero.

    Raises:
        ShapeError: if it has no direction.
    """
    return rigid(quaternion_rotation(*unit_quaternion(wxyz)), translation)


def unit_quaternion(wxyz: ArrayLike) -> Array:
    """A quaternion (4,) w, x, y, z at length 1.

    Raises:
        ShapeError: if it has no direction.
    """
    q = np.asarray(wxyz, dtype=np.float64)
    length = float(np.linalg.norm(q))
    if q.shape != (4,) or not np.isfinite(length) or length < 1e-9:
        raise ShapeError("a quaternion must have four finite numbers w, x, y, z that are not all zero")
    unit: Array = q / length
    return unit


def quaternion(rotation: ArrayLike) -> Array:
    """The quaternion (4,) w, x, y, z of a rotation (3, 3), w not negative."""
    r = np.asarray(rotation, dtype=np.float64)
    # The last eigenvector of this matrix is the quaternion, whichever of its numbers is small (Bar-Itzhack 2000).
    k = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], 0, 0, 0],
            [r[1, 0] + r[0, 1], r[1, 1] - r[0, 0] - r[2, 2], 0, 0],
            [r[2, 0] + r[0, 2], r[2, 1] + r[1, 2], r[2, 2] - r[0, 0] - r[1, 1], 0],
            [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], r[0, 0] + r[1, 1] + r[2, 2]],
        ]
    )
    x, y, z, w = np.linalg.eigh(k / 3)[1][:, -1]
    q = np.array([w, x, y, z])
    return -q if w < 0 else q


def yaw_of(direction: ArrayLike) -> float:
    """Radians from x towards y of a direction (3,)."""
    x, y, _ = np.asarray(direction, dtype=np.float64)
    return float(np.arctan2(y, x))


def compensated(camera: Camera, at_sweep: Array | None, at_picture: Array | None) -> Camera:
    """The camera with the vehicle's motion between sweep and picture made good.

    Points are carried from the lidar's frame at the sweep's time to the world, from there to the lidar's frame at
    the picture's time, and on to the camera.

    Args:
        camera: as it is mounted.
        at_sweep: (4, 4) world from lidar at the sweep's time; None leaves the camera as it is.
        at_picture: (4, 4) world from lidar at the picture's time, likewise.
    """
    if at_sweep is None or at_picture is None:
        return camera
    return replace(camera, camera_from_lidar=camera.camera_from_lidar @ inverse(at_picture) @ at_sweep)


@dataclass(frozen=True, eq=False)
class Track:
    """Where a vehicle was, at any time between the poses that were written down.

    Attributes:
        times: (n,) float64 seconds, rising.
        poses: (n, 4, 4) float64.
    """

    times: Array
    poses: Array

    def __post_init__(self) -> None:
        if self.poses.shape != (len(self.times), 4, 4) or (np.diff(self.times) <= 0).any():
            raise ShapeError("a track needs one pose (4, 4) for each of its times, and times that rise")

    @classmethod
    def of(cls, times: ArrayLike, poses: ArrayLike) -> Track:
        """A track of poses in any order; of equal times the first counts."""
        every = np.asarray(times, dtype=np.float64).reshape(-1)
        rising, first = np.unique(every, return_index=True)
        return cls(rising, np.asarray(poses, dtype=np.float64).reshape(-1, 4, 4)[first])

    def at(self, time: float) -> Array | None:
        """The (4, 4) pose at a time: positions in a straight line, rotations by the shortest turn.

        None where it is more than 0.2 s outside of what was written down.
        """
        if not len(self.times) or not self.times[0] - BEYOND <= time <= self.times[-1] + BEYOND:
            return None
        if len(self.times) == 1:
            only: Array = self.poses[0]
            return only
        after = int(np.clip(np.searchsorted(self.times, time), 1, len(self.times) - 1))
        start, end = self.times[after - 1], self.times[after]
        return between(self.poses[after - 1], self.poses[after], float((time - start) / (end - start)))


def between(first: Array, second: Array, share: float) -> Array:
    """The (4, 4) pose at a share of the way from one to another (Shoemake 1985); beyond 0 and 1 it goes on."""
    turn = quaternion(first[:3, :3].T @ second[:3, :3])
    sine = float(np.linalg.norm(turn[1:]))
    angle = 2 * float(np.arctan2(sine, turn[0]))
    axis = turn[1:] / sine if sine > 1e-12 else np.array([0.0, 0.0, 1.0])
    part = of_quaternion([np.cos(angle * share / 2), *(np.sin(angle * share / 2) * axis)])[:3, :3]
    return rigid(first[:3, :3] @ part, first[:3, 3] + share * (second[:3, 3] - first[:3, 3]))
