"""Optimisers of a part's parameters: which of them decay, and how they are moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import nn

from clip3d.training.lamb import Lamb

Method = Literal["adamw", "adam", "sgd", "lamb"]


@dataclass(frozen=True)
class Optimiser:
    """How parameters are moved.

    Attributes:
        method: "adamw" (Loshchilov and Hutter 2019), "adam" (Kingma and Ba 2015), "sgd" or "lamb"
            (`clip3d.training.lamb`).
        lr: highest learning rate.
        weight_decay: AdamW's and LAMB's decoupled decay, or an L2 penalty of Adam and SGD.
        betas: averages of AdamW, Adam and LAMB.
        momentum: of SGD.
        nesterov: SGD's momentum in Nesterov's form.
        decay_all: decay every parameter. Otherwise those of one dimension, biases, and those whose own name speaks
            of a token or prompt are left out.
        rates: highest learning rates of parameters whose names begin so, in place of `lr`.

    Raises:
        ValueError: if the method is none of these.
    """

    method: Method = "adamw"
    lr: float = 1e-3
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.98)
    momentum: float = 0.9
    nesterov: bool = False
    decay_all: bool = False
    rates: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise ValueError(f"a method must be one of {', '.join(get_args(Method))}, got {self.method!r}")

    def over(self, parameters: Mapping[str, nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser of named parameters; each group states its highest rate as `peak`."""
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in parameters.items():
            decay = self.weight_decay if self.decay_all or decays(name, parameter) else 0.0
            groups.setdefault((self._rate(name), decay), []).append(parameter)
        listed: list[dict[str, Any]] = [
            {"params": members, "weight_decay": decay, "peak": rate} for (rate, decay), members in groups.items()
        ]
        if self.method == "sgd":
            return torch.optim.SGD(listed, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov)
        if self.method == "lamb":
            return Lamb(listed, lr=self.lr, betas=self.betas)
        if self.method == "adam":
            return torch.optim.Adam(listed, lr=self.lr, betas=self.betas)
        return torch.optim.AdamW(listed, lr=self.lr, betas=self.betas)

    def _rate(self, name: str) -> float:
        found = [rate for start, rate in (self.rates or {}).items() if name.startswith(start)]
        return found[0] if found else self.lr


def decays(name: str, parameter: nn.Parameter) -> bool:
    """Whether weight decay pulls on a parameter (CG3D and the transformers before it)."""
    own = name.rpartition(".")[2]
    return parameter.dim() > 1 and own != "bias" and "token" not in own
