"""The models of MegaGlest (Debian megaglest-data): figures, buildings and scenery, standing."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from clip3d.clouds.cloud import Z_UP_FROM, PointCloud
from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.mesh import Mesh
from clip3d.data.captions import with_synonyms
from clip3d.data.cutouts import Skin, read_skin, sample_opaque, skinned, tinted
from clip3d.data.g3d import G3dMesh, read_g3d
from clip3d.data.library import Entry
from clip3d.data.megaglest_names import captions_of
from clip3d.data.packages import read_deb
from clip3d.errors import DataError, ShapeError

PACKAGE = "megaglest-data"
ROOT = "usr/share/games/megaglest/"
FOLDERS = ("techs/", "tilesets/")
PICTURES = (".png", ".jpg", ".jpeg", ".tga", ".bmp")
LICENCE = "CC-BY-SA-3.0"  # the package's copyright file
SOURCE = "megaglest-data by the Glest and MegaGlest teams"

MOST = 5  # of one kind of thing
TEAM_COLORS = ((200, 30, 30), (40, 70, 200), (40, 160, 50), (220, 200, 40), (120, 60, 160), (90, 90, 90))


def read_megaglest(package: Path, *, points: int, progress: Callable[[str], None]) -> Iterator[Entry]:
    """The named models of the package, some of each kind.

    Args:
        package: the .deb.
        points: sampled on each surface; fewer where leaves are cut out of cards.
        progress: called with a line at the start and for each model that cannot be read.

    Raises:
        DataError: if the package holds no such models.
    """
    files = {name.removeprefix(ROOT): content for name, content in read_deb(package, _wanted).items()}
    chosen = choose(sorted(name for name in files if name.endswith(".g3d")))
    if not chosen:
        raise DataError(package, "it holds no known models", "take the version that the documentation names")
    progress(f"MegaGlest: {len(chosen)} models, {LICENCE}")
    for path in chosen:
        name = short(path)
        try:
            cloud = read_model(files, path, points, zlib.crc32(name.encode()))
        except (Malformed, ShapeError) as error:
            progress(f"{name} passed over: {error}")
            continue
        yield Entry(cloud, with_synonyms(captions_of(name)), name, SOURCE, LICENCE)


def choose(paths: list[str]) -> list[str]:
    """The models to take: at most MOST of each kind, mixed by a hash of their names."""
    taken: Counter[str] = Counter()
    chosen = []
    for path in sorted(paths, key=lambda path: zlib.crc32(path.encode())):
        captions = captions_of(short(path))
        if captions and taken[captions[0]] < MOST:
            taken[captions[0]] += 1
            chosen.append(path)
    return sorted(chosen)


def short(path: str) -> str:
    """faction/unit/file or tileset/file of a path below the game's folder, without the suffix."""
    left_out = ("techs", "tilesets", "megapack", "factions", "units", "models")
    return "/".join(part for part in PurePosixPath(path).with_suffix("").parts if part not in left_out)


def read_model(files: Mapping[str, bytes], path: str, points: int, seed: int) -> PointCloud:
    """One model as points, z up, unit unknown; the seed chooses the team's colour too.

    Args:
        files: content of files by path; pictures lie beside the models that use them.

    Raises:
        Malformed: if the model cannot be read.
        ShapeError: if it has no area.
    """
    # Scenery belongs to no team, whatever its files say: there, what is clear is a hole.
    team = None if path.startswith("tilesets/") else TEAM_COLORS[seed % len(TEAM_COLORS)]
    folder = PurePosixPath(path).parent
    pairs = []
    for part in read_g3d(files[path]):
        skin = _skin(files.get(str(folder / part.picture), b"")) if part.picture else None
        pairs.append(_painted(part, skin, team))
    return replace(sample_opaque(pairs, points, up="z", seed=seed), normals=None)


def _wanted(name: str) -> bool:
    inside = name.removeprefix(ROOT)
    return inside.startswith(FOLDERS) and "/models/" in inside and inside.endswith((".g3d", *PICTURES))


def _skin(content: bytes) -> Skin | None:
    try:
        return read_skin(content)
    except Malformed:
        return None


def _painted(part: G3dMesh, skin: Skin | None, team: tuple[int, int, int] | None) -> tuple[Mesh, Mesh]:
    """A mesh, z up, with its colours, and with its opacity."""
    mesh = Mesh(part.vertices @ Z_UP_FROM["y"].T, part.faces)
    if skin is None:
        mesh = replace(mesh, face_colors=np.tile(part.color, (len(part.faces), 1)))
    elif part.team_colored and team is not None:
        skin = tinted(skin, team)
    return skinned(mesh, part.uv, skin)
