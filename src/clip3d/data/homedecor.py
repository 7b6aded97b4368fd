"""Household things of the Minetest pack homedecor (Debian minetest-mod-homedecor): low-poly models, CC-BY-SA-4.0.

The code of the pack is LGPL, its models and pictures are not: each file's own entry in the copyright file is asked.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from clip3d.clouds.reading import read
from clip3d.data.captions import with_synonyms
from clip3d.data.library import Entry
from clip3d.data.licences import Copyright, Terms, together
from clip3d.data.packages import deb_files
from clip3d.errors import CloudError, DataError

PACKAGE = "minetest-mod-homedecor"
COPYRIGHT = f"usr/share/doc/{PACKAGE}/copyright"
FOLDER = "usr/share/games/minetest/mods/homedecor/"

# Surfaces that the game paints with pictures of other packages or tints, as plain sRGB colours.
PAINTS = {
    "wood": "0.55 0.38 0.20",
    "dark wood": "0.30 0.18 0.10",
    "red wood": "0.45 0.20 0.12",
    "white": "0.92 0.92 0.92",
    "ivory": "0.93 0.90 0.80",
    "grey": "0.55 0.55 0.57",
    "steel": "0.70 0.71 0.73",
    "black": "0.10 0.10 0.11",
    "brass": "0.80 0.62 0.25",
    "gold": "0.90 0.72 0.20",
    "copper": "0.72 0.40 0.25",
    "glass": "0.80 0.90 0.93",
    "lamplight": "1.00 0.95 0.75",
    "water": "0.25 0.45 0.75",
    "soil": "0.30 0.20 0.12",
    "stone": "0.50 0.50 0.50",
    "brick": "0.60 0.30 0.24",
    "red": "0.65 0.10 0.10",
    "blue": "0.20 0.30 0.60",
    "green": "0.15 0.40 0.20",
    "cloth": "0.45 0.45 0.50",
    "flame": "0.98 0.60 0.15",
}

# By name of the model without homedecor_: captions, and what paints its surfaces in their order in the file, a
# picture of the pack or one of PAINTS.
THINGS = {
    "3d_vessels_bottle": ("glass bottle|bottle", "glass"),
    "4_bottles": ("group of bottles|bottles", "homedecor_bottle_green.png, homedecor_bottle_brown.png"),
    "bottle": ("bottle", "homedecor_bottle_green.png"),
    "analog_clock": ("wall clock|clock", "homedecor_analog_clock_face.png, wood, homedecor_analog_clock_back.png"),
    "barbecue": ("barbecue grill|barbecue|grill", "black, flame, steel"),
    "bathroom_faucet": ("bathroom faucet|faucet|tap", "grey, steel, steel, steel"),
    "bathroom_sink": ("bathroom sink|sink", "ivory, ivory, water"),
    "bathtub_clawfoot": ("clawfoot bathtub|bathtub", "grey, steel, steel, brass, white, white"),
    "medicine_cabinet": ("medicine cabinet|mirror cabinet|cabinet", "wood, glass"),
    "shower_head": ("shower head|shower", "steel, steel"),
    "toilet_closed": ("toilet", "white, white, white, grey"),
    "toilet_open": ("open toilet|toilet", "white, white, white, water, grey"),
    "toilet_paper": ("toilet paper roll|toilet paper", "white, wood"),
    "towel_rod": ("towel rail|towel on a rack|towel", "blue, wood"),
    "bed_kingsize": ("double bed|king size bed|bed", "wood, wood, white, red, wood, white"),
    "bed_regular": ("single bed|bed", "wood, wood, white, blue, wood, white"),
    "book": ("closed book|book", "red, ivory"),
    "book_open": ("open book|book", "red, ivory, ivory"),
    "radiator": ("radiator|heater", "white, grey"),
    "grandfather_clock": (
        "grandfather clock|pendulum clock|clock",
        "glass, homedecor_grandfather_clock_face.png, dark wood, homedecor_grandfather_clock_face_edge.png, brass",
    ),
    "door_japanese_closed": ("japanese sliding door|sliding door|door", "wood, ivory"),
    "speaker_large": ("floor speaker|speaker", "homedecor_speaker_sides.png, homedecor_speaker_front.png"),
    "speaker_small": ("small speaker|speaker", "homedecor_speaker_sides.png, homedecor_speaker_front.png"),
    "telephone": (
        "rotary telephone|telephone|phone",
        "homedecor_telephone_dial.png, homedecor_telephone_base.png, homedecor_telephone_handset.png, black",
    ),
    "doghouse": ("dog house|kennel", "homedecor_shingles_terracotta.png, wood, cloth"),
    "well": ("wishing well|water well|well", "ivory, grey, water, stone, wood, homedecor_shingles_wood.png"),
    "coatrack": ("coat rack|coat stand", "wood, dark wood"),
    "openframe_bookshelf": ("bookshelf|shelf", "homedecor_openframe_bookshelf_books.png, wood"),
    "coffeemaker": (
        "coffee maker|coffee machine",
        "homedecor_coffeemaker_decanter.png, homedecor_coffeemaker_cup.png, homedecor_coffeemaker_case.png",
    ),
    "copper_pans": ("hanging copper pans|pans|cookware", "copper"),
    "kitchen_faucet": ("kitchen faucet|faucet|tap", "steel"),
    "paper_towel": ("paper towel roll|paper towels", "white, wood"),
    "refrigerator": ("refrigerator", "homedecor_refrigerator_steel.png"),
    "ironing_board": ("ironing board", "cloth, grey"),
    "candle_thick": ("thick candle|candle", "ivory, flame"),
    "candle_thin": ("thin candle|candle", "ivory, flame"),
    "candlestick": ("candlestick|candle holder|candle", "ivory, flame, brass"),
    "ceiling_lamp": ("ceiling lamp|lamp", "brass, glass, lamplight, white"),
    "ceiling_lantern": ("ceiling lantern|lantern|lamp", "lamplight, black"),
    "chandelier": ("chandelier|ceiling lamp", "ivory, flame, brass"),
    "desk_lamp": ("desk lamp|lamp", "blue, blue, grey, lamplight"),
    "ground_lantern": ("garden lantern|lantern|lamp", "lamplight, black"),
    "hanging_lantern": ("hanging lantern|lantern|lamp", "black, lamplight"),
    "oil_lamp": ("oil lamp|kerosene lamp|lamp", "brass, black, red, flame, red, glass"),
    "standing_lamp": ("floor lamp|standing lamp|lamp", "ivory, lamplight, red wood, black"),
    "table_lamp": ("table lamp|bedside lamp|lamp", "ivory, lamplight, red wood, black"),
    "dartboard": ("dartboard", "homedecor_dartboard.png"),
    "fishtank": (
        "fish tank|aquarium",
        "black, black, homedecor_fishtank_fishes.png, homedecor_fishtank_gravel.png, water, water",
    ),
    "flowerpot": ("flower pot|plant pot|pot", "homedecor_flower_pot_terracotta.png, soil"),
    "piano": ("upright piano|piano", "black, homedecor_piano_keys.png, brass"),
    "pool_table": (
        "pool table|billiard table",
        "homedecor_pool_table_cue.png, homedecor_pool_table_baize.png, black, homedecor_pool_table_balls.png, wood",
    ),
    "skateboard": ("skateboard", "homedecor_skateboard.png"),
    "spiral_staircase": ("spiral staircase|staircase|stairs", "black"),
    "sport_bench": ("weight bench|bench press|exercise equipment", "black, steel, black, black"),
    "trophy": ("trophy|trophy cup|cup", "wood, gold"),
    "desk": ("office desk|desk|table", "wood, wood, black"),
    "desk_globe": ("desk globe|globe", "red wood, grey, homedecor_earth.png"),
    "bench_large_1": ("garden bench|park bench|bench", "wood, black"),
    "bench_large_2": ("wooden bench|bench", "wood"),
    "deckchair": ("deck chair|sun lounger|beach chair", "homedecor_deckchair.png"),
    "kitchen_chair": ("kitchen chair|wooden chair|chair", "wood, wood"),
    "office_chair_basic": ("office chair|swivel chair|chair", "black"),
    "office_chair_upscale": ("executive office chair|office chair|chair", "black"),
    "lrfurn_armchair": ("armchair|upholstered armchair|chair", "cloth, dark wood"),
    "lrfurn_sofa_long": ("sofa", "cloth, dark wood"),
    "lrfurn_sofa_short": ("two-seater sofa|loveseat|sofa", "cloth, dark wood"),
    "table_large_square": ("square table|table", "wood, wood, wood, wood, wood, wood"),
    "table_small_round": ("small round table|round table|table", "wood, wood, wood, wood, wood, wood"),
    "trash_can": ("trash can|waste basket", "homedecor_trash_can.png"),
    "trash_can_green": ("wheelie bin|trash can", "green"),
    "bedroom_wardrobe": ("wardrobe", "wood, homedecor_wardrobe_drawers.png, homedecor_wardrobe_doors.png"),
    "inbox_mailbox": ("mailbox", "red, white, grey"),
}

# The game hangs these on walls and floors by turning them, so their files have z up; all others have y up.
TURNED = frozenset(
    (
        "bed_kingsize",
        "bed_regular",
        "dartboard",
        "kitchen_chair",
        "lrfurn_armchair",
        "lrfurn_sofa_long",
        "lrfurn_sofa_short",
    )
)


def read_homedecor(package: Path, *, points: int, progress: Callable[[str], None]) -> Iterator[Entry]:
    """The nameable models of the pack as dense clouds with their captions.

    Args:
        package: the .deb.
        points: sampled on each surface.
        progress: called with a line at the start and for each model that cannot be used.

    Raises:
        DataError: if the package holds no models or no copyright file.
    """
    models, pictures, terms = _contents(package)
    progress(f"{PACKAGE}: {len(THINGS)} models")
    with tempfile.TemporaryDirectory() as folder:
        for name, (captions, paints) in THINGS.items():
            path = next((p for p in models if PurePosixPath(p).stem in (name, f"homedecor_{name}")), "")
            try:
                owners = [terms.open_terms(path or name)]
                model = _write(Path(folder), name, models[path], _open_pictures(paints, pictures, terms, owners))
                cloud = read(model, points=points, up="z" if name in TURNED else "y")
            except (CloudError, DataError, KeyError) as error:
                progress(f"{PACKAGE}: {name} passed over: {error}")
                continue
            credit = together(owners)
            yield Entry(
                cloud=replace(cloud, path=None, sources=()),
                captions=with_synonyms(captions.split("|")),
                name=f"homedecor/{name}",
                source=f"{PACKAGE} by {credit.holders}",
                licence=credit.licence,
            )


def _contents(package: Path) -> tuple[dict[str, bytes], dict[str, bytes], Copyright]:
    """Models and pictures by path below the folder, and the terms of each."""
    models: dict[str, bytes] = {}
    pictures: dict[str, bytes] = {}
    text = None
    for name, stream in deb_files(package, keep=lambda n: n == COPYRIGHT or n.endswith((".obj", ".png"))):
        if name == COPYRIGHT:
            text = stream.read().decode("utf-8", "replace")
        else:
            (models if name.endswith(".obj") else pictures)[name.removeprefix(FOLDER)] = stream.read()
    if text is None or not models:
        raise DataError(package, f"holds no {COPYRIGHT} or no models", f"bring {PACKAGE} 20210327")
    return models, pictures, Copyright(text)


def _open_pictures(
    paints: str, pictures: dict[str, bytes], terms: Copyright, owners: list[Terms]
) -> list[str | bytes]:
    """What paints each surface: a colour as text, or a picture's content; its terms are added to `owners`."""
    found: list[str | bytes] = []
    for paint in paints.split(", "):
        if paint in PAINTS:
            found.append(PAINTS[paint])
            continue
        path = next((p for p in pictures if PurePosixPath(p).name == paint), paint)
        owners.append(terms.open_terms(path))
        found.append(pictures[path])
    return found


