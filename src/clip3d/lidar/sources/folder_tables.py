"""The tables of the plain layout: calibration.toml, poses.csv and timestamps.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import FrameError, ShapeError
from clip3d.lidar.camera import Camera
from clip3d.lidar.files import floats, read_text, read_toml
from clip3d.lidar.motion import Track, from_axes, inverse, of_quaternion, rigid
from clip3d.lidar.pairing import TOLERANCE
from clip3d.lidar.sweep_files import OURS, Form

POSE = ("x", "y", "z", "qw", "qx", "qy", "qz")
COLUMNS = ("key", "timestamp", *POSE)
MAX_TABLE_BYTES = 512 * 1024**2
REMEDY = "see the plain layout in docs/logs.md"


@dataclass(frozen=True)
class Layout:
    """What calibration.toml says.

    Attributes:
        name: of the log, or "".
        form: of its clouds.
        tolerance: seconds within which a picture belongs to a sweep.
        cameras: by name, their motions from a sweep's frame.
    """

    name: str = ""
    form: Form = OURS
    tolerance: float = TOLERANCE
    cameras: Mapping[str, Camera] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Poses:
    """What poses.csv says.

    Attributes:
        times: seconds by key.
        rows: by key, the numbers x, y, z, qw, qx, qy, qz, where a pose is given.
        from_sensor: (3, 3) rotation from the clouds' axes to a sweep's.
    """

    times: Mapping[str, float]
    rows: Mapping[str, tuple[float, ...]]
    from_sensor: NDArray[np.float64]

    @cached_property
    def track(self) -> Track | None:
        """All poses over time, or None where there are none; made when it is first asked for."""
        if not self.rows:
            return None
        times = [self.times[key] for key in self.rows]
        return Track.of(times, [_pose(row, self.from_sensor) for row in self.rows.values()])

    def pose(self, key: str) -> NDArray[np.float64] | None:
        """(4, 4) world from lidar, or None."""
        return _pose(self.rows[key], self.from_sensor) if key in self.rows else None


def read_layout(path: Path) -> Layout:
    """What calibration.toml says.

    Raises:
        FrameError: if it cannot be read, or an entry cannot be used; it names the entry.
    """
    found = read_toml(path)
    lidar, pairing, cameras = (_table(found, name, path) for name in ("lidar", "pairing", "cameras"))
    try:
        brightest = lidar.get("intensity")
        form = Form(
            axes=str(lidar.get("axes", Form.axes)),
            columns=int(lidar.get("columns", 0)),
            brightest=None if brightest is None else float(brightest),
            sensor=str(lidar.get("sensor", Form.sensor)),
        )
        tolerance = floats([pairing.get("tolerance", TOLERANCE)], 1)[0]
    except (ShapeError, ValueError, TypeError, OverflowError) as error:
        raise FrameError(path, f"its [lidar] or [pairing] cannot be used: {error}", REMEDY) from error
    if tolerance < 0:
        raise FrameError(path, f"its tolerance is {tolerance:g}, below 0", REMEDY)
    seen = {name: _camera(name, entry, form, path) for name, entry in cameras.items()}
    return Layout(str(found.get("name", "")), form, tolerance, seen)


def _table(found: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    table = found.get(name, {})
    if not isinstance(table, dict):
        raise FrameError(path, f"its {name} is no table", REMEDY)
    return table


def _camera(name: str, entry: object, form: Form, path: Path) -> Camera:
    if not isinstance(entry, dict):
        raise FrameError(path, f"its camera {name} is no table", REMEDY)
    if name in (".", "..") or "/" in name or "\\" in name or "\x00" in name:
        raise FrameError(path, f"its camera {name!r} has a name that no folder can have", REMEDY)
    try:
        return Camera(
            name,
            int(entry["width"]),
            int(entry["height"]),
            np.array(entry["intrinsics"], dtype=np.float64),
            np.array(entry["camera_from_lidar"], dtype=np.float64) @ inverse(rigid(from_axes(form.axes))),
            tuple(floats(entry.get("distortion", ()))),
        )
    except KeyError as error:
        raise FrameError(path, f"its camera {name} has no {error}", REMEDY) from error
    except (ShapeError, ValueError, TypeError, OverflowError, np.linalg.LinAlgError) as error:
        raise FrameError(path, f"its camera {name} cannot be used: {error}", REMEDY) from error


def read_poses(path: Path, form: Form = OURS) -> Poses:
    """What poses.csv says; a last line that was cut off is left out.

    Args:
        path: of the file; its columns are key, timestamp, x, y, z, qw, qx, qy, qz. Those of the pose, world from
            lidar, may be empty.
        form: of the clouds, in whose axes the lidar's frame is meant.

    Raises:
        FrameError: if a line cannot be used.
    """
    times: dict[str, float] = {}
    rows: dict[str, tuple[float, ...]] = {}
    turn = from_axes(form.axes)
    for number, (key, stamp, *words) in _rows(path, ("key", "timestamp"), POSE):
        try:
            times[key] = floats([stamp], 1)[0]
            if any(words):
                pose = tuple(floats(words, len(POSE)))
                if not any(pose[3:]):
                    raise ValueError("a quaternion of zeros")
                rows[key] = pose
        except ValueError as error:
            raise FrameError(path, f"its line {number} cannot be used: {error}", REMEDY) from error
    return Poses(times, rows, turn)


def _pose(row: tuple[float, ...], from_sensor: NDArray[np.float64]) -> NDArray[np.float64]:
    return of_quaternion(row[3:], row[:3]) @ inverse(rigid(from_sensor))


def read_times(path: Path) -> dict[str, dict[str, float]]:
    """Seconds of pictures by camera and key, from timestamps.csv with the columns camera, key and timestamp.

    Raises:
        FrameError: if a line cannot be used.
    """
    times: dict[str, dict[str, float]] = {}
    for number, (camera, key, stamp) in _rows(path, ("camera", "key", "timestamp")):
        try:
            times.setdefault(camera, {})[key] = floats([stamp], 1)[0]
        except ValueError as error:
            raise FrameError(path, f"its line {number} cannot be used: {error}", REMEDY) from error
    return times


def _rows(
    path: Path, needed: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Iterator[tuple[int, list[str]]]:
    """Lines of a table, as the words in the columns of these names, "" where there are none, in their order.

    Lines that lack a needed word are passed over; one that has no line end was cut off and is left out.
    """
    text = read_text(path, MAX_TABLE_BYTES)
    table = csv.reader(io.StringIO(text[: text.rfind("\n") + 1]))
    try:
        names = [name.strip() for name in next(table, [])]
        missing = [name for name in needed if name not in names]
        if missing:
            raise FrameError(path, f"it has no column named {missing[0]}", REMEDY)
        places = [names.index(name) if name in names else len(names) for name in (*needed, *optional)]
        for row in table:
            row = [*row[: len(names)], *[""] * (len(names) + 1 - len(row))]
            words = [row[place].strip() if place < len(row) else "" for place in places]
            if all(words[: len(needed)]):
                yield table.line_num, words
    except csv.Error as error:
        raise FrameError(path, f"it is no table: {error}", REMEDY) from error
