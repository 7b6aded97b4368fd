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
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def frustum(
    sweep: Sweep, camera: Camera, region: tuple[float, float, float, float] | None = None, *, nearest: float = 0.0
) -> Frustum:
    """Crop what a camera sees (LidarCLIP, section 3.2 and its published loader).

    Args:
        sweep: in its own frame.
        camera: whose intrinsics are those of the undistorted picture.
        region: left, top, right, bottom in pixels to keep; by default the central square, as CLIP crops.
        nearest: metres ahead of the camera that a point must lie beyond.
    """
    left, top, right, bottom = central_square(camera.width, camera.height) if region is None else region
    index = np.flatnonzero((np.abs(sweep.points) < FARTHEST).all(1))
    in_camera = camera.to_camera(sweep.points[index])
    ahead = in_camera[:, 2] > max(nearest, 0.0)
    index, in_camera = index[ahead], in_camera[ahead]
    u, v = camera.project(in_camera).T
    seen = (u >= left) & (u < right) & (v >= top) & (v < bottom)
    index, in_camera = index[seen], in_camera[seen]
    turned = in_camera @ FROM_CAMERA.T
    points = np.concatenate([turned, sweep.intensity[index][:, None]], axis=1)
    motion = np.eye(4)
    motion[:3, :3] = FROM_CAMERA
    return Frustum(points, motion @ camera.camera_from_lidar, (left, top, right, bottom), index)
