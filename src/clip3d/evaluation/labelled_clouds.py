"""Clouds with their classes in one npz file, as the protocols of classification take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import Axis, PointCloud
from clip3d.data.npz import read_npz
from clip3d.errors import DataError, ShapeError
from clip3d.models.weights import sha256_of

Array = NDArray[np.float32]

MAX_CLASSES = 100_000


@dataclass(frozen=True, eq=False)
class LabelledClouds:
    """Clouds of equal size with their classes.

    Attributes:
        points: (n, p, 3) float32, finite.
        colors: (n, p, 3) float32 in [0, 1], or None.
        labels: (n,) indices into classes.
        classes: c names.
        up: the axis that points up.
        split: name of the part of the file that was taken; "all" for the whole.
        path: the file.
        sha256: hex digest of the file.
        every: only every so-manieth cloud of the part was taken.
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

    def __len__(self) -> int:
        return len(self.points)

    def clouds(self, indices: Sequence[int] | None = None) -> Iterator[PointCloud]:
        """The clouds one by one, all or those of the indices."""
        for i in range(len(self)) if indices is None else indices:
            yield PointCloud(self.points[i], None if self.colors is None else self.colors[i], up=self.up)

    def index(self, i: int) -> int:
        """Place of cloud i in the whole part of the file."""
        return i * self.every

    def limited(self, most: int | None) -> LabelledClouds:
        """At most so many clouds, evenly spread over the part; all for None."""
        every = 1 if most is None else -(-len(self) // most)
        colors = None if self.colors is None else self.colors[::every]
        points, labels = self.points[::every], self.labels[::every]
        return replace(self, points=points, colors=colors, labels=labels, every=every * self.every)

    def protocol(self) -> dict[str, Any]:
        """What a report says of its data."""
        return {
            "data": self.path.name,
            "data_sha256": self.sha256,
            "split": self.split,
            "every": self.every,
            "classes": len(self.classes),
            "points_in_file": int(self.points.shape[1]),
            "colors": self.colors is not None,
            "up": self.up,
        }


def load_labelled_clouds(path: str | PathLike[str], split: str | None = None) -> LabelledClouds:
    """Read clouds with labels from an npz file.

    The file holds `points` (n, p, 3), `labels` (n,) integers, `classes` (c,) text, `up` ("x", "y" or "z"), and
    perhaps `colors` (n, p, 3) in [0, 1] or uint8, and `split` (n,) text.

    Args:
        path: the file.
        split: take only the rows with this value of `split`; None for all.

    Raises:
        DataError: if the file is not as described, or the split is empty or unknown.
    """
    path = Path(path)
    arrays = read_npz(path, required=("points", "labels", "classes", "up"), optional=("colors", "split"))
    try:
        _check(arrays)
        rows = _rows(arrays.get("split"), split, len(arrays["labels"]))
        colors = arrays.get("colors")
        return LabelledClouds(
            points=arrays["points"][rows].astype(np.float32),
            colors=None if colors is None else _colors(colors[rows]),
            labels=arrays["labels"][rows].astype(np.intp),
            classes=[str(name) for name in arrays["classes"]],
            up=_up(arrays["up"]),
            split=split or "all",
            path=path,
            sha256=sha256_of(path),
        )
    except ShapeError as error:
        raise DataError(path, str(error)) from error


def _check(arrays: dict[str, NDArray[Any]]) -> None:
    points, labels, classes = arrays["points"], arrays["labels"], arrays["classes"]
    if points.ndim != 3 or points.shape[2] != 3 or points.shape[1] == 0 or points.dtype.kind not in "fiu":
        raise ShapeError(f"points must be numbers of shape (n, p, 3), got {points.dtype} {points.shape}")
    if labels.shape != points.shape[:1] or labels.dtype.kind not in "iu":
        raise ShapeError(f"labels must be integers of shape ({len(points)},), got {labels.dtype} {labels.shape}")
    if classes.ndim != 1 or classes.dtype.kind != "U" or not 0 < len(classes) <= MAX_CLASSES:
        raise ShapeError(f"classes must be text of shape (c,), got {classes.dtype} {classes.shape}")
    if len(set(classes.tolist())) != len(classes):
        raise ShapeError("classes holds a name twice")
    if len(labels) and not (int(labels.min()) >= 0 and int(labels.max()) < len(classes)):
        raise ShapeError(f"labels must lie between 0 and {len(classes) - 1}, got {labels.min()} to {labels.max()}")
    if "colors" in arrays and arrays["colors"].shape != points.shape:
        raise ShapeError(f"colors must have the shape of points {points.shape}, got {arrays['colors'].shape}")
    if not np.isfinite(points).all():
        bad = int((~np.isfinite(points).all((1, 2))).argmax())
        raise ShapeError(f"points of row {bad} hold NaN or infinite values")


def _rows(column: NDArray[Any] | None, split: str | None, n: int) -> NDArray[np.intp]:
    if split is None:
        rows = np.arange(n)
    elif column is None:
        raise ShapeError(f"the split {split!r} was asked for, but the file has no array 'split'")
    elif column.shape != (n,) or column.dtype.kind != "U":
        raise ShapeError(f"split must be text of shape ({n},), got {column.dtype} {column.shape}")
    else:
        rows = np.flatnonzero(column == split)
    if len(rows) == 0:
        known = "" if column is None else f"; splits in the file: {', '.join(sorted(set(column.tolist())))}"
        raise ShapeError(f"there are no clouds{f' of the split {split!r}' if split else ''}{known}")
    return rows


def _colors(colors: NDArray[Any]) -> Array:
    if colors.dtype.kind not in "fiu":
        raise ShapeError(f"colors must be uint8, or floats in [0, 1], got {colors.dtype}")
    values = colors.astype(np.float32) / (255 if colors.dtype == np.uint8 else 1)
    if not ((values >= 0) & (values <= 1)).all():
        raise ShapeError("colors must be uint8, or floats in [0, 1]")
    return np.asarray(values, dtype=np.float32)


def _up(value: NDArray[Any]) -> Axis:
    for axis in get_args(Axis):
        if value.shape == () and str(value) == axis:
            return axis  # type: ignore[no-any-return]
    raise ShapeError(f"up must be one of x, y, z, got {value!r}")
