"""Small labelled logs in the plain layout: a road, a few boxes of points, pictures that show them as rectangles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from clip3d.lidar.boxes import corners
from clip3d.lidar.camera import Camera
from clip3d.lidar.frame import Box
from clip3d.lidar.frustum import FROM_CAMERA
from clip3d.lidar.sweep import Sweep
from clip3d.lidar.writing import LogWriter

WIDTH, HEIGHT, FOCAL = 96, 48, 40.0
# Label, length, width, height in metres, colour in pictures.
KINDS = {
    "car": (4.2, 1.8, 1.5, (220, 40, 40)),
    "truck": (8.0, 2.5, 3.2, (40, 220, 40)),
    "pedestrian": (0.6, 0.6, 1.8, (40, 40, 220)),
}


def front_camera() -> Camera:
    """Looks ahead from half a metre before the sensor."""
    intrinsics = np.array([[FOCAL, 0, (WIDTH - 1) / 2], [0, FOCAL, (HEIGHT - 1) / 2], [0, 0, 1]])
    motion = np.eye(4)
    motion[:3, :3] = FROM_CAMERA.T
    motion[:3, 3] = FROM_CAMERA.T @ np.array([-0.5, 0, 0])
    return Camera("front", WIDTH, HEIGHT, intrinsics, motion)


def write_log(path: Path, seed: int = 0, frames: int = 4, kinds: tuple[str, ...] = tuple(KINDS)) -> Path:
    """A log of frames, each with two to four objects ahead; by its seed it is day or night."""
    rng = np.random.default_rng(seed)
    camera = front_camera()
    period = "night" if seed % 2 else "day"
    writer = LogWriter(path, [camera], metadata={"period": period, "weather": "sunny"})
    for number in range(frames):
        boxes = []
        for track in range(int(rng.integers(2, 5))):
            label = str(rng.choice(kinds))
            length, width, height = KINDS[label][:3]
            center = np.array([rng.uniform(6, 25), (track - 1.5) * 3.5, height / 2 - 1.7])
            size, yaw, words = (length, width, height), rng.uniform(-3, 3), [f"big {label}", label]
            boxes.append(Box(label, center, size, yaw, str(track), {}, {"words": words}))
        sweep = Sweep(*_points(boxes, rng), timestamp=0.1 * number)
        writer.append(f"{number:06d}", sweep, {"front": _picture(camera, boxes, period)}, boxes=boxes)
    return path


def _points(boxes: list[Box], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ground = np.stack([rng.uniform(2, 38, 600), rng.uniform(-15, 15, 600), np.full(600, -1.7)], 1)
    parts = [ground]
    for box in boxes:
        local = rng.uniform(-0.5, 0.5, (60, 3)) * box.size
        local[np.arange(60), rng.integers(0, 2, 60)] *= 0.98
        cosine, sine = np.cos(box.yaw), np.sin(box.yaw)
        parts.append(local @ np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]]) + box.center)
    points = np.concatenate(parts).astype(np.float32)
    elevation = np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1]))
    ring = np.clip((elevation + 0.5) * 32, 0, 31).astype(np.int16)
    return points, rng.uniform(0, 1, len(points)).astype(np.float32), ring


def _picture(camera: Camera, boxes: list[Box], period: str) -> Image.Image:
    image = Image.new("RGB", (camera.width, camera.height), (30, 30, 40) if period == "night" else (150, 160, 170))
    draw = ImageDraw.Draw(image)
    for box in sorted(boxes, key=lambda one: -one.center[0]):
        pixels = camera.project(camera.to_camera(corners(box)))
        (left, top), (right, bottom) = np.nanmin(pixels, 0), np.nanmax(pixels, 0)
        draw.rectangle((left, top, right, bottom), fill=KINDS[box.label][3])
    return image
