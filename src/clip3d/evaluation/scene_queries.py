"""Rooms that are asked for things: what is found, what the first answer is worth, what is answered in vain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.rooms.labelled_scene import LabelledScene
from clip3d.errors import ShapeError
from clip3d.evaluation.intervals import bootstrap

Index = NDArray[np.intp]
LEAST_POINTS = 100  # of a thing that counts: fewer show too little of it
LOOSE, STRICT = 0.25, 0.5  # intersection over union at which a thing is found
MOST_ANSWERS = 20
STRUCTURE = ("floor", "wall", "ceiling")


@dataclass(frozen=True)
class Replies:
    """What a method says to a phrase in one scene.

    Attributes:
        answers: points (k,) of each place that it names, best first, MOST_ANSWERS at most; none if nothing fits.
        nearest: points of the best place, whether it is named or not; None if there is no place at all.
    """

    answers: tuple[Index, ...]
    nearest: Index | None


@dataclass(frozen=True)
class Asked:
    """One class that was asked for in one scene.

    Attributes:
        scene: its name.
        label: the class.
        best: for each thing of the class the highest IoU that an answer has with it; empty where there is none.
        first: the highest IoU of the best place with a thing of the class.
        pure: share of the best place's points that lie on things of the class.
        answered: whether any place was named.
    """

    scene: str
    label: str
    best: tuple[float, ...]
    first: float = 0.0
    pure: float = 0.0
    answered: bool = False

    @property
    def present(self) -> bool:
        """Whether the class is in the scene."""
        return bool(self.best)


@dataclass(frozen=True, eq=False)
class SceneReport:
    """What many scenes gave.

    Attributes:
        asked: every class in every scene.
        scenes: how many.
        protocol: how it was counted.
        segmented: for each label that points were named with, how many rightly bear it, how many wrongly, and how
            many that should do not; empty where no points were named.
    """

    asked: tuple[Asked, ...]
    scenes: int
    protocol: dict[str, Any] = field(default_factory=dict)
    segmented: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def _present(self) -> list[Asked]:
        return [one for one in self.asked if one.present]

    @property
    def things(self) -> int:
        """How many things were looked for."""
        return sum(len(one.best) for one in self.asked)

    @property
    def queries(self) -> int:
        """How many questions had an answer in their scene."""
        return len(self._present())

    def found(self, at: float) -> float:
        """Share of things with an answer whose IoU reaches `at`; NaN of nothing."""
        return _mean([iou >= at for one in self.asked for iou in one.best])

    @property
    def precision_at_1(self) -> float:
        """Share of questions whose best place has an IoU of LOOSE with a thing of the class."""
        return _mean([one.first >= LOOSE for one in self._present()])

    @property
    def on_class_at_1(self) -> float:
        """Share of questions whose best place lies with more than half of its points on the class."""
        return _mean([one.pure > 0.5 for one in self._present()])

    @property
    def false_answers(self) -> float:
        """Share of questions for classes that are absent to which a place was named all the same."""
        return _mean([one.answered for one in self.asked if not one.present])

    @property
    def mean_iou(self) -> float:
        """Mean over classes of `by_class`'s IoU."""
        return _mean([row["iou"] for row in self.by_class().values() if row["things"]])

    def segment_iou(self) -> dict[str, float]:
        """For each label that some points should bear, the share that do of those that do or should."""
        return {label: counts[0] / sum(counts) for label, counts in self.segmented.items()
                if counts[0] + counts[2]}  # fmt: skip

    @property
    def mean_segment_iou(self) -> float:
        """Mean over labels of `segment_iou`."""
        return _mean(list(self.segment_iou().values()))

    def by_class(self) -> dict[str, dict[str, float]]:
        """For each class: things, scenes, mean IoU of the best answers, found, precision, false answers."""
        labels = dict.fromkeys(one.label for one in self.asked)
        return {label: self._of_class([one for one in self.asked if one.label == label]) for label in labels}

    def _of_class(self, asked: Sequence[Asked]) -> dict[str, float]:
        own = SceneReport(tuple(asked), self.scenes)
        return {
            "things": own.things,
            "scenes": own.queries,
            "iou": _mean([iou for one in asked for iou in one.best]),
            "found": own.found(LOOSE),
            "found strictly": own.found(STRICT),
            "precision at 1": own.precision_at_1,
            "false answers": own.false_answers,
        }

    def interval(self, measure: Callable[[SceneReport], float], seed: int = 0) -> tuple[float, float]:
        """The middle 95 % of a measure over samples of whole scenes."""

        def of(rows: NDArray[np.intp]) -> float:
            return measure(SceneReport(tuple(self.asked[int(row)] for row in rows), self.scenes))

        return bootstrap([one.scene for one in self.asked], of, seed, draws=300)