def _write(folder: Path, name: str, obj: bytes, paints: list[str | bytes]) -> Path:
    """The model with materials of its own, one a surface; of paints too few, the last counts for the rest."""
    text, surfaces = _surfaces(obj)
    lines = []
    for number in range(surfaces):
        paint = paints[min(number, len(paints) - 1)]
        lines.append(f"newmtl s{number}")
        if isinstance(paint, str):
            lines.append(f"Kd {paint}")
        else:
            (folder / f"{name}-{number}.png").write_bytes(paint)
            lines += ["Kd 1 1 1", f"map_Kd {name}-{number}.png"]
    (folder / f"{name}.mtl").write_text("\n".join(lines) + "\n")
    path = folder / f"{name}.obj"
    path.write_bytes(f"mtllib {name}.mtl\n".encode() + text)
    return path


def _surfaces(obj: bytes) -> tuple[bytes, int]:
    """The model with its surfaces named s0, s1, … in the order in which they begin, and how many there are.

    A surface is what has one group and one material, as the game counts them.
    """
    keys: dict[tuple[bytes, bytes], int] = {}
    current = {b"g": b"", b"usemtl": b""}
    lines: list[bytes] = []
    named = -1
    for line in obj.splitlines():
        word, _, rest = line.strip().partition(b" ")
        if word in current:
            current[word] = rest.strip()
        elif word == b"f":
            surface = keys.setdefault((current[b"g"], current[b"usemtl"]), len(keys))
            if surface != named:
                lines.append(f"usemtl s{surface}".encode())
                named = surface
            lines.append(line)
        elif word in (b"v", b"vt", b"vn"):
            lines.append(line)
    return b"\n".join(lines) + b"\n", len(keys)
