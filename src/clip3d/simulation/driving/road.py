"""The road: its course, its cross-section, and the ground as triangles."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.chance import Rng, near
from clip3d.simulation.driving.solids import Solid, join, quads
from clip3d.simulation.shapes import Color

Floats = NDArray[np.float64]

ASPHALT: Color = (0.23, 0.23, 0.24)
PAVING: Color = (0.5, 0.49, 0.47)
GRASS: Color = (0.27, 0.38, 0.16)
SOIL: Color = (0.38, 0.3, 0.22)
MARK: Color = (0.86, 0.86, 0.84)
STEP = 3.0  # metres between the lines of the ground's grid along the road
LAND = 46.0  # metres to either side that have ground
KERB = 0.13
BAY = 2.6  # metres between the lines of a car park
ROWS = (6.0, 16.0, 21.2, 31.0)  # how far from its aisle's middle the rows of a car park lie


@dataclass(frozen=True)
class Section:
    """The cross-section of a road with right-hand traffic; "left" and "right" as one drives along it.

    Attributes:
        lanes: in either direction.
        lane: width of one in metres.
        median: metres between the directions.
        parking: metres of a strip for parking at either side, 0 without.
        sidewalk: metres, 0 without (then there are no kerbs either).
        verge: material of what lies beyond: "grass", "soil", "concrete".
        center: mark of the middle: "dashed", "solid", "none".
        oneway: whether all lanes lead ahead.
    """

    lanes: int = 1
    lane: float = 3.25
    median: float = 0.0
    parking: float = 0.0
    sidewalk: float = 2.2
    verge: str = "grass"
    center: str = "dashed"
    oneway: bool = False

    @property
    def half(self) -> float:
        """Metres from the middle to the edge of the asphalt."""
        return self.lanes * self.lane * (0.5 if self.oneway else 1.0) + self.median / 2 + self.parking

    def lane_middles(self, direction: int) -> list[float]:
        """How far left of the road's middle the lanes lie that lead ahead (+1) or back (-1), inner ones first."""
        if self.oneway:
            row = [(i + 0.5) * self.lane - self.lanes * self.lane / 2 for i in range(self.lanes)]
            return row[::-1] if direction > 0 else []
        return [-direction * (self.median / 2 + (i + 0.5) * self.lane) for i in range(self.lanes)]


@dataclass(frozen=True)
class Crossing:
    """A road that crosses at a right angle.

    Attributes:
        at: metres along the road.
        section: of the other road.
        left: whether it leads on to the left.
        right: and to the right.
        zebra: whether there are crossings for pedestrians.
        lights: whether there are traffic lights.
    """

    at: float
    section: Section
    left: bool = True
    right: bool = True
    zebra: bool = True
    lights: bool = False


