"""How sure a measured share is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError

Z95 = 1.959963984540054
DRAWS = 1000


def wilson(right: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's interval of a share (Wilson 1927): least and largest, for 95 % by default; (0, 1) of nothing."""
    if not 0 <= right <= n:
        raise ShapeError(f"{right} right answers of {n}")
    if not n:
        return 0.0, 1.0
    share, part = right / n, z * z / n
    middle = (share + part / 2) / (1 + part)
    half = z * float(np.sqrt(share * (1 - share) / n + part / (4 * n))) / (1 + part)
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap(
    groups: Sequence[Hashable], measure: Callable[[NDArray[np.intp]], float], seed: int = 0, draws: int = DRAWS
) -> tuple[float, float]:
    """The middle 95 % of a measure over samples of whole groups, drawn with replacement (Efron 1979).

    What lies in one group, such as a log, is alike: drawing single rows would make the interval too small.

    Args:
        groups: (n,) which group each row belongs to.
        measure: of rows (m,), which may come several times; NaN where it cannot be taken.
        seed: of the draws.
        draws: how many.
    """
    members: dict[Hashable, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    rows = [np.array(own, np.intp) for own in members.values()]
    rng = np.random.default_rng(seed)
    values = [
        measure(np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))])) for _ in range(draws)
    ]
    kept = np.array([value for value in values if np.isfinite(value)])
    if not len(kept):
        return float("nan"), float("nan")
    return float(np.quantile(kept, 0.025)), float(np.quantile(kept, 0.975))
