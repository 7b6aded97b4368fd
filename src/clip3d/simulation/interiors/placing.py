"""Finding room for things: against walls, before others, on their tops, under the ceiling, without collisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.chance import Rng
from clip3d.simulation.driving.solids import Solid
from clip3d.simulation.interiors.footprints import LOW, Footprint, top_of
from clip3d.simulation.interiors.furnishings import VARIETIES, Furnishing, Shapes, Stock, furnishing
from clip3d.simulation.interiors.room import Thing
from clip3d.simulation.interiors.shell import Shell, Wall

Flat = NDArray[np.float64]
LEVEL = 0.02  # metres by which a top may rise and fall under what stands on it


@dataclass(frozen=True, eq=False)
class Placed:
    """A thing that has its place.

    Attributes:
        what: it is.
        at: (3,) the middle of its underside.
        yaw: radians in which it faces.
        stretch: factors by which it was made fit for its place.
    """

    what: Furnishing
    at: tuple[float, float, float]
    yaw: float
    stretch: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def size(self) -> tuple[float, float, float]:
        """Depth, width and height where it stands."""
        d, w, h = (a * b for a, b in zip(self.what.size, self.stretch, strict=True))
        return d, w, h

    @property
    def solid(self) -> Solid:
        """In the room."""
        solid = self.what.solid if self.stretch == (1.0, 1.0, 1.0) else self.what.solid.scaled(self.stretch)
        return solid.placed(self.at, self.yaw)

    @property
    def thing(self) -> Thing:
        """As truth."""
        x, y, z = self.at
        words = tuple(dict.fromkeys((*self.what.words, self.what.label)))
        return Thing(self.what.label, words, (x, y, z + self.size[2] / 2), self.size, self.yaw, self.what.kind)

    def footprint(self, grow: float = 0.0) -> Footprint:
        """On the floor."""
        d, w, h = self.size
        return Footprint(np.array(self.at[:2]), np.array([d / 2 + grow, w / 2 + grow]), self.yaw, self.at[2],
                         self.at[2] + h)  # fmt: skip

    def beside(self, forward: float, left: float) -> Flat:
        """(2,) the place so far before and to the left of its middle."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return np.array([self.at[0] + c * forward - s * left, self.at[1] + s * forward + c * left])