@dataclass(frozen=True, eq=False)
class Road:
    """A road along its middle line, s metres on from a start and d metres to the left.

    Attributes:
        section: across.
        start: s of the first place.
        x: (k,) world, one each metre of s.
        y: (k,).
        heading: (k,) radians.
        slope: rise along s.
        waves: (w, 4) amplitude, wave numbers along s and d, phase, of the ground's long waves.
        rough: (w, 4) of the land beside the road.
        bank: rise of the land beyond the road's edge: left, right.
        crossing: or None.
        paved: whether all the land is asphalt: a car park.
    """

    section: Section
    start: float
    x: Floats
    y: Floats
    heading: Floats
    slope: float
    waves: Floats
    rough: Floats
    bank: tuple[float, float]
    crossing: Crossing | None = None
    paved: bool = False

    @property
    def end(self) -> float:
        """s of the last place."""
        return self.start + len(self.x) - 1

    def at(self, s: Floats | float, d: Floats | float) -> tuple[Floats, Floats, Floats]:
        """World x, y and heading of places at s, d, of any one shape."""
        along = np.clip(np.asarray(s, np.float64) - self.start, 0, len(self.x) - 1)
        grid = np.arange(len(self.x))
        heading = np.interp(along, grid, self.heading)
        x = np.interp(along, grid, self.x) - d * np.sin(heading)
        y = np.interp(along, grid, self.y) + d * np.cos(heading)
        return x, y, heading

    def base(self, s: Floats | float, d: Floats | float) -> Floats:
        """Height of the ground without kerbs."""
        s, d = np.asarray(s, np.float64), np.asarray(d, np.float64)
        away = np.maximum(np.abs(d) - self.section.half - self.section.sidewalk, 0)
        if self.crossing is not None:
            other = self.crossing.section
            along = np.maximum(np.abs(s - self.crossing.at) - other.half - other.sidewalk, 0)
            open_ = (d > 0) & self.crossing.left | (d < 0) & self.crossing.right
            away = np.where(open_, np.minimum(away, along), away)
        height = self.slope * s + _sum(self.waves, s, d) - 0.015 * np.minimum(np.abs(d), self.section.half)
        if self.paved:
            return np.asarray(height)
        bank = np.where(d > 0, self.bank[0], self.bank[1]) * np.minimum(away, 12.0)
        return np.asarray(height + bank + np.minimum(away / 4, 1) * _sum(self.rough, s, d))

    def step(self, s: Floats | float, d: Floats | float) -> Floats:
        """What kerbs add to the height."""
        zone = self.zone(s, d)
        return np.where((zone == ROADWAY) | (self.section.sidewalk == 0), 0.0, KERB)

    def height(self, s: Floats | float, d: Floats | float) -> Floats:
        """Height of the ground on which things stand."""
        return np.asarray(self.base(s, d) + self.step(s, d))

    def zone(self, s: Floats | float, d: Floats | float) -> NDArray[np.intp]:
        """ROADWAY, SIDEWALK or LANDSIDE of places."""
        s, d = np.asarray(s, np.float64), np.asarray(d, np.float64)
        half, walk = self.section.half, self.section.sidewalk
        road, side = np.abs(d) < half, np.abs(d) < half + walk
        if self.paved:
            return np.full(np.broadcast_shapes(s.shape, d.shape), ROADWAY)
        if self.crossing is not None:
            away, other = np.abs(s - self.crossing.at), self.crossing.section
            open_ = (d > 0) & self.crossing.left | (d < 0) & self.crossing.right
            road = road | (open_ & (away < other.half))
            side = side | (open_ & (away < other.half + other.sidewalk))
        zone = np.where(road, ROADWAY, np.where(side, SIDEWALK, LANDSIDE))
        return np.broadcast_to(zone, np.broadcast_shapes(s.shape, d.shape))


ROADWAY, SIDEWALK, LANDSIDE = 0, 1, 2


def _sum(waves: Floats, s: Floats, d: Floats) -> Floats:
    total = np.zeros(np.broadcast_shapes(s.shape, d.shape))
    for amplitude, along, across, phase in waves:
        total += amplitude * np.sin(along * s + across * d + phase)
    return total


def draw_road(
    rng: Rng,
    section: Section,
    length: tuple[float, float],
    bend: float,
    crossing: Crossing | None = None,
    *,
    rough: float = 0.15,
    bank: tuple[float, float] = (0.0, 0.0),
    paved: bool = False,
) -> Road:
    """Draw the course of a road and the lie of its ground.

    Args:
        rng: chance.
        section: across.
        length: first and last s in metres; the heading is 0 where s is 0.
        bend: largest curvature in 1/m, 0 for a straight road.
        crossing: if another road crosses.
        rough: metres of roughness of the land beside it.
        bank: its rise there, to the left and to the right.
        paved: see `Road`.
    """
    s = np.arange(np.floor(length[0]), np.ceil(length[1]) + 1)
    curvature = np.zeros_like(s)
    if bend:
        knots = np.arange(s[0] - 60, s[-1] + 120, rng.uniform(45, 90))
        curvature = np.interp(s, knots, rng.uniform(-bend, bend, len(knots)))
        if crossing is not None:  # crossings are straight: there s and d are the other road's axes
            curvature *= np.clip((np.abs(s - crossing.at) - 50) / 20, 0, 1)
    zero = int(-s[0])
    heading = np.cumsum(curvature)
    heading -= heading[zero]
    x, y = np.cumsum(np.cos(heading)), np.cumsum(np.sin(heading))
    turn = rng.uniform(0, 2 * np.pi)
    waves = np.column_stack(
        [
            rng.uniform(0.05, 0.3, 3),
            2 * np.pi / rng.uniform(60, 160, 3),
            2 * np.pi / rng.uniform(90, 300, 3),
            turn + rng.uniform(0, 6, 3),
        ]
    )
    bumps = np.column_stack(
        [
            rng.uniform(0.3, 0.6, 5) * rough,
            2 * np.pi / rng.uniform(7, 25, 5),
            2 * np.pi / rng.uniform(8, 25, 5),
            rng.uniform(0, 6, 5),
        ]
    )
    slope = float(rng.normal(0, 0.012))
    return Road(section, float(s[0]), x - x[zero], y - y[zero], heading, slope, waves, bumps, bank, crossing, paved)


