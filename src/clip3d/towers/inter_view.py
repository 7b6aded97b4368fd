"""Adapters over what an image tower says of several views of a cloud: the part that few-shot training moves.

R. Zhang et al., "PointCLIP", CVPR 2022, section 3.3; T. Huang et al., "CLIP2Point", ICCV 2023.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clip3d.towers.channel_norm import ChannelNorm

RATIO = 0.6  # share of the adapted vectors beside what the image tower said
FUSION = 0.5  # weight of each view at the start
DROPOUT = 0.075


class InterViewAdapter(nn.Module):
    """PointCLIP's: one global vector of all views, and from it an addition to the vector of each.

    The views' vectors, weighted and normalised, become one vector; of that come v vectors, mixed 6 to 4 with the
    image tower's own. The published logits are the product of all v · d numbers, at unit length, with the label's
    vector v times over, at unit length too. That is the product of the label's unit vector and the sum over the
    views, divided by the length of all and the root of v: what this gives.

    Args:
        views: v.
        dim: d of the space.
    """

    def __init__(self, views: int, dim: int) -> None:
        super().__init__()
        self.whole = GlobalView(views, dim)
        self.spread = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, views * dim), nn.ReLU())

    def forward(self, seen: Tensor) -> Tensor:
        """Vectors (b, d), of length 1 at most, of raw vectors (b, v, d) of the views."""
        adapted = self.spread(self.whole(seen)).reshape(seen.shape)
        mixed = RATIO * adapted + (1 - RATIO) * seen
        return cast(Tensor, F.normalize(mixed.flatten(1), dim=1).reshape(seen.shape).sum(1) / seen.shape[1] ** 0.5)


class SimplifiedAdapter(nn.Module):
    """CLIP2Point's: the global vector and one more layer, without what the image tower said.

    Args:
        views: v.
        dim: d of the space.
    """

    def __init__(self, views: int, dim: int) -> None:
        super().__init__()
        self.whole = GlobalView(views, dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, seen: Tensor) -> Tensor:
        """Vectors (b, d) of raw vectors (b, v, d) of the views."""
        return cast(Tensor, self.out(self.whole(seen)))


class DualPathAdapter(nn.Module):
    """CLIP2Point's two: one for the tower that was trained on depth maps, one for CLIP's own; their mean.

    Args:
        views: v.
        dim: d of the space.
    """

    def __init__(self, views: int, dim: int) -> None:
        super().__init__()
        self.paths = nn.ModuleList(SimplifiedAdapter(views, dim) for _ in range(2))

    def forward(self, seen: Tensor) -> Tensor:
        """Unit vectors (b, d) of raw ones (b, 2, v, d): those of the trained tower, then those of the original."""
        first, second = (path(seen[:, i]) for i, path in enumerate(self.paths))
        return F.normalize((first + second) / 2, dim=-1)


class GlobalView(nn.Module):
    """Raw vectors (b, v, d) of the views to one vector (b, d)."""

    def __init__(self, views: int, dim: int) -> None:
        super().__init__()
        self.fusion = nn.Parameter(torch.full((views,), FUSION))
        self.norm = ChannelNorm(dim)
        self.layers = nn.Sequential(
            nn.Dropout(DROPOUT),
            nn.Flatten(),
            nn.Linear(views * dim, dim),
            nn.BatchNorm1d(dim),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
        )

    def forward(self, seen: Tensor) -> Tensor:
        """Channels are normalised over clouds and views alike."""
        return cast(Tensor, self.layers(self.norm(self.fusion[:, None] * seen)))


ADAPTERS: dict[str, type[nn.Module]] = {"inter-view": InterViewAdapter, "dual-path": DualPathAdapter}
