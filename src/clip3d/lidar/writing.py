"""Frames → a folder in the plain layout, one by one: what was written stays, and a run that was cut short goes on.

docs/logs.md describes the layout; `clip3d.lidar.sources.folders` reads it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import clear_parts, replacing
from clip3d.errors import FrameError, ShapeError
from clip3d.lidar.annotations import annotations_of
from clip3d.lidar.camera import Camera
from clip3d.lidar.frame import Box
from clip3d.lidar.motion import OUR_AXES, quaternion
from clip3d.lidar.pairing import TOLERANCE
from clip3d.lidar.sources.folder_tables import COLUMNS, read_poses
from clip3d.lidar.sweep import Sweep

if TYPE_CHECKING:
    from PIL.Image import Image

# Words that are a file's name on every system.
KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")
# Metres between the steps of a sweep's stored coordinates, unless it reaches beyond 65 m.
STEP = 0.002
JPEG_QUALITY = 92


@dataclass(frozen=True)
class Recorded:
    """A picture to be written.

    Attributes:
        image: as the camera takes it, of its calibration's size.
        timestamp: seconds in the log's clock, or None for the sweep's.
    """

    image: Image
    timestamp: float | None = None


class LogWriter:
    """Writes one log; a frame is in it once its line in poses.csv is, which is written last.

    Opened on a log that is there already, it goes on with it: `done` tells which frames stand, and a frame that was
    cut short is written anew. Two writers at once on one log are not provided for.

    Attributes:
        path: the log's folder.
        done: keys of the frames that stand.

    Args:
        path: the folder to make or go on with.
        cameras: whose pictures are written.
        name: of the log, by default the folder's.
        metadata: of the whole log, plain values.
        sensor: name of the lidar.
        tolerance: seconds within which a picture belongs to a sweep.
        quality: of the JPEG pictures.

    Raises:
        FrameError: if the folder holds another log, with other cameras, or cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        cameras: Sequence[Camera] = (),
        *,
        name: str = "",
        metadata: Mapping[str, Any] | None = None,
        sensor: str = "lidar",
        tolerance: float = TOLERANCE,
        quality: int = JPEG_QUALITY,
    ) -> None:
        self.path = Path(path)
        self._quality = quality
        self._cameras = {camera.name: camera for camera in cameras}
        calibration = calibration_text(cameras, name=name, sensor=sensor, tolerance=tolerance)
        try:
            for folder in (".", "clouds", "annotations", *(f"images/{camera}" for camera in self._cameras)):
                (self.path / folder).mkdir(parents=True, exist_ok=True)
                clear_parts(self.path / folder)
            self._begin(self.path / "calibration.toml", calibration)
            self._begin(self.path / "metadata.json", json.dumps(dict(metadata or {}), indent=1) + "\n")
            self.done = self._lines()
        except OSError as error:
            raise FrameError(self.path, f"it cannot be written: {error.strerror or error}") from error

    def _begin(self, path: Path, text: str) -> None:
        """Write a file of the whole log, or see that the one there is the same."""
        if not path.is_file():
            with replacing(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            raise FrameError(path, "another log stands here", "choose another folder, or remove this one")

    def _lines(self) -> set[str]:
        """Keys that stand in poses.csv; lines of tables that were cut off are taken away."""
        path = self.path / "poses.csv"
        if not path.is_file():
            self._begin_table(path, COLUMNS)
        for table in (path, self.path / "timestamps.csv"):
            if table.is_file():
                _cut_to_lines(table)
        return set(read_poses(path).times)

    def append(
        self,
        key: str,
        sweep: Sweep,
        pictures: Mapping[str, Image | Recorded] | None = None,
        *,
        boxes: Iterable[Box] | None = None,
        world_from_lidar: NDArray[np.float64] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a frame; one whose key stands already is left as it is.

        Args:
            key: names it: letters, digits, and _ . + - within.
            sweep: whose timestamp is the frame's.
            pictures: by camera's name.
            boxes: in the sweep's frame; None where nobody labelled it.
            world_from_lidar: (4, 4) pose at the sweep's time.
            metadata: of this frame, plain values.

        Raises:
            ShapeError: if the key is no name, a picture's camera is unknown, or its size is another.
            FrameError: if something cannot be written.
        """
        if not KEY.fullmatch(key):
            raise ShapeError(f"a frame's key must be letters, digits and _ . + -, got {key[:120]!r}")
        if key in self.done:
            return
        given = (pictures or {}).items()
        taken = {name: value if isinstance(value, Recorded) else Recorded(value) for name, value in given}
        for name, picture in taken.items():
            check_picture(self._cameras, name, picture.image)
        try:
            with replacing(self.path / "clouds" / f"{key}.npz") as temporary, temporary.open("xb") as stream:
                write_sweep(sweep, stream)
            for name, picture in taken.items():
                self._write_picture(key, name, picture)
            self._write_annotations(key, boxes, metadata)
            words = [key, repr(float(sweep.timestamp)), *_numbers(world_from_lidar)]
            self._write_line(self.path / "poses.csv", words)
        except OSError as error:
            raise FrameError(self.path, f"{key} cannot be written: {error.strerror or error}") from error
        self.done.add(key)

    def _write_picture(self, key: str, name: str, picture: Recorded) -> None:
        save_picture(picture.image, self.path / "images" / name / f"{key}.jpg", self._quality)
        if picture.timestamp is not None:
            stamps = self.path / "timestamps.csv"
            if not stamps.is_file():
                self._begin_table(stamps, ("camera", "key", "timestamp"))
            self._write_line(stamps, [name, key, repr(float(picture.timestamp))])

    def _write_annotations(self, key: str, boxes: Iterable[Box] | None, metadata: Mapping[str, Any] | None) -> None:
        content: dict[str, Any] = {"frame_id": key}
        if metadata:
            content["meta_info"] = dict(metadata)
        if boxes is not None:
            content["annos"] = annotations_of(boxes)
        with replacing(self.path / "annotations" / f"{key}.json") as temporary:
            temporary.write_text(json.dumps(content), encoding="utf-8")

    @staticmethod
    def _begin_table(path: Path, columns: Sequence[str]) -> None:
        with replacing(path) as temporary:
            temporary.write_text(",".join(columns) + "\n", encoding="utf-8")

    @staticmethod
    def _write_line(path: Path, words: Sequence[str]) -> None:
        with path.open("ab") as stream:
            stream.write((",".join(words) + "\n").encode())


def _cut_to_lines(path: Path) -> None:
    """Take away a last line that was cut off: the next one would be written behind it."""
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("r+b") as stream:
            stream.truncate(whole)


def check_picture(cameras: Mapping[str, Camera], name: str, image: Image) -> None:
    """See that a picture is of one of the cameras, and of its size.

    Raises:
        ShapeError: if it is not.
    """
    camera = cameras.get(name)
    if camera is None:
        known = ", ".join(cameras) or "none"
        raise ShapeError(f"the log has no camera named {name!r}; it has {known}")
    if image.size != (camera.width, camera.height):
        width, height = image.size
        expected = f"{camera.width} x {camera.height}"
        raise ShapeError(f"a picture of {name} has {width} x {height} pixels, not {expected}")


def save_picture(image: Image, path: Path, quality: int) -> None:
    """Write a picture as JPEG, whole or not at all."""
    with replacing(path) as temporary, temporary.open("xb") as stream:
        image.convert("RGB").save(stream, "JPEG", quality=quality)


def _numbers(pose: NDArray[np.float64] | None) -> list[str]:
    if pose is None:
        return [""] * 7
    return [repr(float(value)) for value in (*pose[:3, 3], *quaternion(pose[:3, :3]))]


def write_sweep(sweep: Sweep, stream: BinaryIO) -> None:
    """Write a sweep as NPZ, 8 bytes a point: what a lidar's own range errors leave of its numbers.

    Coordinates are whole steps of 2 mm, or of a 32,767th of the farthest where a sweep reaches beyond 65 m
    (`points_i16`, `step`); intensity has 255 steps; ring, where there is one, is kept. Points less than half a step
    from the origin will be taken for no echo on reading.
    """
    farthest = float(np.abs(sweep.points).max(initial=0))
    step = np.float32(max(STEP, farthest / 32_767))
    arrays: dict[str, NDArray[Any]] = {
        "points_i16": np.clip(np.rint(sweep.points / step), -32_767, 32_767).astype(np.int16),
        "step": np.asarray(step),
        "intensity": np.rint(sweep.intensity * 255).astype(np.uint8),
    }
    if sweep.ring is not None:
        small = len(sweep.ring) == 0 or (int(sweep.ring.min()) >= 0 and int(sweep.ring.max()) <= 255)
        arrays["ring"] = sweep.ring.astype(np.uint8) if small else sweep.ring
    np.savez(stream, **arrays)  # type: ignore[arg-type]


def calibration_text(
    cameras: Sequence[Camera], *, name: str = "", sensor: str = "lidar", tolerance: float = TOLERANCE
) -> str:
    """What calibration.toml says of cameras, in the form that the plain layout's reader takes."""
    lines = [f"name = {json.dumps(name)}"] if name else []
    lines += [
        "",
        "[lidar]",
        f"sensor = {json.dumps(sensor)}",
        f'axes = "{OUR_AXES}"',
        "intensity = 255.0",
        "",
        "[pairing]",
        f"tolerance = {float(tolerance)!r}",
    ]
    for camera in cameras:
        lines += [
            "",
            f"[cameras.{json.dumps(camera.name)}]",
            f"width = {camera.width}",
            f"height = {camera.height}",
            f"intrinsics = {json.dumps(camera.intrinsics.tolist())}",
            f"distortion = {json.dumps(list(map(float, camera.distortion)))}",
            f"camera_from_lidar = {json.dumps(camera.camera_from_lidar.tolist())}",
        ]
    return "\n".join(lines).lstrip("\n") + "\n"
