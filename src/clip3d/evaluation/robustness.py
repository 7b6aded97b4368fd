"""How zero-shot accuracy stands up to corrupted clouds: one row for each corruption and level."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.posing import Pose
from clip3d.data.labelled_clouds import LabelledClouds
from clip3d.evaluation.corruptions import Corruption, Level, choose
from clip3d.evaluation.scoring import Progress, cloud_scores, count, has_pose_free
from clip3d.evaluation.zero_shot import protocol
from clip3d.models.model import Model

Array = NDArray[np.float32]

CLEAN = "none"


@dataclass(frozen=True)
class RobustnessRow:
    """Accuracy under one corruption at one level.

    Attributes:
        corruption: its name; "none" for the clouds as they are.
        level: the dose; None for clouds as they are and for what was left out.
        label: the level as text.
        accuracy: share of right answers; None where the set or the model does not allow the test.
        class_mean: mean of the classes' accuracies.
        difference: to the accuracy on clouds as they are.
        points: largest number of points a corrupted cloud had.
        seen: how many of them the tower took; at most so many where the model leaves out stray points first, which
            the protocol's `points_are` says.
        note: why something was left out, or how it was done.
        protocol: everything needed to recompute the row.
        seed: of all draws.
        n: number of clouds.
        model: id of the model.
    """

    corruption: str
    level: Level | None
    label: str
    accuracy: float | None
    class_mean: float | None
    difference: float | None
    points: int | None
    seen: int | None
    note: str
    protocol: dict[str, Any]
    seed: int
    n: int
    model: str

    def as_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class _Trial:
    """One row before it is measured; without a corruption the clouds are taken as they are."""

    corruption: Corruption | None
    level: Level | None
    pose: Pose = "upright"
    note: str = ""
    possible: bool = True


def robustness(
    model: Model,
    data: LabelledClouds,
    *,
    only: Sequence[str] | None = None,
    templates: Sequence[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Iterator[RobustnessRow]:
    """Measure zero-shot accuracy on clouds as they are, then under every corruption and level, one row at a time.

    Args:
        model: with a cloud and a text tower.
        data: clouds with their classes.
        only: names of corruptions, see `corruptions.CORRUPTIONS`; all for None.
        templates: prompts with {} for the class name; None for those of the model's card.
        seed: of all draws.
        progress: called with the number of clouds done and of all clouds, over all rows.

    Raises:
        ShapeError: if a name in `only` is unknown.
    """
    trials = [_Trial(None, None), *_trials(model, data, only)]
    prompts = list(templates or model.card.templates)
    measure = _Measure(model, data, prompts, model.label_vectors(data.classes, prompts), seed)
    total = sum(trial.possible for trial in trials) * len(data)
    return measure.rows(trials, lambda done: progress(done, total) if progress else None)


def _trials(model: Model, data: LabelledClouds, only: Sequence[str] | None) -> Iterator[_Trial]:
    prepare = model.cloud_preparation()
    in_file, most = data.points.shape[1], prepare.seen(data.points.shape[1])
    for corruption in choose(only):
        if corruption.needs_color and data.colors is None:
            yield _Trial(corruption, None, note="the file holds no colors", possible=False)
            continue
        for level in corruption.levels:
            if corruption.name == "points" and int(level) > in_file:
                yield _Trial(corruption, level, note=f"the file holds {in_file:,} points", possible=False)
            elif corruption.name == "points" and int(level) > most:
                many = f"at most {most:,}" if prepare.outliers else f"{most:,}"
                yield _Trial(corruption, level, note=f"resampled to {many} by the model")
            elif corruption.name == "rotation":
                yield _Trial(corruption, level, note="upright mode")
                free = has_pose_free(model)
                note = "pose-free mode" if free else "the model has no pose-free mode"
                yield _Trial(corruption, level, "any", note, possible=free)
            else:
                yield _Trial(corruption, level)


@dataclass(frozen=True, eq=False)
class _Measure:
    """What all rows have in common."""

    model: Model
    data: LabelledClouds
    prompts: list[str]
    label_vectors: Array
    seed: int

    def rows(self, trials: Sequence[_Trial], progress: Callable[[int], None]) -> Iterator[RobustnessRow]:
        clean: float | None = None
        done = 0
        for trial in trials:
            if not trial.possible:
                yield self._row(trial, None, None, None, None)
                continue
            accuracy, class_mean, points = self._measured(trial, done, progress)
            clean = accuracy if clean is None else clean
            done += len(self.data)
            yield self._row(trial, accuracy, class_mean, accuracy - clean, points)

    def _measured(self, trial: _Trial, done: int, progress: Callable[[int], None]) -> tuple[float, float, int]:
        sizes: list[int] = []
        scores = cloud_scores(
            self.model,
            self._clouds(trial, sizes),
            self.label_vectors,
            pose=trial.pose,
            progress=lambda more: progress(done + more),
        )
        counts = count(scores, self.data.labels, self.data.classes)
        return counts.accuracy, counts.class_mean, max(sizes)

    def _clouds(self, trial: _Trial, sizes: list[int]) -> Iterator[PointCloud]:
        for i, cloud in enumerate(self.data.clouds()):
            if trial.corruption is None or trial.level is None:
                changed = cloud
            else:
                changed = trial.corruption(cloud, trial.level, seed=self.seed, index=self.data.index(i))
            sizes.append(len(changed))
            yield changed

    def _row(
        self,
        trial: _Trial,
        accuracy: float | None,
        class_mean: float | None,
        difference: float | None,
        points: int | None,
    ) -> RobustnessRow:
        corruption, level = trial.corruption, trial.level
        what = corruption.protocol if corruption else "clouds as they are"
        return RobustnessRow(
            corruption=corruption.name if corruption else CLEAN,
            level=level,
            label=corruption.label(level) if corruption and level is not None else "",
            accuracy=accuracy,
            class_mean=class_mean,
            difference=difference,
            points=points,
            seen=None if points is None else self.model.cloud_preparation().seen(points),
            note=trial.note,
            protocol={**protocol(self.model, self.data, self.prompts), "corruption": what, "pose": trial.pose},
            seed=self.seed,
            n=len(self.data),
            model=self.model.id,
        )
