"""Which picture belongs to which sweep: the nearest in time, within a stated tolerance, each used once at most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Half of the time between two sweeps of a lidar that turns ten times a second.
TOLERANCE = 0.05


@dataclass(frozen=True, eq=False)
class Pairs:
    """Which picture each sweep got.

    Attributes:
        picture: (s,) the picture of each sweep, or -1.
        unpaired: pictures that no sweep got.
    """

    picture: NDArray[np.intp]
    unpaired: NDArray[np.intp]


def pair(sweeps: ArrayLike, pictures: ArrayLike, tolerance: float = TOLERANCE) -> Pairs:
    """Pair sweeps with one camera's pictures by their times.

    A picture goes to the sweep nearest to it, and a sweep takes the nearest of the pictures that came to it; what
    lies further apart than the tolerance stays alone.

    Args:
        sweeps: (s,) seconds, in any order.
        pictures: (p,) seconds in the same clock, in any order.
        tolerance: seconds.
    """
    at = np.asarray(sweeps, dtype=np.float64).reshape(-1)
    taken = np.asarray(pictures, dtype=np.float64).reshape(-1)
    chosen = np.full(len(at), -1, dtype=np.intp)
    if not len(at) or not len(taken):
        return Pairs(chosen, np.arange(len(taken)))
    sweep, apart = nearest(at, taken)
    # The nearest picture of each sweep comes last, so that it is the one that stays.
    order = np.argsort(-apart, kind="stable")
    order = order[apart[order] <= tolerance]
    chosen[sweep[order]] = order
    return Pairs(chosen, np.setdiff1d(np.arange(len(taken)), chosen))


def nearest(times: ArrayLike, asked: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """For each asked time (q,) the place of the nearest of `times` (n, at least 1), and how far apart they are."""
    known = np.asarray(times, dtype=np.float64)
    wanted = np.asarray(asked, dtype=np.float64)
    order = np.argsort(known, kind="stable")
    rising = known[order]
    after = np.clip(np.searchsorted(rising, wanted), 0, len(rising) - 1)
    before = np.maximum(after - 1, 0)
    place = np.where(np.abs(rising[before] - wanted) <= np.abs(rising[after] - wanted), before, after)
    return order[place], np.abs(rising[place] - wanted)
