"""Sets that keep many clouds in a few HDF5 files: their rows as one set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import Axis
from clip3d.data.labelled_clouds import LabelledClouds, Wanted
from clip3d.data.published.gathering import cut_rows
from clip3d.data.published.hdf5 import read_hdf5
from clip3d.errors import CloudError, DataError, FileProblem
from clip3d.models.weights import sha256_of

Array = NDArray[np.float32]


@dataclass(frozen=True)
class PackedFile:
    """One file of `data` (n, p, 3) and `label` (n,) or (n, 1), and the names of its rows.

    Attributes:
        path: the file.
        names: of its rows; where they are fewer than rows, or none, rows are numbered after the file's name.
    """

    path: Path
    names: Sequence[str] = ()


def read_packed(
    wanted: Wanted, files: Sequence[PackedFile], *, classes: Sequence[str], up: Axis, format: str  # noqa: A002
) -> LabelledClouds:
    """Read all files; those that cannot be read, and rows that hold no finite numbers, are told in `problems`.

    Args:
        wanted: what of the set is asked for; its split is that of the files.
        files: of the part that is asked for.
        classes: names of the classes.
        up: the axis that points up.
        format: how the set is kept.

    Raises:
        DataError: if no file, or no cloud of them, can be read.
    """
    problems: list[FileProblem] = []
    parts = list(_parts(files, len(classes), wanted, problems))
    if not parts:
        raise DataError(wanted.path, f"none of its {len(files)} files can be read; the first: {problems[0]}")
    whole = np.concatenate([part.good for part in parts])
    digest = hashlib.sha256("\n".join(f"{part.name} {part.sha256}" for part in parts).encode())
    kept = np.flatnonzero(whole)
    if not len(kept):
        raise DataError(wanted.path, f"none of its {len(whole)} clouds can be read; the first: {problems[0]}")
    p = min(part.points.shape[1] for part in parts)
    data = LabelledClouds(
        points=np.concatenate([part.points[part.good, :p] for part in parts]),
        colors=None,
        labels=np.concatenate([part.labels[part.good] for part in parts]),
        classes=list(classes),
        up=wanted.up or up,
        split=wanted.split or "all",
        path=wanted.path,
        sha256=digest.hexdigest(),
        names=tuple(np.concatenate([part.names for part in parts])[whole].tolist()),
        places=None if whole.all() else kept,
        format=format,
        variant=wanted.variant,
        problems=tuple(problems),
    )
    return cut_rows(data.limited(wanted.limit), wanted.points, wanted.seed)


@dataclass(frozen=True, eq=False)
class _Part:
    name: str
    sha256: str
    points: Array
    labels: NDArray[np.intp]
    names: NDArray[np.str_]
    good: NDArray[np.bool_]


def _parts(
    files: Sequence[PackedFile], classes: int, wanted: Wanted, problems: list[FileProblem]
) -> Iterator[_Part]:
    for i, file in enumerate(files):
        try:
            part = _part(file, classes)
        except DataError as error:
            problems.append(error)
            continue
        for row in np.flatnonzero(~part.good):
            problems.append(CloudError(file.path, f"its row {row} holds NaN or infinite values"))
        yield part
        if wanted.progress:
            wanted.progress(i + 1, len(files))


def _part(file: PackedFile, classes: int) -> _Part:
    arrays = read_hdf5(file.path, ("data", "label"))
    points, labels = arrays["data"], arrays["label"].reshape(-1)
    if points.ndim != 3 or points.shape[2] < 3 or 0 in points.shape:
        raise DataError(file.path, f"its data have the shape {points.shape}, expected (n, p, 3)")
    if labels.dtype.kind not in "iu" or labels.shape != points.shape[:1]:
        raise DataError(file.path, f"its label must be {len(points)} integers, got {labels.dtype} {labels.shape}")
    if labels.min() < 0 or labels.max() >= classes:
        got = f"{labels.min()} to {labels.max()}"
        raise DataError(file.path, f"its labels must lie between 0 and {classes - 1}, got {got}")
    names = file.names if len(file.names) == len(points) else [f"{file.path.stem}_{i}" for i in range(len(points))]
    xyz = points[:, :, :3].astype(np.float32)
    good = np.asarray(np.isfinite(xyz).all((1, 2)))
    return _Part(file.path.name, sha256_of(file.path), xyz, labels.astype(np.intp), np.array(names), good)
