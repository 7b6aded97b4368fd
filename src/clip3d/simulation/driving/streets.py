"""A street with its traffic, from one number: what is there at any time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError
from clip3d.simulation.chance import maybe
from clip3d.simulation.driving.conditions import draw_conditions
from clip3d.simulation.driving.models import Shapes
from clip3d.simulation.driving.places import PLACES, Roadside, draw_place, dress
from clip3d.simulation.driving.road import GRASS, Road, ground, marks
from clip3d.simulation.driving.snapshot import Conditions, Lamp, Period, Snapshot, Thing, Weather
from clip3d.simulation.driving.solids import Solid, join, placed, quads
from clip3d.simulation.driving.traffic import SPEEDS, Crowd, populate

REACH = 90.0  # metres around the recording vehicle that a snapshot holds
PLACE_SHARES = (0.25, 0.18, 0.24, 0.13, 0.12, 0.08)
MOVES_FROM = 0.2  # m/s
FINEST = 0.001  # of a still triangle's side to its distance: a third of a camera's pixel or of a lidar's step
FAR = 30.0  # metres beyond which vehicles go without their small triangles: rims, spokes
_HEADLIGHT = np.array([1.6, 1.55, 1.4], np.float32)


@dataclass(frozen=True, eq=False)
class Street:
    """A street during a log.

    Attributes:
        seed: from which it was drawn.
        place: of `PLACES`.
        conditions: light and weather, the same throughout.
        side: the road and what stands beside it.
        crowd: who is there.
        density: 0 empty, 1 usual, 2 busy.
        duration: seconds.
    """

    seed: int
    place: str
    conditions: Conditions
    side: Roadside
    crowd: Crowd
    density: float
    duration: float

    @property
    def road(self) -> Road:
        """Its road."""
        return self.side.road

    @cached_property
    def _still(self) -> tuple[Solid, NDArray[np.float32], NDArray[np.float32]]:
        """All that never moves, where in the plane each of its triangles is, and from how far off (squared) it is
        seen."""
        rng = np.random.default_rng([self.seed, 5])
        whole = join([ground(rng, self.road), marks(rng, self.road), *self.side.solids])
        seen_from = np.minimum(whole.areas() / FINEST**2, REACH**2)
        return whole, whole.corners[:, :, :2].mean(1), seen_from

    def vehicle_pose(self, time: float) -> NDArray[np.float64]:
        """World from recording vehicle (4, 4): x ahead, y left, z up, on the ground below its middle."""
        s, d, _ = self.crowd.ego.place(time)
        x, y, heading = (float(v) for v in self.road.at(s, d))
        z = float(self.road.height(s, d))
        ahead, behind = self.road.height(s + 1.4, d), self.road.height(s - 1.4, d)
        pitch = -float(np.arctan2(ahead - behind, 2.8))
        c, si, cp, sp = np.cos(heading), np.sin(heading), np.cos(pitch), np.sin(pitch)
        pose = np.eye(4)
        pose[:3, :3] = np.array([[c * cp, -si, c * sp], [si * cp, c, si * sp], [-sp, 0, cp]])
        pose[:3, 3] = x, y, z
        return pose

    def at(self, time: float) -> Snapshot:
        """All that can be seen within REACH of the recording vehicle at a time, in seconds since the log began."""
        pose = self.vehicle_pose(time)
        whole, middles, seen_from = self._still
        near = np.flatnonzero(((middles - pose[:2, 3].astype(np.float32)) ** 2).sum(1) < seen_from)
        still = Solid(whole.corners[near], whole.colors[near], whole.materials[near])
        things, solids, lamps = self._actors(time, pose)
        owners = np.repeat(np.arange(len(solids), dtype=np.int32), [len(solid) for solid in solids])
        far = _far_ground(self.road, pose)
        all_ = join([*solids, still, far])
        owner = np.full(len(all_), -1, np.int32)
        owner[: len(owners)] = owners
        return Snapshot(
            corners=all_.corners,
            colors=all_.colors,
            materials=all_.materials,
            owners=owner,
            things=tuple(things),
            world_from_vehicle=pose,
            lamps=tuple(lamps + self._street_lamps(pose)),
            conditions=self.conditions,
            time=time,
            place=self.place,
        )

    def _actors(self, time: float, pose: NDArray[np.float64]) -> tuple[list[Thing], list[Solid], list[Lamp]]:
        things, solids, lamps = [], [], []
        for actor in self.crowd.actors:
            s, d, speed = actor.place(time)
            if not self.road.start + 2 < s < self.road.end - 2 or abs(d) > 48:
                continue
            x, y, heading = (float(v) for v in self.road.at(s, d))
            away = np.hypot(x - pose[0, 3], y - pose[1, 3])
            if away > REACH:
                continue
            model, z = actor.model(time), float(self.road.height(s, d))
            way = actor.heading(heading)
            yaw = (way + actor.turn + np.pi) % (2 * np.pi) - np.pi
            solid = model.far if away > FAR else model.solid
            solids.append(Solid(placed(solid.corners, (x, y, z), yaw), solid.colors, solid.materials))
            velocity = (speed * float(np.cos(way)), speed * float(np.sin(way)))
            center = np.array([x, y, z + model.size[2] / 2])
            moving = speed > MOVES_FROM
            things.append(
                Thing(model.label, model.words, center, model.size, float(yaw), actor.track, velocity, moving)
            )
            if moving and self.conditions.period != "day":
                lamps += _headlights(things[-1])
        return things, solids, lamps

    def _street_lamps(self, pose: NDArray[np.float64]) -> list[Lamp]:
        if self.conditions.period == "day":
            return []
        return [lamp for lamp in self.side.lamps if np.hypot(*(lamp.position[:2] - pose[:2, 3])) < REACH]


def _headlights(thing: Thing) -> list[Lamp]:
    if thing.label not in ("car", "van", "truck", "bus", "motorcycle", "tram"):
        return []
    c, s = np.cos(thing.yaw), np.sin(thing.yaw)
    length, width, _ = thing.size
    beam = np.array([c, s, -0.06], np.float32)
    offsets = (0.0,) if thing.label == "motorcycle" else (-0.36 * width, 0.36 * width)
    found = []
    for y in offsets:
        x = length / 2 + 0.1
        at = thing.center + np.array([c * x - s * y, s * x + c * y, 0.7 - thing.size[2] / 2])
        found.append(Lamp(at.astype(np.float32), _HEADLIGHT, beam / np.linalg.norm(beam), 0.88))
    return found


def _far_ground(road: Road, pose: NDArray[np.float64]) -> Solid:
    """What lies beyond the ground that is worked out, so that the horizon is not empty."""
    x, y, z = pose[:3, 3]
    heading = np.arctan2(pose[1, 0], pose[0, 0])
    c, s = np.cos(heading), np.sin(heading)
    corners = []
    for u, v in ((-400, -400), (400, -400), (400, 400), (-400, 400)):
        corners.append((x + c * u - s * v, y + s * u + c * v, z - 1.5 + road.slope * u))
    return quads(np.array([corners]), GRASS, "grass")


def draw_street(
    seed: int,
    duration: float,
    *,
    shapes: Shapes = "train",
    place: str | None = None,
    period: Period | None = None,
    weather: Weather | None = None,
    density: float | None = None,
) -> Street:
    """Draw a street and its traffic; equal arguments give equal streets.

    Args:
        seed: any whole number >= 0.
        duration: of the log in seconds.
        shapes: "held-out" takes varieties and kinds of things that "train" never shows.
        place: of `PLACES`, drawn if None.
        period: of the day, drawn if None.
        weather: drawn if None.
        density: 0 empty, 1 usual, 2 busy; drawn if None.

    Raises:
        ShapeError: if there is no such place.
    """
    if place is not None and place not in PLACES:
        raise ShapeError(f"no place {place!r}: choose one of {', '.join(PLACES)}")
    rng = np.random.default_rng([seed, 11 if shapes == "train" else 12])
    conditions = draw_conditions(rng, period, weather)
    drawn = PLACES[int(rng.choice(len(PLACES), p=PLACE_SHARES))]
    place = place or drawn
    level = 0.0 if maybe(rng, 0.25) else 2.0 if maybe(rng, 0.3) else 1.0
    density = level if density is None else density
    road = draw_place(rng, place, _extent(place, duration))
    side = dress(rng, road, place, conditions.period != "day")
    crowd = populate(rng, side, place, shapes, duration, density)
    return Street(seed, place, conditions, side, crowd, density, duration)


def _extent(place: str, duration: float) -> tuple[float, float]:
    """First and last s that a log of this kind may show."""
    return -REACH - 5, min(SPEEDS[place][1] * 1.0 * duration, 1200.0) + REACH + 10
