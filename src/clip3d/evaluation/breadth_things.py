"""What the test of breadth asks for: classes in plain words and the objects of each, checked by eye.

Names are of model files below the game's data folder without suffix. Left out is what has no clear everyday name,
lies on its side, or is a whole landscape; near-synonyms are one class.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Placed:
    """A model file as a part of an object: where it stands, in the game's axes, how large, and whether turned."""

    file: str
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0
    quarter_turn: bool = False


def _library(*names: str) -> tuple[str, ...]:
    return tuple(f"library/stklib_{name}/stklib_{name}_main" for name in names)


def _kart(name: str, *wheels: tuple[str, float, float, float]) -> tuple[Placed, ...]:
    body = Placed(f"karts/{name}/{name}")
    return (body, *(Placed(f"karts/{name}/wheel-{wheel}", (x, y, z)) for wheel, x, y, z in wheels))


_FERRIS = "library/stklib_ferryWheels_a/stklib_ferryWheels_a"
_CAROUSEL = "library/stklib_carousel_a/stklib_carousel_a"
_HARVESTER = "library/stk_combineHarvester_a/stk_combineHarvester_a"
_PODS = ((0, 10), (70, 39), (99, 109), (70, 179), (0, 208), (-70, 179), (-99, 109), (-70, 39))

# Objects of several files, by the name of the first.
JOINED: dict[str, tuple[Placed, ...]] = {
    f"{_FERRIS}_main": (
        Placed(f"{_FERRIS}_main", scale=2.82),
        Placed(f"{_FERRIS}_wheel", (0.0, 109.0, 8.43), 2.82, quarter_turn=True),
        *(Placed(f"{_FERRIS}_pod-a", (float(x), float(y), 0.0)) for x, y in _PODS),
    ),
    f"{_CAROUSEL}_main": tuple(Placed(f"{_CAROUSEL}_{part}") for part in ("main", "horseA", "horseB")),
    f"{_HARVESTER}_main": (
        Placed(f"{_HARVESTER}_main"),
        Placed(f"{_HARVESTER}_rotor", (0.0, 2.24, 7.07)),
        Placed(f"{_HARVESTER}_screw", (0.0, 0.94, 5.05)),
        Placed("library/stk_combineHarvester_a/blades", (0.27, -0.03, 6.60)),
    ),
    "library/stklib_windpump_a/stklib_windpump_a_main": (
        Placed("library/stklib_windpump_a/stklib_windpump_a_main"),
        Placed("library/stklib_windpump_a/stklib_windpump_a_mill", (-1.25, 19.59, -0.39)),
    ),
    "library/stklib_weatherCock_a/stklib_weatherCock_a_main": (
        Placed("library/stklib_weatherCock_a/stklib_weatherCock_a_main"),
        Placed("library/stklib_weatherCock_a/stklib_weatherCock_a_structure"),
    ),
    "karts/amanda/amanda": _kart(
        "amanda",
        ("front-left", -0.4, 0.14, 0.43),
        ("front-right", 0.4, 0.14, 0.43),
        ("rear-left", -0.42, 0.18, -0.4),
        ("rear-right", 0.42, 0.18, -0.4),
    ),
    "karts/konqi/konqi": _kart(
        "konqi",
        ("front-left", -0.4, 0.15, 0.44),
        ("rear-left", -0.4, 0.18, -0.55),
        ("front-right", 0.4, 0.15, 0.44),
        ("rear-right", 0.4, 0.18, -0.55),
    ),
    "karts/pidgin/pidgin": _kart(
        "pidgin",
        ("front-left", -0.32, 0.12, 0.3),
        ("front-right", 0.35, 0.12, 0.3),
        ("rear-left", -0.36, 0.18, -0.43),
        ("rear-right", 0.38, 0.18, -0.43),
    ),
    "karts/suzanne/suzanne": _kart(
        "suzanne",
        ("rear-left", -0.39, 0.21, -0.39),
        ("rear-right", 0.39, 0.21, -0.39),
        ("front-left", -0.36, 0.16, 0.37),
        ("front-right", 0.36, 0.16, 0.37),
    ),
    "karts/tux/tux": _kart(
        "tux",
        ("front-left", -0.32, 0.11, 0.41),
        ("front-right", 0.32, 0.11, 0.41),
        ("rear-left", -0.35, 0.14, -0.34),
        ("rear-right", 0.35, 0.14, -0.34),
    ),
}