def judge(scene: LabelledScene, label: str, replies: Replies, least: int = LEAST_POINTS) -> Asked:
    """What one answer is worth.

    Args:
        scene: with its labels.
        label: the class that was asked for; things count that are of it or are called so.
        replies: to the question, points of `scene.cloud`.
        least: points that a thing needs to count. Answers are compared with smaller ones, too, for the first place.
    """
    mine = _of_class(scene, label)
    counts = scene.counts
    wanted = np.flatnonzero(mine & (counts >= least))
    overlaps = [_overlaps(scene, answer) for answer in replies.answers[:MOST_ANSWERS]]
    best = tuple(max((float(iou[thing]) for iou in overlaps), default=0.0) for thing in wanted)
    first = pure = 0.0
    if replies.nearest is not None and len(replies.nearest) and mine.any():
        first = float(_overlaps(scene, replies.nearest)[mine].max())
        owners = scene.instances[replies.nearest]
        pure = float(mine[owners[owners >= 0]].sum() / len(owners))
    return Asked(scene.name, label, best, first, pure, bool(replies.answers))


def _overlaps(scene: LabelledScene, index: Index) -> NDArray[np.float64]:
    """Intersection over union (t,) of some points with each thing."""
    owners = scene.instances[index]
    both = np.bincount(owners[owners >= 0], minlength=len(scene.things))
    found: NDArray[np.float64] = both / np.maximum(scene.counts + len(index) - both, 1)
    return found


def measure_scenes(
    scenes: Iterable[LabelledScene], ask: Callable[[LabelledScene], Callable[[str], Replies]],
    labels: Sequence[str], *, least: int = LEAST_POINTS,
    name: Callable[[LabelledScene, Sequence[str]], NDArray[np.int32]] | None = None,
) -> SceneReport:  # fmt: skip
    """Ask every scene for every class, and have its points named with the classes, floor, wall and ceiling.

    Args:
        scenes: with labels; one is held at a time.
        ask: gives, for a scene, what answers a phrase in it.
        labels: the classes, as phrases.
        least: points that a thing needs to count.
        name: gives, for a scene and labels, which of them each point (n,) bears, -1 for none; None names nothing.

    Raises:
        ShapeError: if there is no scene or no class.
    """
    asked: list[Asked] = []
    count = 0
    names = tuple(dict.fromkeys((*labels, *STRUCTURE)))
    segmented = np.zeros((len(names), 3), np.int64)
    for scene in scenes:
        answer = ask(scene)
        if name is not None:
            segmented += _segmented(scene, names, name(scene, names))
        asked += [judge(scene, label, answer(label), least) for label in labels if _counts(scene, label, least)]
        count += 1
    if not asked:
        raise ShapeError("there is no scene, or no class to ask for")
    told = {
        "task": "each class asked for in each scene",
        "classes": list(labels),
        "scenes": count,
        "things": f"of {least} points or more, of the class or called so",
        "found": f"the best of {MOST_ANSWERS} answers at most reaches IoU {LOOSE} or {STRICT}",
        "precision at 1": f"the best place, named or not, reaches IoU {LOOSE} with a thing of the class",
    }
    rows = zip(names, segmented.tolist(), strict=True)
    counts = {label: (int(a), int(b), int(c)) for label, (a, b, c) in rows}
    if name is None:
        return SceneReport(tuple(asked), count, told)
    told["segments' IoU"] = "of points of the classes, floor, wall and ceiling; those of other things do not count"
    return SceneReport(tuple(asked), count, told, counts)


def _segmented(scene: LabelledScene, names: Sequence[str], given: NDArray[np.int32]) -> NDArray[np.int64]:
    """Points (m, 3) that rightly bear each name, that wrongly do, and that should and do not."""
    of_thing = np.full(len(scene.things) + 1, -1, np.int64)  # the last for points of nothing
    for place in reversed(range(len(names))):
        of_thing[:-1][_of_class(scene, names[place])] = place
    truth = of_thing[scene.instances]
    counts = truth >= 0
    truth, given = truth[counts], given[counts]
    right = np.bincount(truth[truth == given], minlength=len(names))
    borne = np.bincount(given[given >= 0], minlength=len(names))
    return np.stack([right, borne - right, np.bincount(truth, minlength=len(names)) - right], axis=1)


def _counts(scene: LabelledScene, label: str, least: int) -> bool:
    """Whether a class can be asked for: not where it is there, but too little of it is seen to be found."""
    seen = scene.counts[_of_class(scene, label)]
    return not seen.any() or bool((seen >= least).any())


def _of_class(scene: LabelledScene, label: str) -> NDArray[np.bool_]:
    """Which things (t,) are of a class or called so."""
    return np.array([thing.label == label or label in thing.words for thing in scene.things], np.bool_)


def _mean(values: Sequence[float] | Sequence[bool]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
