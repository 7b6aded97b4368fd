"""A sweep from above: its points by height, and boxes among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clip3d.lidar.boxes import corners
from clip3d.lidar.frame import Box

if TYPE_CHECKING:
    from PIL.Image import Image

PAPER, DIM = (16, 18, 24), (70, 76, 88)
MARK = (255, 140, 0)
# Colours of the lowest and the highest points that are told apart, 2 m below and 2.5 m above the sensor.
LOW, HIGH = np.array([70, 120, 220.0]), np.array([250, 240, 120.0])
LOWEST, HIGHEST = -2.0, 2.5


def bird_eye(
    points: NDArray[np.floating],
    boxes: Sequence[Box] = (),
    *,
    seen: NDArray[np.intp] | None = None,
    reach: float = 40.0,
    size: int = 360,
) -> Image:
    """A square picture with x upwards and y to the left, the sensor in its middle.

    Args:
        points: (n, 3) in the sweep's frame, metres.
        boxes: in the same frame, drawn as outlines, the first one thick.
        seen: which points to show in colour; the others are dim. None for all.
        reach: metres from the sensor to the picture's edge.
        size: pixels of a side.
    """
    from PIL import Image, ImageDraw

    pixels = np.full((size, size, 3), PAPER, np.uint8)
    shown = np.ones(len(points), bool)
    if seen is not None:
        shown = np.zeros(len(points), bool)
        shown[seen] = True
    for among, coloured in ((~shown, False), (shown, True)):
        some = points[among]
        at = np.floor(_pixels(some[:, :2], reach, size)).astype(int)
        inside = ((at >= 0) & (at < size)).all(1)
        order = np.argsort(some[inside, 2], kind="stable")  # what is higher hides what is below
        column, row = at[inside][order].T
        pixels[row, column] = _colours(some[inside][order, 2]) if coloured else DIM
    picture = Image.fromarray(pixels)
    draw = ImageDraw.Draw(picture)
    for place in range(len(boxes) - 1, -1, -1):
        around = corners(boxes[place])[[0, 2, 6, 4], :2]
        edge = [(float(x), float(y)) for x, y in _pixels(around, reach, size)]
        draw.line([*edge, edge[0]], fill=MARK, width=3 if place == 0 else 1)
    middle = size / 2
    draw.polygon([(middle, middle - 6), (middle - 4, middle + 5), (middle + 4, middle + 5)], fill=(235, 235, 235))
    return picture


def _pixels(xy: NDArray[np.floating], reach: float, size: int) -> NDArray[np.float64]:
    """Column and row (n, 2) of places (n, 2)."""
    scale = size / (2 * reach)
    return np.stack([size / 2 - xy[:, 1] * scale, size / 2 - xy[:, 0] * scale], axis=1)


def _colours(z: NDArray[np.floating]) -> NDArray[np.uint8]:
    share = np.clip((z - LOWEST) / (HIGHEST - LOWEST), 0, 1)[:, None]
    return np.asarray(LOW + share * (HIGH - LOW), np.uint8)
