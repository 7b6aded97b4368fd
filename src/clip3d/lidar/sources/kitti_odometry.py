"""KITTI's odometry sequences: sequences/NN with velodyne/, image_2/, calib.txt and times.txt, and poses/NN.txt.

The lidar's frame is ours: x forward, y left, z up, metres, origin at the Velodyne; reflectance lies in 0 to 1.
Pictures are rectified and taken as the lidar looks ahead; sweeps are already freed of the vehicle's motion.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import Clip3dError, FrameError, ImageError
from clip3d.lidar.camera import Camera
from clip3d.lidar.files import DAMAGED, floats, listed, read_text
from clip3d.lidar.frame import Frame, Frames, Log, Picture
from clip3d.lidar.images import SUFFIXES, opener, picture_size
from clip3d.lidar.motion import inverse, rigid
from clip3d.lidar.sources.kitti_calibration import (
    CAMERAS,
    matrix,
    motion_of,
    number_of,
    read_lines,
    rectified_camera,
    rotation,
)
from clip3d.lidar.sweep_files import FORMS, load_sweep

SOURCE = "kitti-odometry"
Pose = NDArray[np.float64]


def recognises(path: Path) -> bool:
    """Whether a folder is one sequence: it holds velodyne/ and calib.txt."""
    return (path / "velodyne").is_dir() and (path / "calib.txt").is_file()


def read(path: Path) -> Log:
    """The frames of a sequence in the order of their numbers."""
    problems: list[str] = []
    files = listed(path / "velodyne", (".bin",))
    if not files:
        problems.append(f"{path / 'velodyne'}: it holds no .bin file")
    times = _times(path / "times.txt", problems)
    files_of = {name: listed(path / name, SUFFIXES) for name in CAMERAS}
    cameras: dict[str, Camera] = {}
    poses: Sequence[Pose] = ()
    try:
        lines = read_lines(path / "calib.txt")
        tr = motion_of(matrix(lines, path / "calib.txt", "Tr", "Tr_velo_to_cam"), path / "calib.txt")
        for name, line in CAMERAS.items():
            sized = _size(files_of[name], problems)
            if sized is not None:
                projection = matrix(lines, path / "calib.txt", line)
                cameras[name] = rectified_camera(name, sized, projection, tr, path / "calib.txt")
        poses = _poses(path, tr, problems)
    except Clip3dError as error:
        problems.append(f"{error}; so the sequence's pictures and poses are left out")
        cameras = {}
    pictures = {name: {file.stem: file for file in files_of[name]} for name in cameras}
    for name, found in pictures.items():
        without = sum(file.stem not in found for file in files)
        if without:
            problems.append(f"{path / name}: {without} of {len(files)} sweeps have no picture of their number")

    def make(index: int) -> Frame:
        file = files[index]
        number = index if (named := number_of(file)) is None else named
        time = times[number] if number < len(times) else number / 10
        seen = {
            name: Picture(camera, time, opener(found, (camera.width, camera.height)), found)
            for name, camera in cameras.items()
            if (found := pictures[name].get(file.stem)) is not None
        }
        pose = poses[number] if number < len(poses) else None
        load = partial(load_sweep, file, FORMS["kitti"], time)
        return Frame(file.stem, time, load, seen, None, pose, path=file)

    return Log(path.name, path, SOURCE, Frames([file.stem for file in files], make), tuple(problems))


def _size(files: list[Path], problems: list[str]) -> tuple[int, int] | None:
    """The size of a camera's pictures, from the first that can be read; None where there is none."""
    for file in files[:20]:
        try:
            return picture_size(file)
        except ImageError as error:
            problems.append(str(error))
    return None


def _times(path: Path, problems: list[str]) -> tuple[float, ...]:
    """Seconds since the sequence began; none where they cannot be read, and then ten frames are a second."""
    try:
        return tuple(floats(read_text(path).split()))
    except FrameError as error:
        problems.append(str(error))
    except ValueError as error:
        problems.append(f"{path}: it holds {error}")
    return ()


def _poses(path: Path, lidar_to_camera: Pose, problems: list[str]) -> tuple[Pose, ...]:
    """World from lidar of each frame, the world being the lidar's frame at the first.

    A line of poses/NN.txt, or of a poses.txt in the sequence, is the (3, 4) motion from camera 0 to where camera 0
    was at the first frame.
    """
    places = (path.parent.parent / "poses" / f"{path.name}.txt", path / "poses.txt")
    place = next((file for file in places if file.is_file()), None)
    if place is None:
        return ()
    poses: list[Pose] = []
    try:
        for line in read_text(place).splitlines():
            if line.strip():
                values = np.reshape(floats(line.split(), 12), (3, 4))
                motion = rigid(rotation(values[:, :3]), values[:, 3])
                poses.append(inverse(lidar_to_camera) @ motion @ lidar_to_camera)
    except (ValueError, Clip3dError, np.linalg.LinAlgError) as error:
        problems.append(str(FrameError(place, f"its line {len(poses) + 1} is no pose: {error}", DAMAGED)))
        return ()
    return tuple(poses)
