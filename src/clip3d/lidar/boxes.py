"""Which points of a sweep or a frustum lie in the boxes of objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError
from clip3d.lidar.box_pooling import points_in_box
from clip3d.lidar.frame import Box
from clip3d.lidar.frustum import Frustum

Floats = NDArray[np.float64]
MOST_BOXES = int(np.iinfo(np.int16).max)


def to_sweep(crop: Frustum) -> Floats:
    """The points (n, 3) of a frustum in the frame of the sweep that they were cropped from."""
    rotation, shift = crop.frustum_from_lidar[:3, :3], crop.frustum_from_lidar[:3, 3]
    back: Floats = (crop.points[:, :3].astype(np.float64) - shift) @ rotation
    return back


def owners(points: NDArray[np.floating], boxes: Sequence[Box], margin: float = 0.0) -> NDArray[np.int16]:
    """For each of n points the place of the box that it lies in, -1 for none; of several the smallest in volume.

    Args:
        points: (n, 3) in the boxes' frame.
        boxes: of objects.
        margin: metres by which boxes are made larger on every side.

    Raises:
        ShapeError: if there are more than 32,767 boxes, which no street holds.
    """
    if len(boxes) > MOST_BOXES:
        raise ShapeError(f"a frame has {len(boxes):,} boxes, more than {MOST_BOXES:,}")
    found = np.full(len(points), -1, np.int16)
    # large boxes first, so that what lies within another keeps its own points
    for place in sorted(range(len(boxes)), key=lambda i: -float(np.prod(boxes[i].size))):
        box = boxes[place]
        length, width, height = (side + 2 * margin for side in box.size)
        found[points_in_box(points, replace(box, size=(length, width, height)))] = place
    return found


def counts_of(owned: NDArray[np.int16], boxes: Sequence[Box]) -> NDArray[np.intp]:
    """How many points each box owns, as `owners` says."""
    return np.bincount(owned[owned >= 0], minlength=len(boxes))


def corners(box: Box) -> Floats:
    """The eight corners (8, 3) of a box, in its frame."""
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
    local = signs * np.asarray(box.size) / 2
    cosine, sine = np.cos(box.yaw), np.sin(box.yaw)
    turned: Floats = local @ np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]]) + box.center
    return turned


def moved(box: Box, motion: Floats) -> Box:
    """A box in another frame, upright there too: its heading is turned, and what little it leans is left aside.

    Args:
        box: in a sweep's frame.
        motion: (4, 4) that brings points of that frame into the other, such as `Frustum.frustum_from_lidar`.
    """
    ahead = motion[:3, :3] @ np.array([np.cos(box.yaw), np.sin(box.yaw), 0.0])
    center = motion[:3, :3] @ box.center + motion[:3, 3]
    return replace(box, center=center, yaw=float(np.arctan2(ahead[1], ahead[0])))
