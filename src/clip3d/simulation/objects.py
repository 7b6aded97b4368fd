"""Every family of objects by name, and the making of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from zlib import crc32

import numpy as np

from clip3d.errors import ShapeError
from clip3d.simulation import (
    aircraft,
    bathroom,
    beds,
    birds,
    buildings,
    cars,
    chairs,
    creatures,
    cycles,
    electronics,
    kitchen,
    landmarks,
    lights,
    people,
    plants,
    quadrupeds,
    screens,
    sea_life,
    ships,
    sofas,
    storage,
    tables,
    vehicles,
)
from clip3d.simulation.family import Family, ProceduralObject
from clip3d.simulation.moving import merge, scale

_ALL = (
    Family("chair", ("chair", "seat", "piece of furniture"), chairs.chair),
    Family("stool", ("stool", "seat"), sofas.stool),
    Family("bench", ("bench", "seat"), sofas.bench),
    Family("sofa", ("sofa", "couch", "settee", "piece of furniture"), sofas.sofa),
    Family("bed", ("bed", "piece of furniture"), beds.bed),
    Family("table", ("table", "piece of furniture"), tables.table),
    Family("desk", ("desk", "piece of furniture"), tables.desk),
    Family("dresser", ("dresser", "chest of drawers", "piece of furniture"), storage.dresser),
    Family("night stand", ("night stand", "nightstand", "bedside table", "bedside cabinet"), storage.night_stand),
    Family("bookshelf", ("bookshelf", "shelf", "shelves"), storage.bookshelf),
    Family("wardrobe", ("wardrobe", "closet", "armoire"), storage.wardrobe),
    Family("cabinet", ("cabinet", "cupboard"), storage.cabinet),
    Family("bathtub", ("bathtub", "bath tub", "bath"), bathroom.bathtub),
    Family("toilet", ("toilet", "lavatory", "bathroom fixture"), bathroom.toilet),
    Family("wash basin", ("wash basin", "sink", "washbasin"), bathroom.wash_basin),
    Family("monitor", ("monitor", "computer screen", "screen", "display"), screens.monitor),
    Family("television", ("television", "tv", "tv set"), screens.television),
    Family("laptop", ("laptop", "laptop computer", "notebook computer"), screens.laptop),
    Family("keyboard", ("keyboard",), electronics.keyboard),
    Family("computer mouse", ("computer mouse",), electronics.mouse),
    Family("computer", ("computer", "desktop"), electronics.computer_tower),
    Family("printer", ("printer",), electronics.printer),
    Family("phone", ("phone",), electronics.phone),
    Family("camera", ("camera",), electronics.camera),
    Family("headphones", ("headphones", "headset"), electronics.headphones),
    Family("loudspeaker", ("loudspeaker", "stereo speaker"), electronics.loudspeaker),
    Family("microphone", ("microphone",), electronics.microphone),
    Family("radio", ("radio",), electronics.radio),
    Family("gamepad", ("gamepad", "joystick"), electronics.game_controller),
    Family("kitchen sink", ("kitchen sink", "sink"), kitchen.kitchen_sink),
    Family("stove", ("stove", "kitchen range"), kitchen.stove),
    Family("refrigerator", ("refrigerator", "kitchen appliance"), kitchen.refrigerator),
    Family("washing machine", ("washing machine", "laundry machine"), kitchen.washing_machine),
    Family("dishwasher", ("dishwasher", "kitchen appliance"), kitchen.dishwasher),
    Family("microwave", ("microwave",), kitchen.microwave),
    Family("toaster", ("toaster",), kitchen.toaster),
    Family("kettle", ("kettle",), kitchen.kettle),
    Family("coffee maker", ("coffee maker",), kitchen.coffee_maker),
    Family("fan", ("fan",), kitchen.fan),
    Family("iron", ("iron", "flatiron"), kitchen.iron),
    Family("vacuum cleaner", ("vacuum cleaner", "hoover"), kitchen.vacuum_cleaner),
    Family("radiator", ("radiator",), kitchen.radiator),
    Family("lamp", ("lamp", "light"), lights.lamp),
    Family("candle", ("candle",), lights.candle),
    Family("light bulb", ("light bulb", "lightbulb"), lights.light_bulb),
    Family("lantern", ("lantern", "lamp"), lights.lantern),
    Family("shower", ("shower", "shower stall"), bathroom.shower),
    Family("car", ("car", "automobile", "vehicle"), cars.car),
    Family("pickup truck", ("pickup truck", "truck", "vehicle"), cars.pickup_truck),
    Family("van", ("van", "vehicle"), cars.van),
    Family("bus", ("bus", "vehicle"), cars.bus),
    Family("truck", ("truck", "vehicle"), cars.truck),
    Family("motorcycle", ("motorcycle", "vehicle"), cycles.motorcycle),
    Family("bicycle", ("bicycle", "bike"), cycles.bicycle),
    Family("train", ("train", "railway vehicle"), vehicles.train),
    Family("tram", ("tram", "streetcar"), vehicles.tram),
    Family("tractor", ("tractor", "vehicle"), vehicles.tractor),
    Family("tank", ("tank", "military vehicle"), vehicles.tank),
    Family("excavator", ("excavator", "digger"), vehicles.excavator),
    Family("wheelbarrow", ("wheelbarrow",), cycles.wheelbarrow),
    Family("stroller", ("stroller",), cycles.stroller),
    Family("skateboard", ("skateboard",), cycles.skateboard),
    Family("shopping cart", ("shopping cart",), cycles.shopping_cart),
    Family("airplane", ("airplane", "aeroplane", "plane", "aircraft"), aircraft.airplane),
    Family("helicopter", ("helicopter", "aircraft"), aircraft.helicopter),
    Family("rocket", ("rocket",), aircraft.rocket),
    Family("hot air balloon", ("hot air balloon",), aircraft.hot_air_balloon),
    Family("drone", ("drone",), aircraft.drone),
    Family("ship", ("ship",), ships.ship),
    Family("sailboat", ("sailboat", "boat"), ships.sailboat),
    Family("rowing boat", ("rowing boat", "boat"), ships.rowing_boat),
    Family("submarine", ("submarine",), ships.submarine),
    Family("dog", ("dog", "animal"), quadrupeds.quadruped("dog")),
    Family("cat", ("cat", "animal"), quadrupeds.quadruped("cat")),
    Family("horse", ("horse", "animal"), quadrupeds.quadruped("horse")),
    Family("cow", ("cow", "animal"), quadrupeds.quadruped("cow")),
    Family("elephant", ("elephant", "animal"), quadrupeds.quadruped("elephant")),
    Family("giraffe", ("giraffe", "animal"), quadrupeds.quadruped("giraffe")),
    Family("pig", ("pig", "animal"), quadrupeds.quadruped("pig")),
    Family("sheep", ("sheep", "animal"), quadrupeds.quadruped("sheep")),
    Family("goat", ("goat", "animal"), quadrupeds.quadruped("goat")),
    Family("deer", ("deer", "animal"), quadrupeds.quadruped("deer")),
    Family("rabbit", ("rabbit", "animal"), quadrupeds.quadruped("rabbit")),
    Family("bear", ("bear", "animal"), quadrupeds.quadruped("bear")),
    Family("lion", ("lion", "animal"), quadrupeds.quadruped("lion")),
    Family("camel", ("camel", "animal"), quadrupeds.quadruped("camel")),
    Family("rhinoceros", ("rhinoceros", "animal"), quadrupeds.quadruped("rhinoceros")),
    Family("fox", ("fox", "animal"), quadrupeds.quadruped("fox")),
    Family("mouse", ("mouse", "animal"), quadrupeds.quadruped("mouse")),
    Family("squirrel", ("squirrel", "animal"), quadrupeds.quadruped("squirrel")),
    Family("bird", ("bird", "animal"), birds.bird),
    Family("penguin", ("penguin", "bird"), birds.penguin),
    Family("duck", ("duck", "bird"), birds.duck),
    Family("chicken", ("chicken", "bird"), birds.chicken),
    Family("fish", ("fish", "animal"), sea_life.fish),
    Family("shark", ("shark", "fish"), sea_life.shark),
    Family("dolphin", ("dolphin", "sea animal"), sea_life.dolphin),
    Family("whale", ("whale",), sea_life.whale),
    Family("snake", ("snake", "reptile"), creatures.snake),
    Family("turtle", ("turtle", "reptile"), creatures.turtle),
    Family("crocodile", ("crocodile", "animal"), creatures.crocodile),
    Family("frog", ("frog", "animal"), creatures.frog),
    Family("ant", ("ant", "animal"), creatures.ant),
    Family("spider", ("spider", "animal"), creatures.spider),
    Family("beetle", ("beetle", "animal"), creatures.beetle),
    Family("butterfly", ("butterfly", "animal"), creatures.butterfly),
    Family("bee", ("bee", "animal"), creatures.bee),
    Family("octopus", ("octopus", "animal"), sea_life.octopus),
    Family("crab", ("crab", "animal"), sea_life.crab),
    Family("snail", ("snail", "animal"), creatures.snail),
    Family("starfish", ("starfish",), sea_life.starfish),
    Family("person", ("person", "human"), people.person),
    Family("bust", ("bust",), people.bust),
    Family("hand", ("hand",), people.hand),
    Family("skull", ("skull",), people.skull),
    Family("tree", ("tree", "plant"), plants.tree),
    Family("flower", ("flower", "plant"), plants.flower),
    Family("cactus", ("cactus", "plant"), plants.cactus),
    Family("potted plant", ("potted plant", "plant", "plant in a pot"), plants.potted_plant),
    Family("mushroom", ("mushroom",), plants.mushroom),
    Family("bush", ("bush", "plant"), plants.bush),
    Family("house", ("house",), buildings.house),
    Family("skyscraper", ("skyscraper",), buildings.skyscraper),
    Family("tower", ("tower",), landmarks.tower),
    Family("church", ("church",), buildings.church),
    Family("castle", ("castle",), buildings.castle),
    Family("tent", ("tent",), buildings.tent),
    Family("bridge", ("bridge",), landmarks.bridge),
    Family("lighthouse", ("lighthouse",), landmarks.lighthouse),
    Family("windmill", ("windmill",), landmarks.windmill),
    Family("barn", ("barn",), buildings.barn),
    Family("pyramid", ("pyramid",), landmarks.pyramid),
)
FAMILIES: dict[str, Family] = {family.name: family for family in _ALL}


def make(family: str, seed: int) -> ProceduralObject:
    """Make one object; equal (family, seed) give equal objects.

    Args:
        family: a key of `FAMILIES`.
        seed: any whole number >= 0.

    Returns:
        The object: z-up, x forward, roughly metres, standing on or near z = 0, as one mesh coloured by face.

    Raises:
        ShapeError: if there is no such family.
    """
    if family not in FAMILIES:
        close = get_close_matches(family, FAMILIES, n=1)
        raise ShapeError(f"no family {family!r}" + (f"; did you mean {close[0]!r}?" if close else ""))
    kind = FAMILIES[family]
    rng = np.random.default_rng([crc32(family.encode()), seed])
    parts, own = kind.make(rng)
    captions = tuple(dict.fromkeys([*own, *kind.captions]))
    # Makers fix what does not define the thing; no two real ones have the same proportions.
    broad, tall = np.exp(rng.normal(0, 0.07, 2))
    return ProceduralObject((scale(merge(parts), (broad, broad, tall)),), captions, family)


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
