"""Vectors of whatever paths hold: objects or pictures, and the views of driving logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.discovery import Found
from clip3d.clouds.remote import RemotePath, as_path
from clip3d.errors import FileProblem, FrameError
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.embedding import Progress, Reading, embed_files, find_items
from clip3d.search.sweep_embedding import embed_sweeps
from clip3d.search.sweep_sources import Sources, find_sweeps, logs_at

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
    logs = [] if taken or sweeps.logs else list(_logs_without_tower(model, sweeps.others))
    others = [path for path in sweeps.others if path not in logs]
    found = find_items(model, others) if others else Found()
    files = [path for path in found.files if not any(log in path.parents for log in logs)]
    names: list[str] = []
    vectors = np.zeros((0, model.space.dim), np.float32)
    problems = [*sweeps.problems, *found.problems, *(_without_tower(model, log) for log in logs)]
    if files:
        with bar("Embedding") as progress:
            embedded = embed_files(model, files, cache=cache, reading=reading, progress=progress)
        names, vectors = [str(path) for path in embedded.paths], embedded.vectors
        problems += embedded.problems
    if sweeps.logs:
        with bar("Frames") as progress:
            seen = embed_sweeps(model, sweeps.logs, cache=cache, progress=progress)
        vectors = np.concatenate([vectors, seen.vectors]) if names else seen.vectors
        names += seen.names
        problems += seen.problems
    return NamedVectors(names, vectors, problems)


def _logs_without_tower(model: Model, paths: Sequence[Path]) -> Iterator[Path]:
    """The folders among paths that are driving logs, and those right in them, for a model of objects alone.

    What lies in them, such as the places of a vehicle, is no object.
    """
    if "sweep" not in model.card.towers and "cloud" in model.card.towers:
        yield from (log for path in paths if not isinstance(path, RemotePath) for log in logs_at(path))


def _without_tower(model: Model, log: Path) -> FrameError:
    reason = f"it is a driving log, and the model {model.name} has no sweep tower"
    remedy = "give a model that has one with --model; --as clouds takes its files for objects"
    return FrameError(log, reason, remedy)


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
