"""The head that a fine-tuning begins with: a logistic regression of what the backbone gives before it is moved.

A. Kumar et al., "Fine-tuning can distort pretrained features and underperform out-of-distribution", ICLR 2022,
section 3.3 (LP-FT): a random head pulls a good backbone about before it has learned anything itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clip3d.towers.classifier import ClassifierTower
from clip3d.training.finetune_recipe import FinetuneRecipe
from clip3d.training.finetune_test import Prepared, outputs
from clip3d.training.labelled_batches import Inputs, Pools, draw

STRENGTHS = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)  # inverses of the penalty on weights, scikit-learn's C
UNTRIED = 1e-2  # where no clouds are held out to choose by
DRAWS = 4  # of each training cloud, changed as in training, beside the cloud as it is
ENOUGH = 4000  # clouds beyond which more draws tell nothing new
ITERATIONS = 200


def start_head(tower: ClassifierTower, pools: Pools, held: Prepared | None, recipe: FinetuneRecipe) -> float:
    """Make a classifier's head, one linear map, the regression of its backbone's features.

    Args:
        tower: on the processor; its backbone stays as it is.
        pools: clouds to learn from.
        held: clouds that choose how strong the penalty on weights is; None for the usual strength.
        recipe: how clouds are drawn and changed.

    Returns:
        The inverse of the penalty.
    """
    head = tower.head[-1]
    assert isinstance(head, nn.Linear)
    tower.eval()
    features = _features(tower, _shown(pools, recipe))
    labels = torch.from_numpy(np.resize(pools.labels, len(features)).astype(np.int64))
    mean, deviation = features.mean(0), features.std(0).clamp_min(1e-6)
    features = (features - mean) / deviation
    chosen = UNTRIED
    if held is not None:
        seen = (_features(tower, held.clouds) - mean) / deviation
        truth = torch.from_numpy(held.labels.astype(np.int64))
        losses = {}
        for strength in STRENGTHS:
            weight, bias = regression(features, labels, head.out_features, strength)
            losses[strength] = float(F.cross_entropy(seen @ weight.T + bias, truth))
        chosen = min(losses, key=lambda strength: losses[strength])
    weight, bias = regression(features, labels, head.out_features, chosen)
    with torch.no_grad():
        head.weight.copy_(weight / deviation)
        head.bias.copy_(bias - (weight / deviation) @ mean)
    return chosen


def regression(features: Tensor, labels: Tensor, classes: int, strength: float) -> tuple[Tensor, Tensor]:
    """Weights (c, w) and biases (c,) of a multinomial logistic regression on features (n, w) of deviation 1.

    What is least is the sum of cross entropies and |weights|^2 / (2 strength), as in scikit-learn, by L-BFGS.
    """
    weight = torch.zeros(classes, features.shape[1], requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [weight, bias], max_iter=ITERATIONS, tolerance_grad=1e-5, line_search_fn="strong_wolfe"
    )
    n = len(labels)

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(features @ weight.T + bias, labels) + weight.square().sum() / (2 * strength * n)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()


def _shown(pools: Pools, recipe: FinetuneRecipe) -> list[Inputs]:
    rng = np.random.default_rng([recipe.seed, 1])
    as_they_are = [(points[: recipe.points], colors[: recipe.points]) for points, colors in pools.clouds]
    draws = min(DRAWS, max(ENOUGH // len(pools) - 1, 0))
    return as_they_are + [
        draw(cloud, recipe, recipe.augmentation, rng) for _ in range(draws) for cloud in pools.clouds
    ]


def _features(tower: ClassifierTower, clouds: Sequence[Inputs]) -> Tensor:
    return torch.from_numpy(outputs(tower.features, clouds, torch.device("cpu")))
