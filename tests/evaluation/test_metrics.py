"""Each metric against a plain slow loop that follows its definition."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.errors import ShapeError
from clip3d.evaluation import metrics

RNG = np.random.default_rng(0)
SCORES = RNG.integers(0, 9, (40, 7)).astype(float)  # with many ties
LABELS = RNG.integers(0, 7, 40)


def slow_order(scores):
    return sorted(range(len(scores)), key=lambda i: (-scores[i], i))


@pytest.mark.parametrize("k", [1, 3, 7, 50])
def test_top_k_accuracy(k: int):
    right = 0
    for row, label in zip(SCORES, LABELS, strict=True):
        right += label in slow_order(row)[:k]
    assert metrics.top_k_accuracy(SCORES, LABELS, k) == pytest.approx(right / 40)


def test_confusion_and_class_accuracies():
    guesses = SCORES.argmax(1)
    matrix = metrics.confusion_matrix(LABELS, guesses, 8)
    for right in range(8):
        for guess in range(8):
            assert matrix[right, guess] == sum(
                1 for label, g in zip(LABELS, guesses, strict=True) if (label, g) == (right, guess)
            )
    accuracies = metrics.class_accuracies(matrix)
    assert accuracies[7] is None, "no sample, no figure"
    assert accuracies[2] == pytest.approx(np.mean(guesses[LABELS == 2] == 2))


@pytest.mark.parametrize("positives", [1, 3, 20])
@pytest.mark.parametrize("k", [1, 5, 30])
def test_precision_at_k_with_fewer_positives_than_k(k: int, positives: int):
    scores = RNG.integers(0, 9, 30).astype(float)
    truth = np.arange(30) < positives
    found = sum(1 for i in slow_order(scores)[:k] if truth[i])
    assert metrics.precision_at_k(scores, truth, k) == pytest.approx(found / min(k, positives))
    assert metrics.precision_at_k(truth.astype(float), truth, k) == 1, "a perfect ranking gets 1"


def test_average_precision():
    truth = RNG.random((6, 30)) < 0.2
    truth[2] = False
    scores = RNG.integers(0, 9, (6, 30)).astype(float)
    expected = []
    for row, right in zip(scores, truth, strict=True):
        precisions, hits = [], 0
        for place, i in enumerate(slow_order(row), start=1):
            if right[i]:
                hits += 1
                precisions.append(hits / place)
        if precisions:
            expected.append(sum(precisions) / len(precisions))
    assert metrics.average_precision(scores[0], truth[0]) == pytest.approx(expected[0])
    assert metrics.mean_average_precision(scores, truth) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("k", [1, 5])
def test_recall_of_pairs(k: int):
    scores = RNG.random((12, 12))
    hits = sum(i in slow_order(scores[i])[:k] for i in range(12))
    assert metrics.recall_at_k(scores, k) == pytest.approx(hits / 12)


def test_what_has_no_meaning_is_refused():
    nothing = np.zeros(3, bool)
    for call in (
        lambda: metrics.average_precision(np.ones(3), nothing),
        lambda: metrics.precision_at_k(np.ones(3), nothing, 1),
        lambda: metrics.mean_average_precision(np.ones((1, 3)), nothing[None]),
        lambda: metrics.top_k_accuracy(np.zeros((0, 3)), np.zeros(0, int)),
        lambda: metrics.top_k_accuracy(np.full((1, 3), np.nan), [0]),
        lambda: metrics.recall_at_k(np.ones((2, 3)), 1),
    ):
        with pytest.raises(ShapeError):
            call()


def test_auroc_is_the_share_of_pairs_in_the_right_order():
    rng = np.random.default_rng(3)
    high, low = rng.integers(0, 6, 17).astype(float), rng.integers(-2, 5, 23).astype(float)
    pairs = [1.0 if h > n else 0.5 if h == n else 0.0 for h in high for n in low]
    assert metrics.auroc(high, low) == pytest.approx(np.mean(pairs))
    assert metrics.auroc([2, 3], [0, 1]) == 1
    assert metrics.auroc([1, 1], [1]) == 0.5
    with pytest.raises(ShapeError, match="both kinds"):
        metrics.auroc([], [1])


@pytest.mark.parametrize("k", [1, 2, 9])
def test_top_k_hits(k: int):
    positive = np.random.default_rng(1).random((40, 7)) < 0.3
    positive[:, 0] = True
    found = [any(p[i] for i in slow_order(s)[:k]) for s, p in zip(SCORES, positive, strict=True)]
    assert metrics.top_k_hits(SCORES, positive, k) == pytest.approx(np.mean(found))
    with pytest.raises(ShapeError, match="each row"):
        metrics.top_k_hits(SCORES, np.zeros_like(positive), k)
