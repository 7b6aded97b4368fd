"""Recordings of ROS 1 and 2 (.bag, .db3, .mcap, or the folder that ROS 2 recorded into).

Sweeps are PointCloud2 in their own frame, taken to be x forward, y left, z up, as REP 103 lays down; pictures are
Image or CompressedImage in a camera's optical frame; a camera's calibration is the CameraInfo beside it; where both
frames lie is told by /tf_static, else by the first messages on /tf. Pairs are made by the times in the messages'
heads; how the vehicle moved between them is not made good.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.pointcloud2 import read_columns
from clip3d.clouds.formats.recordings import RECORDINGS, is_recording_folder
from clip3d.errors import FrameError, ImageError, ShapeError
from clip3d.lidar.camera import Camera
from clip3d.lidar.frame import Frame, Frames, Log, Picture
from clip3d.lidar.motion import inverse
from clip3d.lidar.pairing import TOLERANCE, pair
from clip3d.lidar.sources.ros_index import CLOUD, PACKED, Index, Topic, read_index
from clip3d.lidar.sources.ros_messages import Info, read_image
from clip3d.lidar.sweep import Sweep
from clip3d.lidar.sweep_files import INTENSITY, OURS, RING, sweep_of

if TYPE_CHECKING:
    from PIL.Image import Image

SOURCE = "ros"
USED = frozenset({"x", "y", "z", *INTENSITY, *RING})
# Distortion models that are Brown's.
BROWN = ("plumb_bob", "rational_polynomial", "")


def recognises(path: Path) -> bool:
    """Whether a path is a recording by its name, or a folder that ROS 2 recorded into."""
    return (path.is_file() and path.suffix.lower() in RECORDINGS) or is_recording_folder(path)


def read(path: Path, topic: str | None = None) -> Log:
    """The frames of a recording, one for each cloud of a topic.

    Args:
        path: of the file or folder; it is gone through once, and only places of messages are kept.
        topic: of the clouds; by default that with the most.

    Raises:
        FrameError: if it has no clouds, or none on that topic.
    """
    index = read_index(path)
    problems = list(index.problems)
    lidar = _lidar(path, index, topic, problems)
    stamps = lidar.times
    order = np.argsort(stamps, kind="stable")
    places: dict[str, NDArray[np.intp]] = {}
    cameras: dict[str, Camera] = {}
    for name, pictures in sorted(index.topics.items()):
        if pictures.kind == CLOUD:
            continue
        try:
            cameras[name] = _camera(pictures, lidar, index)
        except (ShapeError, Malformed) as error:
            problems.append(f"{path}: the pictures on {name} are left out: {error}")
            continue
        # In nanoseconds since 1970 float64 is 200 ns coarse; seconds since the first sweep are not.
        first = stamps.min()
        pairs = pair((stamps[order] - first) / 1e9, (pictures.times - first) / 1e9, TOLERANCE)
        places[name] = pairs.picture
        if len(pairs.unpaired):
            count = f"{len(pairs.unpaired)} pictures on {name}"
            problems.append(f"{path}: {count} have no sweep of their own within {TOLERANCE:g} s")
    keys = _keys(stamps[order])

    def make(at: int) -> Frame:
        message = int(order[at])
        time = int(stamps[message]) / 1e9
        seen = {}
        for name, camera in cameras.items():
            number = int(places[name][at])
            if number >= 0:
                pictures = index.topics[name]
                load = partial(_image, index, pictures, number, (camera.width, camera.height))
                seen[name] = Picture(camera, int(pictures.times[number]) / 1e9, load)
        sweep = partial(_sweep, index, lidar, message, time)
        return Frame(keys[at], time, sweep, seen, metadata={"topic": lidar.name}, path=path)

    return Log(path.stem, path, SOURCE, Frames(keys, make), tuple(problems))


def _lidar(path: Path, index: Index, topic: str | None, problems: list[str]) -> Topic:
    clouds = [found for found in index.topics.values() if found.kind == CLOUD]
    if not clouds:
        raise FrameError(path, "it holds no message PointCloud2", "; ".join(index.problems[:3]))
    if topic is None:
        chosen = max(clouds, key=len)
        if len(clouds) > 1:
            others = ", ".join(sorted(found.name for found in clouds if found is not chosen)[:20])
            problems.append(f"{path}: sweeps are those on {chosen.name}; clouds on {others} are left out")
        return chosen
    chosen_by_name = next((found for found in clouds if found.name == topic), None)
    if chosen_by_name is None:
        known = ", ".join(sorted(found.name for found in clouds)[:20])
        raise FrameError(path, f"it has no clouds on the topic {topic}", f"its clouds are on {known}")
    return chosen_by_name


def _keys(stamps: NDArray[np.int64]) -> list[str]:
    """Nanoseconds as names; where they are not all different, numbers in the order of time."""
    if len(np.unique(stamps)) == len(stamps):
        return [str(stamp) for stamp in stamps.tolist()]
    return [f"{at:06d}" for at in range(len(stamps))]


def _camera(pictures: Topic, lidar: Topic, index: Index) -> Camera:
    """The camera whose pictures a topic carries.

    Raises:
        ShapeError: if its calibration or place is not told, or cannot be used.
    """
    info = _info(pictures, index)
    rectified = "rect" in pictures.name.removesuffix("/compressed").rsplit("/", 1)[-1]
    place = _between(lidar.frame, pictures.frame or info.frame, index)
    if rectified:
        # As image_geometry has it: P, without R, projects what the transforms bring into the picture's frame.
        return Camera(pictures.name, info.width, info.height, info.projection[:, :3], place)
    if info.model not in BROWN and any(info.distortion):
        raise ShapeError(f"its lens is said to be {info.model[:30]!r}, which is not undistorted here")
    lens = info.distortion if len(info.distortion) in (0, 4, 5, 8) else (*info.distortion, *[0.0] * 8)[:8]
    return Camera(pictures.name, info.width, info.height, info.intrinsics, place, lens)


def _info(pictures: Topic, index: Index) -> Info:
    """The calibration beside a topic of pictures, else the only one of its frame."""
    base = pictures.name.removesuffix("/compressed")
    beside = f"{base.rsplit('/', 1)[0]}/camera_info"
    for name in (beside, f"{base}/camera_info"):
        if name in index.infos:
            return index.infos[name]
    same = [info for info in index.infos.values() if info.frame.lstrip("/") == pictures.frame]
    if len(same) == 1:
        return same[0]
    raise ShapeError(f"there is no CameraInfo on {beside}")


def _between(source: str, target: str, index: Index) -> NDArray[np.float64]:
    """The (4, 4) motion that brings points of one frame into another.

    Raises:
        ShapeError: if no transforms lead there.
    """
    edges: dict[str, list[tuple[str, NDArray[np.float64]]]] = {}
    for child, (parent, motion) in index.transforms.items():
        edges.setdefault(child, []).append((parent, motion))
        edges.setdefault(parent, []).append((child, inverse(motion)))
    found = {source: np.eye(4)}
    waiting = deque([source])
    while waiting and target not in found:
        frame = waiting.popleft()
        for neighbour, motion in edges.get(frame, ()):
            if neighbour not in found:
                found[neighbour] = motion @ found[frame]
                waiting.append(neighbour)
    if target not in found:
        raise ShapeError(f"no transforms lead from the frame {source!r} to {target!r}")
    return found[target]


def _sweep(index: Index, lidar: Topic, message: int, time: float) -> Sweep:
    part, _ = lidar.place(message)
    path = index.parts[part]
    try:
        columns, _ = read_columns(index.load(lidar, message), cdr=lidar.cdr, used=USED)
        return sweep_of(columns, OURS, time, path)
    except (Malformed, ShapeError) as error:
        raise FrameError(path, f"its cloud of {time:.3f} s cannot be used: {error}") from error


def _image(index: Index, pictures: Topic, message: int, size: tuple[int, int]) -> Image:
    part, _ = pictures.place(message)
    path = index.parts[part]
    try:
        data = index.load(pictures, message)
    except FrameError as error:
        raise ImageError(path, error.reason, error.remedy) from error
    image = read_image(data, path, cdr=pictures.cdr, packed=pictures.kind == PACKED)
    if image.size != size:
        found, expected = (f"{width} x {height}" for width, height in (image.size, size))
        raise ImageError(path, f"a picture on {pictures.name} has {found} pixels, its calibration {expected}")
    return image
