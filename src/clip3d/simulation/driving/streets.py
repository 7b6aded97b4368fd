"""A street with its traffic, from one number: what is there at any time."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError
from clip3d.simulation.chance import maybe
from clip3d.simulation.driving.conditions import draw_conditions
from clip3d.simulation.driving.models import Shapes
from clip3d.simulation.driving.places import PLACES, Roadside, draw_place, dress
from clip3d.simulation.driving.rays import RayCaster
from clip3d.simulation.driving.road import GRASS, Road, ground, marks
from clip3d.simulation.driving.snapshot import REACH, Conditions, Lamp, Mix, Period, Snapshot, Thing, Weather
from clip3d.simulation.driving.solids import Solid, join, quads
from clip3d.simulation.driving.standing import EVERY, Standing, at_time, set_up, standing
from clip3d.simulation.driving.traffic import SPEEDS, Crowd, populate

PLACE_SHARES = (0.25, 0.18, 0.24, 0.13, 0.12, 0.08)
PART = 150.0  # metres of the recording vehicle's way for which what stands still is worked out together
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
    _parts: dict[int, Standing] = field(default_factory=dict, init=False, repr=False)

    @property
    def road(self) -> Road:
        """Its road."""
        return self.side.road

    @cached_property
    def _fixed(self) -> Solid:
        """All that never moves and has no label."""
        rng = np.random.default_rng([self.seed, 5])
        return join([ground(rng, self.road), marks(rng, self.road), *self.side.solids])

    def standing(self, time: float) -> Standing:
        """What stands still along the part of the way on which the recording vehicle is at a time."""
        gone = self.crowd.ego.pace.at(time)[0]
        number = int(gone // PART)
        if number not in self._parts:
            while len(self._parts) > 1:
                del self._parts[next(iter(self._parts))]
            self._parts[number] = self._stand(number)
        return self._parts[number]

    def _stand(self, number: int) -> Standing:
        first, last = number * PART, (number + 1) * PART
        whole = self.crowd.ego.pace.at(self.duration)[0]
        if first <= whole:
            last = min(last, whole)
        gone = np.linspace(first, last, int((last - first) // EVERY) + 2)
        s, d = self.crowd.ego.start
        x, y, _ = self.road.at(s + gone, np.full(len(gone), d))
        beyond = _far_ground(self.road, self._pose(s + (first + last) / 2, d))
        return standing(self._fixed, self.crowd.actors, self.road, np.stack([x, y], axis=1), beyond)

    def vehicle_pose(self, time: float) -> NDArray[np.float64]:
        """World from recording vehicle (4, 4): x ahead, y left, z up, on the ground below its middle."""
        s, d, _ = self.crowd.ego.place(time)
        return self._pose(s, d)

    def _pose(self, s: float, d: float) -> NDArray[np.float64]:
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
        """All that can be seen at a time, in seconds since the log began.

        What moves is there within REACH of the recording vehicle, what stands within REACH of any place of the
        same part of its way.
        """
        pose, still = self.vehicle_pose(time), self.standing(time)
        moving, solids = self._moving(time, pose)
        things = (*still.things, *moving)
        sizes = [len(solid) for solid in solids]
        owners = np.repeat(np.arange(len(still.things), len(things), dtype=np.int32), sizes)
        every = join([still.solid, *solids])
        lamps = [lamp for thing in moving for lamp in _headlights(thing)] if self._is_dark else []
        return Snapshot(
            corners=every.corners,
            colors=every.colors,
            materials=every.materials,
            owners=np.concatenate([still.owners, owners]),
            things=things,
            world_from_vehicle=pose,
            lamps=tuple(lamps + self._street_lamps(pose)),
            conditions=self.conditions,
            time=time,
            place=self.place,
        )

    def caster(self, snapshot: Snapshot) -> RayCaster:
        """At all triangles of a snapshot of this street, with one tree for what stands still in many of them.

        Raises:
            MissingExtra: if the package embreex is not installed.
        """
        still = self.standing(snapshot.time)
        return RayCaster(snapshot.corners[len(still.solid) :], still.caster)

    @property
    def _is_dark(self) -> bool:
        return self.conditions.period != "day"

    def _moving(self, time: float, pose: NDArray[np.float64]) -> tuple[list[Thing], list[Solid]]:
        """Things that drive or walk at any time of the log, with their triangles."""
        things, solids = [], []
        for actor in self.crowd.actors:
            if actor.pace.distance[-1] == 0:
                continue
            found = at_time(actor, self.road, time)
            if found is None:
                continue
            thing, model = found
            away = float(np.hypot(*(thing.center[:2] - pose[:2, 3])))
            if away <= REACH:
                things.append(thing)
                solids.append(set_up(thing, model, away))
        return things, solids

    def _street_lamps(self, pose: NDArray[np.float64]) -> list[Lamp]:
        if not self._is_dark:
            return []
        return [lamp for lamp in self.side.lamps if np.hypot(*(lamp.position[:2] - pose[:2, 3])) < REACH]


def _headlights(thing: Thing) -> list[Lamp]:
    if not thing.moving or thing.label not in ("car", "van", "truck", "bus", "motorcycle", "tram"):
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
    mix: Mix = "usual",
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
        mix: "balanced" makes scarce classes, things close by and hard conditions common, for training.

    Raises:
        ShapeError: if there is no such place.
    """
    if place is not None and place not in PLACES:
        raise ShapeError(f"no place {place!r}: choose one of {', '.join(PLACES)}")
    rng = np.random.default_rng([seed, 11 if shapes == "train" else 12])
    conditions = draw_conditions(rng, period, weather, mix)
    drawn = PLACES[int(rng.choice(len(PLACES), p=PLACE_SHARES))]
    place = place or drawn
    level = 0.0 if maybe(rng, 0.1 if mix == "balanced" else 0.25) else 2.0 if maybe(rng, 0.3) else 1.0
    density = level if density is None else density
    road = draw_place(rng, place, _extent(place, duration))
    side = dress(rng, road, place, conditions.period != "day")
    crowd = populate(rng, side, place, shapes, duration, density, mix)
    return Street(seed, place, conditions, side, crowd, density, duration)


def _extent(place: str, duration: float) -> tuple[float, float]:
    """First and last s that a log of this kind may show."""
    return -REACH - 5, min(SPEEDS[place][1] * 1.0 * duration, 1200.0) + REACH + 10
