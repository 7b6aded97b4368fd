"""What a camera of a driving log shows, told from annotations alone: the ground truth of LidarCLIP's experiments.

Terms and their definitions are those of Hess et al. 2024 and its published code (sections 4.1 and 4.2): a thing
counts for a picture where its rectangle touches the central square that CLIP crops. No sweep is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clip3d.data.driving_truth import class_of, listed_terms, words_of
from clip3d.errors import ShapeError
from clip3d.lidar.boxes import corners
from clip3d.lidar.camera import Camera
from clip3d.lidar.distortion import undistorted_camera
from clip3d.lidar.frame import Box, Frame, Log
from clip3d.lidar.frustum import central_square

Rectangle = tuple[float, float, float, float]

TRAFFIC = 60.0  # metres within which vehicles make a street busy
CLOSE, MIDDLE = 15.0, 40.0  # metres of the weighted count of an empty street
WIDE = 100.0  # pixels, of a picture as wide as ONCE's, from which a vehicle at a middling distance counts whole
ONCE_WIDTH = 1920.0
AHEAD = 0.3  # metres before a camera within which corners are not projected


@dataclass(frozen=True)
class Definition:
    """What terms mean on a data set.

    Attributes:
        name: of the data set.
        kinds: of objects that are asked for.
        vehicles: those of which traffic is made.
        near: metres from the sensor within which an object is nearby.
        busy: vehicles within 60 m that make a busy street.
        clear: metres within which no vehicle stands in an empty street; 0 for ONCE's weighted count: a vehicle
            within 15 m counts 1, one within 40 m counts 1 if it is more than 100 pixels wide and a half otherwise,
            and together they stay below 1.
        conditions: whether time of day and weather are known.
        projected: rectangles are those of the boxes' corners, since the annotations have none.
        also: what else a label means, beyond `clip3d.data.driving_truth.class_of`.
    """

    name: str
    kinds: tuple[str, ...]
    vehicles: tuple[str, ...]
    near: float
    busy: int
    clear: float
    conditions: bool
    projected: bool
    also: Mapping[str, str]

    def kind_of(self, label: str) -> str | None:
        """The kind that a label stands for, if it is one that is asked for; vans are cars here."""
        plain = label.lower().rsplit(".", 1)[-1]
        kind = self.also.get(plain) or class_of(label)
        kind = "car" if kind == "van" else kind
        return kind if kind in self.kinds else None

    def terms(self) -> tuple[str, ...]:
        """All that can be asked for, objects first."""
        objects = (*self.kinds, *(f"nearby {kind}" for kind in self.kinds))
        return (*objects, *(("day", "night", "sunny", "rainy") if self.conditions else ()), *STREETS)


STREETS = ("busy street", "empty street")
_KINDS = ("car", "truck", "bus", "pedestrian", "cyclist")
ONCE = Definition("ONCE", _KINDS, ("car", "bus", "truck"), 15.0, 5, 0.0, True, False, {})
NUSCENES = Definition(
    "nuScenes",
    ("car", "truck", "bus", "trailer", "pedestrian", "cyclist"),
    ("car", "truck", "bus", "trailer"),
    20.0,
    3,
    30.0,
    False,
    True,
    {"trailer": "trailer", "motorcycle": "cyclist"},
)


@dataclass(frozen=True, eq=False)
class Thing:
    """A labelled object, as one camera has it.

    Attributes:
        box: it stands in, in the sweep's frame.
        kind: as the definition names it; None for what is not asked for.
        distance: metres from the lidar to its middle, on the ground.
        away: metres from the camera, on the ground.
        rectangle: left, top, right, bottom in pixels of the undistorted picture, or None where it is not seen.
        touches: whether the rectangle touches the central square.
        inside: whether its middle is seen in the central square, were nothing in the way.
    """

    box: Box
    kind: str | None
    distance: float
    away: float
    rectangle: Rectangle | None
    touches: bool
    inside: bool

    @property
    def words(self) -> tuple[str, ...]:
        """What it may rightly be called."""
        return words_of(self.box)

    @property
    def counted(self) -> bool:
        """Whether the annotations say how many points lie on it."""
        return "points" in self.box.attributes or "lidar_points" in self.box.attributes

    @property
    def points(self) -> int:
        """Of the sweep on it, where the annotations say; otherwise 0."""
        found = self.box.attributes.get("points", self.box.attributes.get("lidar_points", 0))
        return int(found) if isinstance(found, (int, float)) else 0

    def shown(self, camera: str) -> float:
        """Share of it that nothing hides from a camera, where the annotations say; 1 if they do not."""
        cameras = self.box.attributes.get("cameras")
        if not isinstance(cameras, Mapping):
            return 1.0
        told = cameras.get(camera)
        return float(told.get("visible", 0.0)) if isinstance(told, Mapping) else 0.0


@dataclass(frozen=True, eq=False)
class Shot:
    """One camera of one frame.

    Attributes:
        log: of the frame.
        number: of the frame in it.
        frame: its key.
        drive: the sequence or scene that it belongs to.
        camera: its name.
        time: seconds in the drive's clock.
        labelled: whether somebody labelled the objects.
        things: all of them.
        width: of the picture, pixels.
        metadata: of the frame.
    """

    log: Log
    number: int
    frame: str
    drive: str
    camera: str
    time: float
    labelled: bool
    things: tuple[Thing, ...]
    width: int
    metadata: Mapping[str, Any]

    @property
    def told(self) -> frozenset[str]:
        """The terms that a simulated log says are true of this camera's picture."""
        return listed_terms(self.metadata, self.camera) or frozenset()

    def load(self) -> Frame:
        """The frame itself."""
        return self.log.frames[self.number]


