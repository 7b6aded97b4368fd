"""Which cells of a map answer above the rest, as connected regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A cell answers if it lies this share of the way from the median to the best.
SHARE = 0.6
MOST = 3
# What a cell and those beside it count, so that a stray among nothing does not drown cells that agree.
BESIDE = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16


@dataclass(frozen=True, eq=False)
class Region:
    """Cells that touch each other, corners counted.

    Attributes:
        rows, columns: (m,) of the cells.
        score: mean of theirs.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    score: float


def steadied(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """A map in which each cell is averaged with those beside it; cells that do not count stand for the median.

    Args:
        scores: (r, c), NaN in cells that do not count; they stay so.
    """
    from scipy import ndimage

    known = np.isfinite(scores)
    if not known.any():
        return np.asarray(scores, np.float64)
    middle = float(np.nanmedian(scores))
    apart = np.where(known, scores - middle, 0.0)
    return np.where(known, middle + ndimage.convolve(apart, BESIDE, mode="constant"), np.nan)


def regions_of(scores: NDArray[np.floating], most: int = MOST) -> list[Region]:
    """The regions of a map whose cells answer above the rest, the one with the best cell first.

    Args:
        scores: (r, c), NaN in cells that do not count.
        most: so many regions at most.

    Returns:
        None where no cell counts; one of all cells where all are alike.
    """
    from scipy import ndimage

    known = np.isfinite(scores)
    if not known.any():
        return []
    best, middle = float(np.nanmax(scores)), float(np.nanmedian(scores))
    answering = known & (np.nan_to_num(scores, nan=-np.inf) >= middle + SHARE * (best - middle))
    labels, count = ndimage.label(answering, np.ones((3, 3)))
    peaks = ndimage.maximum(np.nan_to_num(scores, nan=-np.inf), labels, np.arange(1, count + 1))
    found = []
    for label in np.argsort(-np.asarray(peaks), kind="stable")[:most] + 1:
        rows, columns = np.nonzero(labels == label)
        found.append(Region(rows, columns, float(scores[rows, columns].mean())))
    return found
