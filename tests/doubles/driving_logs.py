"""Miniature driving logs: a made-up street corner, seen by a made-up vehicle, in the files of each source."""

from __future__ import annotations

import numpy as np
from PIL import Image

from clip3d.lidar.camera import Camera
from clip3d.lidar.frustum import FROM_CAMERA
from clip3d.lidar.sweep import Sweep

WIDTH, HEIGHT, FOCAL = 96, 64, 60.0
INTRINSICS = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
# A camera 0.3 m ahead of the lidar, 0.2 m to its left and 0.4 m below, turned a little to the left.
TURN = 0.1
CAMERA_POSE = np.eye(4)
CAMERA_POSE[:3, :3] = np.array(
    [[np.cos(TURN), -np.sin(TURN), 0], [np.sin(TURN), np.cos(TURN), 0], [0, 0, 1]]
) @ FROM_CAMERA
CAMERA_POSE[:3, 3] = 0.3, 0.2, -0.4
CAMERA_FROM_LIDAR = np.linalg.inv(CAMERA_POSE)


def camera(name: str = "front", distortion: tuple[float, ...] = ()) -> Camera:
    return Camera(name, WIDTH, HEIGHT, INTRINSICS, CAMERA_FROM_LIDAR, distortion)


def sweep(seed: int = 0, timestamp: float = 0.0, n: int = 400) -> Sweep:
    """Points all around within 40 m, on a grid of 2 mm, with intensities in steps of 1/255, on 32 rings."""
    rng = np.random.default_rng(seed)
    points = np.rint(rng.uniform((-40, -40, -2), (40, 40, 4), (n, 3)) / 0.002) * 0.002
    return Sweep(
        points.astype(np.float32),
        rng.integers(0, 256, n) / np.float32(255),
        rng.integers(0, 32, n),
        timestamp=timestamp,
    )


def picture(seed: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    """Broad coloured areas, which JPEG leaves as they are."""
    rng = np.random.default_rng(seed)
    small = rng.integers(40, 216, (4, 6, 3)).astype(np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BILINEAR)


def pose(x: float, y: float, z: float, yaw: float) -> np.ndarray:
    motion = np.eye(4)
    motion[:2, :2] = [[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]]
    motion[:3, 3] = x, y, z
    return motion
