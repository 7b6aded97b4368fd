"""Cameras of a vehicle: where they stand, how they look, and where a point falls in their picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera: x right, y down, z ahead, in metres; pixel (0, 0) is the centre of the top left pixel.

    Attributes:
        name: in the log, such as "image_02" or "CAM_FRONT".
        width: of its picture in pixels.
        height: of its picture in pixels.
        intrinsics: (3, 3) float64, from camera coordinates to pixels, of the picture as stored.
        camera_from_lidar: (4, 4) float64, a rigid motion, at the sweep's time if nothing else is said.
        distortion: of the picture as stored, in OpenCV's order k1, k2, p1, p2[, k3[, k4, k5, k6]]; empty for a
            rectified picture.
    """

    name: str
    width: int
    height: int
    intrinsics: Array
    camera_from_lidar: Array
    distortion: tuple[float, ...] = field(default=())

    def __post_init__(self) -> None:
        for name, shape in (("intrinsics", (3, 3)), ("camera_from_lidar", (4, 4))):
            value = np.ascontiguousarray(getattr(self, name), dtype=np.float64)
            if value.shape != shape or not np.isfinite(value).all():
                raise ShapeError(f"{name} of a camera must be finite and of shape {shape}, got {value.shape}")
            object.__setattr__(self, name, value)
        if self.width < 1 or self.height < 1:
            raise ShapeError(f"a camera's picture needs pixels, got {self.width} x {self.height}")
        focal, last = np.diag(self.intrinsics)[:2], self.intrinsics[2]
        if not (focal > 0).all() or not np.allclose(last, (0, 0, 1)):
            raise ShapeError(f"intrinsics of {self.name} need focal lengths above 0 and a last row of 0, 0, 1")
        rotation = self.camera_from_lidar[:3, :3]
        if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3) or np.linalg.det(rotation) < 0:
            raise ShapeError(f"camera_from_lidar of {self.name} must hold a proper rotation")
        if len(self.distortion) not in (0, 4, 5, 8):
            raise ShapeError(f"distortion must have 0, 4, 5 or 8 numbers, got {len(self.distortion)}")

    def to_camera(self, points: NDArray[np.floating]) -> Array:
        """Points (n, 3) of the lidar's frame in camera coordinates (n, 3) float64."""
        moved: Array = points @ self.camera_from_lidar[:3, :3].T + self.camera_from_lidar[:3, 3]
        return moved

    def project(self, in_camera: NDArray[np.floating]) -> Array:
        """Pixels (n, 2) of points (n, 3) in camera coordinates, distortion left aside; NaN where z is not ahead."""
        ahead = in_camera[:, 2] > 0
        z = np.where(ahead, in_camera[:, 2], np.nan)
        pixels: Array = (in_camera / z[:, None]) @ self.intrinsics.T
        return pixels[:, :2]
