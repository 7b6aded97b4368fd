"""Captions from the names that model libraries give their objects."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

# Names that say something else in plain English, or nothing that a shape can show.
RENAMES = {
    "trunck": "trunk",
    "little bank": "bench",
    "wood bank": "wooden bench",
    "flipper": "pinball machine",
    "hashtray": "ashtray",
    "hood": "range hood",
    "exterior door": "front door",
    "puff": "pouf",
    "letters box": "mailbox",
    "male": "man",
    "female": "woman",
    "sitting male": "sitting man",
    "sitting female": "sitting woman",
    "holding male": "standing man",
    "holding female": "standing woman",
    "lying down male": "lying man",
    "lying down female": "lying woman",
    "lying down boy": "lying boy",
    "barnum": "marquee tent",
    "bath": "bathtub",
    "island bath": "freestanding bathtub",
    "island": "kitchen island",
    "island extension": "kitchen island",
    "basin": "wash basin",
    "washbasin": "wash basin",
    "small lavatory": "small wash basin",
    "toilets unit": "toilet",
    "mower": "lawn mower",
    "cutting pliers": "pliers",
    "mocassin": "moccasin shoe",
    "bootie": "ankle boot",
    "short": "shorts",
    "flacon": "perfume bottle",
    "frame chambord": "picture frame",
    "mp3 base": "speaker dock",
    "mp3 station": "speaker dock",
    "squeezer": "lemon squeezer",
    "gaz water heater": "gas water heater",
    "teck chair": "teak chair",
    "tatami": "tatami mat",
    "technical table": "drafting table",
    "table tennis": "table tennis table",
    "football table": "foosball table",
    "children game": "playground equipment",
    "bike": "bicycle",
    "indoor bike": "exercise bike",
    "fork lift": "forklift",
    "seat leon": "hatchback car",
    "renault scenic": "minivan",
    "peugeot 308 cc": "convertible car",
    "ford focus": "hatchback car",
    "vw new beetle": "beetle car",
    "chevrolet": "pickup truck",
    "concept sedan 01": "sedan car",
    "concept sedan 02": "sedan car",
    "concept sedan 02 sport": "sports car",
    "smart car": "small car",
    "yamaha yzr r6": "motorcycle",
    "apple iphone": "smartphone",
    "apple imac 2004": "desktop computer",
    "apple imac 1998": "desktop computer",
    "apple ibook": "laptop",
    "playstation": "game console",
    "tv": "television",
    "tv 16:9": "flat screen television",
    "wall flat tv": "flat screen television",
    "tv stand": "television stand",
    "tv remote control": "remote control",
    "video projector": "projector",
    "cctv": "surveillance camera",
    "winchester sofa": "chesterfield sofa",
    "winchester armchair": "chesterfield armchair",
    "convertible sofa bz": "sofa bed",
    "opened convertible sofa bz": "open sofa bed",
    "bended coconut tree": "coconut tree",
    "teapot": "teapot",
    "class seat": "school chair",
    "desk table": "desk",
    "spice tower": "spice rack",
    "rigged fan": "fan",
    "punching ball": "punching bag",
    "penbox": "pencil holder",
    "drawers cabinet": "chest of drawers",
    "dresser with drawers": "dresser",
    "barrel": "barrel",
    "couch": "couch",
    "lip stick": "lipstick",
    "cup cake": "cupcake",
    "apples": "apple",
    "residential trashcan": "trash can",
    "park trashcan": "trash can",
    "dustbin": "trash can",
    "entry bell ring": "door bell",
    "entry speech unit": "intercom",
}

# Names for one and the same thing; the first phrase of a set need not be the commonest.
SYNONYMS = (
    ("sofa", "couch", "settee"),
    ("bedside table", "nightstand", "night stand"),
    ("wash basin", "bathroom sink"),
    ("trash can", "garbage can", "dustbin"),
    ("refrigerator", "fridge"),
    ("television", "tv"),
    ("monitor", "computer monitor", "screen"),
    ("chest of drawers", "dresser"),
    ("wardrobe", "closet"),
    ("motorcycle", "motorbike"),
    ("bicycle", "bike"),
    ("cup", "mug"),
    ("bookcase", "bookshelf"),
    ("airplane", "aeroplane", "plane"),
    ("stove", "cooker"),
    ("picture frame", "painting"),
    ("automobile", "car"),
    ("mobile phone", "cellphone", "smartphone"),
    ("speaker", "loudspeaker"),
    ("potted plant", "houseplant"),
    ("bathtub", "bath tub"),
    ("mailbox", "letter box"),
    ("baby bed", "crib", "cot"),
    ("street lamp", "street light", "lamppost"),
    ("toilet", "toilet bowl"),
    ("glasses", "spectacles"),
    ("bush", "shrub"),
    ("wardrobe", "armoire"),
)

# The head of a compound name is a fair name for the thing itself, for these heads only ("toilet brush" is
# no toilet, "oak chair" is a chair).
HEADS = (
    "chair", "armchair", "table", "desk", "sofa", "couch", "bed", "lamp", "stool", "bench", "cabinet",
    "bookcase", "door", "window", "car", "truck", "bus", "tree", "plant", "bottle", "glass", "cup", "vase",
    "box", "basket", "clock", "curtain", "fan", "radiator", "shelves", "wardrobe", "washing machine", "oven",
    "stove", "sink", "wash basin", "bathtub", "toilet", "television", "camera", "phone", "piano", "guitar",
    "fence", "railing", "staircase", "ladder", "bin", "trash can", "knife", "pan", "plate", "bowl", "jar",
    "rug", "carpet", "towel", "hat", "shoe", "bag", "tent", "hut", "pool", "fountain", "lantern", "mailbox",
    "scale", "racket", "man", "woman", "boy", "girl", "dog", "cat", "horse", "socket", "switch", "plug",
    "light", "hammock", "umbrella", "grill", "boiler", "water heater",
)


def phrases_for(name: str) -> tuple[str, ...]:
    """Captions of an object from its catalogue name, the most specific first: ("oak chair", "chair")."""
    phrase = clean(name)
    found = [phrase]
    for head in HEADS:
        if phrase.endswith(f" {head}"):
            found.append(head)
    return with_synonyms(found)


def with_synonyms(phrases: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """The phrases, each followed by its synonyms, without repeats."""
    found: list[str] = []
    for phrase in phrases:
        found.append(phrase)
        for group in SYNONYMS:
            if phrase in group:
                found += group
    return tuple(dict.fromkeys(found))


def clean(name: str) -> str:
    """A catalogue name as a plain phrase: lower case, no numbers, no typographic marks, known oddities renamed."""
    phrase = re.sub(r"[^\w\s:'-]", " ", name.lower().replace("_", " "))
    phrase = " ".join(phrase.split())
    if phrase in RENAMES:
        return RENAMES[phrase]
    phrase = re.sub(r"\b\d+\S*", " ", phrase)
    phrase = " ".join(phrase.replace(" - ", " ").split()) or " ".join(name.lower().split())
    return RENAMES.get(phrase, phrase)


@cache
def rules(name: str) -> tuple[tuple[str, str], ...]:
    """The rules of `names/NAME.txt`: pairs of a pattern and what it says, in the file's order."""
    lines = Path(__file__).with_name("names").joinpath(f"{name}.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line.strip() and not line.startswith("#"))
    return tuple((pattern.strip(), text.strip()) for pattern, _, text in pairs)


def first_match(path: str, rules: Sequence[tuple[str, str]]) -> str:
    """What the first rule says whose pattern (of `fnmatch`, case kept) the path matches; "" if none does."""
    return next((text for pattern, text in rules if fnmatchcase(path, pattern)), "")
