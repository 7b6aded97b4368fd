"""KITTI's times and the poses of its inertial unit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import FrameError
from clip3d.lidar.files import DAMAGED, floats, listed, read_text
from clip3d.lidar.motion import inverse, rigid
from clip3d.lidar.sources.kitti_calibration import number_of

Array = NDArray[np.float64]
EARTH_RADIUS = 6_378_137.0  # metres, as KITTI's development kit has it
MAX_POSES = 1_000_000


def read_stamps(path: Path) -> tuple[float, ...]:
    """Seconds since 1970 (read as UTC) of lines such as "2011-09-26 13:02:25.594360375".

    Raises:
        FrameError: if there is no such file, or a line is another.
    """
    stamps = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        day, _, fraction = line.strip().partition(".")
        if not day:
            continue
        try:
            seconds = datetime.strptime(day, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc).timestamp()
            stamps.append(seconds + (float(f"0.{fraction}") if fraction else 0.0))
        except ValueError as error:
            raise FrameError(path, f"its line {number} is no time: {line[:40]!r}", DAMAGED) from error
    return tuple(stamps)


def read_poses(folder: Path, time_of: Callable[[int], float]) -> tuple[list[float], list[Array]]:
    """Times and poses (4, 4) of the inertial unit in a world of x east, y north, z up, its first place the origin.

    A line of oxts/data/NNNNNNNNNN.txt begins with latitude, longitude (degrees), altitude (metres), roll, pitch and
    yaw (radians, yaw 0 to the east). Positions are those of a Mercator projection at the first latitude (KITTI's
    development kit, convertOxtsToPose).

    Args:
        folder: oxts/ of a drive.
        time_of: seconds of a frame's number, where oxts has no times.

    Raises:
        FrameError: if a line cannot be used.
    """
    files = listed(folder / "data", (".txt",))[:MAX_POSES]
    stamps = read_stamps(folder / "timestamps.txt") if (folder / "timestamps.txt").is_file() else ()
    times: list[float] = []
    poses: list[Array] = []
    scale = 0.0
    for file in files:
        number = number_of(file)
        if number is None:
            continue
        try:
            latitude, longitude, altitude, roll, pitch, yaw = floats(read_text(file, 65_536).split()[:6], 6)
        except ValueError as error:
            raise FrameError(file, f"it does not begin with a place and three angles: {error}", DAMAGED) from error
        if not -85 < latitude < 85:
            raise FrameError(file, f"its latitude is {latitude:g} degrees", DAMAGED)
        scale = scale or float(np.cos(np.radians(latitude)))
        east = scale * EARTH_RADIUS * np.radians(longitude)
        north = scale * EARTH_RADIUS * np.log(np.tan(np.pi / 4 + np.radians(latitude) / 2))
        poses.append(rigid(_turned(roll, pitch, yaw), (east, north, altitude)))
        times.append(stamps[number] if number < len(stamps) else time_of(number))
    if poses:
        home = rigid(np.eye(3), poses[0][:3, 3])
        poses = [inverse(home) @ pose for pose in poses]
    return times, poses


def _turned(roll: float, pitch: float, yaw: float) -> Array:
    """Rotation about x, then y, then z."""
    (a, b), (c, d), (e, f) = ((np.cos(angle), np.sin(angle)) for angle in (roll, pitch, yaw))
    about_x = np.array([[1, 0, 0], [0, a, -b], [0, b, a]])
    about_y = np.array([[c, 0, d], [0, 1, 0], [-d, 0, c]])
    about_z = np.array([[e, -f, 0], [f, e, 0], [0, 0, 1]])
    turned: Array = about_z @ about_y @ about_x
    return turned