def ground(rng: Rng, road: Road) -> Solid:
    """All ground along the road with kerbs and marks."""
    s_lines, d_lines = _lines(road)
    s_mid, d_mid = (s_lines[1:] + s_lines[:-1]) / 2, (d_lines[1:] + d_lines[:-1]) / 2
    zone = road.zone(s_mid[:, None], d_mid[None])
    step = road.step(s_mid[:, None], d_mid[None])
    tufts = rng.normal(0, 0.05, (len(s_lines), len(d_lines))) * _is_land(zone)
    base = road.base(s_lines[:, None], d_lines[None]) + tufts
    x, y, _ = road.at(s_lines[:, None], d_lines[None])
    grid = np.stack([x, y, base], axis=2)
    faces = np.stack([grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]], axis=2)
    faces = faces + step[:, :, None, None] * np.array([0, 0, 1.0])
    parts = []
    shades = {
        ROADWAY: (near(rng, ASPHALT, 0.03), "asphalt"),
        SIDEWALK: (near(rng, PAVING, 0.04), "concrete"),
        LANDSIDE: _land(rng, road),
    }
    for number, (color, material) in shades.items():
        there = zone == number
        if there.any():
            patchy = np.clip(np.asarray(color) + rng.normal(0, 0.006, (int(there.sum()), 1)), 0, 1)
            parts.append(quads(faces[there], patchy.astype(np.float32), material))
    parts += _kerbs(faces, step)
    return join(parts)


def _land(rng: Rng, road: Road) -> tuple[Color, str]:
    verge = road.section.verge
    color = {"grass": GRASS, "soil": SOIL}.get(verge, PAVING)
    return near(rng, color, 0.04), verge


def _is_land(zone: NDArray[np.intp]) -> Floats:
    """1 at the lines' crossings that only land surrounds, else 0."""
    land = np.ones((zone.shape[0] + 1, zone.shape[1] + 1))
    paved = zone != LANDSIDE
    for i in (0, 1):
        for j in (0, 1):
            land[i : i + zone.shape[0], j : j + zone.shape[1]][paved] = 0
    return land


def _lines(road: Road) -> tuple[Floats, Floats]:
    """The lines of the grid, with one at each edge."""
    half, walk = road.section.half, road.section.sidewalk
    edges = [0.0, half, half + walk, half + walk + 2.5, half + walk + 6, half + walk + 11]
    far = np.arange(half + walk + 17, LAND + 6, 7.0)
    across = np.unique(np.round([0.0, half / 2, *edges, *far], 3))
    d = np.unique(np.concatenate([-across, across]))
    s = np.arange(road.start, road.end + 1, STEP)
    if road.crossing is not None:
        other = road.crossing.section
        edges = [
            sign * edge + road.crossing.at for sign in (-1, 1) for edge in (other.half, other.half + other.sidewalk)
        ]
        s = np.concatenate([s[np.abs(s[:, None] - edges).min(1) > 0.8], edges])
    return np.unique(s), d


def _kerbs(faces: Floats, step: Floats) -> list[Solid]:
    """Upright faces where neighbouring cells of the grid differ in height."""
    upright = []
    along = np.abs(np.diff(step, axis=1)) > 1e-6
    if along.any():
        low, high = faces[:, :-1][along], faces[:, 1:][along]
        upright.append(np.stack([low[:, 3], low[:, 2], high[:, 1], high[:, 0]], axis=1))
    across = np.abs(np.diff(step, axis=0)) > 1e-6
    if across.any():
        low, high = faces[:-1][across], faces[1:][across]
        upright.append(np.stack([low[:, 1], low[:, 2], high[:, 3], high[:, 0]], axis=1))
    return [quads(np.concatenate(upright), (0.58, 0.57, 0.55), "concrete")] if upright else []


def strips(road: Road, s: Floats, d: Floats, lift: float, color: Color, material: str = "road paint") -> Solid:
    """Flat strips on the roadway with corners s, d (n, 4), counter-clockwise from above."""
    x, y, _ = road.at(s, d)
    z = road.base(s, d) + lift
    return quads(np.stack([x, y, z], axis=2), color, material)


