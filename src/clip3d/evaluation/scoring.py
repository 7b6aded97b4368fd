"""Scores of many clouds or pictures against label vectors, and what is counted of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.augmenting import rotate, rotation_about
from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.posing import Pose
from clip3d.evaluation.metrics import class_accuracies, confusion_matrix, mean_of_classes, top_k_accuracy
from clip3d.models.batching import in_batches
from clip3d.models.model import Model

Array = NDArray[np.float32]
Progress = Callable[[int, int], None]

CHUNK = 64


@dataclass(frozen=True, eq=False)
class Counts:
    """What scores (n, c) say about n objects of c classes; see `ZeroShotReport`."""

    accuracy: float
    top5: float
    class_mean: float
    per_class: dict[str, float | None]
    confusion: NDArray[np.int64]


def count(scores: Array, labels: NDArray[np.intp], classes: Sequence[str]) -> Counts:
    """Count right answers: scores (n, c), higher is better, against the right classes' indices (n,)."""
    confusion = confusion_matrix(labels, scores.argmax(1), len(classes))
    return Counts(top5=top_k_accuracy(scores, labels, 5), **_of_confusion(confusion, classes))


def accuracies(scores: Array, labels: NDArray[np.intp], classes: Sequence[str]) -> dict[str, float]:
    """`accuracy` and `class_mean` of scores (n, c) against the right classes (n,)."""
    counts = count(scores, labels, classes)
    return {"accuracy": counts.accuracy, "class_mean": counts.class_mean}


def points_seen(model: Model, p: int, points: int | None = None) -> dict[str, Any]:
    """What a protocol says of how many points of a cloud of p the tower sees; `points` if not the card's number."""
    prepare = model.cloud_preparation()
    are = "at most: stray points are left out first" if prepare.outliers else "exact"
    return {"points": prepare.seen(p, points), "points_are": are}


def merge(parts: Sequence[Counts], classes: Sequence[str]) -> Counts:
    """Counts of the same objects seen in several ways, as those of one set: confusions add up."""
    confusion = np.sum([part.confusion for part in parts], axis=0)
    return Counts(top5=float(np.mean([part.top5 for part in parts])), **_of_confusion(confusion, classes))


def _of_confusion(confusion: NDArray[np.int64], classes: Sequence[str]) -> dict[str, Any]:
    per_class = class_accuracies(confusion)
    return {
        "accuracy": float(np.trace(confusion) / confusion.sum()),
        "class_mean": mean_of_classes(per_class),
        "per_class": dict(zip(classes, per_class, strict=True)),
        "confusion": confusion,
    }


def cloud_scores(
    model: Model,
    clouds: Iterable[PointCloud],
    label_vectors: Array,
    *,
    votes: int = 1,
    points: int | None = None,
    pose: Pose = "upright",
    progress: Callable[[int], None] | None = None,
) -> Array:
    """Centred cosines (n, c) of n clouds with c label vectors (c, d), averaged over the votes.

    Args:
        model: with a cloud tower.
        clouds: taken one chunk at a time.
        label_vectors: as `Model.label_vectors` gives them.
        votes: views of each cloud, turned by equal steps about the up axis.
        points: points the tower sees, if not the card's number.
        pose: what the model is told of the clouds' pose.
        progress: called with the number of clouds done.

    Raises:
        ModelError: if `pose` is "any" and the model has no pose-free mode.
    """
    rows: list[Array] = []
    for chunk in in_batches(clouds, CHUNK):
        views = [[turned(cloud, vote / votes) for cloud in chunk] if vote else chunk for vote in range(votes)]
        vectors = [model.encode_clouds(view, points=points, pose=pose) for view in views]
        scores = [model.space.similarity(v, label_vectors) for v in vectors]
        rows.append(np.mean(scores, axis=0, dtype=np.float32))
        if progress:
            progress(sum(map(len, rows)))
    return np.concatenate(rows)


def has_pose_free(model: Model) -> bool:
    """Whether the model's cloud tower can be told that a cloud may lie in any pose."""
    return model.cloud_preparation().turns > 0


def turned(cloud: PointCloud, share: float) -> PointCloud:
    """The cloud turned z up and then about z by a share of a full turn, in [0, 1)."""
    upright = cloud.z_up()
    return replace(upright, points=rotate(upright.points, rotation_about("z", 2 * np.pi * share)), normals=None)


