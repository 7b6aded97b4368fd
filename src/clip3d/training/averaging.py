"""Running averages of weights (Polyak and Juditsky 1992), which generalise better than the last ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from clip3d.training.checkpoints import put_trained, trained_state


def start_average(module: nn.Module) -> dict[str, Tensor]:
    """What is averaged of a module, as it is now: trained parameters and buffers."""
    return {name: tensor.clone() for name, tensor in trained_state(module).items()}


def average(averaged: Mapping[str, Tensor], module: nn.Module, decay: float) -> None:
    """Move averages towards a module's weights, in place; whole numbers are taken over."""
    for name, tensor in trained_state(module).items():
        if tensor.is_floating_point():
            averaged[name].lerp_(tensor, 1 - decay)
        else:
            averaged[name].copy_(tensor)


def with_weights(
    module: nn.Module, weights: Mapping[str, Tensor] | None, call: Callable[[nn.Module], dict[str, float]]
) -> dict[str, float]:
    """What a function says of a module in eval mode, without gradients, with other weights for the while."""
    own = start_average(module) if weights is not None else None
    if weights is not None:
        put_trained(module, weights)
    try:
        with torch.inference_mode():
            return call(module.eval())
    finally:
        if own is not None:
            put_trained(module, own)
