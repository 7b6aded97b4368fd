"""Labelled clouds in one npz file.

The file holds `points` (n, p, 3), `labels` (n,) integers, `classes` (c,) text, `up` ("x", "y" or "z"), and perhaps
`colors` (n, p, 3) in [0, 1] or uint8, `split` (n,) text and `names` (n,) text.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import Axis
from clip3d.data.labelled_clouds import LabelledClouds, Wanted
from clip3d.data.npz import read_npz
from clip3d.data.published.gathering import cut_rows
from clip3d.errors import DataError, ShapeError
from clip3d.models.weights import sha256_of

Array = NDArray[np.float32]

MAX_CLASSES = 100_000


def recognises(path: Path) -> bool:
    """Whether this is an npz file."""
    return path.is_file() and path.suffix.lower() == ".npz"


def read(wanted: Wanted) -> LabelledClouds:
    """Read the file as this module describes."""
    wanted.no_variant()
    arrays = read_npz(
        wanted.path, required=("points", "labels", "classes", "up"), optional=("colors", "split", "names")
    )
    try:
        _check(arrays)
        rows = _rows(arrays.get("split"), wanted.split, len(arrays["labels"]))
        colors, names = arrays.get("colors"), arrays.get("names")
        data = LabelledClouds(
            points=arrays["points"][rows].astype(np.float32),
            colors=None if colors is None else _colors(colors[rows]),
            labels=arrays["labels"][rows].astype(np.intp),
            classes=[str(name) for name in arrays["classes"]],
            up=wanted.up or _up(arrays["up"]),
            split=wanted.split or "all",
            path=wanted.path,
            sha256=sha256_of(wanted.path),
            names=() if names is None else tuple(map(str, names[rows])),
        )
        return cut_rows(data.limited(wanted.limit), wanted.points, wanted.seed)
    except ShapeError as error:
        raise DataError(wanted.path, str(error)) from error


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
    names = arrays.get("names")
    if names is not None and (names.shape != labels.shape or names.dtype.kind != "U"):
        raise ShapeError(f"names must be text of shape ({len(points)},), got {names.dtype} {names.shape}")
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
