"""The JSON tables of nuScenes: gone through row by row, since those of the whole set are gigabytes; what a log of
sweeps and pictures needs is kept.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import Clip3dError, FrameError
from clip3d.lidar.files import DAMAGED, floats, inside
from clip3d.lidar.motion import of_quaternion, unit_quaternion

Row = dict[str, Any]
Array = NDArray[np.float64]
CHUNK = 1 << 20
MAX_ROW = 1 << 24
BETWEEN = re.compile(r"[\s,]*")
LIDAR = "LIDAR_TOP"
CAMERA = "CAM_"


@dataclass(frozen=True)
class Sensor:
    """A sensor as it was mounted on a day: its channel, its motion to the vehicle (4, 4), and a camera's matrix."""

    channel: str
    ego_from_sensor: Array
    intrinsics: Array | None


@dataclass(frozen=True)
class Datum:
    """A file of one sensor: its name below the root, seconds, size of a picture, and where its other rows stand."""

    filename: str
    time: float
    sensor: str
    ego: str
    sample: str
    size: tuple[int, int]


@dataclass
class Scene:
    """A scene: its name, what it says of itself, its sweeps, and its pictures by channel."""

    name: str
    metadata: dict[str, Any]
    sweeps: list[Datum] = field(default_factory=list)
    pictures: defaultdict[str, list[Datum]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class Tables:
    """What a log needs of the tables.

    Attributes:
        scenes: in the order of their first sweeps.
        sensors: by token.
        egos: (4, 4) global from vehicle by token.
    """

    scenes: tuple[Scene, ...]
    sensors: Mapping[str, Sensor]
    egos: Mapping[str, NDArray[np.float64]]

    def ego(self, datum: Datum) -> Array:
        """Global from vehicle when a file was recorded."""
        row = self.egos[datum.ego]
        return of_quaternion(row[3:], row[:3])


def rows(path: Path) -> Iterator[Row]:
    """The rows of a table, one after the other, a megabyte of text in memory at a time.

    Raises:
        FrameError: if the file is missing, or no list of rows.
    """
    decoder = json.JSONDecoder()
    try:
        with path.open(encoding="utf-8") as stream:
            text = stream.read(CHUNK)
            begin = re.match(r"\s*\[", text)
            if begin is None:
                raise FrameError(path, "it is no table of nuScenes, a list of rows", DAMAGED)
            at = begin.end()
            while True:
                found = BETWEEN.match(text, at)
                at = at if found is None else found.end()
                if text[at : at + 1] == "]":
                    return
                try:
                    row, at = decoder.raw_decode(text, at)
                except (ValueError, RecursionError) as error:
                    more = stream.read(CHUNK)
                    if not more or len(text) - at > MAX_ROW:
                        reason = "it ends inside a row, or has one that is no JSON"
                        raise FrameError(path, reason, DAMAGED) from error
                    text, at = text[at:] + more, 0
                    continue
                if not isinstance(row, dict):
                    raise FrameError(path, "one of its rows holds no names with values", DAMAGED)
                yield row
    except FileNotFoundError as error:
        raise FrameError(path, "there is no such table", "unpack all of nuScenes' metadata") from error
    except (OSError, UnicodeDecodeError) as error:
        raise FrameError(path, f"it cannot be read: {error}", DAMAGED) from error


def token(row: Row) -> str:
    """The name of a row, by which others refer to it.

    Raises:
        TypeError: if it is no text.
    """
    if not isinstance(row["token"], str):
        raise TypeError("a token that is no text")
    return row["token"]


def made(path: Path, make: Callable[[Row], Any]) -> Iterator[Any]:
    """What `make` gives for each row of a table.

    Raises:
        FrameError: if it cannot be read, or a row lacks what it needs.
    """
    for number, row in enumerate(rows(path), 1):
        try:
            yield make(row)
        except (KeyError, ValueError, TypeError, OverflowError, Clip3dError) as error:
            raise FrameError(path, f"its row {number} cannot be used: {error!r}", DAMAGED) from error


def read_tables(folder: Path, *, keyframes: bool) -> Tables:
    """What a log needs of the tables in a folder named v1.0-….

    Args:
        folder: with scene.json, sample_data.json and the others.
        keyframes: only those two a second that are annotated, which are a tenth of the rows.

    Raises:
        FrameError: if a table cannot be used.
    """
    sensors = _sensors(folder)
    samples = dict(made(folder / "sample.json", lambda row: (token(row), row["scene_token"])))
    scenes = _scenes(folder)
    wanted: set[str] = set()

    def keep(row: Row) -> None:
        sensor = sensors.get(row["calibrated_sensor_token"])
        if sensor is None or (keyframes and not row["is_key_frame"]):
            return
        scene = scenes[samples[row["sample_token"]]]
        datum = Datum(
            row["filename"], int(row["timestamp"]) / 1e6, row["calibrated_sensor_token"], row["ego_pose_token"],
            row["sample_token"], (int(row.get("width") or 0), int(row.get("height") or 0))
        )  # fmt: skip
        inside(folder, datum.filename)
        wanted.add(datum.ego)
        if sensor.channel == LIDAR:
            scene.sweeps.append(datum)
        else:
            scene.pictures[sensor.channel].append(datum)

    for _ in made(folder / "sample_data.json", keep):
        pass
    egos = {token: pose for token, pose in made(folder / "ego_pose.json", _ego(wanted)) if token}
    lost = wanted - egos.keys()
    if lost:
        raise FrameError(folder / "ego_pose.json", f"it lacks {len(lost):,} poses that are asked for", DAMAGED)
    filled = [scene for scene in scenes.values() if scene.sweeps]
    for scene in filled:
        scene.sweeps.sort(key=lambda datum: datum.time)
    return Tables(tuple(sorted(filled, key=lambda scene: scene.sweeps[0].time)), sensors, egos)


def _ego(wanted: set[str]) -> Callable[[Row], tuple[str, Array | None]]:
    def make(row: Row) -> tuple[str, Array | None]:
        if row["token"] not in wanted:
            return "", None
        pose = np.array([*floats(row["translation"], 3), *floats(row["rotation"], 4)])
        unit_quaternion(pose[3:])
        return row["token"], pose

    return make


def _sensors(folder: Path) -> dict[str, Sensor]:
    """The lidar on the roof and the cameras, by token of their calibration."""
    channels = dict(made(folder / "sensor.json", lambda row: (token(row), row["channel"])))

    def make(row: Row) -> tuple[str, Sensor]:
        matrix = row.get("camera_intrinsic") or None
        motion = of_quaternion(floats(row["rotation"], 4), floats(row["translation"], 3))
        intrinsics = None if matrix is None else np.array(matrix, dtype=np.float64)
        return token(row), Sensor(str(channels[row["sensor_token"]]), motion, intrinsics)

    every = dict(made(folder / "calibrated_sensor.json", make))
    return {
        token: sensor
        for token, sensor in every.items()
        if sensor.channel == LIDAR or (sensor.channel.startswith(CAMERA) and sensor.intrinsics is not None)
    }


def _scenes(folder: Path) -> dict[str, Scene]:
    """Scenes by token. Period and weather are what their descriptions say, as LidarCLIP takes them."""
    log_table = folder / "log.json"
    logs = dict(made(log_table, lambda row: (token(row), row))) if log_table.is_file() else {}

    def make(row: Row) -> tuple[str, Scene]:
        description = str(row.get("description", ""))
        log = logs.get(row.get("log_token"), {})
        metadata = {
            "scene": str(row["name"]),
            "description": description,
            "period": "night" if "night" in description.lower() else "day",
        }
        if "rain" in description.lower():
            metadata["weather"] = "rainy"
        for name in ("location", "date_captured", "vehicle", "logfile"):
            if log.get(name):
                metadata[name] = str(log[name])
        return token(row), Scene(str(row["name"]), metadata)

    return dict(made(folder / "scene.json", make))
