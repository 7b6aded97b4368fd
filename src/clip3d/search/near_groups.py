"""Groups of vectors that are nearly the same, exactly, without comparing each with each in full length."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Places = NDArray[np.int64]

BLOCK = 512
LEADERS_A_TIME = 8192
DIRECTIONS = 64  # principal directions that bound a cosine
PCA_SAMPLE = 4096
DENSE = 0.02  # share of pairs above which all are compared in full rather than one by one
PAIRS_A_TIME = 20_000


def near_groups(vectors: Array, near: float, progress: Callable[[int, int], None] | None = None) -> Places:
    """The group of each vector, named by the place of its leader: (n,) int64.

    In their order, each vector joins the first leader whose cosine with it is at least `near`, or leads a group of
    its own, as copies are told in a search. Most pairs are settled by 64 principal directions: with p the part of a
    vector in these and r the length of the rest, a cosine is at most p.p' + r r' (Cauchy and Schwarz).
    It takes memory for some thousands of vectors besides the vectors.

    Args:
        vectors: (n, d) float32 at unit length.
        near: least cosine, above 0.
        progress: called with the number of vectors done and of all.
    """
    groups = np.full(len(vectors), -1, np.int64)
    short = _shortened(vectors)
    leaders = np.zeros(0, np.int64)
    for start in range(0, len(vectors), BLOCK):
        block = np.arange(start, min(start + BLOCK, len(vectors)))
        groups[block] = _first_leaders(vectors, short, block, leaders, near)
        new = _lead(vectors, block[groups[block] < 0], groups, near)
        leaders = np.concatenate([leaders, new])
        if progress is not None:
            progress(int(block[-1]) + 1, len(vectors))
    return groups


def _shortened(vectors: Array) -> Array:
    """Rows (n, m + 1) whose products are no less than the cosines: principal directions, and length of the rest."""
    step = max(len(vectors) // PCA_SAMPLE, 1)
    sample = vectors[::step][:PCA_SAMPLE].astype(np.float64)
    _, axes = np.linalg.eigh(sample.T @ sample)
    projected = vectors @ axes[:, -DIRECTIONS:].astype(np.float32)
    rest = np.sqrt(np.maximum(1 - np.square(projected).sum(axis=1), 0)) + 1e-3  # rounding stays on the safe side
    return np.concatenate([projected, rest[:, None]], axis=1).astype(np.float32)


def _first_leaders(vectors: Array, short: Array, block: Places, leaders: Places, near: float) -> Places:
    """For each of a block the first leader that is near, or -1."""
    found = np.full(len(block), len(vectors), np.int64)
    for start in range(0, len(leaders), LEADERS_A_TIME):
        some = leaders[start : start + LEADERS_A_TIME]
        open_rows = np.flatnonzero(found == len(vectors))
        if not len(open_rows):
            break
        possible = short[block[open_rows]] @ short[some].T >= near
        for row, leader in _near_pairs(vectors, block[open_rows], some, possible, near):
            np.minimum.at(found, open_rows[row], leader)
    return np.where(found == len(vectors), -1, found)


def _near_pairs(
    vectors: Array, rows: Places, leaders: Places, possible: NDArray[np.bool_], near: float
) -> list[tuple[Places, Places]]:
    """Which of the possible pairs are near: numbers of rows, and leaders."""
    if np.count_nonzero(possible) > DENSE * possible.size:
        row, column = np.nonzero(vectors[rows] @ vectors[leaders].T >= near)
        return [(row, leaders[column])]
    row, column = np.nonzero(possible)
    pairs = []
    for start in range(0, len(row), PAIRS_A_TIME):
        a, b = row[start : start + PAIRS_A_TIME], column[start : start + PAIRS_A_TIME]
        same = np.einsum("ij,ij->i", vectors[rows[a]], vectors[leaders[b]]) >= near
        pairs.append((a[same], leaders[b[same]]))
    return pairs


def _lead(vectors: Array, places: Places, groups: Places, near: float) -> Places:
    """Group those that no earlier leader takes among themselves; gives the new leaders."""
    alike = vectors[places] @ vectors[places].T >= near
    leaders = []
    for i, place in enumerate(places):
        if groups[place] < 0:
            leaders.append(place)
            groups[place] = place
            mine = places[i + 1 :][alike[i, i + 1 :]]
            groups[mine[groups[mine] < 0]] = place
    return np.asarray(leaders, np.int64)
