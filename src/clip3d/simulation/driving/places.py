"""Kinds of places, and what stands beside the road there."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from clip3d.simulation import street
from clip3d.simulation.chance import Rng, count, maybe, near, pick
from clip3d.simulation.driving import townside
from clip3d.simulation.driving.furniture import Pool, furniture_pool, road_barrier
from clip3d.simulation.driving.road import LAND, LANDSIDE, Crossing, Road, Section, draw_road, zebra_at
from clip3d.simulation.driving.snapshot import Lamp
from clip3d.simulation.driving.solids import (
    Solid,
    made_of,
    solid_of,
)
from clip3d.simulation.shapes import dome

PLACES = ("city street", "residential street", "crossing", "rural road", "motorway", "car park")


@dataclass(eq=False)
class Roadside:
    """What stands beside a road.

    Attributes:
        road: it.
        solids: in the world.
        lamps: in the world, of street lamps.
        roadworks: s of the first and last barrier, or None.
        words: of what is worth mentioning: "roadworks", "bridge".
    """

    road: Road
    solids: list[Solid] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)
    roadworks: tuple[float, float] | None = None
    words: list[str] = field(default_factory=list)

    def stand(self, solid: Solid, s: float, d: float, turn: float = 0.0, *, sink: float = 0.0) -> None:
        """Stand a solid at s, d, turned by `turn` from the road's heading."""
        x, y, heading = self.road.at(s, d)
        z = float(self.road.height(s, d)) - sink
        self.solids.append(solid.placed((float(x), float(y), z), float(heading) + turn))

    def is_free(self, s: float, d: float, reach: float) -> bool:
        """Whether no roadway lies within `reach` metres."""
        ds = np.array([-reach, 0, reach])
        return bool((self.road.zone(s + ds[:, None], d + ds[None]) > 0).all())

    def is_land(self, s: float, d: float, along: float, across: float) -> bool:
        """Whether a footprint of half sizes `along`, `across` lies on land alone."""
        ds, dd = np.array([-along, 0, along]), np.array([-across, 0, across])
        return bool((self.road.zone(s + ds[:, None], d + dd[None]) == LANDSIDE).all())


def draw_place(rng: Rng, place: str, length: tuple[float, float]) -> Road:
    """The road of a place of PLACES, between two s."""
    walk = float(rng.uniform(2.2, 4.5))
    if place == "motorway":
        section = Section(
            count(rng, 2, 3), float(rng.uniform(3.5, 3.75)), float(rng.uniform(2.5, 5)), 2.5, 0.0, "grass"
        )
        bank = (float(rng.uniform(-0.25, 0.4)), float(rng.uniform(-0.25, 0.4)))
        return draw_road(rng, section, length, 1 / 500, rough=0.25, bank=bank)
    if place == "rural road":
        center = pick(rng, "dashed", "solid", "none")
        section = Section(
            1, float(rng.uniform(2.75, 3.4)), 0.0, 0.0, 0.0, pick(rng, "grass", "grass", "soil"), center
        )
        bank = (float(rng.uniform(-0.15, 0.3)), float(rng.uniform(-0.15, 0.3)))
        return draw_road(rng, section, length, 1 / pick(rng, 80, 150, 400), rough=0.5, bank=bank)
    if place == "car park":
        return draw_road(rng, Section(1, 3.2, 0, 0, 0.0, "concrete", "none"), length, 0.0, rough=0.0, paved=True)
    if place == "residential street":
        parking = pick(rng, 0.0, 2.1, 2.1)
        section = Section(
            1, float(rng.uniform(2.7, 3.1)), 0.0, parking, float(rng.uniform(1.4, 2.4)), "grass", "none"
        )
        slope = (float(rng.uniform(-0.05, 0.12)), float(rng.uniform(-0.05, 0.12)))
        return draw_road(rng, section, length, 1 / pick(rng, 60, 120, 500), rough=0.35, bank=slope)
    parking = pick(rng, 0.0, 2.2)
    lanes = pick(rng, 1, 1, 2)
    section = Section(
        lanes, float(rng.uniform(3.0, 3.4)), 0.0, parking, walk, pick(rng, "concrete", "concrete", "grass")
    )
    if place == "city street":
        return draw_road(rng, section, length, pick(rng, 0.0, 1 / 250), rough=0.05)
    section = Section(lanes, section.lane, 0.0, 0.0, walk, section.verge)
    other = Section(pick(rng, 1, 1, 2), float(rng.uniform(3.0, 3.4)), 0.0, 0.0, float(rng.uniform(2, 3.5)))
    sides = pick(rng, (True, True), (True, True), (True, False), (False, True))
    at = float(rng.uniform(18, 45))
    crossing = Crossing(at, other, sides[0], sides[1], zebra=maybe(rng, 0.8), lights=maybe(rng, 0.7))
    return draw_road(rng, section, length, 0.0, crossing, rough=0.05)


