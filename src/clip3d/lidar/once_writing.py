"""Frames → a sequence in ONCE's layout, one by one: what was written stays, and a run that was cut short goes on.

`clip3d.lidar.sources.once` reads it, and says where its axes point. Beyond what ONCE has, boxes may carry tracks
and attributes, and frames a `meta_info` of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import clear_parts, replacing
from clip3d.errors import FrameError, ShapeError
from clip3d.lidar.annotations import annotations_of
from clip3d.lidar.camera import Camera
from clip3d.lidar.files import read_text
from clip3d.lidar.frame import Box
from clip3d.lidar.motion import inverse, quaternion
from clip3d.lidar.sources.once import CAMERAS, FROM_SENSOR, MAX_JSON_BYTES, SPLITS, TO_SENSOR
from clip3d.lidar.sweep import Sweep
from clip3d.lidar.sweep_files import FORMS
from clip3d.lidar.writing import JPEG_QUALITY, KEY, check_picture, save_picture

if TYPE_CHECKING:
    from PIL.Image import Image

_END = "\n]}\n"


class OnceWriter:
    """Writes one sequence; a frame is in it once it stands in the sequence's JSON, where each has a line.

    Opened on a sequence that is there already, it goes on with it: `done` tells which frames stand, and a frame
    that was cut short is written anew. Two writers at once on one sequence are not provided for.

    Attributes:
        path: the sequence's folder.
        done: numbers of the frames that stand.

    Args:
        root: the folder of data/ and ImageSets/.
        sequence: its name.
        cameras: whose pictures are written: named cam01 to cam09, all of one size.
        metadata: of the whole sequence, plain values.
        quality: of the JPEG pictures.

    Raises:
        ShapeError: if the sequence's or a camera's name is none of ONCE's, or the cameras' sizes differ.
        FrameError: if the folder holds another sequence, or cannot be written.
    """

    def __init__(
        self,
        root: str | Path,
        sequence: str,
        cameras: Sequence[Camera] = (),
        *,
        metadata: Mapping[str, Any] | None = None,
        quality: int = JPEG_QUALITY,
    ) -> None:
        if not KEY.fullmatch(sequence):
            raise ShapeError(f"a sequence's name must be letters, digits and _ . + -, got {sequence[:120]!r}")
        wrong = [camera.name for camera in cameras if camera.name not in CAMERAS]
        if wrong or len({(camera.width, camera.height) for camera in cameras}) > 1:
            known, got = f"{CAMERAS[0]} to {CAMERAS[-1]}", ", ".join(wrong) or "several sizes"
            raise ShapeError(f"ONCE's cameras are named {known} and have one size; got {got}")
        self.path = Path(root) / "data" / sequence
        self._sequence, self._quality = sequence, quality
        self._cameras = {camera.name: camera for camera in cameras}
        self._json = self.path / f"{sequence}.json"
        head = _head(cameras, metadata or {})
        folders = [self.path, *(self.path / name for name in ("lidar_roof", *self._cameras))]
        try:
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
                clear_parts(folder)
            if not self._json.is_file():
                with replacing(self._json) as temporary:
                    temporary.write_text(head + _END, encoding="utf-8")
            self.done, self._bytes = self._standing(head)
        except OSError as error:
            raise FrameError(self.path, f"it cannot be written: {error.strerror or error}") from error

    def _standing(self, head: str) -> tuple[set[str], int]:
        """Numbers of the frames that are whole in the JSON, and the bytes up to the end of the last of them."""
        lines = read_text(self._json, MAX_JSON_BYTES).split("\n")
        if lines[0] != head:
            raise FrameError(self._json, "another log stands here", "choose another folder, or remove this one")
        done: set[str] = set()
        size = len(head.encode())
        for line in lines[1:]:
            try:
                done.add(str(json.loads(line.removesuffix(","))["frame_id"]))
            except (ValueError, TypeError, KeyError):
                break
            size += len("\n") + len(line.removesuffix(",").encode()) + (len(done) > 1)
        self._finish(size, "")
        return done, size

    def _finish(self, at: int, entry: str) -> None:
        """Write what follows the bytes `at` of the JSON: perhaps another frame, and its end."""
        with self._json.open("r+b") as stream:
            stream.seek(at)
            stream.write((entry + _END).encode())
            stream.truncate()

    def append(
        self,
        key: str,
        sweep: Sweep,
        pictures: Mapping[str, Image] | None = None,
        *,
        boxes: Iterable[Box] | None = None,
        world_from_lidar: NDArray[np.float64] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a frame; one whose number stands already is left as it is.

        Args:
            key: its number: its time in milliseconds, digits alone.
            sweep: whose intensities become whole numbers from 0 to 255; rings are not kept.
            pictures: by camera's name.
            boxes: in the sweep's frame; None where nobody labelled it.
            world_from_lidar: (4, 4) pose at the sweep's time.
            metadata: of this frame, plain values.

        Raises:
            ShapeError: if the key is no number, a picture's camera is unknown, or its size is another.
            FrameError: if something cannot be written.
        """
        if not (key.isascii() and key.isdecimal() and len(key) < 19):
            raise ShapeError(f"a frame's number must be its time in milliseconds, digits alone, got {key[:40]!r}")
        if key in self.done:
            return
        for name, image in (pictures or {}).items():
            check_picture(self._cameras, name, image)
        entry: dict[str, Any] = {"sequence_id": self._sequence, "frame_id": key, "pose": _numbers(world_from_lidar)}
        if metadata:
            entry["meta_info"] = dict(metadata)
        if boxes is not None:
            entry["annos"] = annotations_of(boxes, FORMS["once"].axes)
        text = (",\n" if self.done else "\n") + json.dumps(entry)
        try:
            with replacing(self.path / "lidar_roof" / f"{key}.bin") as temporary:
                temporary.write_bytes(_rows(sweep).tobytes())
            for name, image in (pictures or {}).items():
                save_picture(image, self.path / name / f"{key}.jpg", self._quality)
            self._finish(self._bytes, text)
        except OSError as error:
            raise FrameError(self.path, f"{key} cannot be written: {error.strerror or error}") from error
        self._bytes += len(text.encode())
        self.done.add(key)


