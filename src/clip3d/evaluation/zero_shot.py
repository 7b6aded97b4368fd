"""Zero-shot classification: labels become prompts, and each cloud takes the nearest.

The whole split is counted, nothing is drawn at random, nothing is augmented.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import Axis, PointCloud
from clip3d.data.npz import read_npz
from clip3d.errors import DataError, ShapeError
from clip3d.evaluation.metrics import class_accuracies, confusion_matrix
from clip3d.models.model import Model
from clip3d.models.weights import sha256_of

Array = NDArray[np.float32]
Progress = Callable[[int, int], None]

CHUNK = 64
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
    """

    points: Array
    colors: Array | None
    labels: NDArray[np.intp]
    classes: list[str]
    up: Axis
    split: str
    path: Path
    sha256: str

    def __len__(self) -> int:
        return len(self.points)

    def clouds(self, indices: Sequence[int] | None = None) -> Iterator[PointCloud]:
        """The clouds one by one, all or those of the indices."""
        for i in range(len(self)) if indices is None else indices:
            yield PointCloud(self.points[i], None if self.colors is None else self.colors[i], up=self.up)


@dataclass(frozen=True)
class ZeroShotReport:
    """Result of `zero_shot`.

    Attributes:
        accuracy: share of right answers over all clouds, in [0, 1].
        class_mean: mean of the classes' accuracies; classes without samples are left out.
        per_class: accuracy by class, None where there are no samples.
        confusion: (c, c) counts; row the right class, column the answer.
        n: number of clouds.
        protocol: everything needed to recompute the numbers.
        model: id of the model.
    """

    accuracy: float
    class_mean: float
    per_class: dict[str, float | None]
    confusion: list[list[int]]
    n: int
    protocol: dict[str, Any]
    model: str

    def as_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON."""
        return asdict(self)


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


def zero_shot(
    model: Model,
    data: LabelledClouds,
    *,
    templates: Sequence[str] | None = None,
    votes: int = 1,
    points: int | None = None,
    progress: Progress | None = None,
) -> ZeroShotReport:
    """Classify every cloud by the nearest label and count.

    Args:
        model: with a cloud and a text tower.
        data: clouds with their classes.
        templates: prompts with {} for the class name; None for those of the model's card.
        votes: views of each cloud, turned by equal steps about the up axis; their centred cosines are averaged.
        points: points the tower sees, if not the card's number.
        progress: called with the number of clouds done and of all clouds.

    Raises:
        ShapeError: if votes is less than 1.
    """
    if votes < 1:
        raise ShapeError(f"votes must be at least 1, got {votes}")
    prompts = list(templates or model.card.templates)
    label_vectors = model.label_vectors(data.classes, prompts)
    scores = _scores(model, data, label_vectors, votes, points, progress)
    confusion = confusion_matrix(data.labels, scores.argmax(1), len(data.classes))
    per_class = class_accuracies(confusion)
    return ZeroShotReport(
        accuracy=float(np.trace(confusion) / len(data)),
        class_mean=float(np.mean([value for value in per_class if value is not None])),
        per_class=dict(zip(data.classes, per_class, strict=True)),
        confusion=confusion.tolist(),
        n=len(data),
        protocol=_protocol(model, data, prompts, votes, points),
        model=model.id,
    )


def _scores(
    model: Model,
    data: LabelledClouds,
    label_vectors: Array,
    votes: int,
    points: int | None,
    progress: Progress | None,
) -> Array:
    """Centred cosines (n, c), averaged over the views."""
    scores = np.zeros((len(data), len(data.classes)), dtype=np.float32)
    for start in range(0, len(data), CHUNK):
        chunk = list(data.clouds(range(start, min(start + CHUNK, len(data)))))
        for vote in range(votes):
            views = [_turned(cloud, 2 * np.pi * vote / votes) for cloud in chunk] if vote else chunk
            vectors = model.encode_clouds(views, points=points)
            scores[start : start + len(chunk)] += model.space.similarity(vectors, label_vectors) / votes
        if progress:
            progress(start + len(chunk), len(data))
    return scores


def _turned(cloud: PointCloud, angle: float) -> PointCloud:
    """The cloud turned z-up and then about z by an angle in radians."""
    upright = cloud.z_up()
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], dtype=np.float32)
    return replace(upright, points=upright.points @ turn.T)


def _protocol(
    model: Model, data: LabelledClouds, prompts: list[str], votes: int, points: int | None
) -> dict[str, Any]:
    return {
        "task": "zero-shot classification",
        "data": data.path.name,
        "data_sha256": data.sha256,
        "split": data.split,
        "classes": len(data.classes),
        "points_in_file": int(data.points.shape[1]),
        "points": model.cloud_preparation().seen(data.points.shape[1], points),
        "colors": data.colors is not None,
        "up": data.up,
        "normalizing": "centred, largest radius 1",
        "prompts": prompts,
        "score": "cosine after the mean of the space is subtracted",
        "votes": votes,
        "weights": model.card.weights_hash,
    }


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
