"""ONCE's files, laid out here as ONCE has them: x left, y back, z up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from driving_logs import CAMERA_POSE, HEIGHT, INTRINSICS, WIDTH, picture, pose, sweep
from PIL import Image

from clip3d.lidar.frame import Box
from clip3d.lidar.motion import quaternion
from clip3d.lidar.sweep import Sweep

# Brings our points into ONCE's axes.
TO_ONCE = np.eye(4)
TO_ONCE[:3, :3] = [[0, 1, 0], [-1, 0, 0], [0, 0, 1]]
LENS = [-0.1, 0.01, 0.0005, -0.0003, 0.0, 0.0, 0.0, 0.0]
FIRST = 1616343528200


def calibration(camera_pose: np.ndarray = CAMERA_POSE, intrinsics: np.ndarray = INTRINSICS, lens=LENS) -> dict:
    """Of a camera that stands so in our axes."""
    return {
        "cam_to_velo": (TO_ONCE @ camera_pose).tolist(),
        "cam_intrinsic": np.asarray(intrinsics).tolist(),
        "distortion": list(lens),
    }


def sweep_bytes(points: Sweep) -> bytes:
    rows = np.column_stack([points.points @ TO_ONCE[:3, :3].T, np.rint(points.intensity * 255)])
    return rows.astype("<f4").tobytes()


def annos(boxes: tuple[Box, ...], cameras: tuple[str, ...]) -> dict:
    rows = [[*(TO_ONCE[:3, :3] @ box.center), *box.size, box.yaw - np.pi / 2] for box in boxes]
    unseen = (-1.0, -1.0, -1.0, -1.0)
    return {
        "names": [box.label for box in boxes],
        "boxes_3d": rows,
        "boxes_2d": {name: [list(box.rectangles.get(name, unseen)) for box in boxes] for name in cameras},
    }


def pose_numbers(world_from_lidar: np.ndarray) -> list[float]:
    motion = world_from_lidar @ np.linalg.inv(TO_ONCE)
    w, x, y, z = quaternion(motion[:3, :3])
    return [x, y, z, w, *motion[:3, 3]]


def write_once(
    root: Path,
    sequence: str = "000076",
    frames: int = 3,
    boxes: tuple[Box, ...] | None = None,
    images: list[Image.Image] | None = None,
    sweeps: list[Sweep] | None = None,
    calibrations: dict[str, dict] | None = None,
) -> Path:
    """data/SEQUENCE, of which the first frame is annotated."""
    folder = root / "data" / sequence
    calibrations = calibrations or {"cam01": calibration(), "cam03": calibration()}
    for name in ("lidar_roof", *calibrations):
        (folder / name).mkdir(parents=True, exist_ok=True)
    entries = []
    for at in range(frames):
        number = str(FIRST + 500 * at)
        points = sweeps[at] if sweeps else sweep(at)
        (folder / "lidar_roof" / f"{number}.bin").write_bytes(sweep_bytes(points))
        for name in calibrations:
            (images[at] if images else picture(at)).save(folder / name / f"{number}.jpg", quality=95)
        entry = {"sequence_id": sequence, "frame_id": number, "pose": pose_numbers(pose(at, 2 * at, 0, 0.1 * at))}
        if boxes is not None and at == 0:
            entry["annos"] = annos(boxes, tuple(calibrations))
        entries.append(entry)
    size = list(images[0].size) if images else [WIDTH, HEIGHT]
    meta = {"weather": "cloudy", "period": "morning", "image_size": size, "point_feature_num": 4}
    content = {"meta_info": meta, "calib": calibrations, "frames": entries}
    (folder / f"{sequence}.json").write_text(json.dumps(content))
    return folder