THINGS: dict[str, tuple[str, ...]] = {
    "airplane": _library("hexajet_a", "trijet_a"),
    "anchor": ("models/anchor",),
    "antlers": ("tracks/black_forest/antlers_high",),
    "armchair": _library("armchair_a"),
    "balloons": ("tracks/pumpkin_park/balloons_a",),
    "banana peel": ("models/banana",),
    "basketball": ("models/rubber_ball",),
    "beach ball": tuple(f"tracks/gran_paradiso_island/beachball_play{s}" for s in ("", "_2")),
    "bench": _library("bench_a"),
    "blimp": _library("blimp_a"),
    "boat": ("library/stklib_ReedBoat_a/stklib_ReedBoat_a", "tracks/candela_city/gondola"),
    "bone": ("tracks/cave/Dinosaur_arm",),
    "branch": ("library/stklib_deadBranch_a/stklib_deadBranch_a", "tracks/black_forest/branch_b"),
    "butterfly": _library("butterfly_a"),
    "cabbage": _library("cabbage_a"),
    "cactus": ("tracks/overworld/cactus",),
    "candles": _library("candle_a"),
    "cannon": ("tracks/battleisland/Cannon",),
    "car": _library("oldCar_a"),
    "carousel": (f"{_CAROUSEL}_main",),
    "carpet": ("karts/gnu/Carpet",),
    "carrots": _library("carrot_a"),
    "cart": ("tracks/mines/cart_2",),
    "chair": ("tracks/black_forest/chair_a",),
    "chimney": _library("chimney_a", "chimney_b"),
    "clock tower": ("library/stklib_silvianClock_a/stklib_silvianClock_a_high",),
    "column": ("tracks/overworld/pedestral_hi", "tracks/snowtuxpeak/pillard_LOD70"),
    "combine harvester": (f"{_HARVESTER}_main",),
    "computer monitor": _library("computerScreenMail_a"),
    "cooking pot": ("tracks/black_forest/topf",),
    "crab": _library("redCrab_a"),
    "crate": (*_library("boxGrid_a"), "tracks/tutorial/WoodenBox"),
    "cupcake": ("models/cake",),
    "desk": ("tracks/black_forest/desk_a",),
    "diamond": ("tracks/fortmagma/diamond",),
    "door": ("tracks/black_forest/door_a",),
    "duck": ("tracks/minigolf/duck", "tracks/minigolf/duck2"),
    "dynamite": ("models/bomb",),
    "easel": _library("easel_a"),
    "easter egg": ("models/easter_egg",),
    "fence": (*_library("silvianFence_a"), "tracks/black_forest/fence_house_b"),
    "fern": ("library/stklib_fern_a/stklib_fern_a_a",),
    "ferris wheel": (f"{_FERRIS}_main",),
    "fire": ("tracks/cave/Fire",),
    "fish": _library("piranha_a"),
    "flag": ("models/blue_flag", "models/red_flag", "tracks/minigolf/vlag"),
    "fountain": _library("slivianFountain_a"),
    "gas cylinder": ("models/nitrotank-big", "models/nitrotank-small"),
    "gear": ("tracks/cocoa_temple/cocoa_shredder", "tracks/mines/cogwheel1"),
    "ghost": ("tracks/ravenbridge_mansion/ghost",),
    "gift box": ("models/gift-box",),
    "go-kart": tuple(f"karts/{name}/{name}" for name in ("amanda", "konqi", "pidgin", "suzanne", "tux")),
    "gramophone": _library("gramophone_a"),
    "hay bale": _library("hayBall_a"),
    "hearts": ("tracks/xr591/love",),
    "hockey puck": ("tracks/icy_soccer_field/puck",),
    "house": (
        *_library("old_house_a", "silvianHouse_b"),
        "library/stklib_silvianHouse_a/stklib_silvianHouse_a_high",
    ),
    "hut": _library("aztecHut_a"),
    "igloo": _library("igloo_a"),
    "key": ("tracks/featunlocked/ChestKey",),
    "lamp": _library("oldLibraryLamp_a"),
    "lantern": (
        *_library("mineLantern_a", "stormLantern_a", "loveLantern_a"),
        "library/hd_chineseRedLantern_a/hd_chineseRedLantern_a_main",
    ),
    "log": ("tracks/black_forest/log_big_a",),
    "log cabin": _library("woodLodge_a"),
    "mailbox": _library("mailbox_a"),
    "man": _library("beachGuy_a"),
    "mermaid": _library("mermaid_a"),
    "monkey": _library("monkeyCheering_a"),
    "mushrooms": _library("mushroom_b"),
    "palm tree": ("library/hd_palmTree_a/hd_palmTree_a_main", "library/stklib_palmTree_a/stklib_palmTree_a_LOD_a"),
    "parachute": ("models/parachute",),
    "parrot": ("library/stklib_redParrot_a/stklib_redParrot_a_mainstklib_redParrot_a_main",),
    "pencil": _library("pencilPaint_a"),
    "pig": _library("animalPig_a"),
    "pile of logs": ("tracks/black_forest/woodpile",),
    "pine tree": (
        "library/stklib_pinetree_a/stklib_pinetree_a_lod_high",
        "library/stklib_pinetree_b/stklib_pinetree_b_high",
        "tracks/black_forest/fir_tree_a",
    ),
    "plate": ("tracks/black_forest/teller",),
    "plunger": ("models/plunger",),
    "pumpkin": _library("pumpkin_a", "jackOLantern_a"),
    "road barrier": ("tracks/volcano_island/road_close1", "tracks/black_forest/road_close1"),
    "rock": _library("snowRocks_a"),
    "rocket": ("tracks/overworld/rocket_hi",),
    "rope": ("tracks/endcutscene/Rope",),
    "santa hat": ("models/christmas_hat",),
    "satellite dish": ("tracks/alien_signal/dish_ctf",),
    "seashell": _library("spiralBlueShell_a"),
    "skull": ("tracks/overworld/skull",),
    "skyscraper": (*_library("modernHousing_a"), "library/stklib_modernHousing_b/stklib_modernHousing_b"),
    "smartphone": _library("smartphone_a"),
    "soccer ball": ("tracks/soccer_field/soccer_ball",),
    "spear": ("tracks/cave/Stoneage_spear",),
    "spotlight": _library("showProjector_a"),
    "steam locomotive": ("library/stklib_steamLocomotive_a/stklib_steamengine_a",),
    "suitcase": _library("luggage_a"),
    "table": ("tracks/black_forest/house_table",),
    "tire": ("models/tire", "tracks/lasdunasarena/big_wheel"),
    "torch": _library("bambooTorch_a"),
    "torii gate": (*_library("redToriiPortal_a"), "tracks/introcutscene/Tori1"),
    "treasure chest": ("models/chest", "tracks/battleisland/Chest"),
    "tree": (
        "library/stklib_accacia_a/stklib_accacia_a_high",
        "library/stklib_autumnTree_c/stklib_autumnTree_c_high",
        "library/stklib_autumnTree_e/stklib_autumnTree_e_high",
        "library/stklib_jungleTree_b/stklib_jungleTree_b_main",
        "tracks/black_forest/ekasia_tree_high",
        "tracks/zengarden/sakuraPine_LOD45",
    ),
    "tree stump": ("library/stklib_treeStump_a/stklib_treeStump_a_high",),
    "trophy": ("models/trophy_gold", "models/trophy_silver"),
    "umbrella": _library("umbrellaBeach_a"),
    "van": _library("tvVan_a"),
    "vase": _library("aztekVase_a"),
    "volcano": ("tracks/candela_city/volcano_static",),
    "water lily": ("library/stklib_waterLily_a/stklib_waterLily_a_main_high",),
    "water tower": _library("watertower_a"),
    "weather vane": _library("weatherCock_a"),
    "windmill": _library("windpump_a"),
    "woman": _library("aztekGirlCheering_a", "beachWomen_a", "silvianGirl_a"),
    "wooden sign": ("tracks/temple/wooden_sign",),
}
