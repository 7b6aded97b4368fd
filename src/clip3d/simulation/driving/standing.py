"""What stands still along a part of the recording vehicle's way: worked out once for all moments there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.driving.models import Model
from clip3d.simulation.driving.motion import Actor
from clip3d.simulation.driving.rays import RayCaster
from clip3d.simulation.driving.road import LAND, Road
from clip3d.simulation.driving.snapshot import REACH, Thing
from clip3d.simulation.driving.solids import Solid, join, placed

FINEST = 0.001  # of a still triangle's side to its distance: a third of a camera's pixel or of a lidar's step
FAR = 30.0  # metres beyond which vehicles go without their small triangles: rims, spokes
MOVES_FROM = 0.2  # m/s
EVERY = 4.0  # metres between the places of the way from which nearness is told


@dataclass(frozen=True, eq=False)
class Standing:
    """All that stands still within REACH of a part of the way.

    Attributes:
        solid: in the world.
        owners: (f,) int32, places in `things`; -1 for what has no label.
        things: with labels.
    """

    solid: Solid
    owners: NDArray[np.int32]
    things: tuple[Thing, ...]

    @cached_property
    def caster(self) -> RayCaster:
        """At its triangles."""
        return RayCaster(self.solid.corners)


def standing(
    street: Solid, actors: Iterable[Actor], road: Road, way: NDArray[np.float64], beyond: Solid
) -> Standing:
    """What stands still near a part of the way.

    Args:
        street: all ground, houses and whatever else of the street never moves and has no label.
        actors: of the street; those that drive or walk at any time are passed over.
        road: on which they are.
        way: (k, 2) world, places of the recording vehicle, EVERY metres at most from one to the next.
        beyond: ground at the horizon, which is kept whole.
    """
    kept = near(street, way)
    solids = [Solid(street.corners[kept], street.colors[kept], street.materials[kept]), beyond]
    owners = [np.full(len(solid), -1, np.int32) for solid in solids]
    things: list[Thing] = []
    for actor in actors:
        if actor.pace.distance[-1] > 0:
            continue
        found = at_time(actor, road, 0.0)
        if found is None:
            continue
        thing, model = found
        away = float(np.hypot(*(way - thing.center[:2]).T).min())
        if away > REACH:
            continue
        solids.append(set_up(thing, model, away))
        owners.append(np.full(len(solids[-1]), len(things), np.int32))
        things.append(thing)
    return Standing(join(solids), np.concatenate(owners), tuple(things))


def near(solid: Solid, way: NDArray[np.float64]) -> NDArray[np.intp]:
    """Which triangles matter to who looks from places (k, 2) of the way: none beyond REACH, fine ones only near."""
    middles = solid.corners[:, :, :2].mean(1)
    seen_from = np.minimum(solid.areas() / np.float32(FINEST**2), np.float32(REACH**2))
    away = np.full(len(middles), np.inf, np.float32)
    for x, y in way.astype(np.float32):
        np.minimum(away, (middles[:, 0] - x) ** 2 + (middles[:, 1] - y) ** 2, out=away)
    return np.flatnonzero(away < seen_from)


def at_time(actor: Actor, road: Road, time: float) -> tuple[Thing, Model] | None:
    """An actor as a thing with its look; None where the road ends before it."""
    s, d, speed = actor.place(time)
    if not road.start + 2 < s < road.end - 2 or abs(d) > LAND + 2:
        return None
    x, y, heading = (float(v) for v in road.at(s, d))
    model, z = actor.model(time), float(road.height(s, d))
    way = actor.heading(heading)
    yaw = (way + actor.turn + np.pi) % (2 * np.pi) - np.pi
    velocity = (speed * float(np.cos(way)), speed * float(np.sin(way)))
    center = np.array([x, y, z + model.size[2] / 2])
    moving = speed > MOVES_FROM
    return Thing(model.label, model.words, center, model.size, float(yaw), actor.track, velocity, moving), model


def set_up(thing: Thing, model: Model, away: float) -> Solid:
    """A thing's triangles in the world, as it looks from `away` metres."""
    solid = model.far if away > FAR else model.solid
    x, y, z = thing.center
    return Solid(placed(solid.corners, (x, y, z - thing.size[2] / 2), thing.yaw), solid.colors, solid.materials)
