"""KITTI's object detection set: velodyne/, image_2/, calib/ and label_2/, files of one number belonging together.

The lidar's frame is ours: x forward, y left, z up, metres, origin at the Velodyne; reflectance lies in 0 to 1.
Pictures are rectified and taken as the lidar looks ahead, so nothing is to be undistorted or made good for motion.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import Clip3dError, FrameError
from clip3d.lidar.files import DAMAGED, floats, listed, read_text
from clip3d.lidar.frame import Box, Frame, Frames, Log, Picture
from clip3d.lidar.images import SUFFIXES, opener, picture_size
from clip3d.lidar.motion import inverse, yaw_of
from clip3d.lidar.sources.kitti_calibration import CAMERAS, matrix, motion_of, read_lines, rectified_camera
from clip3d.lidar.sweep_files import FORMS, load_sweep

SOURCE = "kitti-object"
MAX_LABEL_BYTES = 1024**2


def recognises(path: Path) -> bool:
    """Whether a folder holds velodyne/ and calib/, or is one above such folders named training or testing."""
    return bool(_roots(path))


def read(path: Path) -> Log:
    """Its frames in the order of their numbers; of a folder with both, training before testing."""
    roots = _roots(path)
    files = [(root, file) for root in roots for file in listed(root / "velodyne", (".bin",))]
    keys = [file.stem if len(roots) == 1 else f"{root.name}/{file.stem}" for root, file in files]
    problems = [] if files else [f"{path}: its velodyne folder holds no .bin file"]

    def make(index: int) -> Frame:
        root, file = files[index]
        return _frame(root, file, keys[index], float(index))

    return Log(path.name, path, SOURCE, Frames(keys, make), tuple(problems), timed=False)


def _roots(path: Path) -> list[Path]:
    candidates = [path, path / "training", path / "testing"]
    return [root for root in candidates if (root / "velodyne").is_dir() and (root / "calib").is_dir()]


def _frame(root: Path, file: Path, key: str, timestamp: float) -> Frame:
    pictures: dict[str, Picture] = {}
    problems: list[str] = []
    boxes: tuple[Box, ...] | None = None
    calibration = root / "calib" / f"{file.stem}.txt"
    try:
        lines = read_lines(calibration)
        rectified = motion_of(matrix(lines, calibration, "R0_rect", "R_rect"), calibration) @ motion_of(
            matrix(lines, calibration, "Tr_velo_to_cam", "Tr_velo_cam"), calibration
        )
        for camera, line in CAMERAS.items():
            found = [root / camera / (file.stem + suffix) for suffix in SUFFIXES]
            picture = next((candidate for candidate in found if candidate.is_file()), None)
            if picture is None:
                if (root / camera).is_dir():
                    problems.append(f"{root / camera / file.stem}.png: this picture is missing")
                continue
            try:
                size = picture_size(picture)
                seen = rectified_camera(camera, size, matrix(lines, calibration, line), rectified, calibration)
                pictures[camera] = Picture(seen, timestamp, opener(picture, size), picture)
            except Clip3dError as error:
                problems.append(str(error))
        labels = root / "label_2" / f"{file.stem}.txt"
        if labels.is_file():
            boxes = read_labels(labels, inverse(rectified))
    except Clip3dError as error:
        problems.append(str(error))
    load = partial(load_sweep, file, FORMS["kitti"], timestamp)
    return Frame(key, timestamp, load, pictures, boxes, path=file, problems=tuple(problems))


def read_labels(path: Path, lidar_from_rectified: NDArray[np.float64]) -> tuple[Box, ...]:
    """The boxes of a label file in the lidar's frame; regions that nobody labelled ("DontCare") are left out.

    A line has type, truncation, occlusion, alpha, the rectangle in image_2, height, width, length, the middle of
    the box's *bottom* in rectified coordinates of camera 0 (x right, y down, z ahead), the turn about its y, and
    perhaps a score.

    Raises:
        FrameError: if a line is another.
    """
    boxes: list[Box] = []
    for number, line in enumerate(read_text(path, MAX_LABEL_BYTES).splitlines(), 1):
        label, *words = line.split() or [""]
        if label in ("", "DontCare"):
            continue
        try:
            boxes.append(_box(label, floats(words), lidar_from_rectified))
        except (ValueError, IndexError) as error:
            raise FrameError(path, f"its line {number} is no label: {error}", DAMAGED) from error
    return tuple(boxes)


def _box(label: str, numbers: list[float], lidar_from_rectified: NDArray[np.float64]) -> Box:
    if len(numbers) not in (14, 15):
        raise ValueError(f"{len(numbers)} numbers where 14 or 15 are needed")
    truncated, occluded, alpha, *rest = numbers
    left, top, right, bottom, height, width, length, x, y, z, turn = rest[:11]
    middle = lidar_from_rectified @ np.array([x, y - height / 2, z, 1])
    heading = lidar_from_rectified[:3, :3] @ np.array([np.cos(turn), 0, -np.sin(turn)])
    attributes: dict[str, Any] = {"truncated": truncated, "occluded": int(occluded), "alpha": alpha}
    if len(rest) == 12:
        attributes["score"] = rest[11]
    return Box(
        label,
        middle[:3],
        (length, width, height),
        yaw_of(heading),
        rectangles={"image_2": (left, top, right, bottom)},
        attributes=attributes,
    )
