"""Small labelled drives in the layouts that LidarCLIP's experiments read: the simulator's, ONCE's and nuScenes'."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from labelled_drives import KINDS, _picture, _points, front_camera
from nuscenes_files import Tables
from PIL import Image

from clip3d.lidar.boxes import corners
from clip3d.lidar.camera import Camera
from clip3d.lidar.frame import Box
from clip3d.lidar.motion import inverse
from clip3d.lidar.once_writing import OnceWriter, enrol
from clip3d.lidar.sweep import Sweep
from clip3d.lidar.writing import LogWriter

COLOURS = ("red", "blue", "white")


@dataclass
class Moment:
    """What a frame holds."""

    sweep: Sweep
    image: Image.Image
    boxes: list[Box]
    metadata: dict[str, Any]


def moments(seed: int, frames: int, camera: Camera, kinds: tuple[str, ...] = tuple(KINDS)) -> Iterator[Moment]:
    """Frames of two to four things ahead; by the seed it is day or night, rainy or sunny, with glare or without."""
    rng = np.random.default_rng(seed)
    period, weather = ("night", "rainy") if seed % 2 else ("day", "sunny")
    for number in range(frames):
        boxes = []
        for track in range(int(rng.integers(2, 5))):
            label = str(rng.choice(kinds))
            length, width, height = KINDS[label][:3]
            center = np.array([rng.uniform(6, 28), (track - 1.5) * 2.5, height / 2 - 1.7])
            box = Box(label, center, (length, width, height), float(rng.uniform(-3, 3)), str(track))
            shown = float(rng.uniform(0, 1))
            told = {
                "words": [f"{rng.choice(COLOURS)} {label}", label],
                "points": int(rng.integers(3, 60)),
                "cameras": {camera.name: {"visible": shown, "within": 1.0}},
                "distance": float(np.hypot(*center[:2])),
                "velocity": [-5.0, 0.0] if rng.random() < 0.5 else [5.0, 0.0],
                "moving": True,
            }
            boxes.append(replace(box, rectangles={camera.name: rectangle(box, camera)}, attributes=told))
        terms = [period, "rain" if weather == "rainy" else "clear sky"]
        terms += ["sun glare"] if weather == "sunny" and number % 2 else []
        terms += ["drops on the lens"] if weather == "rainy" and number % 2 else []
        metadata = {"period": period, "weather": weather, "terms_by_camera": {camera.name: terms}}
        sweep = Sweep(*_points(boxes, rng), timestamp=float(number))
        yield Moment(sweep, _picture(camera, boxes, period), boxes, metadata)


def rectangle(box: Box, camera: Camera) -> tuple[float, float, float, float]:
    """About a box's corners, within the picture."""
    pixels = camera.project(camera.to_camera(corners(box)))
    left, top = np.maximum(pixels.min(0), 0)
    right, bottom = np.minimum(pixels.max(0), (camera.width, camera.height))
    return float(left), float(top), float(max(right, left + 1)), float(max(bottom, top + 1))


def write_plain(folder: Path, logs: int = 4, frames: int = 4) -> Path:
    """Logs as the simulator writes them."""
    camera = front_camera()
    for seed in range(logs):
        writer = LogWriter(folder / f"log-{seed}", [camera], metadata={"simulated": True})
        for number, one in enumerate(moments(seed, frames, camera)):
            images = {camera.name: one.image}
            writer.append(f"{number:06d}", one.sweep, images, boxes=one.boxes, metadata=one.metadata)
    return folder


def write_once(root: Path, frames: int = 4) -> Path:
    """ONCE: two sequences of val, one of test, one of train; the last frame of each is not labelled."""
    camera = replace(front_camera(), name="cam01")
    for seed, split in enumerate(("val", "val", "test", "train")):
        period, weather = ("night", "rainy") if seed % 2 else ("morning", "sunny")
        own = {"period": period, "weather": weather}
        writer = OnceWriter(root, f"{seed:06d}", [camera], metadata=own)
        for number, one in enumerate(moments(seed, frames, camera)):
            names = {"car": "Car", "truck": "Truck", "pedestrian": "Pedestrian"}
            boxes = [replace(box, label=names[box.label], track="", attributes={}) for box in one.boxes]
            key = str(1616343528200 + 500 * number)
            labelled = boxes if number < frames - 1 else None
            writer.append(key, one.sweep, {"cam01": one.image}, boxes=labelled)
        enrol(root, split, [f"{seed:06d}"])
    return root


def write_nuscenes(root: Path, frames: int = 3) -> Path:
    """nuScenes: a scene of val and one of train."""
    camera, names = front_camera(), {"car": "vehicle.car", "truck": "vehicle.truck",
                                     "pedestrian": "human.pedestrian.adult"}  # fmt: skip
    tables = Tables(root, "v1.0-trainval")
    from nuscenes_files import TO_NUSCENES

    top = tables.sensor("LIDAR_TOP", np.linalg.inv(TO_NUSCENES))
    front = tables.sensor("CAM_FRONT", inverse(camera.camera_from_lidar), camera.intrinsics)
    for seed, name in enumerate(("scene-0003", "scene-0001")):
        scene = tables.scene(name, "a street")
        for number, one in enumerate(moments(seed, frames, camera)):
            time = 100.0 * (seed + 1) + number
            sample = tables.sample(scene, time)
            tables.datum(sample, top, "LIDAR_TOP", time, np.eye(4), one.sweep)
            tables.datum(sample, front, "CAM_FRONT", time, np.eye(4), one.image)
            for box in one.boxes:
                tables.box(sample, replace(box, label=names[box.label]), np.eye(4))
    return tables.write()
