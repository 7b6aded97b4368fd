"""The shell of a room: outline, walls with holes for doors and windows, floor and ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.chance import Rng, maybe, near, pick, wood
from clip3d.simulation.driving.solids import Solid, join
from clip3d.simulation.interiors.surfaces import rectangle
from clip3d.simulation.shapes import Color

Flat = NDArray[np.float64]


@dataclass(frozen=True)
class Opening:
    """A hole in a wall.

    Attributes:
        kind: "door" or "window".
        wall: its place among the walls.
        start: metres from the wall's start to the hole's.
        end: to the hole's end.
        low: of its sill above the floor.
        high: of its lintel.
    """

    kind: str
    wall: int
    start: float
    end: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Wall:
    """A straight wall; its inside is to the left of who goes from start to end.

    Attributes:
        start: (2,) metres.
        end: (2,)
    """

    start: Flat
    end: Flat

    @property
    def length(self) -> float:
        """In metres."""
        return float(np.linalg.norm(self.end - self.start))

    @property
    def along(self) -> Flat:
        """(2,) unit vector from start to end."""
        found: Flat = (self.end - self.start) / self.length
        return found

    @property
    def inward(self) -> Flat:
        """(2,) unit vector into the room."""
        x, y = self.along
        return np.array([-y, x])

    @property
    def facing(self) -> float:
        """Radians in which a thing faces that has its back to the wall."""
        x, y = self.inward
        return float(np.arctan2(y, x))

    def at(self, along: float, away: float = 0.0) -> Flat:
        """(2,) the place so far along the wall and so far away from it."""
        found: Flat = self.start + self.along * along + self.inward * away
        return found


@dataclass(frozen=True, eq=False)
class Shell:
    """A room without its things.

    Attributes:
        outline: (k, 2) corners counter-clockwise, with right angles.
        bounds: (2,) size of the rectangle around it, which begins at the origin.
        notch: (4,) least x, least y, most x, most y of the corner that an L-shaped room lacks, or None.
        height: of the ceiling.
        openings: doors and windows.
    """

    outline: Flat
    bounds: tuple[float, float]
    notch: tuple[float, float, float, float] | None
    height: float
    openings: tuple[Opening, ...] = ()

    @property
    def walls(self) -> tuple[Wall, ...]:
        """One for each side of the outline."""
        return tuple(Wall(a, b) for a, b in zip(self.outline, np.roll(self.outline, -1, 0), strict=True))


def draw_shell(rng: Rng, area: tuple[float, float], height: float, l_shaped: float) -> Shell:
    """An outline of about so many square metres, L-shaped by the given chance, without openings."""
    floor, aspect = rng.uniform(*area), rng.uniform(1.0, 1.7)
    notched = maybe(rng, l_shaped)
    share = rng.uniform(0.1, 0.22) if notched else 0.0
    depth = float(np.sqrt(floor / (1 - share) / aspect))
    width = depth * aspect
    if maybe(rng):
        width, depth = depth, width
    corners = np.array([[0, 0], [width, 0], [width, depth], [0, depth]])
    if not notched:
        return Shell(corners, (width, depth), None, height)
    cut = np.sqrt(share) * np.array([width, depth]) * rng.uniform(0.85, 1.15)
    notch = (width - cut[0], depth - cut[1], width, depth)
    outline = np.array(
        [[0, 0], [width, 0], [width, notch[1]], [notch[0], notch[1]], [notch[0], depth], [0, depth]]
    )
    return Shell(outline, (width, depth), (float(notch[0]), float(notch[1]), width, depth), height)


def draw_openings(rng: Rng, shell: Shell, doors: int, windows: int) -> tuple[Opening, ...]:
    """Doors and windows in the walls, none on another; where walls are too short there are fewer."""
    found: list[Opening] = []

    def fits(wall: int, start: float, end: float) -> bool:
        return all(o.wall != wall or end < o.start - 0.15 or start > o.end + 0.15 for o in found)

    outer = list(range(len(shell.walls)))
    for kind, number in (("door", doors), ("window", windows)):
        for _ in range(number):
            for _ in range(40):
                wall = outer[int(rng.integers(len(outer)))]
                length = shell.walls[wall].length
                wide = rng.uniform(0.8, 0.95) if kind == "door" else rng.uniform(0.9, 2.0)
                if length < wide + 0.5:
                    continue
                low, high = (0.0, 2.05) if kind == "door" else (rng.uniform(0.75, 1.0), rng.uniform(2.0, 2.25))
                near_corner = kind == "door" and maybe(rng, 0.6)
                start = 0.2 if near_corner else rng.uniform(0.2, length - wide - 0.2)
                if near_corner and maybe(rng):
                    start = length - wide - 0.2
                if fits(wall, start, start + wide):
                    found.append(Opening(kind, wall, start, start + wide, low, min(high, shell.height - 0.15)))
                    break
    return tuple(found)


def structure(rng: Rng, shell: Shell, wet: bool = False) -> list[tuple[str, Solid]]:
    """Floor, ceiling and walls, each with its class.

    Args:
        rng: of colours.
        shell: of the room.
        wet: tiled, as bathrooms are.
    """
    floor_color = pick(rng, wood(rng), wood(rng), near(rng, (0.6, 0.58, 0.55)), near(rng, (0.45, 0.42, 0.4)))
    wall_color = near(rng, pick(rng, *_PAINTS), 0.03)
    parts = [("floor", _floor(rng, shell, floor_color, wet)), ("ceiling", _ceiling(shell))]
    accent = int(rng.integers(len(shell.walls))) if maybe(rng, 0.25) else -1
    accent_color = near(rng, pick(rng, (0.45, 0.55, 0.6), (0.6, 0.45, 0.4), (0.5, 0.55, 0.42)), 0.05)
    skirting = pick(rng, None, (0.93, 0.93, 0.91), wood(rng)) if not wet else None
    for number, wall in enumerate(shell.walls):
        openings = [o for o in shell.openings if o.wall == number]
        color = accent_color if number == accent else wall_color
        parts.append(("wall", _wall(rng, wall, shell.height, openings, color, skirting, wet)))
    return parts


_PAINTS: tuple[Color, ...] = (
    (0.92, 0.91, 0.88), (0.9, 0.87, 0.8), (0.82, 0.84, 0.86), (0.86, 0.82, 0.72), (0.78, 0.82, 0.76),
    (0.88, 0.8, 0.76),
)  # fmt: skip


def _shaded(rng: Rng, solid: Solid, spread: float) -> Solid:
    """It, each of its tiles a little lighter or darker than the others."""
    tiles = len(solid) // 2
    shift = np.tile(rng.normal(0, spread, tiles).astype(np.float32), 2)[:, None]
    return Solid(solid.corners, np.clip(solid.colors + shift, 0, 1).astype(np.float32), solid.materials)


def _flat(shell: Shell, z: float, color: Color, material: str, step: float, down: bool) -> list[Solid]:
    width, depth = shell.bounds
    pieces = [(0.0, 0.0, width, depth)]
    if shell.notch is not None:
        x, y, _, _ = shell.notch
        pieces = [(0.0, 0.0, width, y), (0.0, y, x, depth)]
    solids = []
    for x0, y0, x1, y1 in pieces:
        along, across = np.array([x1 - x0, 0, 0], np.float32), np.array([0, y1 - y0, 0], np.float32)
        if down:
            along, across = across, along
        solids.append(rectangle(np.array([x0, y0, z], np.float32), along, across, color, material, step))
    return solids


def _floor(rng: Rng, shell: Shell, color: Color, wet: bool) -> Solid:
    step = rng.uniform(0.2, 0.4) if wet else pick(rng, 0.0, 0.25, 0.5)
    pieces = _flat(shell, 0.0, color, "ceramic" if wet else "wood", step, False)
    return join([_shaded(rng, piece, 0.025 if step else 0.0) for piece in pieces])


def _ceiling(shell: Shell) -> Solid:
    return join(_flat(shell, shell.height, (0.95, 0.95, 0.94), "matt", 0.0, True))


def _wall(
    rng: Rng, wall: Wall, height: float, openings: Sequence[Opening], color: Color, skirting: Color | None,
    wet: bool,
) -> Solid:  # fmt: skip
    """A wall around its holes, with the holes' reveals."""
    cuts = sorted({0.0, wall.length, *(o.start for o in openings), *(o.end for o in openings)})
    solids = []
    for a, b in pairwise(cuts):
        hole = next((o for o in openings if o.start <= a + 1e-6 and o.end >= b - 1e-6), None)
        bands = [(0.0, height)] if hole is None else [(0.0, hole.low), (hole.high, height)]
        for low, high in bands:
            if high - low > 1e-3:
                panel = _panel(wall, a, b, low, high, color, "ceramic" if wet else "matt", 0.3 if wet else 0.0)
                solids.append(_shaded(rng, panel, 0.02) if wet else panel)
        if skirting and (hole is None or hole.low > 0.1):
            solids.append(_skirting(wall, a, b, skirting))
        if hole is not None:
            solids.append(_reveal(wall, hole))
    return join(solids)


