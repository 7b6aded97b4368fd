"""The plain layout, which anyone can write: clouds/, images/CAMERA/, calibration.toml, and what else there is.

docs/logs.md describes it; `clip3d.lidar.writing` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from clip3d.errors import Clip3dError, FrameError
from clip3d.lidar.annotations import boxes_of
from clip3d.lidar.camera import Camera
from clip3d.lidar.files import listed, read_json
from clip3d.lidar.frame import Box, Frame, Frames, Log, Picture
from clip3d.lidar.images import SUFFIXES as PICTURES
from clip3d.lidar.images import opener
from clip3d.lidar.motion import compensated
from clip3d.lidar.pairing import pair
from clip3d.lidar.sources.folder_tables import Layout, Poses, read_layout, read_poses, read_times
from clip3d.lidar.sweep_files import SUFFIXES as CLOUDS
from clip3d.lidar.sweep_files import load_sweep

SOURCE = "plain"
MAX_ANNOTATION_BYTES = 16 * 1024**2
# One file with the boxes of a whole log is read at once, and stays in memory.
MAX_BOXES_BYTES = 512 * 1024**2


def recognises(path: Path) -> bool:
    """Whether a folder holds clouds/."""
    return (path / "clouds").is_dir()


def read(path: Path) -> Log:
    """Its frames in the order of their times, or of their names where no times are given.

    Raises:
        FrameError: if calibration.toml or poses.csv cannot be used.
    """
    problems: list[str] = []
    clouds = {file.stem: file for file in listed(path / "clouds", CLOUDS)}
    if not clouds:
        problems.append(f"{path / 'clouds'}: it holds no file named {', '.join(CLOUDS)}")
    layout, poses = Layout(), None
    if (path / "calibration.toml").is_file():
        layout = read_layout(path / "calibration.toml")
    elif (path / "images").is_dir():
        problems.append(f"{path / 'calibration.toml'}: there is no such file, so its pictures are left out")
    if (path / "poses.csv").is_file():
        poses = read_poses(path / "poses.csv", layout.form)
        clouds = _with_times(path, clouds, poses, problems)
    keys = sorted(clouds, key=lambda key: (poses.times[key] if poses else 0.0, key))
    folder = _Folder(path, layout, keys, clouds, poses, _metadata(path / "metadata.json", problems))
    folder.pair(problems)
    frames, timed = Frames(keys, folder.frame), poses is not None
    return Log(layout.name or path.name, path, SOURCE, frames, tuple(problems), timed)


def _with_times(path: Path, clouds: Mapping[str, Path], poses: Poses, problems: list[str]) -> dict[str, Path]:
    timed = {key: file for key, file in clouds.items() if key in poses.times}
    lost, empty = len(clouds) - len(timed), len(poses.times) - len(timed)
    if lost:
        problems.append(f"{path / 'clouds'}: {lost} sweeps have no line in poses.csv and are left out")
    if empty:
        problems.append(f"{path / 'poses.csv'}: {empty} of its lines have no sweep in clouds/")
    return timed


def _metadata(path: Path, problems: list[str]) -> dict[str, Any]:
    """Of the whole log."""
    if not path.is_file():
        return {}
    try:
        found = read_json(path)
    except FrameError as error:
        problems.append(str(error))
        return {}
    if not isinstance(found, dict):
        problems.append(f"{path}: it holds no names with values, and is left out")
        return {}
    return found


@dataclass(eq=False)
class _Folder:
    """One log's folder, from which frames are made."""

    path: Path
    layout: Layout
    keys: list[str]
    clouds: Mapping[str, Path]
    poses: Poses | None
    metadata: Mapping[str, Any]
    # By camera, the file and the time of each frame's picture.
    pictures: dict[str, dict[str, tuple[Path, float]]] = field(default_factory=dict)

    def pair(self, problems: list[str]) -> None:
        """Find each camera's pictures for the frames: of the same name, or nearest in time."""
        stamps = self.path / "timestamps.csv"
        times = read_times(stamps) if stamps.is_file() else {}
        for name in self.layout.cameras:
            files = {file.stem: file for file in listed(self.path / "images" / name, PICTURES)}
            if name in times and self.poses is not None:
                self.pictures[name] = self._by_time(name, files, self.poses, times[name], problems)
            else:
                self.pictures[name] = {
                    key: (files[key], self.poses.times[key] if self.poses else float(at))
                    for at, key in enumerate(self.keys)
                    if key in files
                }
                lost = len(files) - len(self.pictures[name])
                if lost:
                    problems.append(f"{self.path / 'images' / name}: {lost} pictures have no sweep of their name")
            without = len(self.keys) - len(self.pictures[name])
            if without:
                place = self.path / "images" / name
                problems.append(f"{place}: {without} of {len(self.keys)} sweeps have no picture")

    def _by_time(
        self, name: str, files: Mapping[str, Path], poses: Poses, times: Mapping[str, float], problems: list[str]
    ) -> dict[str, tuple[Path, float]]:
        known = [key for key in files if key in times]
        pairs = pair([poses.times[key] for key in self.keys], [times[key] for key in known], self.layout.tolerance)
        if len(known) < len(files):
            lost = len(files) - len(known)
            problems.append(f"{self.path / 'timestamps.csv'}: {lost} pictures of {name} have no line")
        if len(pairs.unpaired):
            problems.append(
                f"{self.path / 'images' / name}: {len(pairs.unpaired)} pictures have no sweep of their own within "
                f"{self.layout.tolerance:g} s"
            )
        return {
            key: (files[known[at]], times[known[at]])
            for key, at in zip(self.keys, pairs.picture.tolist(), strict=True)
            if at >= 0
        }

    def frame(self, index: int) -> Frame:
        """The frame of a place."""
        key = self.keys[index]
        timestamp = self.poses.times[key] if self.poses else float(index)
        problems: list[str] = []
        pictures = {
            name: self._picture(camera, *self.pictures[name][key], timestamp)
            for name, camera in self.layout.cameras.items()
            if key in self.pictures[name]
        }
        boxes, metadata = None, dict(self.metadata)
        try:
            boxes, own = self._annotated(key)
            metadata.update(own)
        except Clip3dError as error:
            problems.append(str(error))
        load = partial(load_sweep, self.clouds[key], self.layout.form, timestamp)
        pose = self.poses.pose(key) if self.poses else None
        return Frame(key, timestamp, load, pictures, boxes, pose, metadata, self.clouds[key], tuple(problems))

    def _picture(self, camera: Camera, file: Path, time: float, sweep_time: float) -> Picture:
        if self.poses is not None and self.poses.track is not None and time != sweep_time:
            camera = compensated(camera, self.poses.track.at(sweep_time), self.poses.track.at(time))
        return Picture(camera, time, opener(file, (camera.width, camera.height)), file)

    @cached_property
    def _boxes(self) -> Mapping[str, Any]:
        """Annotations by frame of boxes.json: ONCE's form, with a list of frames, or annotations by key."""
        found = read_json(self.path / "boxes.json", MAX_BOXES_BYTES)
        if isinstance(found, dict) and isinstance(found.get("frames"), list):
            frames = [frame for frame in found["frames"] if isinstance(frame, dict)]
            return {str(frame.get("frame_id")): frame for frame in frames}
        return {str(key): {"annos": value} for key, value in found.items()} if isinstance(found, dict) else {}

    def _annotated(self, key: str) -> tuple[tuple[Box, ...] | None, dict[str, Any]]:
        """Boxes and metadata of one frame, from annotations/KEY.json or boxes.json."""
        path = self.path / "annotations" / f"{key}.json"
        if path.is_file():
            found = read_json(path, MAX_ANNOTATION_BYTES)
        elif (self.path / "boxes.json").is_file():
            path = self.path / "boxes.json"
            found = self._boxes.get(key, {})
        else:
            return None, {}
        if not isinstance(found, dict):
            raise FrameError(path, "it holds no names with values", "see the plain layout in docs/logs.md")
        own = found.get("meta_info", {})
        try:
            boxes = boxes_of(found["annos"], self.layout.form.axes) if "annos" in found else None
        except (ValueError, TypeError) as error:
            reason = f"its annotations of {key} cannot be used: {error}"
            raise FrameError(path, reason, "see the plain layout in docs/logs.md") from error
        return boxes, dict(own) if isinstance(own, dict) else {}

