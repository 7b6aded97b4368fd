"""Regions of a camera's picture that are paired with the part of a sweep behind them: squares, spots and crops."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.lidar.boxes import corners, counts_of
from clip3d.lidar.frame import Box
from clip3d.lidar.frustum import Frustum, central_square, square_about, square_tiles

Floats = NDArray[np.float64]
Rectangle = tuple[float, float, float, float]

NEAREST, FARTHEST = 3.0, 38.0  # metres ahead at which spots are looked for
STANDING = (0.4, 3.5)  # metres above the ground between which points stand on it
NEAR_PLANE = 0.3  # metres ahead of the camera
GROUND_CELL = 2.0  # metres; the ground is the lowest point of so large a cell and those around it
COLUMN, LEAST_POINTS = 1.0, 3  # a spot is a column of so many metres a side with at least so many points


@dataclass(frozen=True)
class RegionRecipe:
    """Which regions of a picture are paired with points.

    Attributes:
        tiled: beside the central square of a longer picture, also the squares that cover it.
        spots: windows about things that stand on the ground, found in the points alone, no label being looked at: a
            column of points is drawn, and the window is as wide as a few metres there.
        spot_metres: least and largest width of such a window.
        crops: windows about labelled objects, the nearest first, with some of what is around them; 0 for a training
            that is to see no label.
        crop_context: how many times as wide as its rectangle a crop is.
        least_pixels: side that a spot or crop has at least.

    Raises:
        ValueError: if a number is negative or the widths are no range.
    """

    tiled: bool = True
    spots: int = 4
    spot_metres: tuple[float, float] = (2.0, 7.0)
    crops: int = 0
    crop_context: float = 1.3
    least_pixels: int = 24

    def __post_init__(self) -> None:
        if min(self.spots, self.crops) < 0 or self.least_pixels < 1:
            raise ValueError("spots and crops must not be negative, and least_pixels at least 1")
        if not 0 < self.spot_metres[0] <= self.spot_metres[1] or self.crop_context <= 0:
            raise ValueError(f"spot_metres must be a range above 0, got {self.spot_metres}")


@dataclass(frozen=True)
class Region:
    """A square of a picture.

    Attributes:
        kind: "square", "spot" or "crop".
        rectangle: left, top, right, bottom in pixels of the undistorted picture.
        middle: x, y in metres in the frustum's frame of what a spot or crop is about.
        reach: metres from the middle, along the ground, within which points belong to it; infinite for a square.
        box: place of the box that a crop is about, and that a spot's middle lies in; -1 for none.
    """

    kind: str
    rectangle: Rectangle
    middle: tuple[float, float] = (0.0, 0.0)
    reach: float = float("inf")
    box: int = -1


def regions_of(
    whole: Frustum,
    intrinsics: Floats,
    size: tuple[int, int],
    owners: NDArray[np.int16],
    boxes: Sequence[Box],
    recipe: RegionRecipe,
    key: str,
) -> list[Region]:
    """The regions of one picture, squares first.

    Args:
        whole: all that the picture shows.
        intrinsics: (3, 3) of the undistorted picture.
        size: its width and height.
        owners: (n,) the box that each point lies in, or -1.
        boxes: of the frame.
        recipe: what is wanted.
        key: names frame and camera; all chance follows from it, so that recipes with equal settings share pictures.
    """
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big"))
    found = [Region("square", rectangle) for rectangle in squares(*size, tiled=recipe.tiled)]
    found += _spots(whole, intrinsics, size, owners, recipe, rng)
    return found + _crops(whole, intrinsics, size, owners, boxes, recipe)


def squares(width: int, height: int, *, tiled: bool) -> list[Rectangle]:
    """The central square of a picture, and those that together cover it."""
    central = central_square(width, height)
    return [central, *(tile for tile in square_tiles(width, height) if tile != central)] if tiled else [central]


def pixels_of(points: NDArray[np.floating], intrinsics: Floats) -> Floats:
    """Pixels (n, 2) of points (n, 3 or more) in a frustum's frame, x ahead."""
    x, y, z = np.asarray(points[:, :3], np.float64).T
    ahead = np.maximum(x, 1e-6)
    projected: Floats = (np.stack([-y / ahead, -z / ahead, np.ones_like(x)], 1) @ intrinsics.T)[:, :2]
    return projected


def within(pixels: Floats, rectangle: Rectangle) -> NDArray[np.bool_]:
    """Which of n pixels lie in a rectangle."""
    left, top, right, bottom = rectangle
    u, v = pixels.T
    kept: NDArray[np.bool_] = (u >= left) & (u < right) & (v >= top) & (v < bottom)
    return kept


