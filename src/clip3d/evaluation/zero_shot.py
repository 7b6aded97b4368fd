"""Zero-shot classification: labels become prompts, and each cloud takes the nearest.

The whole split is counted and nothing is augmented. Nothing is drawn at random unless partial views or any pose are
asked for; then everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.posing import Pose
from clip3d.data.labelled_clouds import LabelledClouds as LabelledClouds
from clip3d.errors import ShapeError
from clip3d.evaluation.corruptions import CORRUPTIONS, VIEWS
from clip3d.evaluation.scoring import Counts, Progress, cloud_scores, count, merge, points_seen
from clip3d.models.model import Model

Array = NDArray[np.float32]
Views = Literal["whole", "partial"]


@dataclass(frozen=True)
class ZeroShotReport:
    """Result of `zero_shot`.

    Attributes:
        accuracy: share of right answers over all clouds, in [0, 1]; with partial views their mean.
        top5: share of clouds whose class is among the first five.
        class_mean: mean of the classes' accuracies; classes without samples are left out.
        per_class: accuracy by class, None where there are no samples.
        confusion: (c, c) counts; row the right class, column the answer.
        n: number of clouds.
        view_accuracies: of each partial view; empty for whole clouds.
        protocol: everything needed to recompute the numbers.
        model: id of the model.
        scores: (n, c) centred cosines, averaged over partial views; not in `as_dict`.
        rows: (n,) indices of what was counted, in the data; not in `as_dict`.
    """

    accuracy: float
    top5: float
    class_mean: float
    per_class: dict[str, float | None]
    confusion: list[list[int]]
    n: int
    view_accuracies: tuple[float, ...]
    protocol: dict[str, Any]
    model: str
    scores: Array = field(repr=False, compare=False)
    rows: NDArray[np.intp] = field(repr=False, compare=False)

    @property
    def view_std(self) -> float | None:
        """Standard deviation of the accuracy over the partial views; None for whole clouds."""
        return float(np.std(self.view_accuracies)) if self.view_accuracies else None

    def as_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON; those of partial views only where there are some."""
        fields = {key: value for key, value in vars(self).items() if key not in ("scores", "rows")}
        views = list(fields.pop("view_accuracies"))
        return {**fields, **({"view_accuracies": views, "view_std": self.view_std} if views else {})}


def zero_shot(
    model: Model,
    data: LabelledClouds,
    *,
    templates: Sequence[str] | None = None,
    votes: int = 1,
    points: int | None = None,
    views: Views = "whole",
    pose: Pose = "upright",
    seed: int = 0,
    progress: Progress | None = None,
) -> ZeroShotReport:
    """Classify every cloud by the nearest label and count.

    Args:
        model: with a cloud and a text tower.
        data: clouds with their classes.
        templates: prompts with {} for the class name; None for those of the model's card.
        votes: views of each cloud, turned by equal steps about the up axis; their centred cosines are averaged.
        points: points the tower sees, if not the card's number.
        views: "partial" for what a scanner sees from each of five directions (hidden points removed).
        pose: "any" to turn each cloud by a random rotation, the model being told so.
        seed: of directions and rotations.
        progress: called with the number of clouds done and of all clouds.

    Raises:
        ShapeError: if votes is less than 1.
        ModelError: if `pose` is "any" and the model has no pose-free mode.
    """
    if votes < 1:
        raise ShapeError(f"votes must be at least 1, got {votes}")
    prompts = list(templates or model.card.templates)
    label_vectors = model.label_vectors(data.classes, prompts)
    parts: list[Counts] = []
    tables: list[Array] = []
    levels = [None] if views == "whole" else list(range(1, VIEWS + 1))
    for level in levels:
        clouds = _clouds(data, level, pose, seed)
        report = _progress(progress, len(parts) * len(data), len(levels) * len(data))
        scores = cloud_scores(
            model, clouds, label_vectors, votes=votes, points=points, pose=pose, progress=report
        )
        tables.append(scores)
        parts.append(count(scores, data.labels, data.classes))
    whole = merge(parts, data.classes)
    return ZeroShotReport(
        accuracy=whole.accuracy,
        top5=whole.top5,
        class_mean=whole.class_mean,
        per_class=whole.per_class,
        confusion=whole.confusion.tolist(),
        n=len(data),
        view_accuracies=() if views == "whole" else tuple(part.accuracy for part in parts),
        protocol=protocol(model, data, prompts, votes, points, views, pose, seed),
        model=model.id,
        scores=np.mean(tables, axis=0, dtype=np.float32),
        rows=np.arange(len(data)),
    )


def _clouds(data: LabelledClouds, view: int | None, pose: Pose, seed: int) -> Iterator[PointCloud]:
    for i, cloud in enumerate(data.clouds()):
        if view is not None:
            cloud = CORRUPTIONS["occlusion"](cloud, view, seed=seed, index=data.index(i))
        if pose == "any":
            cloud = CORRUPTIONS["rotation"](cloud, "any", seed=seed, index=data.index(i))
        yield cloud


def _progress(progress: Progress | None, before: int, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda done: progress(before + done, total)


def protocol(
    model: Model,
    data: LabelledClouds,
    prompts: list[str],
    votes: int = 1,
    points: int | None = None,
    views: Views = "whole",
    pose: Pose = "upright",
    seed: int = 0,
) -> dict[str, Any]:
    """What a report says of how its numbers came about."""
    drawn = views != "whole" or pose != "upright"
    partial = f"{VIEWS} partial views: {CORRUPTIONS['occlusion'].protocol}"
    return {
        "task": "zero-shot classification",
        **data.protocol(),
        **points_seen(model, data.points.shape[1], points),
        "normalizing": "centred, largest radius 1",
        "prompts": prompts,
        "score": "cosine after the mean of the space is subtracted",
        "votes": votes,
        "views": "whole clouds" if views == "whole" else partial,
        "pose": "as declared, upright" if pose == "upright" else "each cloud in a random rotation, pose-free mode",
        "seed": seed if drawn else None,
        "weights": model.card.weights_hash,
    }
