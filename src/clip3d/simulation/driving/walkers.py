"""People on foot and on two wheels in a street."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from clip3d.simulation.chance import Rng, count, maybe, pick
from clip3d.simulation.driving import models
from clip3d.simulation.driving.models import HELD_OUT_PEDESTRIANS, Model
from clip3d.simulation.driving.motion import STILL, Pace, steady
from clip3d.simulation.driving.road import zebra_at
from clip3d.simulation.driving.traffic import Crowd

_DOING = {
    "walking": 10.0, "standing": 5.0, "rucksack": 3.0, "bag": 3.0, "pram": 1.2, "umbrella": 1.0, "suitcase": 1.0,
    "waving": 2.0,
}  # fmt: skip
_NUMBERS = {0: (0, 1), 1: (0, 9), 2: (8, 28)}


def people(rng: Rng, crowd: Crowd, rain: float = 0.0) -> None:
    """Add pedestrians, cyclists, riders of scooters and dogs, to the density of the log."""
    end = min(crowd.ego.pace.at(crowd.duration)[0] + 60, crowd.road.end - 5)
    if crowd.mix == "balanced":
        _many(rng, crowd, end)
    level = round(crowd.density)
    many = {"rural road": 0.15, "residential street": 0.6, "car park": 0.5}.get(crowd.place, 1.0)
    low, high = _NUMBERS[level]
    wanted = round(count(rng, low, high) * many) if maybe(rng, 0.7) else 0
    done = 0
    while done < wanted:
        done += _group(rng, crowd, end)
    if crowd.road.crossing is not None and crowd.road.crossing.zebra and maybe(rng, 0.7):
        for _ in range(count(rng, 1, 3 + 3 * level)):
            _crossing_person(rng, crowd)
    elif maybe(rng, 0.25):
        for _ in range(2):
            _crossing_person(rng, crowd)
    if maybe(rng, 0.4):
        for _ in range(count(rng, 1, 2 + level)):
            _cyclist(rng, crowd, end)
    if maybe(rng, 0.15):
        _scooter(rng, crowd, end)


def _many(rng: Rng, crowd: Crowd, end: float) -> None:
    """Cyclists along the way, whatever the density of the log, and people close to the recording vehicle."""
    for _ in range(count(rng, 2, 7)):
        _cyclist(rng, crowd, end)
    for _ in range(count(rng, 3, 9)):
        # where the vehicle is at some time of the log, and at that time some metres ahead of it
        time = float(rng.uniform(0, crowd.duration))
        s = crowd.ego.pace.at(time)[0] + float(rng.uniform(5, 15))
        if s < crowd.road.end - 5:
            at, direction = (s, _walk_way(rng, crowd)), pick(rng, 1, -1)
            crowd.put(a_pedestrian(rng, crowd, moving=False), at, (direction, 0), STILL, float(rng.uniform(-3, 3)))


def a_pedestrian(rng: Rng, crowd: Crowd, *, moving: bool) -> Model | Callable[[int], Model]:
    """Draw a person on foot: one look for each phase of the walk where they walk."""
    doing = {
        k: v
        for k, v in _DOING.items()
        if (k not in HELD_OUT_PEDESTRIANS or crowd.shapes == "held-out") and (k in ("standing", "waving")) != moving
    }
    names = list(doing)
    weights = np.array([doing[name] for name in names])
    what = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    who = (
        pick(rng, "man", "man", "woman", "woman", "child")
        if what not in ("pram", "suitcase")
        else pick(rng, "man", "woman")
    )
    variety = crowd.variety(rng)
    if moving:
        return lambda phase: models.pedestrian(what, who, crowd.shapes, variety, phase)
    return models.pedestrian(what, who, crowd.shapes, variety, 0)


def _walk_way(rng: Rng, crowd: Crowd) -> float:
    """An offset where people walk."""
    section, sign = crowd.road.section, pick(rng, 1, -1)
    if crowd.place == "car park":
        return float(sign * rng.choice([2.6, 10.5, 11.5, 26.0]))
    if section.sidewalk:
        return float(sign * (section.half + rng.uniform(0.5, max(section.sidewalk - 0.4, 0.6))))
    return float(sign * (section.half + rng.uniform(-0.1, 0.6)))


def _group(rng: Rng, crowd: Crowd, end: float) -> int:
    """One to four people who walk or stand together; how many were tried."""
    n = pick(rng, 1, 1, 1, 2, 2, 3, 4)
    s, d, direction = float(rng.uniform(-25, end)), _walk_way(rng, crowd), pick(rng, 1, -1)
    moving = maybe(rng, 0.7)
    pace = steady(float(rng.uniform(0.8, 1.7)), crowd.duration) if moving else STILL
    for i in range(n):
        at = (s + (i // 2) * rng.uniform(0.7, 1.2), d + (i % 2) * 0.75 * (-1 if d > 0 else 1) * -1)
        turn = 0.0 if moving else float(rng.uniform(-np.pi, np.pi))
        crowd.put(a_pedestrian(rng, crowd, moving=moving), at, (direction, 0), pace, turn, margin=0.0)
    if maybe(rng, 0.06):
        dog = models.other("dog", crowd.shapes, crowd.variety(rng))
        crowd.put(dog, (s - 0.9, d + 0.3), (direction, 0), pace, margin=0.0)
    return n


def _crossing_person(rng: Rng, crowd: Crowd) -> None:
    """Someone who crosses the road, on a crossing for pedestrians where there is one."""
    side = pick(rng, 1, -1)
    edge = crowd.road.section.half
    if crowd.road.crossing is not None and crowd.road.crossing.zebra:
        s = float(pick(rng, *zebra_at(crowd.road)) + rng.uniform(-1.1, 1.1))
    else:
        s = float(rng.uniform(8, 40))
    pace = steady(float(rng.uniform(0.9, 1.6)), crowd.duration)
    d = side * float(rng.uniform(-edge, edge + 1))
    crowd.put(a_pedestrian(rng, crowd, moving=True), (s, d), (0, -side), pace, margin=0.3)


def _cyclist(rng: Rng, crowd: Crowd, end: float) -> None:
    variety = crowd.variety(rng)
    _ride(
        rng, crowd, end, lambda phase: models.cyclist(crowd.shapes, variety, phase), float(rng.uniform(3, 7)), 5.0
    )


def _scooter(rng: Rng, crowd: Crowd, end: float) -> None:
    _ride(rng, crowd, end, models.other("scooter", crowd.shapes, crowd.variety(rng)), float(rng.uniform(3, 6)), 5.0)


def _ride(
    rng: Rng, crowd: Crowd, end: float, drawn: Model | Callable[[int], Model], speed: float, cycle: float
) -> None:
    """Put a rider at the right edge of the road, or on the sidewalk where the road is not free."""
    section = crowd.road.section
    pace: Pace = steady(speed, crowd.duration) if maybe(rng, 0.85) else STILL
    for attempt in range(4):
        direction = pick(rng, 1, -1)
        edge = section.half - section.parking - rng.uniform(0.3, 0.6)
        if attempt > 1 and section.sidewalk:
            edge = section.half + rng.uniform(0.5, max(section.sidewalk - 0.5, 0.6))
        s = float(rng.uniform(-20, end)) - direction * (speed * crowd.duration * 0.3 if pace is not STILL else 0)
        if crowd.put(drawn, (s, -direction * edge), (direction, 0), pace, cycle=cycle, margin=0.02):
            return
