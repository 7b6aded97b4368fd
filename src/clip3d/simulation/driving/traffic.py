"""Who is in the street: parked and moving vehicles, riders, people on foot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from clip3d.simulation.chance import Rng, count, maybe, pick
from clip3d.simulation.driving import models
from clip3d.simulation.driving.models import PHASES, VEHICLES, Model, Shapes
from clip3d.simulation.driving.motion import STILL, Actor, Occupancy, Pace, changing, steady, stopping
from clip3d.simulation.driving.places import Roadside
from clip3d.simulation.driving.road import BAY, ROWS, Road, stop_line
from clip3d.simulation.driving.snapshot import Mix

EGO_LENGTH, EGO_WIDTH = 4.7, 1.9

# How common kinds of vehicles are by place, before each log's own taste.
_SHARES: dict[str, float] = {
    "saloon": 14, "hatchback": 16, "estate": 9, "suv": 16, "sports car": 3, "taxi": 1.5, "police car": 0.8,
    "small car": 8, "convertible": 3, "delivery van": 7, "small van": 5, "ambulance": 0.7, "camper van": 3,
    "minibus": 3, "pickup truck": 4, "box truck": 5, "dump truck": 2.5, "tank truck": 1.5, "fire truck": 0.7,
    "semi-trailer truck": 2.5, "container truck": 2, "flatbed truck": 3, "cement mixer": 2, "city bus": 4,
    "double-decker bus": 2, "school bus": 1, "coach": 3,
}  # fmt: skip
_BY_PLACE: dict[str, dict[str, float]] = {
    "motorway": {"truck": 2.2, "bus": 0.7, "city bus": 0.2, "double-decker bus": 0.2, "school bus": 0.3},
    "residential street": {"truck": 0.5, "bus": 0.5, "semi-trailer truck": 0.1, "container truck": 0.1},
    "rural road": {"bus": 0.6, "taxi": 0.3},
    "car park": {"truck": 0.15, "bus": 0.1},
}
SPEEDS: dict[str, tuple[float, float]] = {
    "city street": (4, 14),
    "residential street": (4, 9),
    "crossing": (4, 10),
    "rural road": (12, 24),
    "motorway": (20, 33),
    "car park": (1.5, 4),
}


@dataclass(eq=False)
class Crowd:
    """All that moves or parks in a log.

    Attributes:
        road: with its surroundings.
        place: of PLACES.
        shapes: which varieties are used.
        duration: seconds.
        density: how full it is: 0 empty, 1 usual, 2 busy.
        ego: the recording vehicle, whose models are not drawn.
        actors: the others.
        taste: shares of kinds of vehicles in this log.
        free: keeps them apart.
        pool: varieties of things in this log: more would cost time and add little to one street.
        mix: how common scarce kinds are.
    """

    road: Road
    place: str
    shapes: Shapes
    duration: float
    density: float
    ego: Actor
    free: Occupancy
    taste: dict[str, float]
    pool: tuple[int, ...]
    mix: Mix = "usual"
    actors: list[Actor] = field(default_factory=list)

    def put(
        self,
        looks: Model | Callable[[int], Model],
        start: tuple[float, float],
        way: tuple[int, int],
        pace: Pace,
        turn: float = 0.0,
        cycle: float = 1.4,
        margin: float = 0.15,
    ) -> bool:
        """Add a thing, of one look or of one for each phase, if its way is free."""
        model = looks if isinstance(looks, Model) else looks(0)
        track = f"{len(self.actors):03d}-{model.kind.replace(' ', '-')}"
        every = (lambda phase: model) if isinstance(looks, Model) else looks
        phases = 1 if isinstance(looks, Model) else PHASES
        actor = Actor(every, model.size, phases, start, way, pace, turn, track, cycle)
        if not self.free.add(actor, margin):
            return False
        self.actors.append(actor)
        return True

    def variety(self, rng: Rng) -> int:
        """One of this log's varieties."""
        return pick(rng, *self.pool)

    def vehicle(self, rng: Rng, among: Callable[[str], bool] = lambda kind: True) -> Model:
        """Draw a vehicle to this log's taste."""
        names = [kind for kind in self.taste if among(kind)]
        weights = np.array([self.taste[kind] for kind in names])
        kind = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        return models.vehicle(kind, self.shapes, self.variety(rng))


