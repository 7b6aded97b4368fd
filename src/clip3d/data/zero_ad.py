"""The models of 0 A.D. (Debian 0ad-data): animals, plants, buildings, ships, people, things."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.library import Entry
from clip3d.data.packages import unpack_deb_file
from clip3d.data.zero_ad_models import Models
from clip3d.data.zero_ad_names import captions_of, noun_of
from clip3d.errors import DataError, ShapeError

PACKAGE = "0ad-data"
ART = "usr/share/games/0ad/mods/public/public.zip"
# The package's copyright file, and art/LICENSE.txt in the archive.
LICENCE = "CC-BY-SA-3.0"
SOURCE = "0ad-data by Wildfire Games"

MOST_MESHES = 8  # of one kind of thing
MOST_SKINS = 4  # of one kind of thing that has fewer meshes
# Of buildings that differ in use more than in shape, and of things that hardly differ at all, only FEW.
FEW = 4
TAKE_FEW = frozenset((
    "barracks", "battering ram", "bearded man's head", "council hall", "dock", "forge", "gymnasium", "ice house",
    "javelin", "lance", "library", "market", "rock", "saddle blanket", "stable", "storehouse", "town hall",
    "wooden beam", "workshop",
))  # fmt: skip
APPEARANCES = 12  # looked at for each actor


def read_zero_ad(package: Path, *, points: int, progress: Callable[[str], None]) -> Iterator[Entry]:
    """The named models of the package, some of each kind; `package` is unpacked beside itself for the while.

    Args:
        package: the .deb.
        points: sampled on each surface; fewer where leaves are cut out of cards.
        progress: called with a line for each hundred models and for each that cannot be read.

    Raises:
        DataError: if the package does not hold the game's art.
    """
    with tempfile.TemporaryDirectory(dir=package.parent) as folder:
        art = Path(folder) / "public.zip"
        unpack_deb_file(package, ART, art)
        try:
            with zipfile.ZipFile(art) as archive:
                yield from read_art(archive, points=points, progress=progress)
        except zipfile.BadZipFile as error:
            raise DataError(package, f"its art is damaged: {error}", "fetch it again") from error


def read_art(archive: zipfile.ZipFile, *, points: int, progress: Callable[[str], None]) -> Iterator[Entry]:
    """The same of the game's art archive."""
    models = Models(archive)
    chosen = choose(models)
    progress(f"0 A.D.: {len(chosen)} models, {LICENCE}")
    for count, (actor, appearance) in enumerate(chosen, 1):
        name = f"{actor}#{appearance}"
        try:
            cloud = models.cloud(models.parts(actor, appearance), points, zlib.crc32(name.encode()))
        except (Malformed, ShapeError) as error:
            progress(f"{name} passed over: {error}")
            continue
        yield Entry(cloud, captions_of(actor), name, SOURCE, LICENCE)
        if count % 100 == 0:
            progress(f"0 A.D.: {count} of {len(chosen)} models")


def choose(models: Models) -> list[tuple[str, int]]:
    """Actors and appearances to take: of each kind of thing, as many different ones as the limits allow."""
    kinds: dict[str, list[tuple[str, int, str, str]]] = {}
    for actor in models.names():
        if captions_of(actor):
            kinds.setdefault(noun_of(actor), []).extend(_appearances(models, actor))
    return [choice for noun in sorted(kinds) for choice in _varied(kinds[noun], noun)]


def _appearances(models: Models, actor: str) -> list[tuple[str, int, str, str]]:
    """Actor, number, main mesh and skin of each appearance that is unlike those before it."""
    found: dict[tuple[str, str], tuple[str, int, str, str]] = {}
    for number in range(APPEARANCES):
        try:
            look = models.look(actor, number)
        except Malformed:
            break
        if look[0]:
            found.setdefault(look, (actor, number, *look))
    return list(found.values())


def _varied(found: list[tuple[str, int, str, str]], noun: str) -> list[tuple[str, int]]:
    """At most MOST_MESHES with a mesh of their own, first appearances first; then skins up to MOST_SKINS."""
    most = FEW if noun in TAKE_FEW else MOST_MESHES
    # A hash mixes the nations, whose names the paths would sort by.
    found = sorted(found, key=lambda look: (look[1], zlib.crc32(f"{look[0]}{look[1]}".encode())))
    meshes: set[str] = set()
    looks: set[tuple[str, str]] = set()
    chosen: list[tuple[str, int]] = []
    for actor, number, mesh, skin in found:
        if mesh not in meshes and len(chosen) < most:
            chosen.append((actor, number))
            meshes.add(mesh)
            looks.add((mesh, skin))
    for actor, number, mesh, skin in found:
        if (mesh, skin) not in looks and len(chosen) < MOST_SKINS:
            chosen.append((actor, number))
            looks.add((mesh, skin))
    return chosen
