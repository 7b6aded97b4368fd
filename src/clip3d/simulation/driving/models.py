"""What moves and parks in the street, in true size: kinds, their sizes, words and varieties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Literal
from zlib import crc32

import numpy as np

from clip3d.simulation import cars, machines, vehicles
from clip3d.simulation.chance import PAINTS, Rng, maybe, near, pick
from clip3d.simulation.driving import figures
from clip3d.simulation.driving.solids import PLATE, Solid, join, plain, repainted, solid_of, vehicle_materials
from clip3d.simulation.family import Drawn, only
from clip3d.simulation.shapes import Color, box

Shapes = Literal["train", "held-out"]
VARIETIES = 300  # of a kind, for either use
PHASES = 6  # of a step or a turn of the pedals

# What colours vehicles have on the road, roughly as they are sold.
ROAD_PAINTS: Mapping[str, tuple[float, Color]] = {
    "white": (0.25, (0.9, 0.9, 0.89)),
    "black": (0.2, (0.05, 0.05, 0.06)),
    "grey": (0.17, (0.36, 0.37, 0.39)),
    "silver": (0.13, (0.68, 0.69, 0.71)),
    "blue": (0.1, (0.1, 0.2, 0.45)),
    "red": (0.07, (0.62, 0.08, 0.08)),
    "green": (0.02, (0.12, 0.3, 0.18)),
    "brown": (0.02, (0.3, 0.21, 0.15)),
    "yellow": (0.02, PAINTS["yellow"]),
    "orange": (0.02, PAINTS["orange"]),
}


@dataclass(frozen=True, eq=False)
class Model:
    """A thing that can stand in the street.

    Attributes:
        kind: its place in `KINDS`.
        label: its class.
        words: what it may rightly be called, most specific first.
        solid: about the middle of its footprint, x ahead.
        size: length, width, height of its box in metres, exact.
    """

    kind: str
    label: str
    words: tuple[str, ...]
    solid: Solid
    size: tuple[float, float, float]

    @cached_property
    def far(self) -> Solid:
        """It, as it looks from some way off: without rims and spokes; people are kept as they are."""
        smallest = {"pedestrian": 0.0, "animal": 0.0, "cyclist": 2e-4, "scooter": 2e-4, "bicycle": 2e-4}
        return self.solid.without_fine(smallest.get(self.label, 2e-4 if self.label == "motorcycle" else 0.004))


@dataclass(frozen=True)
class Kind:
    """A kind of thing with its range of true sizes.

    Attributes:
        label: its class.
        make: draws its parts and words.
        low: smallest length, width and height in metres; None where the makers give true sizes.
        high: the largest.
        also: words that fit every one.
        paint: None to paint as vehicles are sold, "" to leave it as it is drawn, else the name of a colour.
        held_out: whether training never sees this kind.
    """

    label: str
    make: Callable[[Rng], Drawn]
    low: tuple[float, float, float] | None
    high: tuple[float, float, float] | None
    also: tuple[str, ...]
    paint: str | None = None
    held_out: bool = False


def _car(name: str, low: tuple[float, float, float], high: tuple[float, float, float], **more: object) -> Kind:
    return replace(Kind("car", only(cars.car, name), low, high, ("car", "vehicle")), **more)  # type: ignore[arg-type]


def _truck(name: str, low: tuple[float, float, float], high: tuple[float, float, float], **more: object) -> Kind:
    also = ("truck", "lorry", "vehicle")
    return replace(Kind("truck", only(cars.truck, name), low, high, also), **more)  # type: ignore[arg-type]


def _bus(name: str, low: tuple[float, float, float], high: tuple[float, float, float], **more: object) -> Kind:
    return replace(Kind("bus", only(cars.bus, name), low, high, ("bus", "vehicle")), **more)  # type: ignore[arg-type]


def _van(name: str, low: tuple[float, float, float], high: tuple[float, float, float], **more: object) -> Kind:
    return replace(Kind("van", only(cars.van, name), low, high, ("van", "vehicle")), **more)  # type: ignore[arg-type]


VEHICLES: dict[str, Kind] = {
    "saloon": _car("sedan", (4.3, 1.76, 1.4), (5.1, 1.92, 1.52)),
    "hatchback": _car("hatchback", (3.8, 1.7, 1.42), (4.4, 1.84, 1.56)),
    "estate": _car("estate", (4.4, 1.76, 1.42), (5.0, 1.92, 1.58)),
    "suv": _car("suv", (4.2, 1.8, 1.6), (5.1, 2.02, 1.92)),
    "sports car": _car("sports", (4.0, 1.78, 1.18), (4.7, 1.98, 1.32)),
    "taxi": _car("taxi", (4.4, 1.76, 1.5), (5.0, 1.9, 1.75), paint="yellow"),
    "police car": _car("police", (4.4, 1.76, 1.5), (5.0, 1.95, 1.8), paint="white"),
    "small car": _car("small", (3.1, 1.58, 1.45), (3.8, 1.7, 1.62), held_out=True),
    "convertible": _car("cabriolet", (3.9, 1.72, 1.2), (4.6, 1.86, 1.38), held_out=True),
    "delivery van": _van("delivery van", (4.3, 1.8, 1.8), (7.2, 2.1, 2.85)),
    "small van": _van("delivery van", (4.1, 1.7, 1.7), (4.7, 1.9, 1.95)),
    "ambulance": _van("ambulance", (5.3, 1.95, 2.3), (6.8, 2.15, 2.9), paint=""),
    "camper van": _van("camper van", (4.9, 1.85, 1.95), (7.0, 2.2, 2.95), held_out=True),
    "minibus": Kind(
        "bus", only(cars.van, "minibus"), (5.4, 1.95, 2.3), (8.0, 2.35, 3.0), ("minibus", "bus", "vehicle")
    ),
    "pickup truck": Kind(
        "truck", cars.pickup_truck, (4.9, 1.8, 1.7), (5.9, 2.05, 1.98), ("pickup truck", "truck", "vehicle")
    ),
    "box truck": _truck("box truck", (5.2, 2.0, 2.6), (9.5, 2.55, 3.9)),
    "dump truck": _truck("dump truck", (6.0, 2.3, 2.7), (9.0, 2.55, 3.5)),
    "tank truck": _truck("tank truck", (8.0, 2.4, 2.8), (13.5, 2.55, 3.7)),
    "fire truck": _truck("fire truck", (6.6, 2.3, 2.9), (9.5, 2.55, 3.5), paint=""),
    "semi-trailer truck": _truck("semi-trailer truck", (12.5, 2.5, 3.5), (16.5, 2.6, 4.0)),
    "container truck": _truck("container truck", (10.0, 2.45, 3.4), (16.5, 2.6, 4.1)),
    "flatbed truck": _truck("flatbed truck", (6.0, 2.2, 2.5), (9.5, 2.55, 3.3), held_out=True),
    "cement mixer": _truck("cement mixer", (7.0, 2.4, 3.1), (9.5, 2.55, 3.9), held_out=True),
    "city bus": _bus("city bus", (8.5, 2.4, 2.85), (13.0, 2.6, 3.3)),
    "double-decker bus": _bus("double-decker bus", (9.5, 2.45, 4.1), (12.0, 2.6, 4.45)),
    "school bus": _bus("school bus", (8.0, 2.3, 2.8), (12.0, 2.5, 3.2), paint=""),
    "coach": _bus("coach", (10.5, 2.5, 3.3), (14.0, 2.6, 3.9), held_out=True),
    "tram": Kind(
        "tram", vehicles.tram, (12.0, 2.2, 3.6), (20.0, 2.65, 4.3), ("tram", "streetcar", "railway vehicle")
    ),
    "caravan": Kind("trailer", machines.caravan, (4.6, 2.0, 2.3), (7.5, 2.4, 2.75), ("caravan", "trailer"), ""),
    "excavator": Kind(
        "construction vehicle",
        vehicles.excavator,
        (5.5, 2.2, 2.8),
        (8.5, 2.6, 3.9),
        ("excavator", "construction vehicle", "vehicle"),
        "",
    ),
    "tractor": Kind("tractor", vehicles.tractor, (3.4, 1.8, 2.4), (4.8, 2.3, 3.0), ("tractor", "vehicle")),
}


def road_paint(rng: Rng) -> tuple[str, Color]:
    """The name of a colour as vehicles are sold, and a shade of it."""
    names = list(ROAD_PAINTS)
    shares = np.array([ROAD_PAINTS[name][0] for name in names])
    name = names[int(rng.choice(len(names), p=shares / shares.sum()))]
    return name, near(rng, ROAD_PAINTS[name][1], 0.03)


def _rng(kind: str, shapes: Shapes, variety: int) -> Rng:
    # Numbers of the two uses never meet: held-out varieties have seeds of their own.
    return np.random.default_rng([crc32(kind.encode()), 2 * variety + (shapes == "held-out"), 8])


@lru_cache(maxsize=600)
def vehicle(kind: str, shapes: Shapes, variety: int) -> Model:
    """A vehicle of a kind of `VEHICLES`; equal arguments give equal vehicles."""
    what, rng = VEHICLES[kind], _rng(kind, shapes, variety)
    parts, own = what.make(rng)
    body = tuple(float(v) for v in np.asarray(parts[0].face_colors)[0])
    solid = solid_of(parts, vehicle_materials)
    words = [w for w in own if not any(w.startswith(f"{paint} ") for paint in PAINTS)]
    if what.paint != "":
        name, shade = road_paint(rng)
        if what.paint is not None:
            name, shade = what.paint, near(rng, ROAD_PAINTS[what.paint][1], 0.03)
        solid = repainted(solid, (body[0], body[1], body[2]), shade)
        words = [f"{name} {what.label}", *words]
        if words[1:]:
            words = [f"{name} {words[1]}", *words[1:], words[0]]
    solid = _true_size(solid, what, rng)
    if what.label in ("car", "van", "truck", "bus"):
        solid = join([solid, _plates(solid)]).standing()
    return _model(kind, what.label, (*words, *what.also), solid)


def _true_size(solid: Solid, what: Kind, rng: Rng) -> Solid:
    """Stretched to a size that such things have, as little as may be."""
    low, high = solid.low_high()
    size = (high - low).astype(np.float64)
    wanted = size * rng.uniform(0.93, 1.07, 3)
    if what.low is not None and what.high is not None:
        least, most = np.array(what.low), np.array(what.high)
        inside = least + (most - least) * rng.uniform(0, 1, 3)
        # Half of what the range allows is drawn: makers alone would leave much of it empty.
        wanted = np.clip((wanted + inside) / 2, least, most)
    return solid.scaled((wanted / size).tolist()).standing()


def _plates(solid: Solid) -> Solid:
    low, high = solid.low_high()
    ends = [box((0.02, 0.5, 0.11), (x, 0, 0.42), PLATE) for x in (float(low[0]) - 0.005, float(high[0]) + 0.005)]
    return join([plain(end, "retroreflector") for end in ends])


def _model(kind: str, label: str, words: tuple[str, ...], solid: Solid) -> Model:
    low, high = solid.low_high()
    length, width, height = (float(v) for v in high - low)
    return Model(kind, label, tuple(dict.fromkeys(words)), solid, (length, width, height))


PEDESTRIANS: dict[str, tuple[str, ...]] = {
    "walking": (),
    "standing": ("person standing",),
    "rucksack": ("person with a rucksack",),
    "bag": ("person with a bag",),
    "pram": ("person pushing a pram",),
    "umbrella": ("person with an umbrella",),
    "suitcase": ("person with a suitcase",),
    "waving": ("waving person",),  # held out
}
HELD_OUT_PEDESTRIANS = ("waving",)


@lru_cache(maxsize=1500)
def pedestrian(doing: str, who: str, shapes: Shapes, variety: int, phase: int) -> Model:
    """A "man", "woman" or "child" on foot, at a phase of `PHASES` of the walk."""
    rng = _rng(f"pedestrian {doing} {who}", shapes, variety)
    look = figures.a_look(rng, who)
    low, high = {"man": (1.62, 1.98), "woman": (1.5, 1.82), "child": (0.95, 1.48)}[who]
    height, turn = float(rng.uniform(low, high)), phase / PHASES
    if doing == "waving":
        solid = figures.poser(look, height, "waving")
    elif doing == "standing":
        solid = figures.walker(look, height, 0.0, 0.0)
    elif doing == "walking":
        solid = figures.walker(look, height, turn)
    elif doing == "pram":
        solid = figures.with_pram(rng, look, height, turn)
    else:
        solid = figures.with_load(rng, look, height, turn, doing)
    words = (*PEDESTRIANS[doing], *((f"walking {who}",) if doing == "walking" else ()), who, "pedestrian", "person")
    return _model(doing, "pedestrian", words, solid)


@lru_cache(maxsize=400)
def cyclist(shapes: Shapes, variety: int, phase: int) -> Model:
    """A person on a bicycle."""
    rng = _rng("cyclist", shapes, variety)
    who = pick(rng, "man", "woman", "man", "woman", "child")
    look = figures.a_look(rng, who)
    height = float(rng.uniform(1.3, 1.5) if who == "child" else rng.uniform(1.55, 1.92))
    solid, bike = figures.cyclist(rng, look, height, phase / PHASES, maybe(rng, 0.5))
    words = (f"{who} on a bicycle", "cyclist", "person on a bicycle", bike[0])
    return _model("cyclist", "cyclist", words, solid)


TRAIN_MOTORCYCLES = ("motorbike", "sport motorcycle", "scooter")


@lru_cache(maxsize=300)
def motorcycle(shapes: Shapes, variety: int, ridden: bool) -> Model:
    """A motorcycle or scooter, with its rider or parked."""
    rng = _rng(f"motorcycle {ridden}", shapes, variety)
    kinds = TRAIN_MOTORCYCLES if shapes == "train" else (*TRAIN_MOTORCYCLES, "chopper")
    look = figures.a_look(rng, pick(rng, "man", "man", "woman"))
    if ridden:
        solid, own = figures.motorcyclist(rng, look, float(rng.uniform(1.6, 1.9)), kinds)
        return _model(
            "motorcyclist", "motorcycle", ("motorcyclist", "person on a motorcycle", *own, "motorcycle"), solid
        )
    solid, own = figures.parked_motorcycle(rng, kinds)
    return _model("parked motorcycle", "motorcycle", (*own, "motorcycle"), solid)


@lru_cache(maxsize=300)
def other(kind: str, shapes: Shapes, variety: int) -> Model:
    """A "bicycle" that is parked, a "scooter" with its rider, a "dog"."""
    rng = _rng(kind, shapes, variety)
    if kind == "bicycle":
        return _model(kind, "bicycle", ("parked bicycle", "bicycle", "bike"), figures.parked_bicycle(rng))
    if kind == "dog":
        return _model(kind, "animal", ("dog", "animal"), figures.a_dog(rng))
    look = figures.a_look(rng, pick(rng, "man", "woman"))
    solid = figures.scooter_rider(rng, look, float(rng.uniform(1.55, 1.9)))
    return _model(kind, "scooter", ("person on an electric scooter", "scooter", "electric scooter"), solid)
