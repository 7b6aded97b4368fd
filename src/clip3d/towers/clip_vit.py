"""CLIP's image tower: a vision transformer, with or without learned visual prompts.

A. Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021, section 2.4,
after A. Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, section 3.1. The tower of SLIP (N. Mu et
al., ECCV 2022) is the latter's own: no norm before the blocks, a bias on the patches.

Visual prompts: M. Jia et al., "Visual Prompt Tuning", ECCV 2022, section 3.2, the deep form; in CLIP for 3D by
D. Hegde et al., "CLIP goes 3D", ICCV Workshops 2023.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from clip3d.towers.clip_block import ClipBlock


class VisualPrompts(nn.Module):
    """Learned tokens for the input of every block.

    They start uniform in (-v, v) with v = sqrt(6 / (3 patch + width)), as those of "CLIP goes 3D" do.

    Args:
        layers: blocks of the tower.
        count: tokens a block.
        width: of a token.
        patch: side of the tower's patches in pixels.

    Attributes:
        tokens: (layers, count, width).
    """

    def __init__(self, layers: int, count: int, width: int, patch: int) -> None:
        super().__init__()
        limit = math.sqrt(6 / (3 * patch + width))
        self.tokens = nn.Parameter(torch.zeros(layers, count, width).uniform_(-limit, limit))


class ClipViT(nn.Module):
    """Pixels to CLIP's image vectors, not brought to unit length.

    Args:
        width: of a token's vector.
        layers: number of blocks.
        heads: attention heads a block.
        patch: side of a patch in pixels.
        size: side of the picture in pixels, a multiple of `patch`.
        dim: d of the space.
        hidden: width inside the blocks' networks; four times the width if not given.
        activation: "gelu" or "quick_gelu".
        epsilon: of the layer norms.
        pre_norm: whether tokens are normalised before the first block.
        patch_bias: whether the patches' projection has a bias.
        prompts: visual prompts a block; 0 for none.

    Raises:
        ValueError: if the numbers do not fit each other.
    """

    def __init__(
        self,
        *,
        width: int,
        layers: int,
        heads: int,
        patch: int,
        size: int,
        dim: int,
        hidden: int | None = None,
        activation: str = "gelu",
        epsilon: float = 1e-5,
        pre_norm: bool = True,
        patch_bias: bool = False,
        prompts: int = 0,
    ) -> None:
        super().__init__()
        if size % patch:
            raise ValueError(f"patches of {patch} pixels do not tile a side of {size}")
        self.size = size
        self.patches = nn.Conv2d(3, width, patch, patch, bias=patch_bias)
        self.class_token = nn.Parameter(torch.zeros(width))
        self.positions = nn.Parameter(torch.zeros((size // patch) ** 2 + 1, width))
        self.pre_norm = nn.LayerNorm(width, eps=epsilon) if pre_norm else nn.Identity()
        self.blocks = nn.ModuleList(
            ClipBlock(width, heads, hidden or 4 * width, activation, epsilon) for _ in range(layers)
        )
        self.post_norm = nn.LayerNorm(width, eps=epsilon)
        self.projection = nn.Linear(width, dim, bias=False)
        self.prompts: VisualPrompts | None = None
        if prompts:
            self.add_prompts(prompts)

    def add_prompts(self, count: int) -> VisualPrompts:
        """Give every block `count` new prompts in place of any it has; the only parameters to train are theirs.

        The picture's own weights are left as they are, trainable or frozen.
        """
        weight = self.patches.weight
        prompts = VisualPrompts(len(self.blocks), count, weight.shape[0], weight.shape[-1])
        self.prompts = prompts.to(weight.device, weight.dtype)
        return self.prompts

    def remove_prompts(self) -> None:
        """Back to the plain tower: its vectors are bit for bit those from before prompts were added."""
        self.prompts = None

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) float32, scaled as the weights' preparation says, to (n, d)."""
        x = self.pre_norm(self._tokens(pixels))
        if self.prompts is None:
            for block in self.blocks:
                x = block(x)
        else:
            x = self._through_prompted(x, self.prompts.tokens)
        return cast(Tensor, self.projection(self.post_norm(x[:, 0])))

    def dense(self, pixels: Tensor) -> Tensor:
        """What the tower says of each patch: (n, 3, size, size) to (n, size / patch, size / patch, d).

        In the last block each patch attends to itself alone, since there CLIP gathers the whole picture (C. Zhou et
        al., "Extract Free Dense Labels from CLIP", ECCV 2022, section 3.2). Visual prompts are left aside.
        """
        x = self.pre_norm(self._tokens(pixels))
        *before, last = cast(list[ClipBlock], list(self.blocks))
        for block in before:
            x = block(x)
        patches = cast(Tensor, self.projection(self.post_norm(last.without_mixing(x)[:, 1:])))
        side = round(patches.shape[1] ** 0.5)
        return patches.reshape(len(patches), side, side, -1)

    def _tokens(self, pixels: Tensor) -> Tensor:
        patches = self.patches(pixels).flatten(2).transpose(1, 2)  # (n, patches, width), row by row
        first = self.class_token.expand(pixels.shape[0], 1, -1)
        return torch.cat([first, patches], dim=1) + self.positions

    def _through_prompted(self, x: Tensor, prompts: Tensor) -> Tensor:
        """The class token, a block's prompts, the patches; what a block makes of its prompts is thrown away."""
        first, patches = x[:, :1], x[:, 1:]
        count = prompts.shape[1]
        for block, tokens in zip(self.blocks, prompts, strict=True):
            x = block(torch.cat([first, tokens.expand(x.shape[0], -1, -1), patches], dim=1))
            first, patches = x[:, :1], x[:, 1 + count :]
        return torch.cat([first, patches], dim=1)