def dress(rng: Rng, road: Road, place: str, dark: bool) -> Roadside:
    """Put beside the road what stands there."""
    side = Roadside(road)
    pool = furniture_pool(rng)
    lit = float(rng.uniform(0.1, 0.5)) if dark else 0.0
    {
        "city street": _city,
        "crossing": _city if maybe(rng, 0.65) else _residential,
        "residential street": _residential,
        "rural road": _rural,
        "motorway": _motorway,
        "car park": _car_park,
    }[place](rng, side, pool, lit)
    if road.crossing is not None:
        _along_crossing(rng, side, lit)
        if road.crossing.lights:
            _lights(rng, side)
    if place != "car park" and maybe(rng, 0.15):
        _roadworks(rng, side)
    if dark:
        side.lamps[:] = [lamp for lamp in side.lamps if maybe(rng, 0.95)]
    return side


def _furnish(rng: Rng, side: Roadside, pool: Pool, spacing: float, trees: float) -> None:
    """Lamps, trees, signs and the rest on both sidewalks, or beside the road where there are none."""
    road = side.road
    edge = road.section.half + 0.6 if road.section.sidewalk else road.section.half + 1.2
    for sign in (1, -1):
        if maybe(rng, 0.75):
            for s in np.arange(road.start + rng.uniform(0, spacing), road.end, spacing):
                if side.is_free(float(s), sign * edge, 0.4):
                    # The arm of a lamp reaches out over the road.
                    side.stand(pool["lamp"][0], float(s), sign * edge, -sign * np.pi / 2)
                    _shine(side, pool["lamp"][0], float(s), sign * (edge - 1.0))
        if maybe(rng, trees):
            gap = rng.uniform(7, 16)
            for s in np.arange(road.start + rng.uniform(0, gap), road.end, gap):
                at = float(s + rng.normal(0, 0.5))
                if maybe(rng, 0.85) and side.is_free(at, sign * (edge + 0.3), 0.6):
                    side.stand(pick(rng, *pool["tree"]), at, sign * (edge + 0.3), rng.uniform(0, 6.3))
        for s in np.arange(road.start, road.end, 11.0):
            at = float(s + rng.uniform(0, 9))
            if not maybe(rng, 0.55) or not side.is_free(at, sign * edge, 0.7):
                continue
            what = pick(rng, "sign", "sign", "bin", "bench", "hydrant", "mailbox", "bollard", "cabinet", "board")
            out = (
                edge
                if what in ("sign", "bollard", "hydrant", "board")
                else edge + max(road.section.sidewalk - 1.2, 0.6)
            )
            # A sign looks at those who drive on its side; what is sat on looks at the road.
            turn = (np.pi if sign < 0 else 0.0) if what in ("sign", "board") else -sign * np.pi / 2
            side.stand(pick(rng, *pool[what]), at, sign * out, turn)


def _shine(side: Roadside, lamp: Solid, s: float, d: float) -> None:
    x, y, _ = side.road.at(s, d)
    high = float(lamp.low_high()[1][2]) + float(side.road.height(s, d)) - 0.2
    side.lamps.append(Lamp(np.array([x, y, high], np.float32), np.array([1.0, 0.82, 0.55], np.float32)))


