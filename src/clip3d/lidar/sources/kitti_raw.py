"""KITTI's raw drives, synchronised and rectified: DATE/DATE_drive_NNNN_sync, with the day's calibration above.

The lidar's frame is ours: x forward, y left, z up, metres, origin at the Velodyne; reflectance lies in 0 to 1.
Files of one number belong together: the scanner triggers the cameras as it looks ahead, so that the points ahead
are of the picture's moment whatever the times of their files say, and no motion is to be made good. A picture whose
time is more than the tolerance away from its sweep's is left out all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from clip3d.errors import Clip3dError, FrameError
from clip3d.lidar.camera import Camera
from clip3d.lidar.files import listed
from clip3d.lidar.frame import Box, Frame, Frames, Log, Picture
from clip3d.lidar.images import SUFFIXES, opener
from clip3d.lidar.motion import Track, inverse
from clip3d.lidar.pairing import TOLERANCE
from clip3d.lidar.sources.kitti_calibration import matrix, motion_of, number_of, read_lines, rectified_camera
from clip3d.lidar.sources.kitti_oxts import read_poses, read_stamps
from clip3d.lidar.sources.kitti_tracklets import read_tracklets
from clip3d.lidar.sweep_files import FORMS, load_sweep

SOURCE = "kitti-raw"
CAMERAS = ("image_00", "image_01", "image_02", "image_03")
CALIBRATION = "calib_cam_to_cam.txt"


def recognises(path: Path) -> bool:
    """Whether a folder is a drive: it holds velodyne_points/data."""
    return (path / "velodyne_points" / "data").is_dir()


def read(path: Path) -> Log:
    """The frames of a drive in the order of their numbers.

    Raises:
        FrameError: if the calibration is there but cannot be used.
    """
    problems: list[str] = []
    files = listed(path / "velodyne_points" / "data", (".bin",))
    if not files:
        problems.append(f"{path / 'velodyne_points' / 'data'}: it holds no .bin file")
    stamps = _stamps(path / "velodyne_points", problems)
    if files and stamps and len(stamps) < int(_number(files[-1])) + 1:
        problems.append(f"{path / 'velodyne_points' / 'timestamps.txt'}: it has fewer lines than there are sweeps")
    cameras: dict[str, Camera] = {}
    place = next((folder for folder in (path, path.parent) if (folder / CALIBRATION).is_file()), None)
    if place is None:
        problems.append(f"{path.parent / CALIBRATION}: there is no such file, so the drive's pictures are left out")
    else:
        cameras = read_cameras(place)
    drive = _Drive(path, files, stamps, cameras, place)
    for name in cameras:
        drive.pair(name, problems)
    boxes = drive.boxes(problems)
    frames = Frames([file.stem for file in files], lambda index: drive.frame(index, boxes))
    return Log(path.name, path, SOURCE, frames, tuple(problems))


def read_cameras(folder: Path) -> dict[str, Camera]:
    """The rectified cameras of a day's calibration: calib_cam_to_cam.txt and calib_velo_to_cam.txt.

    Raises:
        FrameError: if either cannot be used.
    """
    path = folder / CALIBRATION
    lines = read_lines(path)
    rectify = motion_of(matrix(lines, path, "R_rect_00"), path)
    rectified = rectify @ _motion(folder / "calib_velo_to_cam.txt")
    cameras = {}
    for name in CAMERAS:
        number = name[-2:]
        if f"P_rect_{number}" in lines and len(lines.get(f"S_rect_{number}", ())) == 2:
            width, height = lines[f"S_rect_{number}"]
            projection = matrix(lines, path, f"P_rect_{number}")
            cameras[name] = rectified_camera(name, (int(width), int(height)), projection, rectified, path)
    if not cameras:
        raise FrameError(path, "it has no camera's P_rect and S_rect", "it must be that of the synchronised drives")
    return cameras


def _motion(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    lines = read_lines(path)
    if len(lines.get("R", ())) != 9 or len(lines.get("T", ())) != 3:
        raise FrameError(path, "it has no rotation R and translation T", "it must be that of the day of the drive")
    return motion_of(np.column_stack([np.reshape(lines["R"], (3, 3)), lines["T"]]), path)


def _stamps(folder: Path, problems: list[str]) -> tuple[float, ...]:
    """Seconds of a sensor's files by their numbers; none where they cannot be read."""
    try:
        return read_stamps(folder / "timestamps.txt")
    except FrameError as error:
        problems.append(str(error))
        return ()