def _unseen(phase: int) -> Model:
    raise AssertionError("the recording vehicle is never drawn")


def _taste(rng: Rng, place: str, shapes: Shapes, mix: Mix) -> dict[str, float]:
    """Shares of kinds; some classes are missing from a log, others are many."""
    if mix == "balanced":
        return _even_taste(rng, shapes)
    by_place = _BY_PLACE.get(place, {})
    mood = {label: float(np.exp(rng.normal(0, 0.8))) for label in ("car", "van", "truck", "bus")}
    mood["car"] = max(mood["car"], 0.8)
    for label, chance in (("van", 0.42), ("truck", 0.45), ("bus", 0.5)):
        if maybe(rng, chance):
            mood[label] = 0.0
    shares = {}
    for kind, share in _SHARES.items():
        what = VEHICLES[kind]
        if what.held_out and shapes == "train":
            continue
        shares[kind] = share * by_place.get(kind, by_place.get(what.label, 1.0)) * mood[what.label]
    return {kind: share for kind, share in shares.items() if share > 0}


def _even_taste(rng: Rng, shapes: Shapes) -> dict[str, float]:
    """Shares of kinds by which each class is as likely on the whole, in one log more, in another less."""
    kinds = [kind for kind in _SHARES if shapes == "held-out" or not VEHICLES[kind].held_out]
    shares = {}
    for label in ("car", "van", "truck", "bus"):
        own = [kind for kind in kinds if VEHICLES[kind].label == label]
        mood = float(np.exp(rng.normal(0, 0.7)))
        for kind in own:
            shares[kind] = mood * np.sqrt(_SHARES[kind]) / sum(np.sqrt(_SHARES[other]) for other in own)
    return shares


def populate(
    rng: Rng,
    side: Roadside,
    place: str,
    shapes: Shapes,
    duration: float,
    density: float,
    mix: Mix = "usual",
) -> Crowd:
    """Draw everyone in a street.

    Args:
        rng: chance.
        side: the road and what stands beside it.
        place: of `PLACES`.
        shapes: which varieties are used.
        duration: of the log in seconds.
        density: 0 empty, 1 usual, 2 busy.
        mix: "balanced" draws vans, trucks and buses as often as cars, and many cyclists and people.
    """
    road = side.road
    times = np.linspace(0, duration, int(np.clip(duration / 0.4, 2, 40)))
    pace, lane = _own_pace(rng, road, place, duration)
    ego = Actor(_unseen, (EGO_LENGTH, EGO_WIDTH, 1.6), 1, (0.0, lane), (1, 0), pace, track="ego")
    pool = tuple(int(v) for v in rng.integers(models.VARIETIES, size=5))
    taste = _taste(rng, place, shapes, mix)
    crowd = Crowd(road, place, shapes, duration, density, ego, Occupancy(road, times), taste, pool, mix)
    crowd.free.add(ego, 0.4)
    if place == "car park":
        _parked_rows(rng, crowd)
    else:
        _lanes(rng, crowd)
        _parked(rng, crowd)
        if road.crossing is not None:
            _cross_traffic(rng, crowd)
    if side.roadworks is not None and maybe(rng, 0.6):
        s, d = side.roadworks[0] + 4, -pick(rng, 1, -1) * (road.section.half + 2.5)
        digger = models.vehicle("excavator", shapes, crowd.variety(rng))
        crowd.put(digger, (s, d), (1, 0), STILL, rng.uniform(-3, 3))
    if place != "motorway":
        from clip3d.simulation.driving.walkers import people

        people(rng, crowd)
    return crowd


