"""Metrics of classification and retrieval, from scores alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clip3d.errors import ShapeError

Floats = NDArray[np.float64]


def top_k_accuracy(scores: ArrayLike, labels: ArrayLike, k: int = 1) -> float:
    """Share of rows whose label is among the k best scores.

    Args:
        scores: (n, c), higher is better; equal scores keep the order of the classes.
        labels: (n,) integer index of the right class.
        k: number of guesses.

    Raises:
        ShapeError: if there are no rows, shapes differ, or a score is not finite.
    """
    table, right = _scores(scores, 2), np.asarray(labels)
    if right.shape != table.shape[:1] or len(right) == 0 or k < 1:
        wanted = f"labels must have shape ({len(table)},), at least one, and k >= 1"
        raise ShapeError(f"{wanted}; got {right.shape}, {k}")
    best = np.stack([_order(row)[:k] for row in table])  # (n, k)
    return float((best == right[:, None]).any(1).mean())


def confusion_matrix(labels: ArrayLike, predictions: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Counts (c, c): row the right class, column the predicted one."""
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (np.asarray(labels, np.intp), np.asarray(predictions, np.intp)), 1)
    return matrix


def class_accuracies(confusion: NDArray[np.int64]) -> list[float | None]:
    """Share of right answers a class; None for a class without samples."""
    totals = confusion.sum(1)
    return [float(confusion[c, c] / total) if total else None for c, total in enumerate(totals)]


def mean_of_classes(accuracies: Sequence[float | None]) -> float:
    """Mean of what `class_accuracies` gives, over the classes that have samples."""
    return float(np.mean([value for value in accuracies if value is not None]))


def nearest_classes(scores: ArrayLike, labels: ArrayLike, k: int) -> NDArray[np.intp]:
    """The class (n,) that most of the k nearest known items have; of equally many the one with the larger scores.

    Args:
        scores: (n, m) of n items with m known ones, higher is nearer; equal scores keep the order of the known.
        labels: (m,) classes of the known items, at least one.
        k: number of neighbours; all where there are fewer.

    Raises:
        ShapeError: if shapes differ or k is less than 1.
    """
    table, known = _scores(scores, 2), np.asarray(labels, dtype=np.intp)
    if known.shape != table.shape[1:] or not len(known) or k < 1:
        wanted = f"labels must have shape ({table.shape[1]},), at least one, and k >= 1"
        raise ShapeError(f"{wanted}; got {known.shape}, {k}")
    best = np.argsort(-table, axis=1, kind="stable")[:, :k]  # (n, k)
    votes = np.zeros((len(table), int(known.max()) + 1))
    rows = np.repeat(np.arange(len(table)), best.shape[1])
    # Scores break ties alone: together they weigh less than one vote.
    weight = 1 + np.take_along_axis(table, best, 1) / (1 + 4 * best.shape[1] * max(1.0, float(np.abs(table).max())))
    np.add.at(votes, (rows, known[best].ravel()), weight.ravel())
    return np.asarray(votes.argmax(1), dtype=np.intp)


def precision_at_k(scores: ArrayLike, positive: ArrayLike, k: int) -> float:
    """Positives among the k best, over the most that could be there: min(k, number of positives).

    Args:
        scores: (n,), higher is better; equal scores keep their order.
        positive: (n,) booleans, at least one true.
        k: length of the list that is looked at.

    Raises:
        ShapeError: if nothing is positive, or shapes differ.
    """
    values, truth = _ranked_truth(scores, positive)
    if k < 1:
        raise ShapeError(f"k must be at least 1, got {k}")
    return float(values[:k].sum() / min(k, truth))


def average_precision(scores: ArrayLike, positive: ArrayLike) -> float:
    """Mean, over the positives, of the precision at the place of each: the area under precision and recall.

    Args:
        scores: (n,), higher is better; equal scores keep their order.
        positive: (n,) booleans, at least one true.

    Raises:
        ShapeError: if nothing is positive, or shapes differ.
    """
    values, truth = _ranked_truth(scores, positive)
    precision = np.cumsum(values) / np.arange(1, len(values) + 1)
    return float((precision * values).sum() / truth)


def mean_average_precision(scores: ArrayLike, positive: ArrayLike) -> float:
    """Mean of the average precisions of queries; those without a positive are left out.

    Args:
        scores: (q, n), higher is better.
        positive: (q, n) booleans.

    Raises:
        ShapeError: if no query has a positive, or shapes differ.
    """
    table, truth = _scores(scores, 2), np.asarray(positive, dtype=bool)
    if truth.shape != table.shape or not truth.any():
        raise ShapeError(f"positive must have shape {table.shape} and one true value, got {truth.shape}")
    return float(np.mean([average_precision(s, p) for s, p in zip(table, truth, strict=True) if p.any()]))


def recall_at_k(scores: ArrayLike, k: int) -> float:
    """Share of pairs whose partner is among the k best.

    Args:
        scores: (n, n); item i of the rows belongs to item i of the columns.
        k: length of the list that is looked at.

    Raises:
        ShapeError: if the scores are not square, or empty.
    """
    table = _scores(scores, 2)
    if table.shape[0] != table.shape[1]:
        raise ShapeError(f"scores of pairs must be square, got {table.shape}")
    return top_k_accuracy(table, np.arange(len(table)), k)


def top_k_hits(scores: ArrayLike, positive: ArrayLike, k: int) -> float:
    """Share of queries with a positive among the k best.

    Args:
        scores: (q, n), higher is better; equal scores keep their order.
        positive: (q, n) booleans, at least one true in every row.
        k: length of the list that is looked at.

    Raises:
        ShapeError: if a query has no positive, or shapes differ.
    """
    table, truth = _scores(scores, 2), np.asarray(positive, dtype=bool)
    if truth.shape != table.shape or not len(truth) or not truth.any(1).all():
        raise ShapeError(f"positive must have shape {table.shape} and a true value in each row, got {truth.shape}")
    return float(np.mean([p[_order(s)[:k]].any() for s, p in zip(table, truth, strict=True)]))


def auroc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Area under the ROC curve: chance that a positive's score is above a negative's; a tie counts half.

    Args:
        positive: (p,) scores of what should score high, at least one.
        negative: (n,) scores of what should score low, at least one.

    Raises:
        ShapeError: if either is empty or holds a score that is not finite.
    """
    high, low = _scores(positive, 1), np.sort(_scores(negative, 1))
    if not len(high) or not len(low):
        raise ShapeError(f"scores of both kinds are needed, got {len(high)} and {len(low)}")
    below, not_above = np.searchsorted(low, high, "left"), np.searchsorted(low, high, "right")
    return float((below + not_above).mean() / 2 / len(low))


def _scores(scores: ArrayLike, dimensions: int) -> Floats:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != dimensions or not np.isfinite(values).all():
        raise ShapeError(f"scores must be finite with {dimensions} dimensions, got shape {values.shape}")
    return values


def _order(scores: Floats) -> NDArray[np.intp]:
    """Indices, best first; equal scores keep their order."""
    return np.argsort(-scores, kind="stable")


def _ranked_truth(scores: ArrayLike, positive: ArrayLike) -> tuple[NDArray[np.bool_], int]:
    """The booleans in the order of the scores, and how many are true."""
    values, truth = _scores(scores, 1), np.asarray(positive, dtype=bool)
    if truth.shape != values.shape or not truth.any():
        raise ShapeError(f"positive must have shape {values.shape} and one true value, got {truth.shape}")
    return truth[_order(values)], int(truth.sum())
