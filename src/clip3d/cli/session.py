"""What most commands begin with: a model, a cache, and the way files are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from clip3d.cli.output import name_problems, progress_bar

if TYPE_CHECKING:
    from clip3d.cli.options import Length, Stance, Up
    from clip3d.data.labelled_clouds import LabelledClouds
    from clip3d.models.model import Model
    from clip3d.models.vector_cache import VectorCache
    from clip3d.search.collection import Collection
    from clip3d.search.embedding import Reading


def load_model(name: str, device: str) -> Model:
    """The model that `--model` and `--device` name."""
    from clip3d.models.loading import load

    return load(name, device=device)


def put_on_device(collection: Collection, device: str) -> None:
    """Let the model of a collection run where `--device` says, also where `--model` did not name it."""
    if device != "cpu":
        collection.model.device = device


def read_clouds(
    path: Path, split: str | None, variant: str | None, limit: int | None = None, *, quiet: bool
) -> LabelledClouds:
    """The clouds that `--clouds`, `--split`, `--variant` and `--limit` name; those that cannot be read are told."""
    from clip3d.data.labelled_clouds import read_labelled

    with progress_bar("Reading", quiet=quiet) as progress:
        data = read_labelled(path, split, variant, limit=limit, progress=progress)
    name_problems(data.problems)
    return data


@contextmanager
def open_cache(*, disabled: bool) -> Iterator[VectorCache]:
    """The user's cache of vectors, or one that keeps nothing."""
    from clip3d.models.vector_cache import VectorCache

    with VectorCache.disabled() if disabled else VectorCache() as cache:
        yield cache


def reading_of(
    points: int, seed: int, up: Up | None, unit: Length | None, pose: Stance, topic: str | None, message: int
) -> Reading:
    """How files are read, from the options."""
    from clip3d.clouds.cloud import Axis, Unit
    from clip3d.clouds.posing import check_pose
    from clip3d.search.embedding import Reading

    axes = {axis: axis for axis in get_args(Axis)}
    units = {name: name for name in get_args(Unit)}
    return Reading(
        points=points,
        seed=seed,
        up=None if up is None else axes[up.value],
        unit=None if unit is None else units[unit.value],
        pose=check_pose(pose.value),
        topic=topic,
        message=message,
    )
