"""The smaller encoder of CG3D: PointMLP, residual perceptrons over neighbourhoods that are made alike.

X. Ma et al., "Rethinking Network Design and Local Geometry in Point Cloud: A Simple Residual MLP Framework", ICLR
2022, sections 3.2 and 3.3; D. Hegde et al., "CLIP goes 3D", ICCV workshops 2023, section 4.

Values of neighbourhoods are overwritten where no gradient needs them: on a CPU fresh memory costs as much as a sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clip3d.errors import ShapeError
from clip3d.towers.channel_norm import ChannelNorm
from clip3d.towers.compiled_choice import choose_points
from clip3d.towers.grouping import gather, is_exporting, nearest, smaller

SIGMA_EPSILON = 1e-5
# The square root has no finite slope at 0, where a cloud of equal points lies.
LEAST_VARIANCE = 1e-20


class Residual(nn.Module):
    """Two linear maps with batch norms, added to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(width, width, bias=False)
        self.first_norm = ChannelNorm(width)
        self.second = nn.Linear(width, width, bias=False)
        self.second_norm = ChannelNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) to the same shape."""
        hidden = torch.relu_(self.first_norm(self.first(x)))
        return torch.relu_(self.second_norm(self.second(hidden)).add_(x))


class Stage(nn.Module):
    """Choose anchors, summarise the neighbourhood of each, and refine the summaries.

    Args:
        in_width: channels of the points' features.
        out_width: channels of the anchors' features.
        anchors: number of them; a smaller cloud gives one for each of its points.
        neighbors: points in a neighbourhood.
        blocks: residual perceptrons before the maximum over a neighbourhood, and again after it.
    """

    def __init__(self, in_width: int, out_width: int, anchors: int, neighbors: int, blocks: int) -> None:
        super().__init__()
        self.anchors = anchors
        self.neighbors = neighbors
        self.scale = nn.Parameter(torch.ones(in_width))
        self.shift = nn.Parameter(torch.zeros(in_width))
        self.transfer = nn.Linear(2 * in_width, out_width, bias=False)
        self.transfer_norm = ChannelNorm(out_width)
        self.local = nn.Sequential(*(Residual(out_width) for _ in range(blocks)))
        self.regional = nn.Sequential(*(Residual(out_width) for _ in range(blocks)))

    def forward(self, xyz: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """From xyz (b, p, 3) and features (b, p, c) to those of the anchors, (b, m, 3) and (b, m, out_width)."""
        p = xyz.shape[1]
        chosen = choose_points(xyz, smaller(self.anchors, p))
        places, own = gather(xyz, chosen), gather(features, chosen)
        around = gather(features, nearest(xyz, places, smaller(self.neighbors, p)))
        offsets = self._made_alike(around.sub_(own[:, :, None]))
        # The layer sees (offset, anchor); the part for the anchor is the same for all of its neighbours.
        for_offset, for_anchor = self.transfer.weight.chunk(2, dim=1)
        moved = F.linear(offsets, for_offset).add_(F.linear(own, for_anchor)[:, :, None])
        summaries = self.local(torch.relu_(self.transfer_norm(moved))).amax(2)
        return places, self.regional(summaries)

    def _made_alike(self, offsets: Tensor) -> Tensor:
        """The geometric affine map of section 3.3, with one standard deviation for each cloud."""
        sigma = _variance(offsets.float()).clamp_min(LEAST_VARIANCE).sqrt()[:, None, None, None]
        return torch.addcmul(self.shift, offsets, self.scale / (sigma + SIGMA_EPSILON))


class PointMLPTower(nn.Module):
    """Clouds without colors to raw vectors.

    Args:
        dim: length of a vector; None gives the feature itself without the last linear map.
        stem: channels of the first layer.
        channels: of the stages.
        anchors: points that are left after each stage.
        neighbors: points in a neighbourhood.
        blocks: residual perceptrons before and after the maximum in each stage.
        head: widths of hidden layers between the feature and the last map; ULIP has (512, 256), CG3D none.

    Attributes:
        feature_width: length of what the last linear map sees.
        levels: modules that give features of parts of the cloud: the stages but the last.
        level_widths: how long those features are.
    """

    def __init__(
        self,
        dim: int | None = 512,
        stem: int = 64,
        channels: Sequence[int] = (128, 256, 512, 1024),
        anchors: Sequence[int] = (512, 256, 128, 64),
        neighbors: int = 24,
        blocks: int = 2,
        head: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.embed = nn.Linear(3, stem, bias=False)
        self.embed_norm = ChannelNorm(stem)
        widths = [stem, *channels]
        self.stages = nn.ModuleList(
            Stage(inner, outer, count, neighbors, blocks)
            for (inner, outer), count in zip(pairwise(widths), anchors, strict=True)
        )
        self.head = nn.Sequential(*_hidden_layers([widths[-1], *head]))
        self.feature_width = [*widths, *head][-1]
        self.level_widths = tuple(channels)[:-1]
        self.project = nn.Identity() if dim is None else nn.Linear(self.feature_width, dim)

    @property
    def levels(self) -> tuple[nn.Module, ...]:  # noqa: D102
        return tuple(self.stages)[:-1]

    def forward(self, points: Tensor, colors: Tensor, upright: Tensor | None = None) -> Tensor:
        """Vectors (b, dim) of clouds.

        Args:
            points: (b, p, 3) float32 in the unit sphere, z up; `clip3d.models.encoder_checkpoints` turns weights
                that were trained with y up.
            colors: (b, p, 3) float32; the architecture has no place for colors, they are ignored.
            upright: (b,) bool; the tower has no pose-free mode, so all must be True.

        Raises:
            ShapeError: for a cloud that is not upright.
        """
        if upright is not None and not bool(upright.all()):
            raise ShapeError("this cloud tower has no pose-free mode: clouds must be upright")
        xyz, features = points, torch.relu(self.embed_norm(self.embed(points)))
        for stage in self.stages:
            xyz, features = stage(xyz, features)
        vectors: Tensor = self.project(self.head(features.amax(1)))
        return vectors


def _variance(offsets: Tensor) -> Tensor:
    """Unbiased variance (b,) over all of (b, m, k, c)."""
    if not is_exporting():
        return offsets.flatten(1).var(1)
    # Runtimes that add up a long row of numbers one by one lose digits; short rows of sums keep them.
    _, m, k, c = offsets.shape
    mean = offsets.sum(3).sum(2).sum(1) / (m * k * c)
    square = (offsets - mean[:, None, None, None]).square()
    return square.sum(3).sum(2).sum(1) / (m * k * c - 1)


def _hidden_layers(widths: Sequence[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for inner, outer in pairwise(widths):
        layers += [nn.Linear(inner, outer), ChannelNorm(outer), nn.ReLU(), nn.Dropout(0.5)]
    return layers