def _own_pace(rng: Rng, road: Road, place: str, duration: float) -> tuple[Pace, float]:
    """The recording vehicle's pace and the offset of its lane."""
    low, high = SPEEDS[place]
    speed = min(float(rng.uniform(low, high)), 1200 / max(duration, 1.0))
    if place == "car park":
        return steady(speed, duration), -1.4
    lane = pick(rng, *road.section.lane_middles(1))
    if road.crossing is not None and maybe(rng, 0.4):
        return stopping(speed, max(stop_line(road) - EGO_LENGTH / 2 - 0.8, 1.0), duration), lane
    if maybe(rng, 0.12):
        return STILL, lane
    if maybe(rng, 0.4):
        times = np.linspace(0, max(duration, 1.0), 12)
        return changing(times, np.clip(speed * (1 + 0.25 * np.cumsum(rng.normal(0, 0.4, 12))), 1.0, high)), lane
    return steady(speed, duration), lane


def _gap(rng: Rng, crowd: Crowd, speed: float) -> float:
    """Metres between one vehicle and the next."""
    least = 2.0 + 0.5 * speed
    mean = {0: 400.0, 1: 28.0, 2: 9.0}[round(crowd.density)] + speed
    return least + float(rng.exponential(mean))


def _lanes(rng: Rng, crowd: Crowd) -> None:
    """Traffic in every lane; all in a lane keep one pace, so that nobody drives into another."""
    road = crowd.road
    low, high = SPEEDS[crowd.place]
    for direction in (1, -1):
        for lane in road.section.lane_middles(direction):
            own = direction > 0 and abs(lane - crowd.ego.start[1]) < 0.1
            speed = float(rng.uniform(low, high)) * 0.95
            pace = crowd.ego.pace if own else STILL if maybe(rng, 0.1) else steady(speed, crowd.duration)
            reach = pace.at(crowd.duration)[0]
            first, last = (road.start - reach, road.end) if direction > 0 else (road.start, road.end + reach)
            if own:
                _row(rng, crowd, EGO_LENGTH / 2 + 2.5, min(last, 130), lane, direction, pace)
                _row(rng, crowd, -EGO_LENGTH / 2 - 3.0, max(first, -60), lane, direction, pace)
            else:
                _row(rng, crowd, first + rng.uniform(0, 20), last, lane, direction, pace)


def _row(rng: Rng, crowd: Crowd, s: float, end: float, lane: float, direction: int, pace: Pace) -> None:
    """Vehicles one after another from s towards `end`."""
    sign = 1 if end > s else -1
    speed = max(pace.at(0.0)[1], 0.0)
    s += sign * _gap(rng, crowd, speed) * rng.uniform(0.1, 1)
    while (end - s) * sign > 0:
        if (crowd.place not in ("motorway",) and maybe(rng, 0.05)) or (
            crowd.place == "motorway" and maybe(rng, 0.03)
        ):
            model = models.motorcycle(crowd.shapes, crowd.variety(rng), True)
        elif crowd.place == "rural road" and speed < 14 and maybe(rng, 0.15):
            model = models.vehicle("tractor", crowd.shapes, crowd.variety(rng))
        elif crowd.place == "city street" and crowd.road.section.lanes > 1 and maybe(rng, 0.04):
            model = models.vehicle("tram", crowd.shapes, crowd.variety(rng))
        else:
            model = crowd.vehicle(rng)
        middle = s + sign * model.size[0] / 2
        crowd.put(model, (middle, lane + rng.normal(0, 0.12)), (direction, 0), pace, margin=0.05)
        s = middle + sign * (model.size[0] / 2 + _gap(rng, crowd, speed))