def shots_of(log: Log, definition: Definition, cameras: Collection[str] | None = None) -> Iterator[Shot]:
    """What each camera of each frame shows; frames without pictures show nothing.

    Args:
        log: whose frames are made, but whose sweeps and pictures are not read.
        definition: of kinds.
        cameras: names of those that count; by default all.
    """
    for number in range(len(log.frames)):
        frame = log.frames[number]
        drive = f"{log.name}/{frame.key.rpartition('/')[0]}" if "/" in frame.key else log.name
        for name, picture in frame.pictures.items():
            if cameras is not None and name not in cameras:
                continue
            try:
                camera = undistorted_camera(picture.camera)
            except ShapeError:
                continue  # a lens that leaves nothing of the picture: the frame's views tell it
            things = tuple(_thing(box, camera, definition) for box in frame.boxes or ())
            labelled = frame.boxes is not None
            place = (log, number, frame.key, drive, name, frame.timestamp)
            yield Shot(*place, labelled, things, camera.width, frame.metadata)


def _thing(box: Box, camera: Camera, definition: Definition) -> Thing:
    square = central_square(camera.width, camera.height)
    at = camera.to_camera(box.center[None])
    u, v = camera.project(at)[0] if at[0, 2] > 0 else (-1.0, -1.0)
    seen = _projected(box, camera) if definition.projected else box.rectangles.get(camera.name)
    return Thing(
        box=box,
        kind=definition.kind_of(box.label),
        distance=float(np.hypot(*box.center[:2])),
        away=float(np.hypot(at[0, 0], at[0, 2])),
        rectangle=seen,
        touches=seen is not None and _overlap(seen, square),
        inside=bool(at[0, 2] > 0 and square[0] <= u < square[2] and square[1] <= v < square[3]),
    )


def _projected(box: Box, camera: Camera) -> Rectangle | None:
    """The rectangle about a box's corners within the picture; None for one that lies behind or beside."""
    at = camera.to_camera(corners(box))
    if float(at[:, 2].mean()) <= 0:
        return None
    at[:, 2] = at[:, 2].clip(AHEAD)
    pixels = camera.project(at)
    left, top = np.maximum(pixels.min(0), 0)
    right, bottom = np.minimum(pixels.max(0), (camera.width, camera.height))
    return (float(left), float(top), float(right), float(bottom)) if right > left and bottom > top else None


def _overlap(one: Rectangle, other: Rectangle) -> bool:
    return one[0] < other[2] and one[2] > other[0] and one[1] < other[3] and one[3] > other[1]


def terms_of_shot(shot: Shot, definition: Definition, near: float | None = None) -> dict[str, bool]:
    """Which terms are true of a shot; those that nobody labelled are left out.

    Args:
        shot: what a camera shows.
        definition: of the terms.
        near: metres within which an object is nearby, if not the definition's.

    Raises:
        ShapeError: if the cut-off is not above 0.
    """
    near = definition.near if near is None else near
    if near <= 0:
        raise ShapeError(f"objects are nearby within more than 0 m, got {near}")
    found: dict[str, bool] = {}
    if shot.labelled:
        seen = [thing for thing in shot.things if thing.touches and thing.kind is not None]
        found |= {kind: any(thing.kind == kind for thing in seen) for kind in definition.kinds}
        found |= {
            f"nearby {kind}": any(thing.kind == kind and thing.distance < near for thing in seen)
            for kind in definition.kinds
        }
        traffic = [thing for thing in seen if thing.kind in definition.vehicles]
        found["busy street"] = sum(thing.distance < TRAFFIC for thing in traffic) >= definition.busy
        found["empty street"] = _is_empty(traffic, definition, WIDE * shot.width / ONCE_WIDTH)
    if definition.conditions:
        period, weather = (str(shot.metadata.get(key, "")).lower() for key in ("period", "weather"))
        found |= {"night": period == "night", "day": period != "night"} if period else {}
        found |= {"sunny": weather == "sunny", "rainy": weather == "rainy"} if weather else {}
    return found


def _is_empty(traffic: Sequence[Thing], definition: Definition, wide: float) -> bool:
    if definition.clear:
        return all(thing.distance >= definition.clear for thing in traffic)
    return sum(_weight(thing, wide) for thing in traffic) < 1


def _weight(thing: Thing, wide: float) -> float:
    if thing.distance < CLOSE:
        return 1.0
    if thing.distance >= MIDDLE or thing.rectangle is None:
        return 0.0
    return 1.0 if thing.rectangle[2] - thing.rectangle[0] > wide else 0.5