def enrol(root: str | Path, split: str, sequences: Iterable[str]) -> None:
    """Add sequences to the list of a split in ImageSets; those that it names already stay.

    Raises:
        ShapeError: if there is no such split.
        FrameError: if the list cannot be written.
    """
    if split not in SPLITS:
        raise ShapeError(f"no split {split!r}: choose one of {', '.join(SPLITS)}")
    path = Path(root) / "ImageSets" / f"{split}.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        clear_parts(path.parent)
        named = read_text(path).split() if path.is_file() else []
        with replacing(path) as temporary:
            temporary.write_text("\n".join(sorted({*named, *sequences})) + "\n", encoding="utf-8")
    except OSError as error:
        raise FrameError(path, f"it cannot be written: {error.strerror or error}") from error


def _head(cameras: Sequence[Camera], metadata: Mapping[str, Any]) -> str:
    """The first line of a sequence's JSON: all but its frames."""
    meta: dict[str, Any] = {**metadata, "point_feature_num": 4}
    if cameras:
        meta["image_size"] = [cameras[0].width, cameras[0].height]
    calibration = {
        camera.name: {
            "cam_to_velo": (TO_SENSOR @ inverse(camera.camera_from_lidar)).tolist(),
            "cam_intrinsic": camera.intrinsics.tolist(),
            "distortion": list(map(float, camera.distortion)),
        }
        for camera in cameras
    }
    return f'{{"meta_info": {json.dumps(meta)}, "calib": {json.dumps(calibration)}, "frames": ['


def _rows(sweep: Sweep) -> NDArray[np.float32]:
    """x, y, z in ONCE's axes, and reflectance (n, 4)."""
    points = sweep.points @ TO_SENSOR[:3, :3].T.astype(np.float32)
    return np.column_stack([points, np.rint(sweep.intensity * 255)]).astype("<f4")


def _numbers(world_from_lidar: NDArray[np.float64] | None) -> list[float]:
    """ONCE's qx, qy, qz, qw, x, y, z; zeros where the pose is not known."""
    if world_from_lidar is None:
        return [0.0] * 7
    pose = world_from_lidar @ FROM_SENSOR
    w, x, y, z = map(float, quaternion(pose[:3, :3]))
    return [x, y, z, w, *map(float, pose[:3, 3])]
