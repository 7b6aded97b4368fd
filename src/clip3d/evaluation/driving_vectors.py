"""What a model says of shots of driving logs: raw vectors, each made once and kept in the cache of vectors.

What the cache knows is not read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import clip3d
from clip3d.data.driving_shots import Shot
from clip3d.errors import FrameError
from clip3d.evaluation.driving_facets import QUARTER, WHOLE, Facet, Named, Tell, frames_of
from clip3d.lidar.camera import Camera
from clip3d.lidar.frame import Frame
from clip3d.models.batching import in_batches
from clip3d.models.fingerprint import fingerprint
from clip3d.models.vector_cache import VectorCache, vector_key

Array = NDArray[np.float32]

FRAMES = 16  # that are encoded together: an interruption loses so many


def vectors_of(shots: Sequence[Shot], facet: Facet, cache: VectorCache, space: str, tell: Tell) -> list[Named]:
    """Raw vectors (d,) of each shot by name; a shot that cannot be read has none.

    Args:
        shots: frame after frame.
        facet: what is asked of them.
        cache: where vectors are kept.
        space: id of their space.
        tell: takes lines of progress and of trouble.
    """
    found: list[Named] = []
    made = 0
    for batch in in_batches(frames_of(shots), FRAMES):
        some = [shot for frame in batch for shot in frame]
        keys = _keys(some, facet, cache)
        known = cache.known({(at, name): key for at, own in enumerate(keys) for name, key in own.items()})
        lacking = [at for at, own in enumerate(keys) if any((at, name) not in known for name in own)]
        fresh: dict[tuple[int, str], Array] = {}
        for at, named in zip(lacking, facet.make([some[at] for at in lacking], tell), strict=True):
            fresh |= {(at, name): vector for name, vector in named.items()}
        cache.put_many({keys[at][name]: v for (at, name), v in fresh.items()}, space=space, model=facet.tower[:64])
        known |= fresh
        found += [{name: known[at, name] for name in own if (at, name) in known} for at, own in enumerate(keys)]
        made += len(fresh)
        if fresh:
            tell(f"{len(found)} of {len(shots)} shots, {made} vectors made")
    return found


def stacked(found: Iterable[Named], name: str = WHOLE, dim: int = 0) -> Array:
    """The vectors (n, d) of one name; rows of NaN where there is none."""
    rows = [named.get(name) for named in found]
    width = next((len(row) for row in rows if row is not None), dim)
    return np.stack([np.full(width, np.nan, np.float32) if row is None else row for row in rows])


def _keys(shots: Sequence[Shot], facet: Facet, cache: VectorCache) -> list[dict[str, str]]:
    """The cache's keys of each shot's vectors, by name; none for a shot whose file is not there."""
    frames = [frame for own in frames_of(shots) for frame in [own[0].load()] * len(own)]
    contents = _contents([_file(frame, shot, facet) for frame, shot in zip(frames, shots, strict=True)], cache)
    keys = []
    for shot, frame, content in zip(shots, frames, contents, strict=True):
        own: dict[str, str] = {}
        for name in facet.names(shot) if content else ():
            assert content is not None
            options = {
                "version": clip3d.__version__,
                "facet": type(facet).__name__,
                "camera": _digest(frame.pictures[shot.camera].camera),
                "what": name if name.partition(":")[0] in (WHOLE, QUARTER) else _told(name, shot),
            }
            own[name] = vector_key(content, facet.tower, options)
        keys.append(own)
    return keys


def _file(frame: Frame, shot: Shot, facet: Facet) -> Path:
    path = frame.pictures[shot.camera].path if facet.of_picture else frame.path
    if path is None:
        raise FrameError(shot.log.path, "its frames have no files of their own", "give logs of single files")
    return path


def _contents(paths: Sequence[Path], cache: VectorCache) -> list[str | None]:
    """Digests of files; None for one that is not there."""
    unlike = list(dict.fromkeys(paths))
    known = dict(zip(unlike, cache.contents(unlike), strict=True))
    for path in unlike:
        if known[path] is None and path.is_file():
            taken = fingerprint([path])
            cache.remember([taken])
            known[path] = taken.content
    return [known[path] for path in paths]


def _digest(camera: Camera) -> str:
    numbers = [camera.intrinsics.tolist(), camera.camera_from_lidar.tolist(), camera.width, camera.height]
    return hashlib.sha256(repr([*numbers, camera.distortion]).encode()).hexdigest()


def _told(name: str, shot: Shot) -> list[Any]:
    how, place = name.split(":")
    box = shot.things[int(place)].box
    return [how, box.center.tolist(), list(box.size), box.yaw, shot.things[int(place)].rectangle]
