"""The larger encoder of CG3D: Point-BERT's transformer over groups of points.

X. Yu et al., "Point-BERT: Pre-training 3D Point Cloud Transformers with Masked Point Modeling", CVPR 2022, section
3 and supplement; D. Hegde et al., "CLIP goes 3D", ICCV workshops 2023, section 4. With 6 channels a point it is the
encoder of L. Xue et al., "ULIP-2", CVPR 2024.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clip3d.errors import ShapeError
from clip3d.towers.channel_norm import ChannelNorm
from clip3d.towers.compiled_choice import choose_points
from clip3d.towers.grouping import gather, nearest, smaller

# Widths of the perceptrons that all published checkpoints share.
LIFTED, LOCAL, MIXED, PLACE = 128, 256, 512, 128


class GroupEncoder(nn.Module):
    """A small PointNet: each group of points becomes one vector.

    Args:
        in_width: channels of a point.
        out_width: length of a group's vector.
    """

    def __init__(self, in_width: int, out_width: int) -> None:
        super().__init__()
        self.lift = nn.Linear(in_width, LIFTED)
        self.lift_norm = ChannelNorm(LIFTED)
        self.widen = nn.Linear(LIFTED, LOCAL)
        self.mix = nn.Linear(2 * LOCAL, MIXED)
        self.mix_norm = ChannelNorm(MIXED)
        self.summary = nn.Linear(MIXED, out_width)

    def forward(self, groups: Tensor) -> Tensor:
        """(b, m, k, in_width) to (b, m, out_width)."""
        local = self.widen(torch.relu_(self.lift_norm(self.lift(groups))))
        whole = local.amax(2)  # (b, m, c)
        # The layer sees (whole, local); the part for `whole` is the same for all points of a group.
        for_whole, for_local = self.mix.weight.chunk(2, dim=1)
        mixed = F.linear(local, for_local).add_(F.linear(whole, for_whole, self.mix.bias)[:, :, None])
        summaries: Tensor = self.summary(torch.relu_(self.mix_norm(mixed))).amax(2)
        return summaries


class Block(nn.Module):
    """A pre-norm transformer block: attention without input biases, then a perceptron of four times the width.

    Args:
        width: channels.
        heads: attention heads.
        skip: chance with which each of the two branches is left out for a cloud while training (stochastic depth,
            Huang et al. 2016).
    """

    def __init__(self, width: int, heads: int, skip: float) -> None:
        super().__init__()
        self.heads = heads
        self.skip = skip
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.project = nn.Linear(width, width)
        self.perceptron_norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (b, m, width) to the same shape."""
        tokens = tokens + self._thinned(self._attention(self.attention_norm(tokens)))
        hidden = F.gelu(self.expand(self.perceptron_norm(tokens)))
        return tokens + self._thinned(self.contract(hidden))

    def _attention(self, tokens: Tensor) -> Tensor:
        b, m, width = tokens.shape
        qkv = self.qkv(tokens).reshape(b, m, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, m, width)
        projected: Tensor = self.project(mixed)
        return projected

    def _thinned(self, branch: Tensor) -> Tensor:
        if not self.training or self.skip == 0:
            return branch
        kept = torch.rand(len(branch), 1, 1, device=branch.device) >= self.skip
        return branch * kept / (1 - self.skip)


class PointTransformerTower(nn.Module):
    """Clouds to raw vectors: groups of points, a token each, and a transformer whose every block adds their places.

    Args:
        dim: length of a vector; None gives the feature itself, 2 * width long, without the last linear map.
        width: channels of the transformer.
        layers: transformer blocks.
        heads: attention heads of each; must divide the width.
        centers: groups; a smaller cloud gives one for each of its points. Weights for 8192 points use 512.
        neighbors: points in a group.
        group_width: length of a group's vector before a linear map to the transformer's width; None for groups that
            come out in that width, as in Point-MAE.
        colored: whether a point's color goes into its group. Otherwise colors are ignored.
        skip: chance of stochastic depth in the last block, growing from 0 in the first.

    Attributes:
        feature_width: length of what the last linear map sees.
        levels: modules that give features of parts of the cloud: the groups' and every third block.
        level_widths: how long those features are.
    """

    def __init__(
        self,
        dim: int | None = 512,
        width: int = 384,
        layers: int = 12,
        heads: int = 6,
        centers: int = 64,
        neighbors: int = 32,
        group_width: int | None = 256,
        colored: bool = False,
        skip: float = 0.1,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        self.centers = centers
        self.neighbors = neighbors
        self.colored = colored
        self.group = GroupEncoder(6 if colored else 3, group_width or width)
        self.token = nn.Linear(group_width, width) if group_width else nn.Identity()
        self.cls_token = nn.Parameter(torch.zeros(width))
        self.cls_place = nn.Parameter(torch.randn(width))
        self.place = nn.Sequential(nn.Linear(3, PLACE), nn.GELU(), nn.Linear(PLACE, width))
        self.blocks = nn.ModuleList(Block(width, heads, skip * i / max(layers - 1, 1)) for i in range(layers))
        self.norm = nn.LayerNorm(width)
        self.feature_width = 2 * width
        self.project = nn.Identity() if dim is None else nn.Linear(self.feature_width, dim)

    @property
    def levels(self) -> tuple[nn.Module, ...]:  # noqa: D102
        return self.group, *list(self.blocks)[2:-1:3]

    @property
    def level_widths(self) -> tuple[int, ...]:  # noqa: D102
        return self.group.summary.out_features, *[self.feature_width // 2] * (len(self.levels) - 1)

    def forward(self, points: Tensor, colors: Tensor, upright: Tensor | None = None) -> Tensor:
        """Vectors (b, dim) of clouds.

        Args:
            points: (b, p, 3) float32 in the unit sphere, z up; `clip3d.models.encoder_checkpoints` turns weights
                that were trained with y up.
            colors: (b, p, 3) float32 in [0, 1]; read only if the tower is `colored`. ULIP-2 was trained with
                .4 in all channels of a cloud without colors.
            upright: (b,) bool; the tower has no pose-free mode, so all must be True.

        Raises:
            ShapeError: for a cloud that is not upright.
        """
        if upright is not None and not bool(upright.all()):
            raise ShapeError("this cloud tower has no pose-free mode: clouds must be upright")
        centers, groups = self._groups(points, colors)
        tokens = self._with_first(self.cls_token, self.token(self.group(groups)))
        places = self._with_first(self.cls_place, self.place(centers))
        for block in self.blocks:
            tokens = block(tokens + places)
        tokens = self.norm(tokens)
        feature = torch.cat([tokens[:, 0], tokens[:, 1:].amax(1)], dim=-1)
        vectors: Tensor = self.project(feature)
        return vectors

    def _groups(self, points: Tensor, colors: Tensor) -> tuple[Tensor, Tensor]:
        """Centres (b, m, 3) and their groups (b, m, k, 3 or 6), offsets from the centre first."""
        p = points.shape[1]
        centers = gather(points, choose_points(points, smaller(self.centers, p)))
        index = nearest(points, centers, smaller(self.neighbors, p))
        offsets = gather(points, index) - centers[:, :, None]
        groups = torch.cat([offsets, gather(colors, index)], dim=-1) if self.colored else offsets
        return centers, groups

    @staticmethod
    def _with_first(first: Tensor, others: Tensor) -> Tensor:
        """A vector (width,) before those of each cloud (b, m, width)."""
        return torch.cat([first.to(others.dtype).expand(others.shape[0], 1, -1), others], dim=1)
