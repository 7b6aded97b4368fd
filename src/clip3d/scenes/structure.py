"""Gravity, floor, ceiling and walls of a scan, found without labels from the votes of its normals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clip3d.scenes.surface import Surface
from clip3d.scenes.voxels import Array

NOTHING, FLOOR, CEILING, WALL = 0, 1, 2, 3
NAMES = ("", "floor", "ceiling", "wall")

LEVEL = np.cos(np.radians(15.0))  # of the normal of what is level, with the vertical
UPRIGHT = np.sin(np.radians(12.0))  # most of the vertical in the normal of a wall
LAYER = 0.05  # metres: bins of heights and of the distances of walls
CELL, COLUMN = 0.1, 0.3  # metres: of the floor plan, and of what is looked up along a wall
# Least share of the floor plan that a floor and a ceiling cover.
FLOOR_SHARE, CEILING_SHARE = 0.12, 0.2
LEAST_HEADROOM = 1.8
THICKNESS = 0.05  # metres to either side of a floor, ceiling or wall that are its own
ANGLES = 90  # bins of the directions of walls, of 2 degrees
MOST_WALLS = 40
WALL_LENGTH, WALL_HEIGHT = 0.8, 1.2  # metres that a wall covers at least
WALL_REACH = 0.8  # of the height of the room, up to which a wall reaches that has furniture on both sides
BEHIND = 0.03  # share of all that may lie behind an outer wall


@dataclass(frozen=True, eq=False)
class Wall:
    """An upright plane: points with normal · point = offset.

    Attributes:
        normal: (3,) float64, level, towards the room.
        offset: metres.
        area: square metres that were seen of it.
        inner: whether there is room on both sides of it.
    """

    normal: NDArray[np.float64]
    offset: float
    area: float
    inner: bool = False


@dataclass(frozen=True, eq=False)
class Structure:
    """What a room is made of.

    Attributes:
        labels: (m,) int8 of `NAMES`: NOTHING for what stands in the room.
        rotation: (3, 3) that turns the surface as it was given to where z points against gravity.
        tilt: degrees between the axis that was said to point up and this.
        floor: height of the floor in metres, in the turned axes.
        ceiling: height of the ceiling, or None where none was scanned.
        walls: the largest first.
    """

    labels: NDArray[np.int8]
    rotation: NDArray[np.float64]
    tilt: float
    floor: float
    ceiling: float | None
    walls: tuple[Wall, ...]


def find_structure(surface: Surface) -> tuple[Surface, Structure]:
    """The surface turned to gravity, and what of it is floor, ceiling and walls."""
    rotation, tilt = gravity(surface)
    turned = surface.turned(rotation) if tilt > 0.1 else surface
    rotation = rotation if tilt > 0.1 else np.eye(3)
    floor, ceiling = _levels(turned)
    labels = np.zeros(len(turned), np.int8)
    height, level = turned.points[:, 2], np.abs(turned.normals[:, 2])
    below, thick = height < floor + THICKNESS, max(THICKNESS, 1.5 * turned.spacing)
    labels[(np.abs(height - floor) <= thick) & (level > 0.7)] = FLOOR
    labels[below & (height < floor + turned.spacing)] = FLOOR
    if ceiling is not None:
        labels[(np.abs(height - ceiling) <= thick) & (level > 0.7)] = CEILING
        labels[height > ceiling + turned.spacing] = CEILING
    walls = _walls(turned, labels, floor, ceiling)
    for wall in walls:
        distance = np.abs(turned.points @ wall.normal.astype(np.float32) - np.float32(wall.offset))
        along = np.abs(turned.normals @ wall.normal.astype(np.float32))
        mine = (labels == NOTHING) & ((distance <= thick) & (along > 0.8) | (distance <= thick / 2))
        if wall.inner:
            mine = _in_high_columns(turned.points, mine, wall, floor, ceiling)
        labels[mine] = WALL
        labels[(labels == NOTHING) & _outside(turned.points, wall, thick)] = WALL
    return turned, Structure(labels, rotation, tilt, floor, ceiling, tuple(walls))


def gravity(surface: Surface) -> tuple[NDArray[np.float64], float]:
    """The small rotation (3, 3) that lays z along the normals of floors, ceilings and tables, and its degrees."""
    normals = surface.normals.astype(np.float64)
    flat = surface.flatness > 0.8
    up = np.array([0.0, 0.0, 1.0])
    for width in (20.0, 8.0, 4.0):
        along = normals @ up
        votes = flat & (np.abs(along) > np.cos(np.radians(width)))
        if votes.sum() < max(50, 0.01 * len(normals)):
            return np.eye(3), 0.0
        up = (normals[votes] * np.sign(along[votes])[:, None]).mean(axis=0)
        up /= np.linalg.norm(up)
    return _rotation_to_z(up), float(np.degrees(np.arccos(np.clip(up[2], -1, 1))))


def lying(surface: Surface) -> Literal["x", "y", ""]:
    """The axis, x or y of a surface said to be z up, that has the votes of a vertical; empty if z has them.

    Floor, ceiling and what is level in between are most of what is flat in a room, and a room is less high than
    long: an axis with twice the flat voxels of z across it, along which the scan is shorter, points up in truth.
    """
    flat = surface.flatness > 0.8
    votes = [int((np.abs(surface.normals[flat, axis]) > LEVEL).sum()) for axis in range(3)]
    sides = np.ptp(surface.points, axis=0) if len(surface) else np.zeros(3)
    best = 0 if votes[0] > votes[1] else 1
    if votes[best] < 2 * max(votes[2], 1) or sides[best] > sides[2]:
        return ""
    return "x" if best == 0 else "y"


def _rotation_to_z(up: NDArray[np.float64]) -> NDArray[np.float64]:
    """The least rotation (3, 3) that carries a unit vector with z above 0 onto z (Rodrigues)."""
    x, y, z = up
    cross = np.array([[0, 0, -x], [0, 0, -y], [x, y, 0]])
    rotation: NDArray[np.float64] = np.eye(3) + cross + cross @ cross / (1 + z)
    return rotation


def _levels(surface: Surface) -> tuple[float, float | None]:
    """Heights of floor and ceiling: the lowest and the highest level layer that covers enough of the plan."""
    points = surface.points
    plan = len(_plan(points))
    level = points[(np.abs(surface.normals[:, 2]) > LEVEL) & (surface.flatness > 0.5)]
    lowest, highest = (float(v) for v in np.percentile(points[:, 2], [0.5, 99.5]))
    if len(level) < 20:
        return lowest, None
    bins = np.floor(level[:, 2] / LAYER).astype(np.int64)
    bins -= bins.min()
    cover = np.array([len(_plan(level[(bins == b) | (bins == b + 1)])) for b in range(bins.max() + 1)])
    base = float(np.floor(level[:, 2].min() / LAYER) * LAYER)

    def height(bin_: int) -> float:
        return float(np.median(level[(bins == bin_) | (bins == bin_ + 1), 2]))

    wide = np.flatnonzero(cover >= FLOOR_SHARE * plan)
    wide = wide[base + wide * LAYER < (lowest + highest) / 2]
    floor = height(_peak(cover, int(wide[0]))) if len(wide) else lowest
    wide = np.flatnonzero(cover >= CEILING_SHARE * plan)
    wide = wide[base + wide * LAYER > floor + LEAST_HEADROOM]
    return floor, height(_peak(cover, int(wide[-1]), -1)) if len(wide) else None


def _peak(cover: NDArray[np.intp], start: int, step: int = 1) -> int:
    """From a layer that covers enough on to the next ones while these cover more."""
    while 0 <= start + step < len(cover) and cover[start + step] > cover[start]:
        start += step
    return start


def _plan(points: Array) -> NDArray[np.int64]:
    """Numbers of the cells of the floor plan that points lie over."""
    cells = np.floor(points[:, :2] / CELL).astype(np.int64) + 2**20
    return np.unique(cells[:, 0] * 2**22 + cells[:, 1])


def _walls(surface: Surface, labels: NDArray[np.int8], floor: float, ceiling: float | None) -> list[Wall]:
    """Upright planes that bound the room, or part it up to the ceiling."""
    upright = (np.abs(surface.normals[:, 2]) < UPRIGHT) & (surface.flatness > 0.5) & (labels == NOTHING)
    index = np.flatnonzero(upright)
    points, normals = surface.points[index].astype(np.float64), surface.normals[index].astype(np.float64)
    above = surface.points[surface.points[:, 2] > floor + THICKNESS]
    top = ceiling if ceiling is not None else float(np.percentile(surface.points[:, 2], 99.5))
    area = surface.spacing**2
    left = np.ones(len(index), np.bool_)
    walls: list[Wall] = []
    for azimuth in _azimuths(normals):
        normal = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
        facing = np.abs(normals @ normal) > np.cos(np.radians(10.0))
        distance = points @ normal
        while len(walls) < MOST_WALLS:
            mine = np.flatnonzero(left & facing)
            if len(mine) * area < WALL_LENGTH * WALL_HEIGHT / 2:
                break
            low = distance[mine].min()
            votes = np.bincount(np.floor((distance[mine] - low) / LAYER).astype(np.int64))
            best = int((votes + np.append(votes[1:], 0)).argmax())
            inside = mine[np.abs(distance[mine] - low - (best + 1) * LAYER) <= LAYER]
            if len(inside) * area < WALL_LENGTH * WALL_HEIGHT / 2:
                break
            left[inside] = False
            offset = float(np.median(distance[inside]))
            kind = _kind_of_wall(points[inside], normal, offset, above, floor, top)
            if kind:
                side = 1.0 if np.median(above @ normal) > offset else -1.0
                walls.append(Wall(side * normal, side * offset, len(inside) * area, kind == "inner"))
    return sorted(walls, key=lambda wall: -wall.area)


def _azimuths(normals: NDArray[np.float64]) -> list[float]:
    """The usual directions of upright normals in radians in [0, pi), the most usual first, refined."""
    if not len(normals):
        return []
    angle = np.arctan2(normals[:, 1], normals[:, 0]) % np.pi
    votes = np.bincount((angle / np.pi * ANGLES).astype(np.intp) % ANGLES, minlength=ANGLES)
    smooth = votes + np.roll(votes, 1) + np.roll(votes, -1)
    found = []
    for best in np.argsort(-smooth, kind="stable"):
        near = [smooth[(best + turn) % ANGLES] for turn in (-2, -1, 1, 2)]
        if smooth[best] < 0.02 * len(normals) or smooth[best] < max(near):
            continue
        apart = (angle - (best + 0.5) * np.pi / ANGLES + np.pi / 2) % np.pi - np.pi / 2
        mine = np.abs(apart) < np.radians(4.0)
        found.append(float((best + 0.5) * np.pi / ANGLES + np.median(apart[mine])))
    return found[:8]


def _kind_of_wall(
    points: NDArray[np.float64],
    normal: NDArray[np.float64],
    offset: float,
    above: Array,
    floor: float,
    top: float,
) -> Literal["outer", "inner", ""]:
    """Whether an upright plane is long and high enough, and outermost there or as high as the room."""
    along = points @ np.array([-normal[1], normal[0], 0.0])
    length = len(np.unique(np.floor(along / CELL))) * CELL
    low, high = (float(v) for v in np.percentile(points[:, 2], [2, 98]))
    if length < WALL_LENGTH or high - low < min(WALL_HEIGHT, 0.5 * (top - floor)):
        return ""
    # what lies beside this stretch of the plane, in front of it and behind
    across = above @ np.array([-normal[1], normal[0], 0.0], np.float32)
    distance = above[(across > along.min()) & (across < along.max())] @ normal.astype(np.float32) - offset
    if not len(distance) or min((distance > 2 * THICKNESS).mean(), (distance < -2 * THICKNESS).mean()) < BEHIND:
        return "outer"
    return "inner" if high - floor >= WALL_REACH * (top - floor) and length >= 2 * WALL_LENGTH else ""


def _in_high_columns(
    points: Array, mine: NDArray[np.bool_], wall: Wall, floor: float, ceiling: float | None
) -> NDArray[np.bool_]:
    """Of the voxels of a plane those over which it goes on upwards, so that furniture flush with it is none."""
    index = np.flatnonzero(mine)
    along = points[index] @ np.array([-wall.normal[1], wall.normal[0], 0.0], np.float32)
    column = np.unique(np.floor(along / COLUMN), return_inverse=True)[1].ravel()
    top = np.full(column.max() + 1 if len(column) else 0, -np.inf)
    np.maximum.at(top, column, points[index, 2])
    height = (float(points[:, 2].max()) if ceiling is None else ceiling) - floor
    high = np.zeros(len(points), np.bool_)
    high[index] = top[column] >= floor + WALL_REACH * height
    return high


def _outside(points: Array, wall: Wall, thick: float) -> NDArray[np.bool_]:
    """What little lies close behind a wall: seen through windows, or by errors of the scanner; beyond, a room."""
    distance = points @ wall.normal.astype(np.float32) - np.float32(wall.offset)
    behind = distance < -thick
    few = behind.sum() < BEHIND * len(points)
    return behind if few else np.zeros(len(points), np.bool_)