def _city(rng: Rng, side: Roadside, pool: Pool, lit: float) -> None:
    road = side.road
    front = road.section.half + road.section.sidewalk + rng.uniform(0, 1.5)
    tall = count(rng, 2, 5)
    for sign in (1, -1):
        s = road.start + rng.uniform(0, 6)
        while s < road.end:
            width, depth = float(rng.uniform(8, 20)), float(rng.uniform(8, 13))
            storeys = max(tall + count(rng, -1, 1), 1)
            house = (width, depth, storeys, maybe(rng, 0.55), maybe(rng, 0.3))
            _house(rng, side, s + width / 2, sign, front + rng.uniform(0, 0.6), house, lit)
            s += width + (rng.uniform(3, 10) if maybe(rng, 0.2) else 0.05)
    _furnish(rng, side, pool, rng.uniform(24, 36), 0.45)
    if maybe(rng, 0.3):
        at = float(rng.uniform(0, 60))
        d = -(road.section.half + max(road.section.sidewalk - 1.0, 1.2))
        if side.is_free(at, d, 0.8):
            side.stand(pool["stop"][0], at, d, np.pi / 2)
    _behind(rng, side, pool, front, 0.15)


def _house(
    rng: Rng,
    side: Roadside,
    s: float,
    sign: int,
    front: float,
    house: tuple[float, float, int, bool, bool],
    lit: float,
) -> None:
    width, depth, storeys, shop, gable = house
    if not side.is_land(s, sign * (front + depth / 2), width / 2 + 0.3, depth / 2 - 0.2):
        return
    solid = townside.building(rng, width, depth, storeys, shop=shop, gable=gable, lit=lit)
    side.stand(solid, s, sign * front, -sign * np.pi / 2)


def _behind(rng: Rng, side: Roadside, pool: Pool, front: float, chance: float) -> None:
    """Trees and bushes on the land behind."""
    for s in np.arange(side.road.start, side.road.end, 8.0):
        for sign in (1, -1):
            if maybe(rng, chance):
                d = sign * (front + rng.uniform(12, 24))
                if side.is_land(float(s), d, 2, 2):
                    side.stand(pick(rng, *pool["tree"]), float(s), d, rng.uniform(0, 6.3), sink=0.1)


def _residential(rng: Rng, side: Roadside, pool: Pool, lit: float) -> None:
    road = side.road
    plot = road.section.half + road.section.sidewalk + 0.4
    for sign in (1, -1):
        back = rng.uniform(3.5, 9)
        s = road.start + rng.uniform(0, 6)
        while s < road.end:
            width = float(rng.uniform(8, 13))
            lot = width + float(rng.uniform(3, 9))
            middle = s + lot / 2
            house = (width, float(rng.uniform(8, 11)), count(rng, 1, 3), False, maybe(rng, 0.8))
            _house(rng, side, middle, sign, plot + back + rng.uniform(-1, 1), house, lit)
            if maybe(rng, 0.75) and side.is_land(middle, sign * (plot + 0.3), lot / 2, 0.2):
                gate = rng.uniform(1.2, 4)
                kind = pick(rng, "hedge", "hedge", "wall", "fence", "railing")
                part = townside.enclosure(rng, lot - gate, kind)
                side.stand(part, middle + gate / 2, sign * plot, -sign * np.pi / 2, sink=0.1)
            for _ in range(count(rng, 0, 4)):
                at, d = s + rng.uniform(0, lot), sign * (plot + rng.uniform(1, max(back - 1, 1.5)))
                if side.is_land(at, d, 0.8, 0.8):
                    side.stand(pick(rng, *pool["bush"]), at, d, rng.uniform(0, 6.3), sink=0.1)
            if maybe(rng, 0.4) and side.is_land(middle, sign * (plot + back * 0.5), 1, 1):
                side.stand(
                    pick(rng, *pool["tree"]), middle + rng.uniform(-3, 3), sign * (plot + back * 0.5), sink=0.1
                )
            if maybe(rng, 0.35) and side.is_free(middle + 2, sign * (plot - 0.6), 0.4):
                side.stand(pick(rng, *pool["bin"]), middle + 2, sign * (plot - 0.6), -sign * np.pi / 2)
            s += lot
    _furnish(rng, side, pool, rng.uniform(30, 45), 0.3)
    _behind(rng, side, pool, plot + 8, 0.3)


