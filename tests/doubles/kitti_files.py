"""KITTI's files, laid out here as KITTI writes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from driving_logs import CAMERA_FROM_LIDAR, INTRINSICS, picture, sweep
from PIL import Image

from clip3d.lidar.frame import Box
from clip3d.lidar.sweep import Sweep

# Camera 2 lies 6 cm beside camera 0, and camera 0 is rectified by a small turn.
SHIFT = np.array([0.06, 0.001, 0.003])
RECTIFY = np.eye(4)
RECTIFY[:2, :2] = [[np.cos(0.01), -np.sin(0.01)], [np.sin(0.01), np.cos(0.01)]]


def _shifted() -> np.ndarray:
    motion = np.eye(4)
    motion[:3, 3] = SHIFT
    return motion


# What makes `CAMERA_FROM_LIDAR` the motion to camera 2.
RECTIFIED_FROM_LIDAR = np.linalg.inv(_shifted()) @ CAMERA_FROM_LIDAR
VELO_TO_CAM = np.linalg.inv(RECTIFY) @ RECTIFIED_FROM_LIDAR
PROJECTION = np.concatenate([INTRINSICS, (INTRINSICS @ SHIFT)[:, None]], axis=1)


def numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.12e}" for value in np.asarray(values).reshape(-1))


def sweep_bytes(points: Sweep) -> bytes:
    return np.concatenate([points.points, points.intensity[:, None]], axis=1).astype("<f4").tobytes()


def label(box: Box, rectified_from_lidar: np.ndarray = RECTIFIED_FROM_LIDAR) -> str:
    """A label's line of an upright box: height, width, length, middle of the bottom, turn about the camera's y."""
    length, width, height = box.size
    middle = rectified_from_lidar @ np.array([*box.center, 1])
    heading = rectified_from_lidar[:3, :3] @ np.array([np.cos(box.yaw), np.sin(box.yaw), 0])
    turn = np.arctan2(-heading[2], heading[0])
    rectangle = box.rectangles.get("image_2", (1, 2, 3, 4))
    words = (*rectangle, height, width, length, middle[0], middle[1] + height / 2, middle[2], turn)
    return f"{box.label} 0.25 1 -1.5 " + " ".join(f"{word:.9f}" for word in words)


def write_object(
    root: Path, frames: int = 3, boxes: tuple[Box, ...] | None = None, suffix: str = ".png"
) -> None:
    """velodyne/, image_2/, calib/ and, with boxes, label_2/."""
    for folder in ("velodyne", "image_2", "calib", *(["label_2"] if boxes is not None else [])):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for at in range(frames):
        write_object_frame(root, f"{at:06d}", sweep(at), picture(at), PROJECTION, RECTIFY, VELO_TO_CAM, suffix)
        if boxes is not None:
            ignored = "DontCare -1 -1 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10"
            (root / "label_2" / f"{at:06d}.txt").write_text("\n".join([*map(label, boxes), ignored]) + "\n")


def write_object_frame(
    root: Path,
    key: str,
    points: Sweep,
    image: Image.Image,
    projection: np.ndarray,
    rectify: np.ndarray,
    velo_to_cam: np.ndarray,
    suffix: str = ".png",
) -> None:
    (root / "velodyne" / f"{key}.bin").write_bytes(sweep_bytes(points))
    image.save(root / "image_2" / f"{key}{suffix}")
    lines = [f"P{camera}: {numbers(projection)}" for camera in range(4)]
    lines += [f"R0_rect: {numbers(rectify[:3, :3])}", f"Tr_velo_to_cam: {numbers(velo_to_cam[:3])}"]
    lines += [f"Tr_imu_to_velo: {numbers(np.eye(4)[:3])}", ""]
    (root / "calib" / f"{key}.txt").write_text("\n".join(lines))


