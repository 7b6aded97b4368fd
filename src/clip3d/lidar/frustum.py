"""What one camera sees of a sweep, in the frame that the sweep tower expects."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError
from clip3d.lidar.camera import Camera
from clip3d.lidar.sweep import Sweep

Array = NDArray[np.float32]

FARTHEST = 100.0  # metres along an axis; LidarCLIP's published loader keeps no point beyond
ROUNDING = 1e-3  # metres that float32 may err by at that distance
# Rotation from camera axes (x right, y down, z ahead) to a sweep's (x forward, y left, z up).
FROM_CAMERA = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Frustum:
    """The part of a sweep that one camera, or one tile of its picture, sees.

    Attributes:
        points: (n, 4) float32: x forward along the optical axis, y left, z up in metres, origin at the camera;
            intensity in [0, 1]. It may be empty.
        frustum_from_lidar: (4, 4) float64, the motion that brought the sweep's points there.
        region: left, top, right, bottom in pixels of the undistorted picture that was kept.
        index: (n,) which points of the sweep these are.
    """

    points: Array
    frustum_from_lidar: NDArray[np.float64] = field(default_factory=lambda: np.eye(4))
    region: tuple[float, float, float, float] | None = None
    index: NDArray[np.intp] | None = None

    def __post_init__(self) -> None:
        points = np.ascontiguousarray(self.points, dtype=np.float32)
        if points.ndim != 2 or points.shape[1] != 4:
            raise ShapeError(f"points of a frustum must have shape (n, 4): x, y, z, intensity; got {points.shape}")
        object.__setattr__(self, "points", points)

    def __len__(self) -> int:
        return len(self.points)


def central_square(width: int, height: int) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the largest square in a picture's middle: what CLIP's centre crop keeps."""
    side = min(width, height)
    left, top = float(round((width - side) / 2)), float(round((height - side) / 2))
    return left, top, left + side, top + side


def square_tiles(width: int, height: int) -> tuple[tuple[float, float, float, float], ...]:
    """Squares as large as a picture's shorter side that together cover it, evenly spaced from left or top.

    They overlap by as much as the longer side is no multiple of the shorter; a picture less than an eighth longer
    than a square is its central square alone.
    """
    side, length = min(width, height), max(width, height)
    if length < 1.125 * side:
        return (central_square(width, height),)
    count = -(-length // side)
    starts = [float(round(at * (length - side) / (count - 1))) for at in range(count)]
    if width > height:
        return tuple((start, 0.0, start + side, float(side)) for start in starts)
    return tuple((0.0, start, float(side), start + side) for start in starts)


def square_about(
    u: float, v: float, side: float, region: tuple[float, float, float, float], least: float
) -> tuple[float, float, float, float]:
    """A square about a pixel, at least `least` and at most a region's shorter side long, moved to lie within it."""
    left, top, right, bottom = region
    side = float(np.clip(side, least, min(right - left, bottom - top)))
    x = float(np.clip(u - side / 2, left, right - side))
    y = float(np.clip(v - side / 2, top, bottom - side))
    return x, y, x + side, y + side


def frustum(
    sweep: Sweep,
    camera: Camera,
    region: tuple[float, float, float, float] | None = None,
    *,
    nearest: float = 0.0,
    facing: bool = False,
) -> Frustum:
    """Crop what a camera sees (LidarCLIP, section 3.2 and its published loader).

    Args:
        sweep: in its own frame.
        camera: whose intrinsics are those of the undistorted picture, as `undistorted_camera` gives them.
        region: left, top, right, bottom in pixels to keep; by default the central square, as CLIP crops.
        nearest: metres ahead of the camera that a point must lie beyond.
        facing: turn about the camera's vertical so that the middle of the region, not the optical axis, lies ahead;
            a tower that knows frusta of central squares then knows a tile's.

    Raises:
        ShapeError: if the camera's picture is distorted.
    """
    if any(camera.distortion):
        raise ShapeError(f"the picture of camera {camera.name} is distorted: give undistorted_camera of it")
    left, top, right, bottom = central_square(camera.width, camera.height) if region is None else region
    rotation, shift = camera.camera_from_lidar[:3, :3], camera.camera_from_lidar[:3, 3]
    # Depth comes first: half of a sweep lies behind, and is not worth the rest.
    depth = sweep.points @ rotation[2].astype(np.float32) + np.float32(shift[2])
    index = np.flatnonzero(depth > max(nearest, 0.0) - ROUNDING)
    index = index[(np.abs(sweep.points[index]) < FARTHEST).all(1)]
    in_camera = camera.to_camera(sweep.points[index])
    u, v = camera.project(in_camera).T
    seen = (in_camera[:, 2] > max(nearest, 0.0)) & (u >= left) & (u < right) & (v >= top) & (v < bottom)
    index, in_camera = index[seen], in_camera[seen]
    motion = np.eye(4)
    motion[:3, :3] = _facing((left + right) / 2, camera) @ FROM_CAMERA if facing else FROM_CAMERA
    points = np.concatenate([in_camera @ motion[:3, :3].T, sweep.intensity[index][:, None]], axis=1)
    return Frustum(points, motion @ camera.camera_from_lidar, (left, top, right, bottom), index)


def _facing(column: float, camera: Camera) -> NDArray[np.float64]:
    """The rotation (3, 3) about z that brings what is seen in a column of pixels to lie ahead."""
    to_right = (column - camera.intrinsics[0, 2]) / camera.intrinsics[0, 0]
    cosine = 1 / np.sqrt(1 + to_right**2)
    sine = to_right * cosine
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
