"""A test of breadth: everyday things from a game that no model here is trained on, as labelled clouds.

The objects come from SuperTuxKart (Debian supertuxkart-data, GPL-3+). They are for evaluation only: nothing in this
package trains on them, and nothing should, or the test says nothing any more. The built file stays with whoever
builds it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.mesh import Mesh
from clip3d.clouds.normalizing import normalize_unit_sphere
from clip3d.data.cutouts import Skin, read_skin, sample_opaque, skinned
from clip3d.data.packages import deb_files
from clip3d.data.spm import SpmPart, read_spm
from clip3d.errors import DataError, ShapeError
from clip3d.evaluation.breadth_things import JOINED, THINGS, Placed

PACKAGE = "supertuxkart-data"
ROOT = "usr/share/games/supertuxkart/data/"
PURPOSE = "for evaluation only: never train on these objects"
LICENCE = "GPL-3+ (SuperTuxKart)"


@dataclass(frozen=True)
class Built:
    """What was built: counts of objects and classes, and what was passed over as (name, reason)."""

    objects: int
    classes: int
    passed_over: tuple[tuple[str, str], ...]


def build_breadth_test(
    package: Path, out: Path, *, points: int = 2048, progress: Callable[[str], None] = lambda line: None
) -> Built:
    """Write the labelled clouds of the package's nameable objects to `out`, in the form that `zero-shot` reads.

    The file holds `points` (n, p, 3) float32 in the unit sphere, y up, drawn by area; `colors` (n, p, 3) uint8;
    `labels` (n,), `classes` (c,) in alphabetical order, `up`; and for the reader `name` (n,), `purpose`, `licence`.

    Args:
        package: the .deb.
        out: an npz file; replaced if it is there.
        points: p.
        progress: called with a line for each object that is passed over.

    Raises:
        DataError: if the package holds none of the objects.
    """
    wanted = {name: JOINED.get(name, (Placed(name),)) for names in THINGS.values() for name in names}
    files = {part.file for parts in wanted.values() for part in parts}
    models, faults = _models(package, files)
    skins = _skins(package, models)
    clouds: dict[str, PointCloud] = {}
    for name, parts in wanted.items():
        try:
            clouds[name] = _cloud(parts, models, skins, points, seed=zlib.crc32(name.encode()))
        except (ShapeError, KeyError) as error:
            faults.setdefault(name, f"{error} is missing" if isinstance(error, KeyError) else str(error))
            progress(f"{name} passed over: {faults[name]}")
    if not clouds:
        raise DataError(package, "holds none of the objects of the test", f"bring {PACKAGE} 1.4")
    return _save(out, clouds, tuple(sorted(faults.items())))


def _models(package: Path, files: set[str]) -> tuple[dict[str, list[SpmPart]], dict[str, str]]:
    """Parts of each model file that is there, and what is wrong with the others that are."""
    models: dict[str, list[SpmPart]] = {}
    faults: dict[str, str] = {}
    for name, stream in deb_files(package, keep=lambda n: _below(n).removesuffix(".spm") in files):
        path = _below(name).removesuffix(".spm")
        try:
            models[path] = read_spm(stream.read())
        except Malformed as error:
            faults[path] = error.reason
    return models, faults


def _skins(package: Path, models: Mapping[str, Sequence[SpmPart]]) -> dict[str, Skin]:
    """The pictures that the models name, by path below the data folder."""
    wanted = {path for model, parts in models.items() for part in parts for path in _places(model, part.picture)}
    skins: dict[str, Skin] = {}
    for name, stream in deb_files(package, keep=lambda n: _below(n) in wanted):
        try:
            skins[_below(name)] = read_skin(stream.read())
        except Malformed:
            continue  # an object without its picture is grey, and still an object
    return skins


def _below(name: str) -> str:
    return name.removeprefix(ROOT)


def _places(model: str, picture: str) -> Iterator[str]:
    """Where the game looks for a picture: beside the model, then among those that all share."""
    if picture:
        yield f"{PurePosixPath(model).parent}/{picture}"
        yield f"textures/{picture}"


def _cloud(
    placed: Sequence[Placed],
    models: Mapping[str, Sequence[SpmPart]],
    skins: Mapping[str, Skin],
    points: int,
    seed: int,
) -> PointCloud:
    pairs = []
    for item in placed:
        for part in models[item.file]:
            skin = next((skins[p] for p in _places(item.file, part.picture) if p in skins), None)
            mesh = Mesh(_moved(part.vertices, item), part.faces, vertex_colors=part.colors)
            pairs.append(skinned(mesh, part.uv, skin))
    cloud = sample_opaque(pairs, points, up="y", seed=seed)
    if len(cloud) < points:
        raise ShapeError("hardly any of it is opaque")
    return replace(cloud, points=normalize_unit_sphere(cloud.points).points)


def _moved(vertices: NDArray[np.float32], placed: Placed) -> NDArray[np.float32]:
    """Vertices in the object's frame; places are as the game states them, with the third axis turned round."""
    x, y, z = placed.at
    if placed.quarter_turn:  # about the up axis
        vertices = vertices[:, [2, 1, 0]] * np.array([1, 1, -1])
    return np.asarray(vertices * placed.scale + np.array([x, y, -z]), np.float32)


def _save(out: Path, clouds: Mapping[str, PointCloud], faults: tuple[tuple[str, str], ...]) -> Built:
    rows = [(kind, name) for kind, names in sorted(THINGS.items()) for name in names if name in clouds]
    classes = sorted({kind for kind, _ in rows})
    colors = [clouds[name].colors for _, name in rows]
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as temporary, temporary.open("xb") as stream:
        np.savez(
            stream,
            points=np.stack([clouds[name].points for _, name in rows]).astype(np.float32),
            colors=np.stack([_bytes(c, clouds[rows[0][1]]) for c in colors]),
            labels=np.array([classes.index(kind) for kind, _ in rows]),
            classes=np.array(classes),
            up=np.array("y"),
            name=np.array([name for _, name in rows]),
            purpose=np.array(PURPOSE),
            licence=np.array(LICENCE),
        )
    return Built(len(rows), len(classes), faults)


def _bytes(colors: NDArray[np.float32] | None, like: PointCloud) -> NDArray[np.uint8]:
    values = np.full_like(like.points, 0.5) if colors is None else colors
    return np.asarray((values * 255).round(), np.uint8)
