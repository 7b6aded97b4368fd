"""Parts of labelled sets: fractions, few shots, episodes, validation parts; each follows from labels and a seed.

Every part keeps the classes' shares. Of one seed the smaller part lies within the larger: the tenth within the
fifth, one shot within two, so that results over sizes differ by what was added and not by another draw.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clip3d.errors import ShapeError

Index = NDArray[np.intp]


def drawing_chances(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Probability (n,) of drawing each object: those of a rare class come up more often than their count says.

    A class is drawn in proportion to the root of its count.
    """
    chance = 1 / np.sqrt(np.bincount(labels)[labels])
    return np.asarray(chance / chance.sum())


@dataclass(frozen=True, eq=False)
class Episode:
    """One few-shot task.

    Attributes:
        classes: (w,) the classes' indices, ascending.
        support: (w * shots,) indices of what is learned from, ascending.
        query: (m,) indices of what is asked, ascending; in the other labels where those were given.
    """

    classes: Index
    support: Index
    query: Index


def stratified_fraction(labels: ArrayLike, fraction: float, seed: int) -> Index:
    """A share of each class: as many as are nearest to it, at least one.

    Args:
        labels: (n,) integers.
        fraction: above 0, at most 1.
        seed: of the drawing.

    Returns:
        (m,) indices, ascending.

    Raises:
        ShapeError: if labels are not (n,) integers, at least one, or the fraction is out of range.
    """
    if not 0 < fraction <= 1:
        raise ShapeError(f"a fraction lies above 0 and is at most 1, got {fraction}")
    return _sorted(rows[: max(1, _nearest(fraction * len(rows)))] for rows in _shuffled(labels, seed))


def few_shot(labels: ArrayLike, shots: int, seed: int) -> Index:
    """So many of each class, (m,) ascending; all of a class that has fewer.

    Raises:
        ShapeError: if labels are not (n,) integers, at least one, or shots is less than 1.
    """
    if shots < 1:
        raise ShapeError(f"shots must be at least 1, got {shots}")
    return _sorted(rows[:shots] for rows in _shuffled(labels, seed))


def stratified_split(labels: ArrayLike, fraction: float, seed: int) -> tuple[Index, Index]:
    """Two parts of one set, such as for learning and for choosing: the rest, and a share of each class.

    A class of two or more has at least one in each part; a class of one is in the first.

    Args:
        labels: (n,) integers.
        fraction: of the second part, between 0 and 1.
        seed: of the drawing.

    Returns:
        Indices of the first and of the second part, ascending.

    Raises:
        ShapeError: if labels are not (n,) integers, at least one, or the fraction is out of range.
    """
    if not 0 < fraction < 1:
        raise ShapeError(f"the fraction of a split lies between 0 and 1, got {fraction}")
    first, second = [], []
    for rows in _shuffled(labels, seed):
        held = min(max(1, _nearest(fraction * len(rows))), len(rows) - 1)
        second.append(rows[:held])
        first.append(rows[held:])
    return _sorted(first), _sorted(second)


def few_shot_episodes(
    labels: ArrayLike,
    ways: int,
    shots: int,
    folds: int,
    *,
    seed: int = 0,
    queries: int | None = None,
    query_labels: ArrayLike | None = None,
) -> Iterator[Episode]:
    """Few-shot tasks one after another: some classes, some shots of each, and others of these classes to ask.

    Args:
        labels: (n,) integers, of what may be learned from.
        ways: classes of a task, of those with enough shots and something to ask.
        shots: of each class.
        folds: how many tasks; task i follows from the seed and i alone.
        seed: of the drawing.
        queries: how many of each class are asked at most; None for all.
        query_labels: (k,) integers, of another set that is asked (a test split); None for the rest of this one.

    Raises:
        ShapeError: if a number is less than 1, or fewer classes than `ways` have enough.
    """
    if min(ways, shots, folds, 1 if queries is None else queries) < 1:
        got = f"{ways}, {shots}, {folds}, {queries}"
        raise ShapeError(f"ways, shots, folds and queries must be at least 1, got {got}")
    known = _checked(labels)
    asked = known if query_labels is None else _checked(query_labels)
    least = shots + (query_labels is None)  # one must be left to ask where both come from one set
    able = [c for c in np.unique(known) if (known == c).sum() >= least and (asked == c).any()]
    if len(able) < ways:
        needed = f"{ways} classes with {shots} shots and something to ask are needed"
        raise ShapeError(f"{needed}, there are {len(able)}")
    for fold in range(folds):
        rng = np.random.default_rng([seed, fold])
        chosen = np.sort(rng.permutation(able)[:ways])
        support, query = [], []
        for c in chosen:
            rows = rng.permutation(np.flatnonzero(known == c))
            rest = rows[shots:] if query_labels is None else rng.permutation(np.flatnonzero(asked == c))
            support.append(rows[:shots])
            query.append(rest[:queries])
        yield Episode(chosen.astype(np.intp), _sorted(support), _sorted(query))


def _shuffled(labels: ArrayLike, seed: int) -> list[Index]:
    """The indices of each class in an order that follows from the seed and the class alone."""
    values = _checked(labels)
    places = {int(c): np.flatnonzero(values == c) for c in np.unique(values)}
    return [np.random.default_rng([seed, c]).permutation(rows) for c, rows in places.items()]


def _checked(labels: ArrayLike) -> NDArray[np.int64]:
    values = np.asarray(labels)
    if values.ndim != 1 or values.dtype.kind not in "iu" or not len(values) or values.min() < 0:
        wanted = "labels must be integers from 0 of shape (n,), at least one"
        raise ShapeError(f"{wanted}; got {values.dtype} {values.shape}")
    return values.astype(np.int64)


def _nearest(value: float) -> int:
    """The nearest whole number, halves up; a hair of rounding below a half counts as a half."""
    return int(np.floor(value + 0.5 + 1e-9))


def _sorted(parts: Iterator[Index] | list[Index]) -> Index:
    return np.sort(np.concatenate(list(parts))).astype(np.intp)
