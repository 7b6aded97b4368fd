"""Losses against plain loops, and their laws."""

from __future__ import annotations

import math

import pytest
import torch

from clip3d.spaces import Space
from clip3d.training.objectives import caption_spread, centre, contrastive, nt_xent


def units(n: int, d: int = 6, seed: int = 0) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(n, d, generator=torch.Generator().manual_seed(seed)), dim=-1)


def diagonal_loss(a: torch.Tensor, b: torch.Tensor, scale: float) -> float:
    total = 0.0
    for x, y in ((a, b), (b, a)):
        for i in range(len(x)):
            logits = [scale * float(x[i] @ y[j]) for j in range(len(y))]
            total += -logits[i] + math.log(sum(math.exp(v) for v in logits))
    return total / (2 * len(a))


def test_with_all_classes_different_it_is_the_plain_contrastive_loss() -> None:
    a, b = units(5), units(5, seed=1)
    assert float(contrastive(a, b, torch.arange(5), 7.0)) == pytest.approx(diagonal_loss(a, b, 7.0), rel=1e-5)


def test_equal_captions_do_not_raise_the_loss_of_a_perfect_embedding() -> None:
    a = units(2)[[0, 0, 1, 1]]
    classes = torch.tensor([0, 0, 1, 1])
    shared = float(contrastive(a, a, classes, 100.0))
    alone = float(contrastive(a[[0, 2]], a[[0, 2]], classes[[0, 2]], 100.0))
    assert shared == pytest.approx(alone + math.log(2), abs=1e-4)


def test_centre_equals_that_of_the_space() -> None:
    mean = units(1)[0] * 0.5
    vectors = units(4, seed=2) * 3
    expected = Space("s", 6, mean.numpy()).centre(vectors.numpy())
    torch.testing.assert_close(centre(vectors, mean), torch.from_numpy(expected))


def test_caption_targets_are_distributions_that_favour_the_objects_own_captions() -> None:
    phrases = units(6, 16)
    positives = torch.zeros(2, 6)
    positives[0, 1] = 1
    positives[1, [2, 3]] = 0.5
    target = positives @ caption_spread(phrases, 25.0)
    torch.testing.assert_close(target.sum(-1), torch.ones(2))
    assert int(target[0].argmax()) == 1
    assert set(target[1].topk(2).indices.tolist()) == {2, 3}


def test_a_share_of_the_target_may_go_to_the_own_partner() -> None:
    a, b, classes = units(4), units(4, seed=1), torch.tensor([0, 0, 1, 1])
    whole = contrastive(a, b, classes, 7.0, own=1.0)
    assert float(whole) == pytest.approx(diagonal_loss(a, b, 7.0), rel=1e-5)
    half = contrastive(a, b, classes, 7.0, own=0.5)
    assert float(half) == pytest.approx(float(whole + contrastive(a, b, classes, 7.0)) / 2, rel=1e-5)


def test_nt_xent_is_that_of_a_plain_loop_over_all_other_vectors():
    torch.manual_seed(0)
    a, b = torch.randn(5, 8), torch.randn(5, 8)
    units = [v / v.norm() for v in [*a, *b]]
    losses = []
    for i, own in enumerate(units):
        others = [math.exp(float(own @ other) / 0.07) for j, other in enumerate(units) if j != i]
        losses.append(-math.log(math.exp(float(own @ units[(i + 5) % 10]) / 0.07) / sum(others)))
    assert float(nt_xent(a, b, 0.07)) == pytest.approx(sum(losses) / 10, abs=1e-4)
    assert float(nt_xent(3 * a, b, 0.07)) == pytest.approx(float(nt_xent(a, b, 0.07)), abs=1e-5)
