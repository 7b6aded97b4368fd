"""Which of the candidates are answers: copies aside, not more of the same, the best of each group."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from clip3d.search.stores.store import Record

Array = NDArray[np.float32]
Places = NDArray[np.int64]
Sameness = tuple[str | int, str]

BLOCK = 512
PASSED_OVER = -1
DIVERSIFIED = 500  # best answers that are put in another order; the rest follow by score


def sameness(record: Record) -> Sameness:
    """Equal for records of equal content and part; of content that is not known, as of a file that was read
    as it was written, for none but the record itself."""
    return record.trace.content or record.id, record.trace.part


def fold_neighbours(
    places: Sequence[tuple[str, float] | None], seconds: float
) -> tuple[Places, NDArray[np.int64]]:
    """What stands alone among candidates, best first: others are folded into one before them that is near in time.

    Args:
        places: of each its log and its seconds there; None for what is no frame, which is never folded.
        seconds: that may lie between a frame and the one that it is folded into.

    Returns:
        Places of those that lead (l,), ascending, and the number folded into each (l,).
    """
    leaders: list[int] = []
    folded: list[int] = []
    times: dict[str, list[tuple[float, int]]] = {}  # of each log's leaders, ascending, with their numbers
    for place, where in enumerate(places):
        if where is not None:
            log, time = where
            led = times.setdefault(log, [])
            at = bisect_left(led, (time, -1))
            near = [one for one in led[max(at - 1, 0) : at + 1] if abs(one[0] - time) <= seconds]
            if near:
                folded[min(near, key=lambda one: abs(one[0] - time))[1]] += 1
                continue
            led.insert(at, (time, len(leaders)))
        leaders.append(place)
        folded.append(0)
    return np.array(leaders, np.int64), np.array(folded, np.int64)


def gather_copies(
    keys: Sequence[Hashable], vectors: Array | None, near: float, most: int | None = None
) -> tuple[Places, Places]:
    """Each candidate, best first, either leads or is the copy of the first leader that is the same.

    Args:
        keys: n, equal for what has the same content.
        vectors: (n, m) float32 at unit length; None if equal content alone makes copies.
        near: least cosine of a copy.
        most: leaders to stop at; what comes after is a copy of one of them or passed over. None for no end.

    Returns:
        Places of the leaders (l,), ascending, and the number of copies of each (l,).
    """
    leaders = _Leaders(len(keys) if most is None else min(most, len(keys)), vectors, near)
    for start in range(0, len(keys), BLOCK):
        leaders.take(start, keys[start : start + BLOCK])
    return np.asarray(leaders.places, np.int64), np.asarray(leaders.copies, np.int64)


class _Leaders:
    """Those that lead so far."""

    def __init__(self, most: int, vectors: Array | None, near: float) -> None:
        self.most = most
        self.vectors = vectors
        self.near = near
        self.places: list[int] = []
        self.copies: list[int] = []
        self.of_key: dict[Hashable, int] = {}
        self.rows = None if vectors is None else np.zeros((most, vectors.shape[1]), np.float32)

    def take(self, start: int, keys: Sequence[Hashable]) -> None:
        """The next candidates, with the known leaders compared in one product."""
        before = len(self.places)
        known = self._first_alike(start, len(keys), before)
        for place, (key, near) in enumerate(zip(keys, known, strict=True), start=start):
            leader = self.of_key.get(key, near)
            if leader is None:
                leader = self._alike_since(place, before)
            if leader is None:
                leader = self._lead(place) if len(self.places) < self.most else PASSED_OVER
            elif leader != PASSED_OVER:
                self.copies[leader] += 1
            self.of_key.setdefault(key, leader)

    def _lead(self, place: int) -> int:
        if self.rows is not None and self.vectors is not None:
            self.rows[len(self.places)] = self.vectors[place]
        self.places.append(place)
        self.copies.append(0)
        return len(self.places) - 1

    def _first_alike(self, start: int, n: int, leaders: int) -> list[int | None]:
        if self.rows is None or self.vectors is None or not leaders:
            return [None] * n
        alike = self.vectors[start : start + n] @ self.rows[:leaders].T >= self.near
        return [int(row.argmax()) if row.any() else None for row in alike]

    def _alike_since(self, place: int, leaders: int) -> int | None:
        """The first that is alike of the leaders that were found since."""
        if self.rows is None or self.vectors is None or leaders == len(self.places):
            return None
        alike = np.flatnonzero(self.rows[leaders : len(self.places)] @ self.vectors[place] >= self.near)
        return leaders + int(alike[0]) if len(alike) else None


def diversify(scores: Array, vectors: Array, weight: float) -> Places:
    """Order (n,) by maximal marginal relevance (Carbonell and Goldstein 1998).

    Each next one has the largest (1 - weight) score - weight (largest cosine with those before); the first is
    the best. Of equals the earlier stands first.

    Args:
        scores: (n,) float32, best first.
        vectors: (n, m) float32 at unit length.
        weight: in [0, 1).
    """
    n = len(scores)
    order: list[int] = []
    left = np.ones(n, bool)
    nearest = np.full(n, -np.inf, np.float64)
    worth = (1 - weight) * scores.astype(np.float64)
    for step in range(n):
        margin = worth - weight * nearest if step else worth
        chosen = int(np.argmax(np.where(left, margin, -np.inf)))
        order.append(chosen)
        left[chosen] = False
        nearest = np.maximum(nearest, vectors @ vectors[chosen])
    return np.asarray(order, np.int64)


def limit_groups(groups: Sequence[Hashable], most: int) -> Places:
    """Places (m,) of those that are among the first `most` of their group."""
    seen: dict[Hashable, int] = {}
    kept = []
    for place, group in enumerate(groups):
        seen[group] = seen.get(group, 0) + 1
        if seen[group] <= most:
            kept.append(place)
    return np.asarray(kept, np.int64)
