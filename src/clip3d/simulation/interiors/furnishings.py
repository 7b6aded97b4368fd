"""What stands, hangs and lies in rooms, in true size: kinds, their classes and names, and varieties of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from zlib import crc32

import numpy as np

from clip3d.errors import ShapeError
from clip3d.simulation.chance import Rng
from clip3d.simulation.driving.solids import Solid, solid_of
from clip3d.simulation.family import Drawn
from clip3d.simulation.interiors import fittings
from clip3d.simulation.interiors.surfaces import GUESSES
from clip3d.simulation.objects import FAMILIES, GENERAL

Shapes = Literal["train", "held-out"]
Size = tuple[float, float, float]
TRIES = 200


@dataclass(frozen=True, eq=False)
class Furnishing:
    """A thing that can stand in a room.

    Attributes:
        kind: of `KINDS`.
        label: its class, of `ROOM_CLASSES`.
        words: what it may rightly be called, most specific first.
        solid: about the middle of its footprint, its front towards x, standing on z = 0.
        size: depth, width and height of its box in metres, exact.
    """

    kind: str
    label: str
    words: tuple[str, ...]
    solid: Solid
    size: Size


# Things that others bring for a kind, such as models of a library: one of them for a variety, or None.
Stock = Mapping[str, Sequence[Furnishing]]


@dataclass(frozen=True)
class Kind:
    """A kind of thing.

    Attributes:
        label: its class.
        make: the family that draws it, or its own maker.
        surface: of `GUESSES`.
        words: names that fit every one, most specific first, after those that the draw has earned.
        only: draws count whose first name is one of these; all if empty.
        never: draws do not count that have one of these for their first name, and none is called so.
        held_out: first names of draws that training never shows.
        low: smallest depth, width and height in metres to which it is stretched; None to leave it as drawn.
        high: the largest.
    """

    label: str
    make: str | Callable[[Rng], Drawn]
    surface: str
    words: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    low: Size | None = None
    high: Size | None = None


_DINING = ("dining chair", "kitchen chair", "four-legged chair", "bentwood chair", "sled base chair", "tulip chair",
           "chair with armrests", "plastic shell chair", "cantilever chair", "folding chair")  # fmt: skip
_EASY = ("armchair", "wing chair", "lounge chair", "rocking chair", "reclining chair")
_DESKS = ("desk with drawers", "office desk", "desk with a metal frame", "trestle desk", "pedestal desk",
          "desk with shelves", "desk with a hutch", "computer desk", "glass desk")  # fmt: skip
_ROUND = ("round dining table", "square dining table", "hexagonal dining table", "bistro table", "tulip table")

KINDS: dict[str, Kind] = {
    "dining chair": Kind("chair", "chair", "wood", only=_DINING, held_out=("cantilever chair", "bentwood chair"),
        low=(0.4, 0.38, 0.75), high=(0.62, 0.6, 1.05)),
    "office chair": Kind("chair", "chair", "cloth", ("office chair", "desk chair", "chair"),
        only=("swivel chair",), low=(0.55, 0.55, 0.85), high=(0.72, 0.72, 1.3)),
    "armchair": Kind("chair", "chair", "cloth", only=_EASY, held_out=("reclining chair", "wing chair"), low=(0.7,
        0.65, 0.75), high=(1.05, 0.98, 1.15)),
    "stool": Kind("stool", "stool", "wood", held_out=("three-legged stool",), low=(0.3, 0.3, 0.4), high=(0.42,
        0.42, 0.75)),
    "ottoman": Kind("ottoman", "ottoman", "cloth", held_out=("round ottoman",)),
    "bench": Kind("bench", "bench", "wood", only=("upholstered bench", "wooden bench", "bench"), low=(0.32, 0.9,
        0.4), high=(0.45, 1.5, 0.5)),
    "sofa": Kind("sofa", "sofa", "cloth", never=("corner sofa", "U-shaped sofa", "open sofa bed", "modular sofa"),
        held_out=("chesterfield sofa", "wooden frame sofa", "camelback sofa"), low=(0.75, 1.3, 0.65), high=(1.02,
        2.5, 0.98)),
    "corner sofa": Kind("sofa", "sofa", "cloth", only=("corner sofa",), low=(1.4, 1.9, 0.65), high=(2.0, 2.6,
        0.95)),
    "double bed": Kind("bed", "bed", "cloth", never=("single bed",), held_out=("canopy bed", "sleigh bed"),
        low=(1.95, 1.35, 0.6), only=("double bed", "upholstered bed", "iron bed", "platform bed", "sleigh bed",
        "canopy bed", "four-poster bed", "divan bed", "low platform bed"), high=(2.25, 1.95, 2.0)),
    "single bed": Kind("bed", "bed", "cloth", only=("single bed", "bed with drawers", "bunk bed", "hospital bed"),
        never=("double bed",), held_out=("bunk bed",), low=(1.9, 0.85, 0.55), high=(2.1, 1.1, 1.8)),
    "dining table": Kind("table", "table", "wood", held_out=("farmhouse table",), low=(0.75, 1.2, 0.71),
        only=("rectangular dining table", "oval dining table", "farmhouse table", "folding table",
        "drop-leaf table"), high=(1.0, 2.2, 0.78)),
    "round table": Kind("table", "table", "wood", only=_ROUND, held_out=("hexagonal dining table",), low=(0.7,
        0.7, 0.7), high=(1.3, 1.3, 0.78)),
    "coffee table": Kind("table", "table", "wood", ("coffee table", "table"), held_out=("glass coffee table",),
        only=("rectangular coffee table", "coffee table", "round coffee table", "oval coffee table",
        "square coffee table", "glass coffee table"), low=(0.5, 0.7, 0.34), high=(0.8, 1.3, 0.48)),
    "side table": Kind("table", "table", "wood", ("side table", "table"), low=(0.35, 0.35, 0.45),
        only=("square side table", "round side table", "rectangular side table", "hexagonal side table"),
        held_out=("hexagonal side table",), high=(0.55, 0.55, 0.65)),
    "conference table": Kind("table", fittings.conference_table, "wood", ("meeting table", "table")),
    "desk": Kind("desk", "desk", "wood", ("desk",), only=_DESKS, low=(0.6, 1.1, 0.7), high=(0.85, 1.8, 1.6),
        held_out=("trestle desk", "desk with a hutch")),
    "office desk": Kind("desk", "desk", "wood", ("office desk", "desk"), low=(0.65, 1.2, 0.7), high=(0.85, 1.8,
        0.78), only=("desk with drawers", "office desk", "desk with a metal frame", "trestle desk", "glass desk"),
        held_out=("trestle desk",)),
    "school desk": Kind("desk", "desk", "wood", ("school desk", "desk"), only=("school desk",), low=(0.45, 0.6,
        0.66), high=(0.6, 1.2, 0.76)),
    "bookshelf": Kind("bookshelf", "bookshelf", "wood", ("bookshelf", "bookcase", "shelf"), low=(0.25, 0.6, 1.2),
        high=(0.4, 1.3, 2.2), held_out=("ladder shelf",)),
    "wardrobe": Kind("cabinet", "wardrobe", "wood", ("wardrobe", "closet", "cabinet"), low=(0.5, 0.8, 1.8),
        high=(0.65, 2.0, 2.3), held_out=("open wardrobe",)),
    "sideboard": Kind("cabinet", "cabinet", "wood", ("sideboard", "cabinet", "cupboard"), only=("sideboard",)),
    "tv stand": Kind("cabinet", "cabinet", "wood", ("television stand", "cabinet"), only=("television stand",),
        low=(0.38, 1.1, 0.4), high=(0.5, 1.9, 0.65)),
    "filing cabinet": Kind("cabinet", "cabinet", "wood", ("filing cabinet", "cabinet"), only=("filing cabinet",)),
    "display cabinet": Kind("cabinet", "cabinet", "wood", ("display cabinet", "cabinet"),
        only=("display cabinet",), low=(0.35, 0.7, 1.4), high=(0.5, 1.1, 2.0)),
    "dresser": Kind("dresser", "dresser", "wood", ("dresser", "chest of drawers"), low=(0.42, 0.6, 0.75),
        high=(0.58, 1.5, 1.8), held_out=("bow front dresser", "dresser with a mirror")),
    "night stand": Kind("night stand", "night stand", "wood", ("night stand", "nightstand", "bedside table"),
        never=("floating night stand", "night stand with a lamp"), low=(0.35, 0.38, 0.45), high=(0.5, 0.55, 0.68),
        held_out=("round night stand",)),
    "base cabinet": Kind("cabinet", fittings.base_cabinet, "wood", ("kitchen cabinet", "cabinet", "cupboard")),
    "wall cabinet": Kind("cabinet", fittings.wall_cabinet, "wood", ("wall cabinet", "kitchen cabinet", "cabinet",
        "cupboard")),
    "counter": Kind("counter", fittings.counter, "wood", ("kitchen counter", "counter", "worktop")),
    "inset sink": Kind("sink", fittings.inset_sink, "sanitary", ("kitchen sink", "sink")),
    "wash basin": Kind("sink", "wash basin", "sanitary", ("wash basin", "sink"), held_out=(), low=(0.4, 0.45,
        0.8), high=(0.55, 0.8, 1.1)),
    "stove": Kind("stove", "stove", "white goods", ("stove", "cooker", "oven"), low=(0.6, 0.58, 0.86), high=(0.64,
        0.62, 1.0)),
    "refrigerator": Kind("refrigerator", "refrigerator", "white goods", ("refrigerator", "fridge"),
        never=("open refrigerator",), held_out=("side-by-side refrigerator",), low=(0.6, 0.58, 1.4), high=(0.72,
        0.9, 2.0)),
    "dishwasher": Kind("dishwasher", "dishwasher", "white goods", low=(0.58, 0.58, 0.84), high=(0.6, 0.6, 0.87)),
    "washing machine": Kind("washing machine", "washing machine", "white goods", low=(0.55, 0.58, 0.84),
        high=(0.62, 0.62, 0.9)),
    "microwave": Kind("microwave", "microwave", "white goods"),
    "toaster": Kind("toaster", "toaster", "white goods"),
    "kettle": Kind("kettle", "kettle", "white goods"),
    "coffee maker": Kind("coffee maker", "coffee maker", "electric"),
    "toilet": Kind("toilet", "toilet", "sanitary", ("toilet", "lavatory"), low=(0.6, 0.36, 0.7), high=(0.75, 0.45,
        0.9), only=("toilet with a tank", "one-piece toilet", "wall-hung toilet", "square toilet", "toilet"),
        held_out=("square toilet",)),
    "bathtub": Kind("bathtub", "bathtub", "sanitary", ("bathtub", "bath tub", "bath"), low=(1.5, 0.7, 0.5),
        high=(1.85, 0.85, 1.9), never=("corner bathtub", "wooden hot tub", "whirlpool bathtub"),
        held_out=("clawfoot bathtub",)),
    "shower": Kind("shower", "shower", "glazed", ("shower", "shower cabin"), low=(0.78, 0.78, 1.9), high=(0.95,
        0.95, 2.1)),
    "television": Kind("television", "television", "electric", ("television", "tv"),
        only=("flat screen television",), low=(0.15, 0.75, 0.5), high=(0.3, 1.4, 0.9)),
    "wall television": Kind("television", fittings.wall_television, "electric", ("television", "tv", "screen")),
    "monitor": Kind("monitor", "monitor", "electric", ("monitor", "computer monitor", "computer screen",
        "screen"), never=("old CRT monitor", "monitor with a keyboard", "two monitors"), low=(0.15, 0.42, 0.36),
        held_out=("curved monitor", "ultrawide monitor"), high=(0.25, 0.85, 0.55)),
    "laptop": Kind("laptop", "laptop", "electric"),
    "keyboard": Kind("keyboard", "keyboard", "electric"),
    "computer": Kind("computer tower", "computer", "electric", ("computer tower", "computer")),
    "printer": Kind("printer", "printer", "electric"),
    "table lamp": Kind("lamp", "lamp", "matt", ("lamp",), only=("table lamp",)),
    "desk lamp": Kind("lamp", "lamp", "matt", ("lamp",), only=("desk lamp",)),
    "floor lamp": Kind("lamp", "lamp", "matt", ("lamp",), only=("floor lamp", "arc lamp"), held_out=("arc lamp",),
        low=(0.3, 0.3, 1.35), high=(1.2, 0.5, 1.8)),
    "pendant lamp": Kind("lamp", "lamp", "matt", ("lamp",), only=("pendant lamp", "chandelier"),
        held_out=("chandelier",)),
    "ceiling light": Kind("ceiling light", fittings.ceiling_light, "light", ("ceiling light", "light")),
    "plant": Kind("plant", "potted plant", "leafy", ("potted plant", "houseplant", "plant"),
        held_out=("snake plant", "potted fern"), low=(0.35, 0.35, 0.5), high=(0.9, 0.9, 1.7)),
    "small plant": Kind("plant", "potted plant", "leafy", ("potted plant", "houseplant", "plant"),
        held_out=("snake plant", "potted fern"), low=(0.16, 0.16, 0.2), high=(0.26, 0.26, 0.4)),
    "pillow": Kind("pillow", "pillow", "cloth", ("cushion", "pillow"), only=("sofa cushion", "round cushion",
        "bolster"), held_out=("bolster",)),
    "picture": Kind("picture", "picture frame", "matt", ("picture", "framed picture"), only=("painting",)),
    "wall mirror": Kind("mirror", "mirror", "mirror", ("mirror",), only=("wall mirror",)),
    "standing mirror": Kind("mirror", "mirror", "mirror", ("mirror",), only=("standing mirror",)),
    "wall clock": Kind("clock", "clock", "matt", ("clock",), only=("wall clock",)),
    "rug": Kind("rug", "rug", "cloth", ("rug", "carpet"), only=("carpet", "round rug")),
    "bath mat": Kind("rug", "rug", "cloth", ("bath mat", "mat", "rug"), only=("carpet",), low=(0.45, 0.7, 0.012),
        high=(0.55, 0.9, 0.02)),
    "curtain": Kind("curtain", "curtain", "cloth", ("curtain", "drapes"), held_out=()),
    "blind": Kind("blinds", "window blind", "matt", ("window blind", "blinds")),
    "shower curtain": Kind("shower curtain", "curtain", "cloth", ("shower curtain", "curtain"),
        only=("closed curtain",), low=(0.08, 1.3, 1.8), high=(0.12, 1.7, 2.0)),
    "door": Kind("door", "door", "glazed", ("door",), held_out=("open door",), low=None),
    "window": Kind("window", "window", "glazed", ("window",), only=("house window",)),
    "radiator": Kind("radiator", "radiator", "matt", ("radiator", "heater")),
    "box": Kind("box", "box", "matt", ("box",), only=("cardboard box", "closed box", "wooden crate"), low=(0.25,
        0.3, 0.2), high=(0.45, 0.55, 0.45), held_out=("wooden crate",)),
    "trash can": Kind("trash can", "trash can", "matt", ("trash can", "bin"), never=("wheelie bin",),
        held_out=("dustbin",), low=(0.22, 0.22, 0.28), high=(0.4, 0.4, 0.65)),
    "books": Kind("books", "book", "matt", ("books", "book"), only=("stack of books",)),
    "standing book": Kind("books", "book", "matt", ("book",), only=("standing book", "closed book", "open book")),
    "backpack": Kind("bag", "backpack", "cloth", ("backpack", "bag")),
    "handbag": Kind("bag", "handbag", "cloth", ("handbag", "bag")),
    "suitcase": Kind("bag", "suitcase", "matt", ("suitcase", "bag")),
    "basket": Kind("basket", "basket", "cloth"),
    "towel": Kind("towel", fittings.towel, "cloth", ("towel",)),
    "whiteboard": Kind("whiteboard", fittings.whiteboard, "matt", ("whiteboard", "board")),
    "column": Kind("column", fittings.column, "matt", ("column", "pillar")),
    "shelf": Kind("shelf", fittings.wall_shelf, "wood", ("wall shelf", "shelf")),
    "coat rack": Kind("coat rack", "coat rack", "wood"),
    "vase": Kind("vase", "vase", "sanitary"),
    "bowl": Kind("bowl", "bowl", "sanitary"),
    "plate": Kind("plate", "plate", "sanitary"),
    "cup": Kind("cup", "cup", "sanitary"),
    "bottle": Kind("bottle", "bottle", "glazed"),
    "piano": Kind("piano", "piano", "wood", low=(0.55, 1.35, 1.0), high=(0.75, 1.55, 1.3),
        only=("upright piano",)),
    "guitar": Kind("guitar", "guitar", "wood"),
    "projector": Kind("projector", "projector", "electric"),
    "globe": Kind("globe", "globe", "matt"),
    "toilet paper": Kind("toilet paper", "toilet paper", "cloth"),
}  # fmt: skip

STRUCTURE = ("wall", "floor", "ceiling")
ROOM_CLASSES: tuple[str, ...] = (*STRUCTURE, *dict.fromkeys(kind.label for kind in KINDS.values()))
# How many draws of a kind each use knows. Their numbers never meet: held-out draws have seeds of their own.
VARIETIES = 4000


@lru_cache(maxsize=3000)
def furnishing(kind: str, shapes: Shapes, variety: int) -> Furnishing:
    """A thing of a kind; equal arguments give equal things.

    Raises:
        ShapeError: if there is no such kind.
    """
    if kind not in KINDS:
        raise ShapeError(f"no kind of furnishing {kind!r}: there are {', '.join(KINDS)}")
    what = KINDS[kind]
    rng = np.random.default_rng([crc32(kind.encode()), 2 * variety + (shapes == "held-out"), 9])
    parts, own = _drawn(what, rng, shapes)
    solid = _true_size(solid_of(parts, GUESSES[what.surface]).standing(), what, rng).standing()
    family = FAMILIES[what.make].captions if isinstance(what.make, str) else ()
    words = dict.fromkeys(w for w in (*own, *what.words, *family) if w not in GENERAL and w not in what.never)
    low, high = solid.low_high()
    depth, width, height = (float(v) for v in high - low)
    return Furnishing(kind, what.label, tuple(words) or (what.label,), solid, (depth, width, height))


def _drawn(what: Kind, rng: Rng, shapes: Shapes) -> Drawn:
    """A draw that the kind allows; chance decides among them, and training never sees those that are held out."""
    make = FAMILIES[what.make].make if isinstance(what.make, str) else what.make
    for _ in range(TRIES):
        parts, own = make(rng)
        name = own[0] if own else ""
        if (what.only and name not in what.only) or name in what.never:
            continue
        if shapes == "train" and name in what.held_out:
            continue
        return parts, own
    raise ShapeError(f"no draw of {what.make!r} in {TRIES} has one of the names {what.only}")


def _true_size(solid: Solid, what: Kind, rng: Rng) -> Solid:
    """Stretched into the sizes that such things have, as little as may be."""
    low, high = solid.low_high()
    size = np.maximum((high - low).astype(np.float64), 1e-3)
    wanted = size * np.exp(rng.normal(0, 0.05)) * np.exp(rng.normal(0, 0.03, 3))
    if what.low is not None and what.high is not None:
        wanted = np.clip(wanted, what.low, what.high)
    return solid.scaled((wanted / size).tolist())
