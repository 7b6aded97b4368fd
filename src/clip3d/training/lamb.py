"""LAMB: Adam whose step is as long as the weights that it moves, layer by layer.

Y. You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", ICLR 2020, algorithm 2, in
the form of the optimiser that CLIP2Point was trained with: moments without correction of their start, and the
weights' norm counted as 10 at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

LARGEST_NORM = 10.0


class Lamb(torch.optim.Optimizer):
    """A layer is a parameter tensor.

    Args:
        params: parameters or groups of them.
        lr: learning rate: the step's length as a share of the weights'.
        betas: decays of the mean gradient and of the mean squared gradient.
        epsilon: added to the root of the latter.
        weight_decay: share of the weights that is added to a step before its length is set.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "epsilon": epsilon, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Move every parameter that has a gradient; a closure computes the loss anew before."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, group)
        return loss

    def _move(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state, (first, second) = self.state[parameter], group["betas"]
        if not state:
            state["mean"], state["squared"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        mean: Tensor = state["mean"].lerp_(gradient, 1 - first)
        squared: Tensor = state["squared"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        step = mean / (squared.sqrt() + group["epsilon"]) + group["weight_decay"] * parameter
        size, length = parameter.norm().clamp(max=LARGEST_NORM), step.norm()
        ratio = torch.where((size > 0) & (length > 0), size / length, torch.ones_like(size))
        parameter.sub_(group["lr"] * ratio * step)