def _panel(
    wall: Wall, a: float, b: float, low: float, high: float, color: Color, material: str, step: float
) -> Solid:
    # Seen from inside, the wall runs from its end to its start towards the right.
    origin = np.array([*wall.at(b), low], np.float32)
    along = np.array([*(wall.at(a) - wall.at(b)), 0], np.float32)
    return rectangle(origin, along, np.array([0, 0, high - low], np.float32), color, material, step)


def _skirting(wall: Wall, a: float, b: float, color: Color) -> Solid:
    deep, high = 0.015, 0.08
    front = np.array([*wall.at(b, deep), 0], np.float32)
    along = np.array([*(wall.at(a) - wall.at(b)), 0], np.float32)
    top = np.array([*wall.at(a, deep), high], np.float32)
    back = np.array([*(-deep * wall.inward), 0], np.float32)
    return join([
        rectangle(front, along, np.array([0, 0, high], np.float32), color, "wood"),
        rectangle(top, -along, back, color, "wood"),
    ])  # fmt: skip


def _reveal(wall: Wall, hole: Opening, deep: float = 0.12) -> Solid:
    """The sides of a hole, which go out of the room."""
    color = (0.9, 0.9, 0.88)
    out = np.array([*(-deep * wall.inward), 0], np.float32)
    up = np.array([0, 0, hole.high - hole.low], np.float32)
    a, b = (np.array([*wall.at(t), hole.low], np.float32) for t in (hole.start, hole.end))
    sides = [rectangle(a, out, up, color, "matt"), rectangle(b, up, out, color, "matt")]
    sides.append(rectangle(a + up, b - a, out, color, "matt"))
    if hole.low > 0:
        sides.append(rectangle(a, b - a, out, color, "matt"))
    return join(sides)