def marks(rng: Rng, road: Road) -> Solid:
    """Paint on the road: lines between and beside lanes, stop lines, crossings for pedestrians."""
    section, gone = road.section, None
    if road.crossing is not None:
        gone = (road.crossing.at, road.crossing.section.half + road.crossing.section.sidewalk + 3.5)
    lines: list[tuple[float, bool]] = []  # offset to the left, dashed
    if section.median == 0 and not section.oneway and section.center != "none":
        lines.append((0.0, section.center == "dashed"))
    for direction in (1, -1):
        middles = section.lane_middles(direction)
        lines += [((a + b) / 2, True) for a, b in itertools.pairwise(middles)]
    if (section.sidewalk == 0 or section.median) and not road.paved:
        edge = section.half - section.parking - 0.15
        lines += [(edge, False), (-edge, False)]
        if section.median:
            lines += [(section.median / 2 + 0.15, False), (-section.median / 2 - 0.15, False)]
    dash, gap = (6.0, 12.0) if section.lane > 3.5 else (3.0, 6.0)
    corners = []
    for offset, dashed in lines:
        starts = np.arange(road.start, road.end - dash, dash + gap if dashed else STEP)
        ends = starts + (dash if dashed else STEP)
        for start, end in zip(starts, ends, strict=True):
            if gone is None or min(abs(start - gone[0]), abs(end - gone[0])) > gone[1]:
                corners.append(_rectangle(float(start), float(end), offset - 0.07, offset + 0.07))
    if road.crossing is not None:
        corners += _crossing_marks(road, road.crossing)
    if road.paved:
        lines_at = np.arange(np.ceil(road.start / BAY), np.floor(road.end / BAY)) * BAY
        for row in ROWS:
            for d in (row, -row):
                corners += [_rectangle(s - 0.05, s + 0.05, d - 2.4, d + 2.4) for s in lines_at.tolist()]
    if not corners:
        return join([])
    rows = np.array(corners)
    return strips(road, rows[:, :, 0], rows[:, :, 1], 0.012, near(rng, MARK, 0.03))


def _rectangle(s0: float, s1: float, d0: float, d1: float) -> list[tuple[float, float]]:
    return [(s0, d0), (s1, d0), (s1, d1), (s0, d1)]


def zebra_at(road: Road) -> tuple[float, float]:
    """Where pedestrians cross the road: s before and behind the crossing road."""
    assert road.crossing is not None
    away = road.crossing.section.half + 2.6
    return road.crossing.at - away, road.crossing.at + away


def stop_line(road: Road) -> float:
    """s before which whoever drives along the road waits."""
    return zebra_at(road)[0] - 2.4


def _crossing_marks(road: Road, crossing: Crossing) -> list[list[tuple[float, float]]]:
    found = []
    half, other = road.section.half, crossing.section
    if crossing.zebra:
        for at in zebra_at(road):
            found += [_rectangle(at - 1.4, at + 1.4, d, d + 0.5) for d in np.arange(-half + 0.4, half - 0.6, 1.0)]
        for side, is_open in ((1, crossing.left), (-1, crossing.right)):
            if is_open:
                at = side * (half + 2.6)
                rows = np.arange(-other.half + 0.4, other.half - 0.6, 1.0) + crossing.at
                found += [_rectangle(s, s + 0.5, at - 1.4, at + 1.4) for s in rows]
    line = stop_line(road)
    found.append(_rectangle(line, line + 0.4, -half, -0.1))
    back = 2 * crossing.at - line
    found.append(_rectangle(back - 0.4, back, 0.1, half))
    for side, is_open in ((1, crossing.left), (-1, crossing.right)):
        if is_open:
            away = half + 5.0
            at = crossing.at
            low, high = (at - other.half, at - 0.1) if side > 0 else (at + 0.1, at + other.half)
            d0, d1 = sorted((side * away, side * (away + 0.4)))
            found.append(_rectangle(low, high, d0, d1))
            for start in np.arange(away + 2, LAND - 4, 9.0):
                d0, d1 = sorted((side * start, side * (start + 3)))
                found.append(_rectangle(crossing.at - 0.07, crossing.at + 0.07, d0, d1))
    return found
