"""Clouds with their classes, as the protocols of classification take them, and the one door to sets of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clip3d.clouds.cloud import Axis, PointCloud
from clip3d.errors import DataError, FileProblem, ShapeError

Array = NDArray[np.float32]

# Each module knows one way of keeping such sets: `recognises(path)`, `read(wanted)`. The first that recognises one
# reads it; class folders come last, since they are told by nothing but folders.
FORMATS = (
    "clip3d.data.published.labelled_npz",
    "clip3d.data.published.modelnet_text",
    "clip3d.data.published.modelnet_hdf5",
    "clip3d.data.published.scan_object_nn",
    "clip3d.data.published.objaverse_lvis",
    "clip3d.data.published.class_folders",
)


@dataclass(frozen=True, eq=False)
class LabelledClouds:
    """Clouds with their classes, in arrays of equal size.

    Attributes:
        points: (n, p, 3) float32, finite. A cloud of fewer points is repeated to fill its row.
        colors: (n, p, 3) float32 in [0, 1], or None. Where only some clouds have colours the others are grey.
        labels: (n,) indices into classes.
        classes: c names.
        up: the axis that points up.
        split: name of the part of the set that was taken; "all" for the whole.
        path: the file or folder.
        sha256: hex digest of the file, or over the names, classes and contents of all files that were read.
        every: only every so-manieth cloud of the part was taken.
        names: n names, such as those of files; row numbers where the set has none.
        sizes: (n,) how many of a row's points are the cloud's own, the first ones; None for all.
        places: (n,) places of the clouds in the whole part; None where nothing was left out.
        format: how the set is kept.
        variant: which of several versions of the set this is; None where there is one.
        problems: files that could not be read and are not among the n clouds.
    """

    points: Array
    colors: Array | None
    labels: NDArray[np.intp]
    classes: list[str]
    up: Axis
    split: str
    path: Path
    sha256: str
    every: int = 1
    names: tuple[str, ...] = ()
    sizes: NDArray[np.intp] | None = None
    places: NDArray[np.intp] | None = None
    format: str = "npz"
    variant: str | None = None
    problems: tuple[FileProblem, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        names = self.names or tuple(str(self.index(i)) for i in range(len(self)))
        if len(names) != len(self):
            raise ShapeError(f"there must be one name a cloud: {len(self)}, got {len(names)}")
        object.__setattr__(self, "names", names)

    def __len__(self) -> int:
        return len(self.points)

    def cloud(self, i: int) -> PointCloud:
        """Cloud i, its own points alone."""
        size = self.points.shape[1] if self.sizes is None else int(self.sizes[i])
        colors = None if self.colors is None else self.colors[i, :size]
        return PointCloud(self.points[i, :size], colors, up=self.up)

    def clouds(self, indices: Sequence[int] | None = None) -> Iterator[PointCloud]:
        """The clouds one by one, all or those of the indices."""
        return map(self.cloud, range(len(self)) if indices is None else indices)

    def index(self, i: int) -> int:
        """Place of cloud i in the whole part of the set."""
        return i if self.places is None else int(self.places[i])

    def limited(self, most: int | None) -> LabelledClouds:
        """At most so many clouds, evenly spread over the part; all for None."""
        every = step(len(self), most)
        few = self.select(np.arange(0, len(self), every))
        return self if every == 1 else replace(few, every=every * self.every)

    def select(self, indices: ArrayLike) -> LabelledClouds:
        """The clouds of the indices (m,), in that order."""
        chosen = np.asarray(indices, dtype=np.intp)
        return replace(
            self,
            points=self.points[chosen],
            colors=None if self.colors is None else self.colors[chosen],
            labels=self.labels[chosen],
            names=tuple(self.names[i] for i in chosen),
            sizes=None if self.sizes is None else self.sizes[chosen],
            places=np.array([self.index(int(i)) for i in chosen], dtype=np.intp),
        )

    def protocol(self) -> dict[str, Any]:
        """What a report says of its data."""
        return {
            "data": self.path.name,
            "format": self.format,
            "data_sha256": self.sha256,
            "split": self.split,
            "variant": self.variant,
            "every": self.every,
            "clouds": len(self),
            "unreadable": len(self.problems),
            "classes": len(self.classes),
            "points_in_file": int(self.points.shape[1]),
            "colors": self.colors is not None,
            "up": self.up,
        }


@dataclass(frozen=True)
class Wanted:
    """What of a set is read, and how; see `read_labelled`."""

    path: Path
    split: str | None = None
    variant: str | None = None
    points: int | None = None
    seed: int = 0
    up: Axis | None = None
    limit: int | None = None
    progress: Callable[[int, int], None] | None = None

    def no_variant(self) -> None:
        """Refuse a variant for a set that has none."""
        if self.variant is not None:
            raise DataError(self.path, f"this set has no variants, {self.variant!r} was asked for", "leave it out")


def read_labelled(
    path: str | PathLike[str],
    split: str | None = None,
    variant: str | None = None,
    *,
    points: int | None = None,
    seed: int = 0,
    up: Axis | None = None,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LabelledClouds:
    """Read clouds with their classes, however they are kept: docs/evaluation.md has the table of formats.

    Files that cannot be read are left out and told in `problems`.

    Args:
        path: a file or folder.
        split: take only this part, such as "train" or "test"; None for all.
        variant: which version of a set that has several, such as ScanObjectNN's "PB_T50_RS".
        points: of each cloud at most, drawn at random; also drawn on each mesh. None for all that are stored, and
            8,192 of meshes and of point files in class folders.
        seed: of these draws.
        up: axis that points up, whatever the set says.
        limit: at most so many clouds, evenly spread over the part; only these are read.
        progress: called with the number of files done and of all files.

    Raises:
        DataError: if there is no such set, it is not as its format says, the split or variant is empty or unknown,
            or no file of it can be read.
    """
    wanted = Wanted(Path(path), split, variant, points, seed, up, limit, progress)
    if min(1 if value is None else value for value in (points, limit, seed + 1)) < 1:
        raise ShapeError(f"points and limit must be at least 1, the seed 0, got {points}, {limit}, {seed}")
    if not wanted.path.exists():
        raise DataError(path, "there is no such file or folder", "check the spelling of the path")
    for name in FORMATS:
        module = import_module(name)
        if module.recognises(wanted.path):
            data: LabelledClouds = module.read(wanted)
            return data
    remedy = "give an npz file, a folder with a folder for each class, or a published set as it is unpacked"
    raise DataError(path, "this is no set of labelled clouds that clip3d knows", remedy)


def step(n: int, most: int | None) -> int:
    """Every how-manieth of n things is taken so that there are at most so many."""
    return 1 if most is None else max(1, -(-n // most))


def unknown_split(path: Path, split: str | None, known: Sequence[str]) -> DataError:
    """The error for a part that is not there or is empty."""
    which = f" of the split {split!r}" if split else ""
    return DataError(path, f"there are no clouds{which}", f"splits of the set: {', '.join(known) or 'none'}")
