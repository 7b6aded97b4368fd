"""Centred vectors side by side, and the exact search through them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
from numpy.typing import NDArray

from clip3d.search.stores.store import ROUNDING

Array = NDArray[np.float32]
Ids = NDArray[np.int64]
Rows = NDArray[np.intp]

# Rows that are copied at a time: what bounds the memory of a search.
BLOCK = 8192
# Below this share of all rows it is quicker to pick them out than to multiply with all.
FEW = 0.1


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of a matrix, in memory or mapped from a file: ids (n,) int64 and vectors (n, d) float32."""

    ids: Ids
    vectors: Array


@dataclass(frozen=True, eq=False)
class Matrix:
    """Vectors of one name, centred, of all records that have one.

    A row is never changed: a later row of the same id stands for it, and ids that are gone are listed.

    Attributes:
        parts: in the order in which they were added.
        removed: ids (m,) that some part still has but the collection no longer.
    """

    parts: Sequence[Part]
    removed: Ids

    @cached_property
    def ids(self) -> Ids:
        """Id of every row (n,), those that no longer count among them."""
        return np.concatenate([part.ids for part in self.parts]) if self.parts else np.zeros(0, np.int64)

    @cached_property
    def live(self) -> Rows:
        """Rows that count: the last one of each id that is not gone, in the order of ids."""
        _, last = np.unique(self.ids[::-1], return_index=True)
        rows = len(self.ids) - 1 - last
        return rows[~np.isin(self.ids[rows], self.removed)] if len(self.removed) else rows

    @cached_property
    def live_ids(self) -> Ids:
        """Ids (n,) of the rows that count, ascending."""
        return self.ids[self.live]

    def rows_of(self, ids: Ids) -> Rows:
        """Rows of ids (n,) that are there and count."""
        return self.live[np.searchsorted(self.live_ids, ids)]

    def products(self, direction: Array, rows: Rows) -> Array:
        """Product of each of some rows (n,) with a direction (d,)."""
        if len(rows) < FEW * len(self.ids):
            found = [self.take(rows[at : at + BLOCK]) @ direction for at in range(0, len(rows), BLOCK)]
            return np.concatenate(found) if found else np.zeros(0, np.float32)
        return np.concatenate([part.vectors @ direction for part in self.parts])[rows]

    def take(self, rows: Rows) -> Array:
        """A copy (n, d) of some rows (n,)."""
        dim = self.parts[0].vectors.shape[1]
        taken = np.zeros((len(rows), dim), np.float32)
        start = 0
        for part in self.parts:
            inside = (rows >= start) & (rows < start + len(part.ids))
            taken[inside] = part.vectors[rows[inside] - start]
            start += len(part.ids)
        return taken

    def blocks(self) -> Iterator[Part]:
        """The rows that count, a bounded number at a time, in the order of ids."""
        for at in range(0, len(self.live), BLOCK):
            rows = self.live[at : at + BLOCK]
            yield Part(self.ids[rows], self.take(rows))


def nearest(
    matrices: Mapping[str, Matrix], directions: Mapping[str, Array], k: int, allowed: Ids | None = None
) -> tuple[Ids, Array]:
    """The k best ids by the sum over names of vector times direction, exact, best first, equal ones in id order.

    Args:
        matrices: by name, for each of the directions.
        directions: by name, each (d,).
        k: at most so many.
        allowed: ids that may be answered, ascending; None for all.
    """
    ids = reduce(_common, [matrices[name].live_ids for name in directions])
    ids = ids if allowed is None else _common(ids, allowed)
    if not len(ids):
        return ids, np.zeros(0, np.float32)
    rows = {name: matrices[name].rows_of(ids) for name in directions}
    scores = reduce(np.add, [matrices[name].products(directions[name], rows[name]) for name in directions])
    near = _candidates(scores, k)
    # Once more, the same sum for equal vectors wherever they stand, so that equal scores are equal.
    exact = np.zeros(len(near), np.float64)
    for name, direction in directions.items():
        exact += _precise(matrices[name], rows[name][near], direction)
    rounded = exact.astype(np.float32)
    order = np.lexsort((ids[near], -rounded))[:k]
    return ids[near][order], rounded[order]


def _common(a: Ids, b: Ids) -> Ids:
    """Those of `a` that are in `b`; both ascend."""
    return a[np.isin(a, b, assume_unique=True)]


def _candidates(scores: Array, k: int) -> Rows:
    """Where scores (n,) are among the k best, or so close to the last of these that rounding may decide."""
    if k >= len(scores):
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    return np.flatnonzero(scores >= least - ROUNDING)


def _precise(matrix: Matrix, rows: Rows, direction: Array) -> NDArray[np.float64]:
    precise = direction.astype(np.float64)
    found = [matrix.take(rows[at : at + BLOCK]).astype(np.float64) @ precise for at in range(0, len(rows), BLOCK)]
    return np.concatenate(found)
