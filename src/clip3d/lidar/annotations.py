"""Boxes in the form of ONCE's annotations: lists of names, 3D boxes, and rectangles by camera."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.lidar.files import floats
from clip3d.lidar.frame import Box
from clip3d.lidar.motion import OUR_AXES, from_axes, yaw_of

# What ONCE writes where a camera does not see an object.
UNSEEN = [-1.0, -1.0, -1.0, -1.0]
MAX_BOXES = 100_000


def boxes_of(annotations: Mapping[str, Any], axes: str = OUR_AXES) -> tuple[Box, ...]:
    """Boxes of ONCE's `annos`, in a sweep's frame.

    Args:
        annotations: "names" (n,); "boxes_3d" (n, 7): middle x, y, z, length, width, height in metres, yaw in
            radians from x towards y; perhaps "boxes_2d": by camera (n, 4) left, top, right, bottom in pixels, -1
            where it is not seen; perhaps "tracks" (n,) and "attributes" (n,) of plain values.
        axes: of the frame that the boxes are given in.

    Raises:
        ValueError: if the lists do not fit one another or hold anything else.
    """
    try:
        names, rows = _list(annotations["names"]), _list(annotations["boxes_3d"])
    except KeyError as error:
        raise ValueError(f"its annotations have no {error}") from error
    rectangles = annotations.get("boxes_2d") or {}
    if not isinstance(rectangles, Mapping):
        raise ValueError("its boxes_2d are no rectangles by camera")
    tracks = _list(annotations.get("tracks", [""] * len(names)))
    attributes = _list(annotations.get("attributes", [{}] * len(names)))
    columns = [rows, tracks, attributes, *map(_list, rectangles.values())]
    if len(names) > MAX_BOXES or any(len(column) != len(names) for column in columns):
        raise ValueError("its lists of annotations differ in length, or are too long")
    turn = from_axes(axes)
    boxes = []
    for at, (name, row) in enumerate(zip(names, rows, strict=True)):
        seen = {str(camera): _rectangle(every[at]) for camera, every in rectangles.items()}
        kept = {camera: rectangle for camera, rectangle in seen.items() if rectangle is not None}
        boxes.append(_box(str(name), row, turn, str(tracks[at]), kept, attributes[at]))
    return tuple(boxes)


def annotations_of(boxes: Iterable[Box], axes: str = OUR_AXES) -> dict[str, Any]:
    """ONCE's `annos` of boxes in a sweep's frame; `boxes_of` gives the boxes back.

    Args:
        boxes: in a sweep's frame.
        axes: of the frame that the annotations are to be in.
    """
    every, turn = list(boxes), from_axes(axes).T
    cameras = sorted({camera for box in every for camera in box.rectangles})
    found: dict[str, Any] = {
        "names": [box.label for box in every],
        "boxes_3d": [_row(box, turn) for box in every],
        "boxes_2d": {
            camera: [list(map(float, box.rectangles.get(camera, UNSEEN))) for box in every] for camera in cameras
        },
    }
    if any(box.track for box in every):
        found["tracks"] = [box.track for box in every]
    if any(box.attributes for box in every):
        found["attributes"] = [dict(box.attributes) for box in every]
    return found


def _row(box: Box, turn: NDArray[np.float64]) -> list[float]:
    center, yaw = turn @ box.center, float(box.yaw)
    if not np.array_equal(turn, np.eye(3)):
        yaw = yaw_of(turn @ np.array([np.cos(yaw), np.sin(yaw), 0.0]))
    return [*map(float, center), *map(float, box.size), yaw]


def _list(value: object) -> Sequence[Any]:
    if not isinstance(value, list):
        raise ValueError("its annotations are no lists")
    return value


def _rectangle(value: object) -> tuple[float, float, float, float] | None:
    left, top, right, bottom = floats(_list(value), 4)
    return (left, top, right, bottom) if right > left and bottom > top else None


def _box(
    name: str,
    row: object,
    turn: NDArray[np.float64],
    track: str,
    rectangles: Mapping[str, tuple[float, float, float, float]],
    attributes: object,
) -> Box:
    x, y, z, length, width, height, yaw = floats(_list(row), 7)
    if min(length, width, height) < 0 or not isinstance(attributes, Mapping):
        raise ValueError("a box has a size below 0, or attributes that are no names with values")
    heading = turn @ np.array([np.cos(yaw), np.sin(yaw), 0])
    return Box(name, turn @ np.array([x, y, z]), (length, width, height), yaw_of(heading), track, rectangles,
               attributes)  # fmt: skip
