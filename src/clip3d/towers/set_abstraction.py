"""A small point cloud encoder: two levels of set abstraction, then a transformer over the remaining centres.

Set abstraction is that of PointNet++ (Qi et al. 2017, section 3.2): centres by farthest point sampling, their
nearest neighbours, a shared perceptron, and the maximum over each neighbourhood.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clip3d.errors import ShapeError
from clip3d.towers.grouping import farthest_points, gather, nearest, smaller

# In a thin cloud proportion alone would leave a point or two, which say nothing of a surface.
LEAST_NEIGHBORS = 4


class SetAbstraction(nn.Module):
    """Summarise each neighbourhood of a cloud by one vector.

    The first linear map of the shared perceptron is applied before points are gathered: it is linear, so
    W (x_j - x_c, f_j) = W (x_j, f_j) - W (x_c, 0): p + centers products in place of centers * neighbors.

    Args:
        in_width: channels of the points' features.
        hidden: width of the first layer.
        out_width: width of the summary.
        centers: number of neighbourhoods; a smaller cloud gives one for each of its points.
        neighbors: points in a neighbourhood.
        density: points of a cloud for which `neighbors` holds: of another, proportionally fewer or more make a
            neighbourhood, so that it covers the same part of the shape; 0 for the same number always.
    """

    def __init__(
        self, in_width: int, hidden: int, out_width: int, centers: int, neighbors: int, density: int = 0
    ) -> None:
        super().__init__()
        self.centers = centers
        self.neighbors = neighbors
        self.density = density
        self.position = nn.Linear(3, hidden, bias=False)
        self.feature = nn.Linear(in_width, hidden)
        self.norm = nn.BatchNorm1d(hidden)
        self.mix = nn.Linear(hidden, out_width)
        self.out_norm = nn.BatchNorm1d(out_width)

    def forward(self, xyz: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """From xyz (b, p, 3) and features (b, p, c) to centres (b, m, 3) and summaries (b, m, out_width)."""
        centers = gather(xyz, farthest_points(xyz, smaller(self.centers, xyz.shape[1])))
        neighbors = nearest(xyz, centers, self.neighborhood(xyz.shape[1]))
        lifted = self.position(xyz) + self.feature(features)
        grouped = gather(lifted, neighbors) - self.position(centers)[:, :, None]
        hidden = torch.relu(_over_channels(self.norm, grouped))
        # Normalising after the maximum costs a neighbourhood's share of what it would cost before.
        return centers, torch.relu(_over_channels(self.out_norm, self.mix(hidden).amax(2)))

    def neighborhood(self, p: int) -> int:
        """How many points make a neighbourhood in a cloud of p."""
        if not self.density:
            return smaller(self.neighbors, p)
        share = _rounded(self.neighbors * p, self.density)
        return smaller(-smaller(-share, -LEAST_NEIGHBORS), p)


class Block(nn.Module):
    """A pre-norm transformer block with multi-head attention and a GELU perceptron of twice the width."""

    def __init__(self, width: int, heads: int, drop: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.perceptron_norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        self.contract = nn.Linear(2 * width, width)
        self.drop = nn.Dropout(drop)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (b, m, width) to the same shape."""
        b, m, width = tokens.shape
        qkv = self.qkv(self.attention_norm(tokens)).reshape(b, m, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, m, width)
        tokens = tokens + self.drop(self.project(mixed))
        hidden = nn.functional.gelu(self.expand(self.perceptron_norm(tokens)))
        out: Tensor = tokens + self.drop(self.contract(hidden))
        return out


