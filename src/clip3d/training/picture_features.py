"""Features of pictures of library objects by a fixed trunk, made once and kept in files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clip3d.atomic import replacing
from clip3d.data.library import Library
from clip3d.models.preprocess import ImagePreprocess
from clip3d.render.splat import splat_cutout
from clip3d.training.loop import Progress
from clip3d.training.pictures import Picture, random_picture

Array = NDArray[np.float32]
Icons = Mapping[str, Picture]
Trunk = Callable[[Tensor], Tensor]

# Objects whose pictures are drawn between two writes of the cache.
_CHUNK = 50


@dataclass(frozen=True)
class PictureRecipe:
    """What is drawn of each object.

    Attributes:
        views: pictures of views drawn of each object.
        icon_pictures: pictures made of each icon.
        drawn_at: pixels a side of a drawn view, before it is framed.
    """

    views: int = 2
    icon_pictures: int = 4
    drawn_at: int = 160


def picture_features(
    library: Library,
    icons: Icons,
    trunk: Trunk,
    trunk_id: str,
    recipe: PictureRecipe,
    seed: int,
    cache: Path,
    progress: Progress,
) -> NDArray[np.float16]:
    """Trunk features (n, views + icon_pictures, 1280) of pictures of n objects, written in parts into `cache`.

    An object without an icon has its drawn views' features repeated in the icon's place.
    """
    chunks = []
    for start in range(0, len(library), _CHUNK):
        part = library.select(np.arange(start, min(start + _CHUNK, len(library))))
        path = cache / f"{_key(part, icons, recipe, seed, trunk_id)}.npy"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary, temporary.open("xb") as stream:
                np.save(stream, _encoded(part, icons, trunk, recipe, seed), allow_pickle=False)
            progress(f"pictures of {start + len(part)} of {len(library)} objects")
        chunks.append(np.load(path, allow_pickle=False))
    return np.concatenate(chunks)


def _key(part: Library, icons: Icons, recipe: PictureRecipe, seed: int, trunk_id: str) -> str:
    facts = json.dumps([asdict(recipe), seed, part.name.tolist(), trunk_id])
    digest = hashlib.sha256(facts.encode())
    for array in (part.points, part.colors, part.colored, *(icons[n] for n in part.name.tolist() if n in icons)):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:24]


def _encoded(part: Library, icons: Icons, trunk: Trunk, recipe: PictureRecipe, seed: int) -> NDArray[np.float16]:
    total = recipe.views + recipe.icon_pictures
    rows = []
    for i in range(len(part)):
        pictures = _pictures(part, i, icons.get(str(part.name[i])), recipe, seed)
        with torch.inference_mode():
            features = trunk(torch.from_numpy(np.stack(pictures)))
        rows.append(features.numpy().astype(np.float16)[np.arange(total) % len(features)])
    return np.stack(rows)


def _pictures(part: Library, index: int, icon: Picture | None, recipe: PictureRecipe, seed: int) -> list[Array]:
    """Prepared pictures of one object, from chance that depends on the seed and the object's name alone."""
    named = int.from_bytes(hashlib.sha256(str(part.name[index]).encode()).digest()[:8], "big")
    rng = np.random.default_rng([seed, named])
    points = part.points[index].astype(np.float32)
    colors = part.colors[index] / np.float32(255) if part.colored[index] else None
    views = [(rng.uniform(0, 360), rng.triangular(-5, 20, 70)) for _ in range(recipe.views)]
    cutouts = [splat_cutout(points, colors, view=view, size=recipe.drawn_at) for view in views]
    if icon is not None:
        cutouts += [icon] * recipe.icon_pictures
    prepare = ImagePreprocess()
    return [prepare(random_picture(cutout, rng, prepare.size)) for cutout in cutouts]
