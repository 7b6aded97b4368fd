"""How well a ranking of driving scenes finds those of which a term is true (LidarCLIP, section 4.2).

P@K is the number of positives among the K best over the most that could be there. Logs are dense: beside it stands
P@K with near frames folded, where of all hits of one drive within some seconds the best alone counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.data.driving_truth import family_of
from clip3d.errors import ShapeError
from clip3d.evaluation.metrics import average_precision, precision_at_k

Array = NDArray[np.float32]
KS = (1, 10, 100)
# The published notebook passes over 500 entries on either side, which is 71 frames of seven cameras: 35.5 s at
# ONCE's two annotated frames a second.
APART = 35.5


@dataclass(frozen=True)
class When:
    """Which drive each of n scenes belongs to, and when it was seen.

    Attributes:
        drives: n names.
        times: (n,) seconds in the drive's clock.
        apart: seconds within which scenes of one drive are one.
    """

    drives: Sequence[str]
    times: NDArray[np.float64]
    apart: float = APART

    def __post_init__(self) -> None:
        if len(self.drives) != len(self.times) or self.apart < 0:
            raise ShapeError("each scene needs a drive and a time, and may not lie less than 0 s apart")

    def some(self, rows: NDArray[np.intp]) -> When:
        """Of the scenes in some rows."""
        return When([self.drives[row] for row in rows], self.times[rows], self.apart)


@dataclass(frozen=True)
class Found:
    """How well one term is found.

    Attributes:
        term: see `clip3d.data.driving_shots`.
        family: of its prompts.
        n: scenes of which it is known whether it is true.
        positives: where it is.
        precision: P@K by K.
        folded: P@K by K, near frames folded.
        average_precision: area under precision and recall.
        top: places of the best hits among the n, best first, near frames folded.
    """

    term: str
    family: str
    n: int
    positives: int
    precision: dict[int, float]
    folded: dict[int, float]
    average_precision: float
    top: tuple[int, ...] = ()

    @property
    def chance(self) -> float:
        """What P@K is on average where scenes are drawn at random and positives are not fewer than K."""
        return self.positives / self.n


def judge(term: str, scores: Array, truth: NDArray[np.bool_], when: When, shown: int = 20) -> Found:
    """Rank n scenes by their scores (n,), of which the term is true (n,) of at least one.

    Raises:
        ShapeError: if it is true of none, or shapes differ.
    """
    precision = {k: precision_at_k(scores, truth, k) for k in KS}
    order = fold(np.argsort(-np.asarray(scores, np.float64), kind="stable"), when, max(KS))
    most = len(fold(in_time(np.flatnonzero(truth), when), when))
    folded = {k: float(truth[order[:k]].sum() / min(k, most)) for k in KS}
    return Found(
        term=term,
        family=family_of(term),
        n=len(truth),
        positives=int(truth.sum()),
        precision=precision,
        folded=folded,
        average_precision=average_precision(scores, truth),
        top=tuple(map(int, order[:shown])),
    )


def fold(order: NDArray[np.intp], when: When, most: int | None = None) -> NDArray[np.intp]:
    """Of places in some order those that are not near one of their drive that came before; at most so many."""
    kept: list[int] = []
    taken: dict[str, list[float]] = {}
    for place in order.tolist():
        times = taken.setdefault(when.drives[place], [])
        if all(abs(when.times[place] - time) > when.apart for time in times):
            times.append(float(when.times[place]))
            kept.append(place)
            if most is not None and len(kept) == most:
                break
    return np.array(kept, np.intp)


def in_time(places: NDArray[np.intp], when: When) -> NDArray[np.intp]:
    """Places in the order of drives and times, in which folding keeps as many as can be kept."""
    return np.array(sorted(places.tolist(), key=lambda at: (when.drives[at], when.times[at])), np.intp)


def overall(found: Iterable[Found]) -> dict[str, float]:
    """Means over all terms, as in LidarCLIP's tables, by name: "P@10", "P@10 folded", "chance", "AP" and so on."""
    return _means(list(found))


def by_family(found: Sequence[Found]) -> Mapping[str, dict[str, float]]:
    """The same within each of the paper's groups of terms; busy and empty streets are one."""
    groups: dict[str, list[Found]] = {}
    for one in found:
        groups.setdefault(GROUPS[one.family], []).append(one)
    return {name: _means(own) for name, own in groups.items()}


GROUPS = {
    "object": "objects", "nearby": "nearby", "period": "time", "weather": "weather", "busy": "crowded",
    "empty": "crowded",
}  # fmt: skip


def _means(found: Sequence[Found]) -> dict[str, float]:
    if not found:
        return {}
    told = [
        {f"P@{k}": one.precision[k] for k in KS}
        | {f"P@{k} folded": one.folded[k] for k in KS}
        | {"chance": one.chance, "AP": one.average_precision}
        for one in found
    ]
    return {name: float(np.mean([row[name] for row in told])) for name in told[0]}