@dataclass
class Placer:
    """Places things in one room.

    Attributes:
        rng: chance.
        shell: of the room.
        shapes: whose draws are used.
        stock: things of others, used for half of those of their kind.
        placed: what has its place.
        kept_free: where nothing may stand: before doors.
    """

    rng: Rng
    shell: Shell
    shapes: Shapes
    stock: Stock = field(default_factory=dict)
    placed: list[Placed] = field(default_factory=list)
    kept_free: list[Footprint] = field(default_factory=list)

    def get(self, kind: str) -> Furnishing:
        """Another thing of a kind."""
        brought = self.stock.get(kind, ())
        if brought and self.rng.random() < 0.5:
            return brought[int(self.rng.integers(len(brought)))]
        return furnishing(kind, self.shapes, int(self.rng.integers(VARIETIES)))

    def inside(self, spot: Footprint) -> bool:
        """Whether it lies within the walls."""
        corners = spot.corners(-0.004)
        if (corners < 0).any() or (corners > np.array(self.shell.bounds)).any():
            return False
        if self.shell.notch is None:
            return True
        x0, y0, x1, y1 = self.shell.notch
        notch = Footprint(np.array([x0 + x1, y0 + y1]) / 2, np.array([x1 - x0, y1 - y0]) / 2 - 0.005, 0.0, -1, 9)
        return not spot.meets(notch)

    def free(self, spot: Footprint, walkway: bool = True) -> bool:
        """Whether nothing else takes up any of it, and nobody walks there."""
        if not self.inside(spot):
            return False
        if walkway and any(spot.meets(keep) for keep in self.kept_free):
            return False
        return not any(
            spot.meets(other.footprint()) for other in self.placed if other.size[2] > LOW or spot.high <= LOW
        )

    def put(self, what: Furnishing, at: Sequence[float] | Flat, yaw: float, z: float = 0.0,
            stretch: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Placed:  # fmt: skip
        """Give a thing its place without asking whether it is free."""
        found = Placed(what, (float(at[0]), float(at[1]), z), float(yaw), stretch)
        self.placed.append(found)
        return found

    def try_put(self, what: Furnishing, at: Sequence[float] | Flat, yaw: float, room: float = 0.0) -> Placed | None:
        """Stand a thing on the floor if there is space for it with `room` metres around."""
        found = Placed(what, (float(at[0]), float(at[1]), 0.0), float(yaw))
        if not self.free(found.footprint(room)):
            return None
        self.placed.append(found)
        return found

    def against_wall(
        self, kind: str | Furnishing, *, front: float = 0.5, side: float = 0.03, corner: bool = False,
        walls: Sequence[Wall] | None = None, tries: int = 40,
    ) -> Placed | None:  # fmt: skip
        """Stand a thing with its back to a wall.

        Args:
            kind: of it, or the thing.
            front: metres before it that must be free.
            side: metres at either side.
            corner: try the ends of walls first.
            walls: of the room, any if None.
            tries: places that are tried.
        """
        what = self.get(kind) if isinstance(kind, str) else kind
        depth, width, height = what.size
        for attempt in range(tries):
            wall = self._some_wall(walls)
            spare = wall.length - width - 2 * side
            if spare < 0:
                continue
            t = self.rng.uniform(0, spare)
            if corner and attempt < tries // 2:
                t = 0.0 if self.rng.random() < 0.5 else spare
            gap = float(self.rng.uniform(0.005, 0.04))
            middle = side + width / 2 + t
            if self._hides_opening(wall, middle - width / 2, middle + width / 2, 0.0, height):
                continue
            half = np.array([(depth + front) / 2, width / 2 + side])
            zone = Footprint(wall.at(middle, gap + half[0]), half, wall.facing, 0.0, height)
            if self.free(zone):
                return self.put(what, wall.at(middle, gap + depth / 2), wall.facing)
        return None

    def on_wall(self, kind: str | Furnishing, low: float, high: float, *, walls: Sequence[Wall] | None = None,
                above: Placed | None = None, tries: int = 30) -> Placed | None:  # fmt: skip
        """Hang a thing on a wall, its underside between two heights, or on the wall behind another thing."""
        what = self.get(kind) if isinstance(kind, str) else kind
        depth, width, height = what.size
        for _ in range(tries):
            wall = self._wall_behind(above) if above is not None else self._some_wall(walls)
            if wall is None or wall.length < width + 0.1:
                continue
            middle = self.rng.uniform(width / 2 + 0.05, wall.length - width / 2 - 0.05)
            if above is not None:
                shift = self.rng.normal(0, 0.05)
                middle = float((np.array(above.at[:2]) - wall.start) @ wall.along + shift)
                if not width / 2 < middle < wall.length - width / 2:
                    return None
            z = min(self.rng.uniform(low, high), self.shell.height - height - 0.05)
            hides = self._hides_opening(wall, middle - width / 2, middle + width / 2, z, z + height)
            if hides or (z < 0.3 and low > 0.3):
                continue
            at = wall.at(middle, 0.004 + depth / 2)
            spot = Footprint(at, np.array([depth / 2, width / 2]), wall.facing, z, z + height)
            if self.free(spot, walkway=False):
                return self.put(what, at, wall.facing, z)
        return None

    def on_floor(self, kind: str | Furnishing, *, room: float = 0.05, tries: int = 30, near: Flat | None = None,
                 within: float = 1.0) -> Placed | None:  # fmt: skip
        """Stand a thing anywhere, or near a place."""
        what = self.get(kind) if isinstance(kind, str) else kind
        for _ in range(tries):
            at = self.rng.uniform((0, 0), self.shell.bounds)
            if near is not None:
                at = near + self.rng.uniform(-within, within, 2)
            found = self.try_put(what, at, self.rng.uniform(-np.pi, np.pi), room)
            if found:
                return found
        return None

    def on_top(self, kind: str | Furnishing, base: Placed, *, below: float = 1.5, tries: int = 12,
               forward: tuple[float, float] = (-1, 1), left: tuple[float, float] = (-1, 1), turn: float = 0.15,
               level: float = LEVEL) -> Placed | None:  # fmt: skip
        """Stand a thing on another where its top is level.

        Args:
            kind: of it, or the thing.
            base: what it stands on.
            below: metres above the floor, over which no top is looked for.
            tries: places that are tried.
            forward: range of its place from the back (-1) to the front (1) of the base.
            left: from the right (-1) to the left (1).
            turn: spread of the direction in which it faces around that of the base, radians.
            level: metres by which the top may rise and fall under it.
        """
        what = self.get(kind) if isinstance(kind, str) else kind
        d, w, h = what.size
        half = np.array(base.size[:2]) / 2 - np.array([d, w]) / 2
        if (half < 0).any():
            return None
        for _ in range(tries):
            f, s = half * np.array([self.rng.uniform(*forward), self.rng.uniform(*left)])
            yaw = base.yaw + self.rng.normal(0, turn)
            at = base.beside(f, s)
            spot = Footprint(at, np.array([d, w]) / 2, yaw)
            probes = np.concatenate([spot.corners(-0.15 * min(d, w)), at[None]])
            heights = top_of(base.solid, probes, below)
            if not np.isfinite(heights).all() or np.ptp(heights) > level:
                continue
            z = float(heights.max() if level <= LEVEL else np.median(heights)) + 0.001
            spot = Footprint(at, np.array([d, w]) / 2, yaw, z, z + h)
            others = [o for o in self.placed if o is not base]
            if self.inside(spot) and not any(spot.meets(o.footprint()) for o in others if o.at[2] + o.size[2] > z):
                return self.put(what, at, yaw, z)
        return None

    def from_ceiling(self, kind: str, at: Flat, yaw: float = 0.0) -> Placed | None:
        """Hang a thing from the ceiling, if it hangs over nobody's head or over a table."""
        what = self.get(kind)
        z = self.shell.height - what.size[2] - 0.002
        spot = Footprint(np.asarray(at), np.array(what.size[:2]) / 2, yaw, z, z + what.size[2])
        return self.put(what, at, yaw, z) if z > 1.2 and self.free(spot, walkway=False) else None

    def _some_wall(self, walls: Sequence[Wall] | None) -> Wall:
        chosen = walls or self.shell.walls
        lengths = np.array([wall.length for wall in chosen])
        return chosen[int(self.rng.choice(len(chosen), p=lengths / lengths.sum()))]

    def _wall_behind(self, thing: Placed) -> Wall | None:
        for wall in self.shell.walls:
            away = float((np.array(thing.at[:2]) - wall.start) @ wall.inward)
            along = float((np.array(thing.at[:2]) - wall.start) @ wall.along)
            turned = np.cos(wall.facing - thing.yaw)
            if turned > 0.95 and 0 < away < thing.size[0] / 2 + 0.1 and 0 < along < wall.length:
                return wall
        return None

    def _hides_opening(self, wall: Wall, start: float, end: float, low: float, high: float) -> bool:
        number = next((i for i, w in enumerate(self.shell.walls) if np.array_equal(w.start, wall.start)), -1)
        return any(
            o.wall == number and start < o.end + 0.05 and end > o.start - 0.05 and high > o.low and low < o.high
            for o in self.shell.openings
        )
