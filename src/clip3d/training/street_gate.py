"""A gate that takes pictures of streets apart from those of objects, and the head of two networks that it makes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from clip3d.towers.image import FEATURES, ImageTower

Array = NDArray[np.float32]

PENALTY = 1e-3  # of the squared weights, features having deviation 1
ROUNDS = 60
# Of what an image tower is shown, this share is taken to be streets: in doubt, what was known before answers.
STREETS = 0.03
# A picture is of a street or not: a gate half open would mix two answers into one that fits neither.
SHARPNESS = 3.0


def with_streets(objects: ImageTower, streets: ImageTower, weight: Tensor, bias: Tensor) -> ImageTower:
    """One tower that answers as `objects` where the gate is shut, and as `streets` where it is open.

    Args:
        objects: a tower with one small network; its trunk, classifier and directions are kept.
        streets: another, that was trained from it.
        weight: (1280,) of the gate.
        bias: () of the gate.
    """
    own, other = objects.state_dict(), streets.head
    tower = ImageTower(
        dim=len(objects.head.mean),
        classes=len(objects.head.directions),
        hidden=objects.head.narrow.out_features,
        streets=other.narrow.out_features,
    )
    beside = {
        "head.street_narrow": other.narrow.state_dict(),
        "head.street_widen": other.widen.state_dict(),
        "head.gate": {"weight": weight.reshape(1, FEATURES), "bias": bias.reshape(1)},
    }
    added = {f"{layer}.{name}": value for layer, state in beside.items() for name, value in state.items()}
    tower.load_state_dict(own | added)
    return tower.eval().requires_grad_(False)


def fit_gate(streets: Array, objects: Array) -> tuple[Tensor, Tensor]:
    """Weight (1280,) and bias () of a logistic regression, made steeper: above 0 for pictures of streets.

    Args:
        streets: (n, 1280) features of pictures of streets.
        objects: (m, 1280) of pictures of objects, and of what else is no street.
    """
    features = torch.from_numpy(np.concatenate([streets, objects]).astype(np.float32))
    truth = (torch.arange(len(features)) < len(streets)).float()
    share = torch.where(truth > 0, STREETS / len(streets), (1 - STREETS) / len(objects))
    mean, deviation = features.mean(0), features.std(0) + 1e-3
    features = (features - mean) / deviation
    weight, bias = torch.zeros(FEATURES, requires_grad=True), torch.zeros((), requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=ROUNDS, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        optimiser.zero_grad()
        told = F.binary_cross_entropy_with_logits(features @ weight + bias, truth, reduction="none")
        loss = (share * told).sum() + PENALTY * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(step)  # type: ignore[no-untyped-call]
    weight, bias = SHARPNESS * weight.detach() / deviation, SHARPNESS * bias.detach()
    return weight, bias - weight @ mean


def told_apart(tower: ImageTower, streets: Array, objects: Array) -> float:
    """Share of pictures of streets that open the gate and of others that do not, the mean of both."""
    with torch.inference_mode():
        parts = (torch.from_numpy(part.astype(np.float32)) for part in (streets, objects))
        opened, wrongly = ((tower.head.gate(part) > 0).float().mean() for part in parts)
    return float((opened + 1 - wrongly) / 2)
