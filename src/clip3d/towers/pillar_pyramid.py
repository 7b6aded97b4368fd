"""A small sweep tower: pillars, a pyramid of convolutions over the bird's-eye view, and attention pooling.

Pillars as in A. Lang et al., "PointPillars: Fast Encoders for Object Detection from Point Clouds", CVPR 2019,
section 2.1; the pyramid as in T.-Y. Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clip3d.lidar.bev_grid import BevGrid
from clip3d.towers.folding import convolution_norm, linear_norm
from clip3d.towers.pillars import Pillars, center_offsets, group_points
from clip3d.towers.sst import EXTENT
from clip3d.towers.sweep_cells import SweepCells

POINT_CHANNELS = 10
# The ground below a point is the lowest of so many cells around it, each way: as far as a car is wide.
GROUND_REACH = 2


class PillarFeatures(nn.Module):
    """Pillars to vectors: two layers over points, the maximum after each.

    A point is x, y, z, intensity, its offset from the mean of its pillar's points, that from the pillar's middle
    along x and y, and its height above the lowest point near it. Height says more than z where sensors stand at
    different heights or roads slope.
    """

    def __init__(self, grid: BevGrid, width: int) -> None:
        super().__init__()
        self.grid = grid
        self.width = width
        self.lift = nn.Linear(POINT_CHANNELS, width, bias=False)
        self.lift_norm = nn.BatchNorm1d(width)
        self.mix = nn.Linear(width, width, bias=False)
        self.around = nn.Linear(width, width, bias=False)
        self.mix_norm = nn.BatchNorm1d(width)

    def forward(self, pillars: Pillars) -> Tensor:
        """Vectors (m, width) of m pillars."""
        points = pillars.points
        if not len(points):
            return points.new_zeros(0, self.width)
        offset = points[:, :3] - pillars.mean(points[:, :3])[pillars.pillar]
        height = points[:, 2:3] - self._ground(pillars)[pillars.pillar]
        told = torch.cat([points, offset, center_offsets(pillars, self.grid)[:, :2], height], dim=1)
        with torch.autocast(points.device.type, enabled=False):  # half precision has no centimetres at 40 m
            first = linear_norm(self.lift.weight, self.lift_norm, told).relu_()
        both = torch.cat([self.mix.weight, self.around.weight], dim=1)
        mixed = linear_norm(both, self.mix_norm, first, pillars.maximum(first), pillars.pillar)
        return pillars.maximum(mixed.relu_())

    def _ground(self, pillars: Pillars) -> Tensor:
        """Height (m, 1) of the lowest point in and around each pillar."""
        lowest = pillars.maximum(-pillars.points[:, 2:3]) - self.grid.extent[2]  # above 0: an empty cell is lower
        around = F.max_pool2d(pillars.map(lowest, self.grid), 2 * GROUND_REACH + 1, 1, GROUND_REACH)
        return -self.grid.extent[2] - around.flatten()[pillars.place(self.grid)][:, None]


class ConvNorm(nn.Sequential):
    """A convolution without bias, 3 x 3 if nothing else is said, and batch norm."""

    def __init__(self, in_width: int, out_width: int, stride: int = 1, groups: int = 1, side: int = 3) -> None:
        convolution = nn.Conv2d(in_width, out_width, side, stride, side // 2, groups=groups, bias=False)
        super().__init__(convolution, nn.BatchNorm2d(out_width))

    def forward(self, view: Tensor) -> Tensor:
        """Map (n, in_width, h, w) to (n, out_width, h, w), h and w divided by the stride."""
        convolution, norm = self
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        return convolution_norm(convolution, norm, view)


class Residual(nn.Module):
    """Two convolutions added to their input (He et al. 2016, section 3.3)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = ConvNorm(width, width)
        self.second = ConvNorm(width, width)

    def forward(self, view: Tensor) -> Tensor:
        """Map (n, width, h, w) to the same shape."""
        found: Tensor = (view + self.second(self.first(view).relu_())).relu_()
        return found


