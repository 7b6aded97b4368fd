"""Furniture, plants, weapons and street objects of UFO: Alien Invasion (Debian ufoai-data).

The package is mostly GPL. Taken are only the models whose own entry in its copyright file is CC-BY-SA, CC-BY or
public domain, and a skin only if its own entry is; a model without such a skin goes uncoloured.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.mesh import Mesh
from clip3d.data.archives import read_member
from clip3d.data.captions import with_synonyms
from clip3d.data.cutouts import Skin, read_skin, sample_opaque, skinned
from clip3d.data.library import Entry
from clip3d.data.licences import Copyright, Terms, together
from clip3d.data.md2 import read_md2
from clip3d.data.packages import deb_files
from clip3d.errors import DataError, ShapeError

PACKAGE = "ufoai-data"
COPYRIGHT = f"usr/share/doc/{PACKAGE}/copyright"
ARCHIVE = "usr/share/games/ufoai/base/0models.pk3"

# Captions of the models that have an everyday name, by path below base/models without suffix; + joins the parts of
# one plant. Cases without a name (ammunition, alien arms, single trunks) are left out.
NAMES = {
    "aircraft/craft_weapon_sparrow/sparrowhawk": "missile|rocket",
    "aliens/alientank/alientank": "walking robot|robot",
    "aliens/bloodspider/bloodspider": "robot spider|spider",
    "aliens/bloodspider_adv/body01": "robot spider|spider",
    "objects/barrel_fuel/barrel_fuel": "oil drum|oil barrel|metal barrel|barrel",
    "objects/barrel_plastic/barrel_plastic": "plastic barrel|barrel",
    "objects/base/minicrane/minicrane": "mobile crane|crane",
    "objects/city/bench/bench_l": "long wooden bench|wooden bench|bench",
    "objects/city/bench/bench_s": "wooden bench|bench",
    "objects/city/light/light": "street lamp",
    "objects/city/light/light2": "street lamp",
    "objects/city/parkbench/parkbench": "park bench|bench",
    "objects/city/parktable/parktable": "park table|stone table|table",
    "objects/city/watertower/watertower": "water tower|tower",
    "objects/city/watertower/watertower2": "steel tower|lattice tower|tower",
    "objects/container/container_body": "shipping container|cargo container|container",
    "objects/container/container_short": "shipping container|cargo container|container",
    "objects/container/container_short_closed": "shipping container|cargo container|container",
    "objects/furniture/bed/bed1": "wooden bed|bed",
    "objects/furniture/chairs/chair2": "wooden chair|upholstered chair|chair",
    "objects/furniture/chairs/chair3": "leather armchair|armchair|chair",
    "objects/furniture/coffeemaker/coffeemaker": "coffee maker|coffee machine",
    "objects/furniture/curtains/curtain": "curtain",
    "objects/furniture/curtains/curtains": "curtains|curtain",
    "objects/furniture/desk/desk": "wooden desk|desk|table",
    "objects/furniture/desklamp/desklamp": "desk lamp|lamp",
    "objects/furniture/dishes/cup": "mug|cup",
    "objects/furniture/dishes/fork": "fork|cutlery",
    "objects/furniture/dishes/knife": "table knife|knife|cutlery",
    "objects/furniture/dishes/plate": "dinner plate|plate|dish",
    "objects/furniture/emergencyexit/emergencyexit": "emergency exit sign|exit sign|sign",
    "objects/furniture/fireext/fireext": "fire extinguisher",
    "objects/furniture/fireplace/fireplace": "fireplace",
    "objects/furniture/flowerpot2/flowerpot2": "potted plant|flower pot|plant",
    "objects/furniture/pitchfork/pitchfork": "pitchfork|garden fork|tool",
    "objects/furniture/radiator/radiator": "radiator|heater",
    "objects/gas_tank/gas_tank": "gas bottle|gas cylinder|propane tank",
    "objects/industrial/lamp/lamp": "bulkhead lamp|wall lamp|lamp",
    "objects/industrial/valve/valve": "pipe valve|valve",
    "objects/rubbish/gravel/gravel": "heap of gravel|pile of stones",
    "objects/vegi/bush/bush01": "leafy bush|bush|plant",
    "objects/vegi/fern2/fern2": "fern|plant",
    "objects/vegi/grass2/grass": "tuft of grass|grass|plant",
    "objects/vegi/gumtree/gum_tree_branch": "leafy branch|branch",
    "objects/vegi/gumtree/gum_tree_trunk_l1": "tree trunk|trunk",
    "objects/vegi/gumtree/gum_tree_trunk_l2": "bare tree|dead tree|tree",
    "objects/vegi/palm1/palm1 + objects/vegi/palm1/palm2_1": "palm tree|tree",
    "objects/vegi/palm2/trunk + objects/vegi/palm2/leaf": "tree|leafy tree",
    "objects/vegi/palm_a/palm2": "palm crown|palm leaves|plant",
    "objects/vegi/palm_plant/palm_plant": "palm plant|plant",
    "objects/vegi/palm_v1/palm_v1": "palm tree|tree",
    "objects/vegi/palm_v2/palm_v2": "palm tree|tree",
    "objects/vegi/palm_v3/palm_v3": "palm tree|tree",
    "objects/vegi/pino/pino2 + objects/vegi/pino/pino2_leaves": "pine tree|conifer|tree",
    "objects/vegi/pino/pino3 + objects/vegi/pino/pino3_leaves": "pine tree|conifer|tree",
    "objects/vegi/plant_v1/plant_v1": "agave|succulent plant|plant",
    "objects/vegi/plants2/plant_01": "flowering bush|bush|plant",
    "objects/vegi/plants2/plant_03": "flowering bush|bush|plant",
    "objects/vegi/tree02/tree2_a + objects/vegi/tree02/tree2_b": "fir tree|spruce|conifer|tree",
    "objects/vegi/tree02/tree2_b": "bare fir tree|dead tree|tree",
    "objects/vegi/treed/treed_trunk01": "bare tree|dead tree|tree",
    "objects/vegi/treed/treed_trunk01 + objects/vegi/treed/treed_leaves01": "tree|leafy tree",
    "objects/vegi/tropic/tropic02": "grass plant|plant",
    "objects/vegi/tropical2/tropical_plant": "tropical plant|plant",
    "weapons/binocs/binocs": "binoculars",
    "weapons/bombs/bomb1": "bomb|explosive",
    "weapons/chaingun/chaingun": "minigun|machine gun|gun",
    "weapons/coilgun/coilgun": "rifle|assault rifle|gun",
    "weapons/electrolaser/electrolaser": "science fiction gun|gun",
    "weapons/irgoggles/irgoggles": "goggles|night vision goggles",
    "weapons/machinegun/machinegun": "machine gun|assault rifle|gun",
    "weapons/needlergun/needler": "alien gun|science fiction gun|gun",
    "weapons/needlerheavy/needlerheavy": "alien gun|science fiction gun|gun",
    "weapons/shotgun2/shotgun": "shotgun|rifle|gun",
    "weapons/shotgun2/shotgun_clip": "ammunition|magazine and shotgun shell",
    "weapons/shotgunmicro/shotgunmicro": "submachine gun|gun",
    "weapons/stungren/stungren": "stun grenade|grenade|canister",
    "weapons/stunrod/stunrod": "stun rod|baton",
    "weapons/vhs/vhs": "submachine gun|assault rifle|gun",
    "weapons/xaw95/xaw95": "rifle|assault rifle|gun",
}


def read_ufoai(package: Path, *, points: int, progress: Callable[[str], None]) -> Iterator[Entry]:
    """The openly licensed, named models of the package as dense clouds with their captions.

    Args:
        package: the .deb.
        points: sampled on each surface.
        progress: called with a line at the start and for each model that cannot be used.

    Raises:
        DataError: if the package lacks its copyright file or its models.
    """
    files = dict(deb_files(package, keep=lambda n: n in (COPYRIGHT, ARCHIVE)))
    if files.keys() != {COPYRIGHT, ARCHIVE}:
        raise DataError(package, f"holds no {COPYRIGHT} or no {ARCHIVE}", f"bring {PACKAGE} 2.5")
    terms = Copyright(files[COPYRIGHT].read().decode("utf-8", "replace"))
    progress(f"{PACKAGE}: {len(NAMES)} models")
    with _models(package, files[ARCHIVE]) as archive:
        for paths, captions in NAMES.items():
            parts = [f"models/{path}.md2" for path in paths.split(" + ")]
            try:
                owners = [terms.open_terms(f"base/{part}") for part in parts]
                cloud = _cloud(archive, terms, parts, points, owners)
            except (DataError, Malformed, ShapeError) as error:
                progress(f"{PACKAGE}: {paths} passed over: {error}")
                continue
            credit = together(owners)
            yield Entry(
                cloud=cloud,
                captions=with_synonyms(captions.split("|")),
                name=f"ufoai/{paths}",
                source=f"{PACKAGE} by {credit.holders}",
                licence=credit.licence,
            )


def _models(package: Path, stream: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(stream)
    except zipfile.BadZipFile as error:
        raise DataError(package, f"its models are damaged: {error}", "fetch it again") from error


def _cloud(
    archive: zipfile.ZipFile, terms: Copyright, parts: list[str], points: int, owners: list[Terms]
) -> PointCloud:
    """The parts joined; the terms of the skins that they wear are added to `owners`."""
    pairs = []
    for part in parts:
        model = read_md2(read_member(archive, part))
        skin = _skin(archive, terms, part, model.skins, owners)
        pairs.append(skinned(Mesh(model.vertices, model.faces), model.uv, skin))
    return sample_opaque(pairs, points, up="z")


def _skin(
    archive: zipfile.ZipFile, terms: Copyright, model: str, skins: tuple[str, ...], owners: list[Terms]
) -> Skin | None:
    """The first skin of a model that is there and openly licensed."""
    present = set(archive.namelist())
    for skin in skins:
        for suffix in (".png", ".jpg", ".tga"):
            path = f"{PurePosixPath(model).parent}/{skin.removeprefix('.')}{suffix}"
            found = terms.of(f"base/{path}")
            if path in present and found is not None and found.is_open:
                owners.append(found)
                return read_skin(read_member(archive, path))
    return None