def _rural(rng: Rng, side: Roadside, pool: Pool, lit: float) -> None:
    road = side.road
    half = road.section.half
    for sign in (1, -1):
        line = pick(rng, "hedge", "fence", "trees", "none", "wood")
        for s in np.arange(road.start, road.end, 9.0):
            at = float(s)
            if line in ("hedge", "fence") and maybe(rng, 0.85):
                part = townside.enclosure(rng, 9.2, line)
                side.stand(part, at, sign * (half + 2.8), -sign * np.pi / 2, sink=0.15)
            if line == "trees" and maybe(rng, 0.7):
                side.stand(
                    pick(rng, *pool["tree"]),
                    at + rng.normal(0, 1),
                    sign * (half + 2.5 + rng.uniform(0, 1)),
                    sink=0.2,
                )
            n = 5 if line == "wood" else count(rng, 0, 2)
            for _ in range(n):
                d = sign * (half + rng.uniform(3, 30))
                what = pick(rng, "tree", "bush") if line == "wood" or maybe(rng, 0.3) else "bush"
                side.stand(pick(rng, *pool[what]), at + rng.uniform(-4, 4), d, rng.uniform(0, 6.3), sink=0.15)
        if maybe(rng, 0.5):
            pole = townside.utility_pole(rng)
            for s in np.arange(road.start + rng.uniform(0, 30), road.end, 40.0):
                side.stand(pole, float(s), sign * (half + 2.0), 0.0)
        for s in np.arange(road.start + rng.uniform(0, 50), road.end, 25.0):
            if maybe(rng, 0.5):
                side.stand(pick(rng, *pool["sign"]), float(s), sign * (half + 1.0), np.pi if sign < 0 else 0.0)
        if maybe(rng, 0.25):
            rail = townside.guard_rail(4.0)
            for s in np.arange(-20, min(road.end - 4, 60), 4.0):
                side.stand(rail, float(s), sign * (half + 0.6), np.pi if sign > 0 else 0.0)
        if maybe(rng, 0.4):
            s = float(rng.uniform(0, 60))
            _house(rng, side, s, sign, half + rng.uniform(9, 18), (12, 10, 2, False, True), lit)


def _motorway(rng: Rng, side: Roadside, pool: Pool, lit: float) -> None:
    road = side.road
    half, concrete = road.section.half, maybe(rng)
    median = townside.concrete_barrier(4.05) if concrete else townside.guard_rail(4.05)
    edge = townside.guard_rail(4.05)
    for s in np.arange(road.start, road.end - 4, 4.0):
        if concrete:
            side.stand(median, float(s), 0.0)
        else:
            side.stand(median, float(s), 0.5)
            side.stand(median, float(s), -0.5, np.pi)
    for sign in (1, -1):
        if maybe(rng, 0.8):
            for s in np.arange(road.start, road.end - 4, 4.0):
                side.stand(edge, float(s), sign * (half + 0.4), np.pi if sign > 0 else 0.0)
        wall = maybe(rng, 0.35)
        if wall:
            part = townside.noise_wall(rng, 12.1)
            for s in np.arange(road.start, road.end, 12.0):
                side.stand(part, float(s), sign * (half + 3.0))
        for s in np.arange(road.start, road.end, 5.0):
            if maybe(rng, 0.6):
                d = sign * (half + (4 if wall else 2.2) + rng.exponential(6))
                side.stand(
                    pick(rng, *pool[pick(rng, "bush", "bush", "tree")]), float(s), d, rng.uniform(0, 6.3), sink=0.2
                )
    if maybe(rng, 0.4):
        side.stand(townside.gantry(rng, half + 1.5), float(rng.uniform(25, 90)), 0.0)
    if lit and maybe(rng, 0.3):
        for s in np.arange(road.start, road.end, 35.0):
            side.stand(pool["lamp"][0], float(s), -(half + 1.2), np.pi / 2)
            _shine(side, pool["lamp"][0], float(s), -half)


