"""Frames and logs: a sweep with the pictures taken with it, and the order in which they came."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from clip3d.lidar.camera import Camera
from clip3d.lidar.sweep import Sweep

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, eq=False)
class Box:
    """An object's box in the sweep's frame.

    Attributes:
        label: as the data set names it.
        center: (3,) float64, metres, of the whole box (not of its bottom).
        size: length along its heading, width, height, metres.
        yaw: radians from x towards y, of its heading.
        track: the same for one object throughout a log; "" where it is unknown.
        rectangles: left, top, right, bottom in pixels, by camera that sees it.
        attributes: whatever else the data set says: occlusion, truncation, speed.
    """

    label: str
    center: NDArray[np.float64]
    size: tuple[float, float, float]
    yaw: float
    track: str = ""
    rectangles: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Picture:
    """A camera's picture in a frame, read when asked for.

    Attributes:
        camera: with `camera_from_lidar` made good for the vehicle's motion between sweep and picture, where known.
        timestamp: seconds in the log's clock.
        load: gives the picture as it is stored, RGB.
        path: its file, or None.
    """

    camera: Camera
    timestamp: float
    load: Callable[[], Image]
    path: Path | None = None


@dataclass(frozen=True, eq=False)
class Frame:
    """A sweep with its pictures.

    Attributes:
        key: names it within its log, such as "0000000012".
        timestamp: seconds in the log's clock, of the sweep.
        load_sweep: reads the sweep.
        pictures: by camera's name.
        boxes: of the objects in it, or None where nobody labelled it (an empty tuple: labelled, none there).
        world_from_lidar: (4, 4) float64 pose at the sweep's time, or None.
        metadata: plain values: weather, period, place, …
        path: of the sweep's file, or None.
        problems: what of it is missing or cannot be used, such as a picture or its labels, in plain words.
    """

    key: str
    timestamp: float
    load_sweep: Callable[[], Sweep]
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    boxes: tuple[Box, ...] | None = None
    world_from_lidar: NDArray[np.float64] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    problems: tuple[str, ...] = ()

    @property
    def sweep(self) -> Sweep:
        """The sweep, read anew each time: a log of hours fits no memory."""
        return self.load_sweep()


class Frames(Sequence[Frame]):
    """Frames that are made when they are asked for.

    Args:
        keys: of the frames, in order; also what `keys` gives.
        make: gives the frame of a place from 0; it must not raise for what is wrong in one frame, but say so in the
            frame's `problems`, or raise when its sweep or picture is read.
    """

    def __init__(self, keys: Sequence[str], make: Callable[[int], Frame]) -> None:
        self.keys = keys
        self._make = make

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> Frames: ...
    def __getitem__(self, index: int | slice) -> Frame | Frames:
        if isinstance(index, slice):
            places = range(len(self))[index]
            return Frames([self.keys[place] for place in places], lambda at: self._make(places[at]))
        return self._make(range(len(self))[index])


@dataclass(frozen=True, eq=False)
class Log:
    """An ordered run of frames.

    Attributes:
        name: of the log.
        path: its folder or file.
        source: the layout that it was read from, such as "kitti-raw".
        frames: in order of time; nothing of a frame but its names and times is in memory before it is asked for.
        problems: what was left out, and why: pictures without a sweep in time, files that are missing.
        timed: False where nothing tells times and frames are numbered in their place, so that neighbours need not
            be near in time.
    """

    name: str
    path: Path
    source: str
    frames: Sequence[Frame]
    problems: tuple[str, ...] = ()
    timed: bool = True

    @property
    def keys(self) -> Sequence[str]:
        """Of the frames, in order; none of those that `read_log` gives is made for it."""
        return self.frames.keys if isinstance(self.frames, Frames) else [frame.key for frame in self.frames]

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[Frame]:
        return iter(self.frames)

    def __getitem__(self, index: int) -> Frame:
        return self.frames[index]
