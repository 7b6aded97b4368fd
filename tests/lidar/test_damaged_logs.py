"""Logs whose files were damaged by chance: a log and its frames, or an error of ours, never anything else."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from driving_logs import CAMERA_POSE, INTRINSICS, camera, picture, pose, sweep
from kitti_files import write_calibration, write_drive, write_object, write_sequence, write_tracklets
from nuscenes_files import write_small
from once_files import write_once

from clip3d.errors import Clip3dError, FrameError
from clip3d.lidar.frame import Box
from clip3d.lidar.reading import read_log
from clip3d.lidar.views import views
from clip3d.lidar.writing import LogWriter

BOX = Box("Car", np.array([12.0, 3, -0.6]), (4.2, 1.7, 1.5), 0.4)


def plain(root: Path) -> Path:
    writer = LogWriter(root / "log", [camera()], metadata={"weather": "sunny"})
    for at in range(2):
        points, world = sweep(at, timestamp=at), pose(at, 0, 0, 0)
        writer.append(f"{at}", points, {"front": picture(at)}, boxes=[BOX], world_from_lidar=world)
    return root / "log"


def drive(root: Path) -> Path:
    folder = root / "day" / "drive"
    write_calibration(folder.parent)
    write_drive(folder, (0, 1))
    write_tracklets(folder / "tracklet_labels.xml", BOX, 0, 2)
    return folder


def objects(root: Path) -> Path:
    write_object(root / "object", 2, (BOX,))
    return root / "object"


MAKERS: dict[str, Callable[[Path], Path]] = {
    "plain": plain,
    "kitti-raw": drive,
    "kitti-object": objects,
    "kitti-odometry": write_sequence,
    "nuscenes": lambda root: write_small(root / "nuscenes", np.eye(4), CAMERA_POSE, INTRINSICS, BOX),
    "once": lambda root: write_once(root / "once", frames=2, boxes=(BOX,)),
}


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    kind = rng.integers(4)
    if kind == 0 or not data:
        return data[: rng.integers(0, len(data) + 1)]
    if kind == 1:
        return b""
    changed = bytearray(data)
    for at in rng.integers(0, len(data), 1 + len(data) // 200):
        changed[at] = rng.integers(256) if kind == 2 else rng.choice(list(b'0-9e"[]{}, nNa'))
    return bytes(changed)


def use(path: Path, source: str) -> None:
    """All that a log gives; what it cannot give must be said by our own errors."""
    log = read_log(path, source)
    for frame in log:
        assert all(isinstance(problem, str) for problem in frame.problems)
        for action in (lambda frame=frame: frame.sweep, lambda frame=frame: [view.image for view in views(frame)]):
            with contextlib.suppress(Clip3dError):
                action()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("source", MAKERS)
def test_damage_by_chance_ends_in_frames_or_in_our_errors(tmp_path: Path, source: str) -> None:
    good = MAKERS[source](tmp_path / "good")
    use(good, source)
    rng = np.random.default_rng(0)
    files = sorted(file for file in (tmp_path / "good").rglob("*") if file.is_file())
    for number in range(40):
        folder = tmp_path / f"{number}"
        shutil.copytree(tmp_path / "good", folder)
        file = folder / rng.choice(files).relative_to(tmp_path / "good")
        file.write_bytes(damaged(file.read_bytes(), rng))
        with contextlib.suppress(FrameError):
            use(folder / good.relative_to(tmp_path / "good"), source)
        shutil.rmtree(folder)