def _car_park(rng: Rng, side: Roadside, pool: Pool, lit: float) -> None:
    road = side.road
    edge = pick(rng, 24.5, 35.0)
    for sign in (1, -1):
        for s in np.arange(road.start, road.end, 9.0):
            if maybe(rng, 0.8):
                kind = pick(rng, "hedge", "hedge", "fence", "wall")
                side.stand(townside.enclosure(rng, 9.0, kind), float(s), sign * edge, -sign * np.pi / 2)
        s = road.start
        while s < road.end:
            width = float(rng.uniform(20, 45))
            if maybe(rng, 0.6):
                solid = townside.building(rng, width, 9.0, count(rng, 1, 3), shop=maybe(rng), gable=False, lit=lit)
                side.stand(solid, s + width / 2, sign * (edge + 3), -sign * np.pi / 2)
            s += width + rng.uniform(2, 20)
    for s in np.arange(road.start + 5, road.end, 24.0):
        for d in (-10.6, 10.6):
            if maybe(rng, 0.8):
                side.stand(pool["lamp"][0], float(s), d, pick(rng, 0.0, np.pi))
                _shine(side, pool["lamp"][0], float(s), d)
            if maybe(rng, 0.3):
                side.stand(pick(rng, *pool["tree"]), float(s) + 12, d)


def _along_crossing(rng: Rng, side: Roadside, lit: float) -> None:
    """Buildings on both sides of the road that crosses, behind those of the road."""
    road, crossing = side.road, side.road.crossing
    assert crossing is not None
    back = crossing.section.half + crossing.section.sidewalk + rng.uniform(0.2, 3)
    for is_open, sign in ((crossing.left, 1), (crossing.right, -1)):
        for arm in (1, -1):
            d = road.section.half + road.section.sidewalk + 15.0
            while is_open and d < LAND - 6:
                width = float(rng.uniform(8, 15))
                if maybe(rng, 0.8):
                    storeys, shop, gable = count(rng, 1, 4), maybe(rng, 0.3), maybe(rng, 0.4)
                    solid = townside.building(rng, width, 10.0, storeys, shop=shop, gable=gable, lit=lit)
                    # Its front looks along s at the road that crosses.
                    turn = np.pi if arm > 0 else 0.0
                    side.stand(solid, crossing.at + arm * back, sign * (d + width / 2), turn)
                d += width + (0.1 if maybe(rng, 0.6) else float(rng.uniform(2, 6)))


def _lights(rng: Rng, side: Roadside) -> None:
    """A traffic light at each arm of the crossing, seen by those who come."""
    road, crossing = side.road, side.road.crossing
    assert crossing is not None
    light = None
    while light is None or float(light.low_high()[1][2]) < 2.5 or np.ptp(light.corners[:, :, 1]) > 1.2:
        light = solid_of(street.traffic_light(rng)[0], made_of("metal")).standing()
    before, behind = zebra_at(road)
    edge = road.section.half + 0.5
    side.stand(light, before - 1.9, -edge, np.pi)
    side.stand(light, behind + 1.9, edge, 0.0)
    out = road.section.half + 4.6
    if crossing.left:
        side.stand(light, crossing.at - crossing.section.half - 0.5, out, np.pi / 2)
    if crossing.right:
        side.stand(light, crossing.at + crossing.section.half + 0.5, -out, -np.pi / 2)


def _roadworks(rng: Rng, side: Roadside) -> None:
    """Cones and barriers at the right edge of the road ahead."""
    road = side.road
    start = float(rng.uniform(12, 60))
    end = start + float(rng.uniform(10, 25))
    if road.crossing is not None and start - 10 < road.crossing.at < end + 10:
        return
    d = road.section.half - 0.3 - road.section.parking * 0.3
    cone = solid_of(street.traffic_cone(rng)[0], made_of("plastic"))
    sign = pick(rng, 1, -1)
    for s in np.arange(start, end, 2.5):
        side.stand(cone, float(s), sign * (d - 0.4))
    if maybe(rng):
        fence = road_barrier()
        for s in (start, end):
            side.stand(fence, s, sign * (d + 0.6))
    if road.section.sidewalk:
        heap = solid_of([dome((1.6, 1.2, 0.8), color=near(rng, (0.42, 0.34, 0.25)), sides=12)], made_of("soil"))
        side.stand(heap, (start + end) / 2, sign * (road.section.half + 1.2), sink=0.05)
    side.roadworks = (start, end)
    side.words.append("roadworks")