def _parked(rng: Rng, crowd: Crowd) -> None:
    """Vehicles in the parking strips, bicycles and motorcycles on the sidewalks."""
    section = crowd.road.section
    if section.parking and section.median == 0:
        d = section.half - section.parking / 2
        for sign in (1, -1):
            full = float(rng.uniform(0.15, 0.9)) if crowd.density > 0 else float(rng.uniform(0, 0.12))
            s = max(crowd.road.start, -70.0)
            while s < crowd.road.end:
                if not maybe(rng, full) or not _clear_of_crossing(crowd.road, s + 2.5, 12):
                    s += rng.uniform(4, 6)
                    continue
                model = crowd.vehicle(rng, _is_short)
                if maybe(rng, 0.012):
                    model = models.vehicle("caravan", crowd.shapes, crowd.variety(rng))
                s += model.size[0] / 2
                at = (s, sign * (d + rng.normal(0, 0.08)))
                crowd.put(model, at, (-sign, 0), STILL, rng.normal(0, 0.03), margin=0.05)
                s += model.size[0] / 2 + rng.uniform(0.6, 1.6)
    if section.sidewalk:
        for _ in range(count(rng, 0, 5) if maybe(rng, 0.5) else 0):
            s, sign = float(rng.uniform(-20, 80)), pick(rng, 1, -1)
            model = (
                models.motorcycle(crowd.shapes, crowd.variety(rng), False)
                if maybe(rng, 0.35)
                else models.other("bicycle", crowd.shapes, crowd.variety(rng))
            )
            if _clear_of_crossing(crowd.road, s, 4):
                at = (s, sign * (section.half + section.sidewalk - 0.7))
                crowd.put(model, at, (1, 0), STILL, float(pick(rng, 0.1, 1.4)), margin=0.0)


def _is_short(kind: str) -> bool:
    """Whether some vehicles of a kind are short enough to park."""
    low = VEHICLES[kind].low
    return low is not None and low[0] < 5.6


def _clear_of_crossing(road: Road, s: float, margin: float) -> bool:
    crossing = road.crossing
    return crossing is None or abs(s - crossing.at) > crossing.section.half + crossing.section.sidewalk + margin


def _parked_rows(rng: Rng, crowd: Crowd) -> None:
    """A car park: rows of vehicles, nose in or out, on both sides of each aisle, and some that drive."""
    full = {0: 0.12, 1: 0.5, 2: 0.88}[round(crowd.density)]
    for d in ROWS:
        for sign in (1, -1):
            if d > 7 and maybe(rng, 0.5):
                continue
            for s in (np.arange(-17, np.floor(min(crowd.road.end, 85) / BAY)) + 0.5) * BAY:
                if not maybe(rng, full):
                    continue
                model = crowd.vehicle(rng, _is_short)
                if model.size[0] < 5.9:
                    at = (float(s), sign * d + rng.normal(0, 0.15))
                    crowd.put(model, at, (0, pick(rng, 1, -1)), STILL, rng.normal(0, 0.03), margin=0.0)
    for _ in range(count(rng, 0, 2)):
        speed = float(rng.uniform(1, 4))
        crowd.put(crowd.vehicle(rng), (float(rng.uniform(20, 90)), 1.5), (-1, 0), steady(speed, crowd.duration))


def _cross_traffic(rng: Rng, crowd: Crowd) -> None:
    """Vehicles on the crossing road: driving where the recording vehicle waits, else waiting."""
    road, crossing = crowd.road, crowd.road.crossing
    assert crossing is not None
    waits = crowd.ego.pace.at(crowd.duration)[1] < 0.2
    lanes = crossing.section.lane_middles(1)
    for side, is_open in ((1, crossing.left), (-1, crossing.right)):
        if not is_open:
            continue
        # Who comes from the left drives to the right, on his own right-hand side: nearer to us.
        for offset in lanes:
            s = crossing.at + side * offset
            if waits and crossing.left and crossing.right:
                speed, d = float(rng.uniform(5, 10)), side * float(rng.uniform(5, 12))
                pace = steady(speed, crowd.duration)
                while abs(d) < 45 + speed * crowd.duration:
                    model = crowd.vehicle(rng)
                    crowd.put(model, (s, d), (0, -side), pace)
                    d += side * (model.size[0] + _gap(rng, crowd, speed))
            else:
                d = road.section.half + 5.6
                while d < 44:
                    model = crowd.vehicle(rng)
                    crowd.put(model, (s, side * (d + model.size[0] / 2)), (0, -side), STILL)
                    d += model.size[0] + 1.0 + _gap(rng, crowd, 0.0)
