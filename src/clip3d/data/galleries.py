"""Galleries: sets of objects among which one is looked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def draw_galleries(group: NDArray[np.int64], size: int, count: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """`count` sets of places (m,) in `group` (n,), one object a group, so that no two are near copies.

    Args:
        group: of n objects, equal for near copies.
        size: largest m; there may be fewer groups.
        count: how many sets are drawn.
        seed: of the draws.
    """
    for number in range(count):
        order = np.random.default_rng([seed, number]).permutation(len(group))
        _, first = np.unique(group[order], return_index=True)
        yield order[np.sort(first)][:size]
