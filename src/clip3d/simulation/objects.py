"""Every family of objects by name, and the making of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from zlib import crc32

import numpy as np

from clip3d.errors import ShapeError
from clip3d.simulation.family import Family, ProceduralObject
from clip3d.simulation.home_families import HOME
from clip3d.simulation.moving import merge, move, scale
from clip3d.simulation.outdoor_families import OUTDOOR
from clip3d.simulation.thing_families import THINGS

FAMILIES: dict[str, Family] = {family.name: family for family in (*HOME, *THINGS, *OUTDOOR)}
# What stands in most rooms, once more and apart: a training can draw it more often than a family's fair share.
ROOMS = tuple(
    FAMILIES[name]
    for name in (
        *("chair", "stool", "ottoman", "bench", "sofa", "bed", "crib", "table", "desk", "dresser", "night stand"),
        *("bookshelf", "wardrobe", "cabinet", "bathtub", "toilet", "wash basin", "monitor", "television", "lamp"),
        *("refrigerator", "stove", "washing machine", "door", "window", "curtain", "stairs", "potted plant"),
    )
)
GROUPS: dict[str, tuple[Family, ...]] = {"home": HOME, "things": THINGS, "outdoors": OUTDOOR, "rooms": ROOMS}
# Words for many kinds of things come after those that say what a thing is.
GENERAL = frozenset(
    (
        "animal",
        "insect",
        "arachnid",
        "reptile",
        "crustacean",
        "sea creature",
        "sea animal",
        "sea mammal",
        "primate",
        "ape",
        "bird",
        "water bird",
        "sea bird",
        "poultry",
        "plant",
        "fungus",
        "food",
        "fruit",
        "vegetable",
        "dessert",
        "fast food",
        "pastry",
        "vehicle",
        "railway vehicle",
        "horse-drawn vehicle",
        "military vehicle",
        "industrial vehicle",
        "aircraft",
        "spacecraft",
        "watercraft",
        "vessel",
        "machine",
        "construction machine",
        "building",
        "monument",
        "tool",
        "hand tool",
        "garden tool",
        "kitchen tool",
        "cleaning tool",
        "cookware",
        "cutlery",
        "kitchen appliance",
        "piece of furniture",
        "seat",
        "bathroom fixture",
        "street furniture",
        "musical instrument",
        "string instrument",
        "wind instrument",
        "brass instrument",
        "scientific instrument",
        "sports equipment",
        "exercise equipment",
        "playground equipment",
        "toy",
        "game piece",
        "weapon",
        "jewelry",
        "jewellery",
        "clothing",
        "garment",
        "footwear",
        "headgear",
        "luggage",
        "bag",
        "container",
        "board",
        "skate",
        "mobility aid",
        "fairground ride",
        "timepiece",
        "electronic component",
        "human",
        "human body",
    )
)


def make(family: str, seed: int) -> ProceduralObject:
    """Make one object; equal (family, seed) give equal objects.

    Args:
        family: a key of `FAMILIES`.
        seed: any whole number >= 0.

    Returns:
        The object: z-up, x forward, roughly metres, its lowest point on z = 0, as one mesh coloured by face.

    Raises:
        ShapeError: if there is no such family.
    """
    if family not in FAMILIES:
        close = get_close_matches(family, FAMILIES, n=1)
        raise ShapeError(f"no family {family!r}" + (f"; did you mean {close[0]!r}?" if close else ""))
    kind = FAMILIES[family]
    rng = np.random.default_rng([crc32(family.encode()), seed])
    parts, own = kind.make(rng)
    captions = tuple(sorted(dict.fromkeys([*own, *kind.captions]), key=GENERAL.__contains__))
    # Makers fix what does not define the thing; no two real ones have the same proportions.
    broad, tall = np.exp(rng.normal(0, 0.07, 2))
    whole = scale(merge(parts), (broad, broad, tall))
    standing = move(whole, (0, 0, -float(whole.vertices[:, 2].min())))
    return ProceduralObject((standing,), captions, family)


def generate(
    families: Iterable[str] | None = None, per_family: int = 100, seed: int = 0
) -> Iterator[ProceduralObject]:
    """Make `per_family` objects of each family (all when None), the families taking turns.

    Two different values of `seed` share no object as long as `per_family` stays below a million.
    """
    names = list(FAMILIES) if families is None else list(families)
    for turn in range(per_family):
        for name in names:
            yield make(name, seed * 1_000_000 + turn)
