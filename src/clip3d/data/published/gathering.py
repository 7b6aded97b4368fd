"""Clouds of many files, or rows of large arrays, in arrays of equal size."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import Axis, PointCloud
from clip3d.clouds.sampling import random_sample
from clip3d.data.labelled_clouds import LabelledClouds, Wanted, step
from clip3d.errors import CloudError, DataError, FileProblem, ModelError
from clip3d.models.weights import sha256_of

Array = NDArray[np.float32]

POINTS = 8192
GREY = 0.5  # of clouds without colours among others that have some
# Larger arrays are kept in a temporary file, which the system pages in and out.
MEMORY_BYTES = 2**30
MAX_BYTES = 2**36


@dataclass(frozen=True)
class LabelledFile:
    """One cloud file of a set: where it is, its class's index, and its name within the set."""

    path: Path
    label: int
    name: str


def gather(
    wanted: Wanted,
    files: Sequence[LabelledFile],
    read: Callable[[Path], PointCloud],
    *,
    classes: Sequence[str],
    up: Axis,
    format: str,  # noqa: A002, the attribute's name
    points: int = POINTS,
) -> LabelledClouds:
    """Read the files one by one into one set; those that cannot be read are told in its `problems`.

    Args:
        wanted: what of the set is asked for.
        files: of the part that is asked for, before any limit.
        read: gives the cloud of a file; raises CloudError.
        classes: names of the classes.
        up: the axis that points up in all clouds.
        format: how the set is kept.
        points: of each cloud at most, where nothing else is asked for.

    Raises:
        DataError: if no file can be read, or the clouds would need more than 64 GiB.
    """
    every = step(len(files), wanted.limit)
    chosen = list(files[::every])
    most = wanted.points or points
    shape = (len(chosen), most, 3)
    if 4 * int(np.prod(shape, dtype=np.int64)) > MAX_BYTES:
        reason = f"{len(chosen):,} clouds of {most:,} points are too many"
        raise DataError(wanted.path, reason, "ask for fewer points")
    room = _Room(_zeros(shape))
    lines, problems, places = [], list[FileProblem](), []
    for i, file in enumerate(chosen):
        try:
            cloud, content = read(file.path), _digest(file.path)
            room.put(cloud, wanted.seed)
            places.append(i * every)
        except CloudError as error:
            problems.append(error)
            content = "unreadable"
        lines.append(json.dumps([file.name, classes[file.label], content]))
        if wanted.progress:
            wanted.progress(i + 1, len(chosen))
    if not places:
        raise DataError(wanted.path, f"none of its {len(chosen)} files can be read; the first: {problems[0]}")
    kept = [files[place] for place in places]
    return LabelledClouds(
        points=room.points_kept(),
        colors=room.colors_kept(),
        labels=np.array([file.label for file in kept], dtype=np.intp),
        classes=list(classes),
        up=wanted.up or up,
        split=wanted.split or "all",
        path=wanted.path,
        sha256=hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest(),
        every=every,
        names=tuple(file.name for file in kept),
        sizes=room.sizes_kept(),
        places=np.array(places, dtype=np.intp),
        format=format,
        variant=wanted.variant,
        problems=tuple(problems),
    )


def cut_rows(data: LabelledClouds, points: int | None, seed: int) -> LabelledClouds:
    """The set with at most so many points a cloud, drawn at random; as it is for None or where it has no more."""
    p = data.points.shape[1]
    if points is None or points >= p:
        return data
    kept = [np.random.default_rng([seed, data.index(i)]).permutation(p)[:points] for i in range(len(data))]
    chosen = np.stack(kept)[:, :, None]
    colors = None if data.colors is None else np.take_along_axis(data.colors, chosen, 1)
    return replace(data, points=np.take_along_axis(data.points, chosen, 1), colors=colors)


class _Room:
    """Rows of equal size that are filled one after another."""

    def __init__(self, points: Array) -> None:
        self.points = points
        self.colors: Array | None = None
        self.sizes: list[int] = []

    def put(self, cloud: PointCloud, seed: int) -> None:
        row, most = len(self.sizes), self.points.shape[1]
        chosen = random_sample(cloud.points, most, seed) if len(cloud) != most else np.arange(most)
        self.points[row] = cloud.points[chosen]
        if cloud.colors is not None and self.colors is None:
            self.colors = _zeros(self.points.shape)
            self.colors[:row] = GREY
        if self.colors is not None:
            self.colors[row] = GREY if cloud.colors is None else cloud.colors[chosen]
        self.sizes.append(min(len(cloud), most))

    def points_kept(self) -> Array:
        return self.points[: len(self.sizes), : max(self.sizes)]

    def colors_kept(self) -> Array | None:
        return None if self.colors is None else self.colors[: len(self.sizes), : max(self.sizes)]

    def sizes_kept(self) -> NDArray[np.intp] | None:
        return None if min(self.sizes) == max(self.sizes) else np.array(self.sizes, dtype=np.intp)


def _zeros(shape: tuple[int, ...]) -> Array:
    if 4 * int(np.prod(shape, dtype=np.int64)) <= MEMORY_BYTES:
        return np.zeros(shape, np.float32)
    # The mapping keeps the nameless file alive; it is gone when the array is.
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype=np.float32, mode="w+", shape=shape)


def _digest(path: Path) -> str:
    try:
        return sha256_of(path)
    except ModelError as error:
        raise CloudError(path, error.reason, error.remedy) from error
