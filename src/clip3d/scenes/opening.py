"""A file becomes a scene: parted the first time, and read back from the cache as long as it does not change."""

from __future__ import annotations

import logging
import time
from functools import partial
from os import PathLike
from pathlib import Path

from clip3d.clouds.reading import read
from clip3d.clouds.remote import as_path
from clip3d.errors import DataError
from clip3d.models.fingerprint import fingerprint
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache, vector_key
from clip3d.scenes.parted import FORM, Parted, part_scan, read_parted, write_parted
from clip3d.scenes.pictures import views_key
from clip3d.scenes.scene import Scene
from clip3d.scenes.segmenting import Method, check_method
from clip3d.search.embedding import Reading

# Points drawn on a scanned mesh.
MESH_POINTS = 1_000_000
# Scans in parts that are kept beside the cache of vectors; of more the one used longest ago goes.
MOST_KEPT = 64

log = logging.getLogger(__name__)


def open_scene(
    path: str | PathLike[str],
    model: Model,
    *,
    segmenter: Method = "graph",
    voxel: float | None = None,
    pictures: Path | None = None,
    reading: Reading | None = None,
    cache: VectorCache,
) -> Scene:
    """The scene of a file; what was parted before is not parted again, and its points are read when asked for.

    Args:
        path: of a cloud or a mesh.
        model: with a cloud and a text tower.
        segmenter, voxel, pictures: as for `part_scan`.
        reading: how the file is read; None draws a million points on a mesh.
        cache: beside which scans in parts are kept; `VectorCache.disabled()` keeps nothing.

    Raises:
        CloudError: if the file cannot be read.
        ShapeError: if there is no segmenter of that name, or the scan is too large.
        ModelError: if the model lacks a cloud tower.
        DataError: if the pictures cannot be read.
    """
    check_method(segmenter)
    file = as_path(path)
    reading = reading or Reading(points=MESH_POINTS)
    load = partial(read, file, **reading.drawing(file))
    options = {**reading.key(file), "scene": FORM, "segmenter": segmenter, "voxel": voxel}
    if pictures is not None:
        options |= {"pictures": views_key(pictures), "image": model.tower_card("image").id}
    tower = model.tower_card("cloud").id
    content = cache.contents([file])[0]
    if content is not None and (kept := _kept(cache, vector_key(content, tower, options))) is not None:
        return Scene(kept, model, load, file.name)
    started = time.time_ns()
    cloud = load()
    taken = fingerprint(cloud.sources or (file,))
    place = vector_key(taken.content, tower, options)
    parted = _kept(cache, place)
    if parted is None:
        parted = part_scan(cloud, model, segmenter, voxel=voxel, pictures=pictures)
        if not taken.written_since(started):
            _keep(cache, place, parted)
    if not taken.written_since(started) and cloud.path == file:
        cache.remember([taken])
    return Scene(parted, model, cloud, file.name)


def _folder(cache: VectorCache) -> Path | None:
    return None if cache.path is None else cache.path.with_name(cache.path.stem + "-scenes")


def _kept(cache: VectorCache, key: str) -> Parted | None:
    folder = _folder(cache)
    if folder is None:
        return None
    file = folder / f"{key}.npz"
    try:
        parted = read_parted(file)
        file.touch()
    except FileNotFoundError:
        return None
    except (OSError, DataError, ValueError, KeyError, TypeError, IndexError) as error:
        log.warning("the kept scene %s cannot be used (%s): parted anew", file, error)
        return None
    return parted


def _keep(cache: VectorCache, key: str, parted: Parted) -> None:
    folder = _folder(cache)
    if folder is None:
        return
    try:
        write_parted(parted, folder / f"{key}.npz")
        files = sorted(folder.glob("*.npz"), key=lambda file: file.stat().st_mtime)
        for file in files[:-MOST_KEPT]:
            file.unlink(missing_ok=True)
    except OSError as error:
        log.warning("the scene is not kept in %s: %s", folder, error)
