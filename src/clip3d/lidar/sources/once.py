"""ONCE: data/SEQUENCE with SEQUENCE.json, lidar_roof/*.bin and cam01 … cam09/*.jpg, and ImageSets beside data.

The lidar's axes are x left, y back, z up; sweeps, boxes, poses and cameras are brought into ours. Pictures are
stored distorted. Files of one frame belong together, and no motion is to be made good between them; rectangles are
given in the undistorted picture. A frame's number is its time in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from clip3d.errors import Clip3dError, FrameError, ShapeError
from clip3d.lidar.annotations import boxes_of
from clip3d.lidar.camera import Camera
from clip3d.lidar.files import DAMAGED, floats, listed, read_json, read_text
from clip3d.lidar.frame import Frame, Frames, Log, Picture
from clip3d.lidar.images import opener
from clip3d.lidar.motion import from_axes, inverse, of_quaternion, rigid
from clip3d.lidar.sweep_files import FORMS, load_sweep

SOURCE = "once"
CAMERAS = tuple(f"cam{number:02d}" for number in range(1, 10))
SIZE = 1920, 1020
SPLITS = ("train", "val", "test", "raw_small", "raw_medium", "raw_large")
MAX_JSON_BYTES = 1024**3
FROM_SENSOR = rigid(from_axes(FORMS["once"].axes))
TO_SENSOR = inverse(FROM_SENSOR)


def recognises(path: Path) -> bool:
    """Whether a folder is a sequence, or holds data/ with at least one."""
    if _is_sequence(path):
        return True
    try:
        return any(_is_sequence(folder) for folder in (path / "data").iterdir())
    except OSError:
        return False


def read(path: Path) -> Log:
    """The frames of a sequence, or of all sequences of data/, in the order of their names and times."""
    problems: list[str] = []
    alone = _is_sequence(path)
    folders = [path] if alone else sorted(folder for folder in (path / "data").iterdir() if _is_sequence(folder))
    splits = _splits(path.parent.parent if alone else path)
    places: list[tuple[_Sequence, str]] = []
    for folder in folders:
        sequence = _Sequence(folder, splits.get(folder.name))
        files = listed(folder / "lidar_roof", (".bin",))
        if not files:
            problems.append(f"{folder / 'lidar_roof'}: it holds no .bin file")
        places += [(sequence, file.stem) for file in files]
    keys = [key if alone else f"{sequence.path.name}/{key}" for sequence, key in places]

    def make(index: int) -> Frame:
        sequence, key = places[index]
        return sequence.frame(key, keys[index])

    return Log(path.name, path, SOURCE, Frames(keys, make), tuple(problems))


def _is_sequence(folder: Path) -> bool:
    return (folder / "lidar_roof").is_dir() and (folder / f"{folder.name}.json").is_file()


def _splits(root: Path) -> dict[str, str]:
    """The split of each sequence, where ImageSets tells it."""
    found: dict[str, str] = {}
    for split in SPLITS:
        path = root / "ImageSets" / f"{split}.txt"
        try:
            found.update(dict.fromkeys(read_text(path).split(), split))
        except FrameError:
            continue
    return found


@lru_cache(maxsize=2)
def _content(path: Path, changed: int) -> Mapping[str, Any]:
    """A sequence's JSON; the last two stay in memory, since frames are mostly asked for in their order."""
    found = read_json(path, MAX_JSON_BYTES)
    if not isinstance(found, dict):
        raise FrameError(path, "it holds no names with values", DAMAGED)
    frames = found.get("frames")
    if not isinstance(frames, list) or not all(isinstance(frame, dict) for frame in frames):
        raise FrameError(path, "it has no list of frames", DAMAGED)
    return {**found, "frames": {str(frame.get("frame_id")): frame for frame in frames}}


@dataclass(eq=False)
class _Sequence:
    """One sequence, from which frames are made."""

    path: Path
    split: str | None

    @property
    def _json(self) -> Path:
        return self.path / f"{self.path.name}.json"

    @cached_property
    def _cameras(self) -> tuple[dict[str, Camera], tuple[str, ...]]:
        """Cameras, and what is wrong with those that cannot be used."""
        content = _content(self._json, self._json.stat().st_mtime_ns)
        calibration, meta = content.get("calib"), content.get("meta_info")
        size = meta.get("image_size") if isinstance(meta, dict) else None
        cameras: dict[str, Camera] = {}
        problems = []
        for name, entry in (calibration if isinstance(calibration, dict) else {}).items():
            if name not in CAMERAS:
                continue
            try:
                cameras[name] = _camera(name, entry, size)
            except (ShapeError, KeyError, ValueError, TypeError, IndexError, OverflowError) as error:
                problems.append(f"{self._json}: its camera {name} cannot be used: {error}")
        return cameras, tuple(problems)

    def frame(self, number: str, key: str) -> Frame:
        """The frame of a number."""
        time = int(number) / 1000 if number.isdecimal() and len(number) < 19 else 0.0
        file = self.path / "lidar_roof" / f"{number}.bin"
        metadata: dict[str, Any] = {"sequence": self.path.name}
        if self.split:
            metadata["split"] = self.split
        pictures: dict[str, Picture] = {}
        problems: list[str] = []
        boxes = pose = None
        try:
            content = _content(self._json, self._json.stat().st_mtime_ns)
            meta, entry = content.get("meta_info"), content["frames"].get(number)
            metadata.update(meta if isinstance(meta, dict) else {})
            cameras, wrong = self._cameras
            problems += wrong
            for name, camera in cameras.items():
                picture = self.path / name / f"{number}.jpg"
                if picture.is_file():
                    pictures[name] = Picture(camera, time, opener(picture, (camera.width, camera.height)), picture)
                elif (self.path / name).is_dir():
                    problems.append(f"{picture}: this picture is missing")
            if entry is None:
                problems.append(f"{self._json}: it does not name the frame {number}")
            else:
                pose = _pose(entry.get("pose"))
                own = entry.get("meta_info")  # which simulated logs have
                metadata.update(own if isinstance(own, dict) else {})
                if "annos" in entry:
                    boxes = boxes_of(entry["annos"], FORMS["once"].axes)
        except (ValueError, TypeError, AttributeError) as error:
            problems.append(f"{self._json}: its frame {number} cannot be used: {error}")
        except (Clip3dError, OSError) as error:
            problems.append(str(error))
        load = partial(load_sweep, file, FORMS["once"], time)
        return Frame(key, time, load, pictures, boxes, pose, metadata, file, tuple(problems))


def _camera(name: str, entry: Mapping[str, Any], size: object) -> Camera:
    width, height = size if isinstance(size, list) and len(size) == 2 else SIZE
    camera_to_lidar = np.array(entry["cam_to_velo"], dtype=np.float64)
    if camera_to_lidar.shape != (4, 4):
        raise ShapeError("its cam_to_velo is no 4 x 4 matrix")
    lens = tuple(floats(np.ravel(entry.get("distortion", ())).tolist()))
    intrinsics = np.array(entry["cam_intrinsic"], dtype=np.float64)
    return Camera(name, int(width), int(height), intrinsics, inverse(camera_to_lidar) @ TO_SENSOR, lens)


def _pose(numbers: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
    """World from lidar of ONCE's qx, qy, qz, qw, x, y, z; None where there is none."""
    if not isinstance(numbers, list) or not any(numbers):
        return None
    x, y, z, w, *place = floats(numbers, 7)
    return of_quaternion((w, x, y, z), place) @ TO_SENSOR
