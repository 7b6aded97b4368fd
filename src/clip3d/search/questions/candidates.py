"""Records of a collection in the order of their scores, as many as are needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.search.conditions.where import Condition
from clip3d.search.questions.aims import Aim
from clip3d.search.questions.joint_search import JointSearch
from clip3d.search.stores.store import Store
from clip3d.spaces import Space, unit

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Candidates:
    """The best n records, best first; equal scores stand in the order of ids.

    Attributes:
        ids: (n,) int64.
        scores: (n,) float32.
        aim: (n,) which of the aims gave the score.
        all: whether there are no more.
    """

    ids: NDArray[np.int64]
    scores: Array
    aim: NDArray[np.int64]
    all: bool

    def __len__(self) -> int:
        return len(self.ids)


Finder = Callable[[int], tuple[NDArray[np.int64], Array]]


def finder_of(store: Store, space: Space, aim: Aim, where: Condition | None) -> Finder:
    """What gives the n best records of an aim: their ids and scores."""
    if aim.rule is not None:
        return JointSearch(store, space, aim, where).best
    return lambda n: store.nearest(aim.directions, n, where)


def find_candidates(finders: Sequence[Finder], n: int) -> Candidates:
    """The n best records; each counts once, with the best of its aims."""
    found = [finder(n) for finder in finders]
    ids = np.concatenate([ids for ids, _ in found])
    scores = np.concatenate([scores for _, scores in found])
    aim = np.repeat(np.arange(len(finders)), [len(ids) for ids, _ in found])
    order = np.lexsort((aim, ids, -scores))
    _, first = np.unique(ids[order], return_index=True)
    chosen = order[np.sort(first)][:n]
    exhausted = all(len(ids) < n for ids, _ in found)
    return Candidates(ids[chosen], scores[chosen], aim[chosen], exhausted and len(first) <= n)


class Compared:
    """Vectors of candidates, fetched once and centred, so that they can be compared with each other."""

    def __init__(self, store: Store, space: Space, aims: tuple[Aim, ...]) -> None:
        self.store = store
        self.space = space
        self.aims = aims
        self._rows: dict[int, Array] = {}

    def of(self, candidates: Candidates) -> Array:
        """(n, m) float32 at unit length: the centred vectors that gave the score, side by side if several."""
        for number, aim in enumerate(self.aims):
            there = candidates.ids[candidates.aim == number]
            new = [int(i) for i in there if int(i) not in self._rows]
            if new:
                parts = [self.space.centre(self.store.vectors(name, new)) for name in aim.names]
                rows = unit(np.concatenate(parts, axis=1))
                self._rows.update(zip(new, rows, strict=True))
        width = self.space.dim * max(len(aim.names) for aim in self.aims)
        found = [self._rows[int(i)] for i in candidates.ids]
        return np.stack(found) if found else np.zeros((0, width), np.float32)


def scores_by_name(
    store: Store, space: Space, aims: tuple[Aim, ...], ids: list[int]
) -> dict[int, dict[str, float]]:
    """For each id the centred cosine of each vector that it has with the query's direction of that name."""
    found: dict[int, dict[str, float]] = {i: {} for i in ids}
    asked = [(name, direction) for aim in aims for name, direction in aim.directions.items()]
    asked += [(name, next(iter(aim.directions.values()))) for aim in aims for name in aim.beside]
    for name, direction in asked:
        vectors = store.vectors(name, ids)
        there = np.isfinite(vectors).all(axis=1)
        cosines = space.scores(unit(direction[None])[0], vectors[there])
        for i, cosine in zip(np.asarray(ids)[there].tolist(), cosines.tolist(), strict=True):
            found[i][name] = cosine
    return found
