"""Vectors of whatever paths hold: objects or pictures, and the views of driving logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.discovery import Found
from clip3d.clouds.remote import RemotePath, as_path
from clip3d.errors import FileProblem
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.embedding import Progress, Reading, embed_files, find_items
from clip3d.search.sweep_embedding import embed_sweeps
from clip3d.search.sweep_sources import Sources, find_sweeps

Taken = Literal["clouds", "sweeps"]
Bar = Callable[[str], AbstractContextManager[Progress | None]]


@dataclass(frozen=True, eq=False)
class NamedVectors:
    """Vectors with their names.

    Attributes:
        names: n files, and views of frames.
        vectors: (n, d) float32, at unit length or raw as the space says.
        problems: what could not be read, and why.
    """

    names: list[str]
    vectors: NDArray[np.float32]
    problems: list[FileProblem]


def embed_paths(
    model: Model,
    paths: Sequence[str],
    *,
    cache: VectorCache,
    reading: Reading | None = None,
    taken: Taken | None = None,
    bar: Bar = lambda label: nullcontext(),
) -> NamedVectors:
    """Embed objects, or pictures for a model without a cloud tower, and frames, if the model has a sweep tower.

    Args:
        model: whose towers encode.
        paths: files, folders and URIs.
        cache: of vectors.
        reading: how cloud files are read; where a cloud of a recording is chosen, recordings are clouds.
        taken: "clouds" for no sweeps, "sweeps" for nothing else; by default it is told from the paths.
        bar: opens a progress bar with a label.

    Raises:
        ModelError: if the model has no tower for what is to be embedded.
    """
    reading = reading or Reading()
    sweeps = _sweeps_among(model, paths, taken, chosen=reading.topic is not None or reading.message > 0)
    found = find_items(model, sweeps.others) if sweeps.others else Found()
    names: list[str] = []
    vectors = np.zeros((0, model.space.dim), np.float32)
    problems = [*sweeps.problems, *found.problems]
    if found.files:
        with bar("Embedding") as progress:
            embedded = embed_files(model, found.files, cache=cache, reading=reading, progress=progress)
        names, vectors = [str(path) for path in embedded.paths], embedded.vectors
        problems += embedded.problems
    if sweeps.logs:
        with bar("Frames") as progress:
            seen = embed_sweeps(model, sweeps.logs, cache=cache, progress=progress)
        vectors = np.concatenate([vectors, seen.vectors]) if names else seen.vectors
        names += seen.names
        problems += seen.problems
    return NamedVectors(names, vectors, problems)


def _sweeps_among(model: Model, paths: Sequence[str], taken: Taken | None, *, chosen: bool) -> Sources:
    """The logs and sweeps among paths; none where one cloud of a recording was chosen, or none are wanted."""
    named = [as_path(path) for path in paths]
    if taken == "sweeps":
        model.tower_card("sweep")
        return find_sweeps(named, every=True)
    if taken == "clouds" or chosen or "sweep" not in model.card.towers:
        return Sources(others=named)
    found = find_sweeps([path for path in named if not isinstance(path, RemotePath)])
    remote = [path for path in named if isinstance(path, RemotePath)]
    return Sources(found.logs, [*found.others, *remote], found.problems)
