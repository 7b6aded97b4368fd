"""The transformer block that CLIP's image and text towers share.

A. Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021, section 2.4:
pre-norm blocks with four times the width inside. OpenAI's weights use the sigmoid form of the Gaussian error linear
unit (D. Hendrycks and K. Gimpel, "Gaussian Error Linear Units", 2016, section 2), most later ones the exact form.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def quick_gelu(x: Tensor) -> Tensor:
    """The approximation x sigmoid(1.702 x)."""
    return x * torch.sigmoid(1.702 * x)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"gelu": F.gelu, "quick_gelu": quick_gelu}


class ClipBlock(nn.Module):
    """Attention, then a two-layer network, each on normalised input and added to it.

    Args:
        width: of a token's vector.
        heads: attention heads; they divide the width.
        hidden: width inside the network.
        activation: "gelu" or "quick_gelu".
        epsilon: of the layer norms.
        causal: whether a token sees only itself and those before it.

    Raises:
        ValueError: if the heads do not divide the width, or the activation is unknown.
    """

    def __init__(
        self, width: int, heads: int, hidden: int, activation: str, epsilon: float, causal: bool = False
    ) -> None:
        super().__init__()
        if heads < 1 or width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {activation!r}: it is one of {', '.join(sorted(ACTIVATIONS))}")
        self.heads = heads
        self.activation = ACTIVATIONS[activation]
        self.causal = causal
        self.norm1 = nn.LayerNorm(width, eps=epsilon)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=epsilon)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(n, l, width) to (n, l, width)."""
        x = x + self._attention(self.norm1(x))
        return x + cast(Tensor, self.down(self.activation(self.up(self.norm2(x)))))

    def without_mixing(self, x: Tensor) -> Tensor:
        """The same with each token attending to itself alone."""
        value = self.qkv.weight.shape[1]
        own = self.out(self.norm1(x) @ self.qkv.weight[-value:].T + self.qkv.bias[-value:])
        x = x + cast(Tensor, own)
        return x + cast(Tensor, self.down(self.activation(self.up(self.norm2(x)))))

    def _attention(self, x: Tensor) -> Tensor:
        n, length, width = x.shape
        parts = self.qkv(x).reshape(n, length, 3, self.heads, width // self.heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)  # (n, heads, l, width / heads) each
        mixed = F.scaled_dot_product_attention(queries, keys, values, is_causal=self.causal)
        return cast(Tensor, self.out(mixed.transpose(1, 2).reshape(n, length, width)))