def _number(file: Path) -> int:
    return number_of(file) or 0


@dataclass(eq=False)
class _Drive:
    """One drive, from which frames are made."""

    path: Path
    files: list[Path]
    stamps: tuple[float, ...]
    cameras: Mapping[str, Camera]
    calibration: Path | None
    # By camera, the file and the time of each sweep's picture.
    pictures: dict[str, dict[str, tuple[Path, float]]] = field(default_factory=dict)

    def pair(self, name: str, problems: list[str]) -> None:
        """Find a camera's picture for each sweep: of the same number, and within the tolerance in time."""
        folder = self.path / name
        files = {file.stem: file for file in listed(folder / "data", SUFFIXES)}
        if not files:
            return
        stamps = _stamps(folder, problems)
        found: dict[str, tuple[Path, float]] = {}
        apart = 0
        for file in self.files:
            if file.stem not in files:
                continue
            number = _number(file)
            time = self._time_of(number)
            taken = stamps[number] if number < len(stamps) and self.stamps else time
            if abs(taken - time) <= TOLERANCE:
                found[file.stem] = files[file.stem], taken
            else:
                apart += 1
        self.pictures[name] = found
        sweeps = {file.stem for file in self.files}
        alone, without = len(files.keys() - sweeps), len(sweeps - files.keys())
        for count, told in (
            (apart, f"pictures were taken more than {TOLERANCE:g} s from the sweep of their number"),
            (alone, "pictures have no sweep of their number"),
            (without, "sweeps have no picture of their number"),
        ):
            if count:
                problems.append(f"{folder}: {count} {told}")

    @cached_property
    def track(self) -> tuple[Track | None, tuple[str, ...]]:
        """World from lidar over time, of oxts and its calibration; and what is wrong with them."""
        if self.calibration is None or not (self.path / "oxts" / "data").is_dir():
            return None, ()
        try:
            lidar_from_imu = _motion(self.calibration / "calib_imu_to_velo.txt")
            times, poses = read_poses(self.path / "oxts", self._time_of)
        except Clip3dError as error:
            return None, (f"{error}; so the drive has no poses",)
        return (Track.of(times, [pose @ inverse(lidar_from_imu) for pose in poses]) if times else None), ()

    def _time_of(self, number: int) -> float:
        return self.stamps[number] if number < len(self.stamps) else number / 10

    def boxes(self, problems: list[str]) -> Mapping[int, tuple[Box, ...]] | None:
        """By frame's number, of tracklet_labels.xml; None without it."""
        path = self.path / "tracklet_labels.xml"
        if not path.is_file():
            return None
        try:
            return read_tracklets(path)
        except FrameError as error:
            problems.append(str(error))
            return None

    def frame(self, index: int, boxes: Mapping[int, tuple[Box, ...]] | None) -> Frame:
        """The frame of a place."""
        file = self.files[index]
        time = self._time_of(_number(file))
        track, problems = self.track
        pictures = {}
        for name, found in self.pictures.items():
            if file.stem in found:
                camera, (picture, taken) = self.cameras[name], found[file.stem]
                pictures[name] = Picture(camera, taken, opener(picture, (camera.width, camera.height)), picture)
        seen = None if boxes is None else boxes.get(_number(file), ())
        pose = None if track is None else track.at(time)
        load = partial(load_sweep, file, FORMS["kitti"], time)
        return Frame(file.stem, time, load, pictures, seen, pose, path=file, problems=problems)