def members(points: NDArray[np.floating], pixels: Floats, region: Region) -> NDArray[np.bool_]:
    """Which of n points in a frustum's frame belong to a region."""
    kept = within(pixels, region.rectangle)
    if np.isfinite(region.reach):
        kept &= np.hypot(points[:, 0] - region.middle[0], points[:, 1] - region.middle[1]) <= region.reach
    return kept


def turned_to(points: NDArray[np.float32], region: Region, intrinsics: Floats) -> NDArray[np.float32]:
    """Points (n, 4) turned about the upright axis so that a region's middle, not the optical axis, lies ahead."""
    left, _, right, _ = region.rectangle
    angle = float(np.arctan(((left + right) / 2 - intrinsics[0, 2]) / intrinsics[0, 0]))
    turned = points.copy()
    turned[:, 0] = np.cos(angle) * points[:, 0] - np.sin(angle) * points[:, 1]
    turned[:, 1] = np.sin(angle) * points[:, 0] + np.cos(angle) * points[:, 1]
    return turned


def _spots(
    whole: Frustum,
    intrinsics: Floats,
    size: tuple[int, int],
    owners: NDArray[np.int16],
    recipe: RegionRecipe,
    rng: np.random.Generator,
) -> list[Region]:
    points = whole.points
    ahead = (points[:, 0] > NEAREST) & (points[:, 0] < FARTHEST) & (np.abs(points[:, 1]) < FARTHEST / 2)
    if not recipe.spots or not ahead.any():
        return []
    up = points[:, 2] - _ground_below(points)
    standing = np.flatnonzero(ahead & (up > STANDING[0]) & (up < STANDING[1]))
    columns = np.floor(points[standing, :2] / COLUMN).astype(np.int64)
    _, group, counts = np.unique(columns, axis=0, return_inverse=True, return_counts=True)
    group, full = group.reshape(-1), np.flatnonzero(counts >= LEAST_POINTS)
    found = []
    for column in rng.permutation(full)[: recipe.spots]:
        own = standing[group == column]
        middle = points[own, :3].mean(0)
        metres = float(np.exp(rng.uniform(*np.log(recipe.spot_metres))))
        u, v = pixels_of(middle[None], intrinsics)[0]
        rectangle = square_about(u, v, metres * intrinsics[0, 0] / middle[0], (0, 0, *size), recipe.least_pixels)
        box = int(np.bincount(owners[own].astype(np.intp) + 1).argmax()) - 1
        found.append(Region("spot", rectangle, (float(middle[0]), float(middle[1])), 0.6 * metres, box))
    return found


def _ground_below(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Height (n,) of the lowest point within a few metres of each of n points: roads slope."""
    place = np.floor(points[:, :2] / GROUND_CELL).astype(np.int64)
    place -= place.min(0)
    rows, columns = place.max(0) + 3
    lowest = np.full((rows, columns), np.inf, np.float32)
    np.minimum.at(lowest, (place[:, 0] + 1, place[:, 1] + 1), points[:, 2])
    around = [lowest[i : rows - 2 + i, j : columns - 2 + j] for i in range(3) for j in range(3)]
    found: NDArray[np.float32] = np.min(around, axis=0)[place[:, 0], place[:, 1]]
    return found


def _crops(
    whole: Frustum,
    intrinsics: Floats,
    size: tuple[int, int],
    owners: NDArray[np.int16],
    boxes: Sequence[Box],
    recipe: RegionRecipe,
) -> list[Region]:
    if not recipe.crops:
        return []
    counts = counts_of(owners, boxes)
    found = []
    for place in np.flatnonzero(counts >= LEAST_POINTS).tolist():
        own = whole.points[owners == place]
        edges = corners(boxes[place]) @ whole.frustum_from_lidar[:3, :3].T + whole.frustum_from_lidar[:3, 3]
        # of a box that reaches behind the camera, its points alone have pixels
        pixels = pixels_of(edges if (edges[:, 0] > NEAR_PLANE).all() else own, intrinsics).clip(0, size)
        (left, top), (right, bottom) = pixels.min(0), pixels.max(0)
        middle = own[:, :2].mean(0)
        side = recipe.crop_context * max(right - left, bottom - top)
        rectangle = square_about((left + right) / 2, (top + bottom) / 2, side, (0, 0, *size), recipe.least_pixels)
        reach = float(max(boxes[place].size))
        found.append(Region("crop", rectangle, (float(middle[0]), float(middle[1])), reach, place))
    found.sort(key=lambda region: region.middle[0])
    return found[: recipe.crops]