class SetAbstractionTower(nn.Module):
    """Coloured clouds to raw vectors.

    Args:
        dim: length of a vector; None gives the feature itself, 2 * width long, without the head.
        width: channels of the transformer.
        layers: transformer blocks.
        heads: attention heads of each.
        stem: channels of the first level's hidden and output layers.
        centers: neighbourhoods of the two levels.
        neighbors: points in a neighbourhood of the two levels.
        drop: dropout in the blocks while training.
        pose_free: learn one more vector for each token that says whether the cloud stands upright, so that one
            set of weights serves clouds in their declared frame and clouds that may lie on any side; and learn to
            tell whether one of the latter stands upright.
        density: points of the clouds for which the first level's `neighbors` holds, see `SetAbstraction`.

    Attributes:
        feature_width: length of what the head sees.
        levels: modules that give features of parts of the cloud, from fine to coarse.
        level_widths: how long those features are.
    """

    def __init__(
        self,
        dim: int | None = 512,
        width: int = 256,
        layers: int = 3,
        heads: int = 4,
        stem: tuple[int, int] = (64, 128),
        centers: tuple[int, int] = (128, 32),
        neighbors: tuple[int, int] = (16, 16),
        drop: float = 0.0,
        pose_free: bool = False,
        density: int = 0,
    ) -> None:
        super().__init__()
        self.fine = SetAbstraction(6, stem[0], stem[1], centers[0], neighbors[0], density)
        self.coarse = SetAbstraction(stem[1], 192, width, centers[1], neighbors[1])
        self.place = nn.Sequential(nn.Linear(3, 64), nn.GELU(), nn.Linear(64, width))
        self.pose = nn.Embedding(2, width) if pose_free else None
        self.stance = nn.Linear(2 * width, 1) if pose_free else None
        self.blocks = nn.ModuleList(Block(width, heads, drop) for _ in range(layers))
        self.norm = nn.LayerNorm(2 * width)
        self.feature_width = 2 * width
        self.level_widths = (stem[1], width)
        self.head: nn.Module = nn.Identity() if dim is None else _head(2 * width, dim)

    @property
    def levels(self) -> tuple[nn.Module, ...]:  # noqa: D102
        return self.fine, self.coarse

    def forward(self, points: Tensor, colors: Tensor, upright: Tensor | None = None) -> Tensor:
        """Vectors (b, dim) of clouds.

        Args:
            points: (b, p, 3) float32 in the unit sphere, z up where the cloud is upright.
            colors: (b, p, 3) float32 in [0, 1].
            upright: (b,) bool, False for a cloud that may lie on any side; all are upright if left out.

        Raises:
            ShapeError: for a cloud that is not upright, if the tower was not made for that.
        """
        vectors: Tensor = self.head(self.summary(points, colors, upright))
        return vectors

    def with_stance(self, points: Tensor, colors: Tensor, upright: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors (b, dim) as `forward` gives them, and the logit (b,) that each cloud stands upright."""
        summary = self.summary(points, colors, upright)
        return self.head(summary), self.stance_logit(summary)

    def stance_logit(self, summary: Tensor) -> Tensor:
        """The logit (b,) that each cloud stands upright, of what `summary` gave of it."""
        if self.stance is None:
            raise ShapeError("this cloud tower has no pose-free mode: it cannot tell how a cloud stands")
        logit: Tensor = self.stance(summary)[:, 0]
        return logit

    def summary(self, points: Tensor, colors: Tensor, upright: Tensor | None) -> Tensor:
        """What the head sees of clouds: (b, 2 * width), normalised; arguments and errors as for `forward`."""
        centers, features = self.fine(points, torch.cat([points, colors - 0.5], dim=-1))
        centers, tokens = self.coarse(centers, features)
        tokens = tokens + self.place(centers)
        if self.pose is not None:
            known = torch.ones(points.shape[0], dtype=torch.long, device=points.device)
            tokens = tokens + self.pose(known if upright is None else upright.long())[:, None]
        elif upright is not None and not bool(upright.all()):
            raise ShapeError("this cloud tower has no pose-free mode: clouds must be upright")
        for block in self.blocks:
            tokens = block(tokens)
        pooled: Tensor = self.norm(torch.cat([tokens.amax(1), tokens.mean(1)], dim=-1))
        return pooled


def _head(width: int, dim: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, dim))


def _over_channels(norm: nn.BatchNorm1d, values: Tensor) -> Tensor:
    flat: Tensor = norm(values.reshape(-1, values.shape[-1]))
    return flat.reshape(values.shape)


def _rounded(a: int, b: int) -> int:
    """a / b as `round` gives it, ties to even, but in whole numbers, which a recorded graph can hold for any a."""
    up = (2 * a + b) // (2 * b)
    tie = 1 - smaller((2 * a + b) % (2 * b), 1)
    return up - tie * (up % 2)