class PillarPyramidTower(nn.Module):
    """Sweeps, cut down to what a camera sees, to raw vectors.

    Args:
        dim: length of a vector.
        extent: least x, y, z and largest x, y, z in metres; points outside are dropped.
        cell: side of a pillar in metres.
        widths: channels of the levels, each with cells twice as large as the one before; the first is the pillars'.
        blocks: residual blocks of the levels after the first.
        hidden: width of a cell's vector before it is mapped into the space.
        heads: of the attention pooling.
        peaks: channels whose largest value over the cells, mapped into the space, is added to what the attention
            gathers: a mean says how much of a frustum a thing fills, a maximum that it is there at all. Vectors of
            cells are without it. 0 for none.

    Attributes:
        grid: of the cells.

    Raises:
        ValueError: if the grid cannot be halved as often as there are levels, or `hidden` is no multiple of the
            heads.
    """

    def __init__(
        self,
        dim: int = 512,
        extent: Sequence[float] = EXTENT,
        cell: float = 0.5,
        widths: Sequence[int] = (64, 64, 128),
        blocks: Sequence[int] = (1, 1),
        hidden: int = 256,
        heads: int = 4,
        peaks: int = 0,
    ) -> None:
        super().__init__()
        self.grid = BevGrid.of(list(extent), cell)
        steps = 2 ** (len(widths) - 1)
        if self.grid.rows % steps or self.grid.columns % steps or len(blocks) != len(widths) - 1:
            raise ValueError(f"{len(widths)} levels need a grid that {steps} divides and {len(widths) - 1} blocks")
        if hidden % heads:
            raise ValueError(f"a width of {hidden} cannot be cut into {heads} heads")
        first = widths[0]
        self.heads = heads
        self.features = PillarFeatures(self.grid, first)
        # at the finest level space and channels are mixed one after the other: there are 16 times as many cells
        self.near = ConvNorm(first, first, groups=first)
        self.near_mix = ConvNorm(first, first, side=1)
        self.levels = nn.ModuleList(
            nn.Sequential(ConvNorm(a, b, 2), nn.ReLU(inplace=True), *(Residual(b) for _ in range(count)))
            for a, b, count in zip(widths[:-1], widths[1:], blocks, strict=True)
        )
        self.lateral = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.join = nn.Linear(2 * first, hidden, bias=False)
        self.join_norm = nn.BatchNorm1d(hidden)
        self.rows = nn.Parameter(torch.randn(self.grid.rows, hidden) * 0.02)
        self.columns = nn.Parameter(torch.randn(self.grid.columns, hidden) * 0.02)
        # odd cells, such as those of walls seen edge on, would have vectors ten times as long as others
        self.settle = nn.LayerNorm(hidden)
        self.asked = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, dim)
        self.peak = nn.Linear(hidden, peaks) if peaks else None
        self.raised = nn.Linear(peaks, dim, bias=False) if peaks else None

    def forward(self, points: Tensor, counts: Tensor) -> Tensor:
        """Raw vectors (n, dim) of n sweeps, empty ones among them: see `clip3d.towers.sst`."""
        pillars = group_points(points, counts, self.grid)
        return self._pooled(self._body(pillars), pillars)

    def dense(self, points: Tensor, counts: Tensor) -> SweepCells:
        """The same vectors, and those of the cells."""
        pillars = group_points(points, counts, self.grid)
        cells = self._body(pillars)
        each = self.out(self.value(cells)).float()
        return SweepCells(self._pooled(cells, pillars), each, pillars.sample, pillars.cell)

    def _body(self, pillars: Pillars) -> Tensor:
        """Vectors (m, hidden) of the non-empty cells, which have seen what is around them.

        They are in single precision, as what is summed over cells is: in half precision sums of many stand still.
        """
        own = self.features(pillars)
        view = pillars.map(own, self.grid)
        view = (view + self.near_mix(self.near(view).relu_())).relu_()
        levels = [view]
        for level in self.levels:
            levels.append(level(levels[-1]))
        coarse = levels.pop()
        for finer, lateral in zip(levels[::-1], list(self.lateral)[::-1], strict=True):
            coarse = (finer + F.interpolate(lateral(coarse), scale_factor=2, mode="nearest")).relu_()
        seen = coarse.permute(0, 2, 3, 1).flatten(0, 2)[pillars.place(self.grid)]
        row, column = pillars.cell // self.grid.columns, pillars.cell % self.grid.columns
        joined = linear_norm(self.join.weight, self.join_norm, torch.cat([own, seen], dim=1))
        settled: Tensor = self.settle(joined.relu_() + self.rows[row] + self.columns[column])
        return settled.float()

    def _pooled(self, cells: Tensor, pillars: Pillars) -> Tensor:
        """Vectors (n, dim): attention over the non-empty cells, asked by their mean, and the peaks.

        Nothing is seen in a sweep without a cell: its vector is that of a value of zeros.
        """
        batch, sample = pillars.batch, pillars.sample
        count = torch.bincount(sample, minlength=batch).clamp(min=1)
        mean = cells.new_zeros(batch, cells.shape[1]).index_add_(0, sample, cells) / count[:, None]
        asked = self.asked(mean).unflatten(-1, (self.heads, -1))
        keys = self.key(cells).unflatten(-1, (self.heads, -1))
        scores = (asked[sample] * keys).sum(-1).float() * keys.shape[-1] ** -0.5  # (m, heads)
        weights = _softmax_within(scores, sample, batch)
        values = self.value(cells).unflatten(-1, (self.heads, -1)) * weights[..., None]
        pooled = values.new_zeros(batch, *values.shape[1:]).index_add_(0, sample, values)
        found: Tensor = self.out(pooled.flatten(1))
        if self.peak is not None and self.raised is not None:
            found = found + self.raised(_most_within(self.peak(cells).relu().float(), sample, batch))
        return found.float()


def _most_within(values: Tensor, sample: Tensor, batch: int) -> Tensor:
    """The largest (n, c) of values (m, c), none below 0, over the cells of each sweep; 0 without a cell."""
    index = sample[:, None].expand_as(values)
    return values.new_zeros(batch, values.shape[1]).scatter_reduce(0, index, values, "amax")


def _softmax_within(scores: Tensor, sample: Tensor, batch: int) -> Tensor:
    """Softmax of scores (m, heads) over the cells of each sweep."""
    index = sample[:, None].expand_as(scores)
    most = scores.new_zeros(batch, scores.shape[1]).scatter_reduce(0, index, scores, "amax", include_self=False)
    raised = (scores - most.detach()[sample]).exp()
    total = raised.new_zeros(batch, scores.shape[1]).index_add_(0, sample, raised)
    return raised / total[sample]
