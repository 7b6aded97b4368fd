"""Attention among the non-empty cells of a window, post-norm, as in the Single-stride Sparse Transformer.

L. Fan et al., "Embracing Single Stride 3D Object Detector with Sparse Transformer", CVPR 2022, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clip3d.lidar.bev_grid import BevGrid

TEMPERATURE = 10_000.0


@dataclass(frozen=True)
class Windows:
    """Which of m cells share a window.

    Attributes:
        place: (m,) of each cell within its window, row by row.
        buckets: windows of about the same number of cells, filled up to the largest number of their bucket: which
            cells (w, t), and which of those are real (w, t) bool.
        back: (m,) where each cell stands among the real ones of all buckets, one after the other.
    """

    place: Tensor
    buckets: tuple[tuple[Tensor, Tensor], ...]
    back: Tensor


def windows(sample: Tensor, cell: Tensor, grid: BevGrid, side: int, shift: int) -> Windows:
    """Cut the cells of n sweeps into windows.

    Few windows are full, so that those with few cells go together: a window costs what its bucket's size costs,
    at most twice its own.

    Args:
        sample: (m,) the sweep of each non-empty cell.
        cell: (m,) its number in the grid.
        grid: of the cells.
        side: cells along a window's side.
        shift: cells by which windows start before the grid does.
    """
    row, column = cell // grid.columns + shift, cell % grid.columns + shift
    down, across = (grid.rows + shift) // side + 1, (grid.columns + shift) // side + 1
    window = (sample * down + row // side) * across + column // side
    order = torch.argsort(window, stable=True)
    _, count = torch.unique_consecutive(window[order], return_counts=True)
    start = count.cumsum(0) - count
    buckets: list[tuple[Tensor, Tensor]] = []
    low = 0
    for size in _sizes(side):
        chosen = (count > low) & (count <= size)
        low = size
        steps = torch.arange(size, device=cell.device)
        real = steps < count[chosen][:, None]
        index = order[torch.where(real, start[chosen][:, None] + steps, start[chosen][:, None])]
        if len(index):
            buckets.append((index, real))
    forward = [index[real] for index, real in buckets]
    back = torch.empty_like(order)
    if forward:
        back[torch.cat(forward)] = torch.arange(len(order), device=order.device)
    return Windows((row % side) * side + column % side, tuple(buckets), back)


def _sizes(side: int) -> list[int]:
    """Sizes of buckets, ascending: halves of a full window, rounded up, down to a handful of cells."""
    sizes = [side * side]
    while sizes[-1] > 4:
        sizes.append(-(-sizes[-1] // 2))
    return sizes[::-1]


def window_positions(side: int, width: int) -> Tensor:
    """Sines and cosines (side * side, width) of the places in a window, relative to its middle.

    The first half of the channels holds x, the other y; within each, sine and cosine take turns.
    """
    channels = width // 2
    power = 2 * torch.div(torch.arange(channels), 2, rounding_mode="floor") / channels
    steps = torch.arange(side, dtype=torch.float32) - side / 2
    angles = steps[:, None] / TEMPERATURE**power
    waves = torch.where(torch.arange(channels) % 2 == 0, angles.sin(), angles.cos())
    x, y = waves[None].expand(side, -1, -1), waves[:, None].expand(-1, side, -1)
    return torch.cat([x, y], dim=-1).reshape(side * side, 2 * channels)


class WindowLayer(nn.Module):
    """Attention within windows and a GELU perceptron, each added to its input and layer-normed after it.

    Args:
        width: of a cell's vector.
        heads: of the attention.
        hidden: width of the perceptron.
        side: cells along a window's side.

    Raises:
        ValueError: if the width is no multiple of the heads, or not of 4, which the positions need.
    """

    positions: Tensor

    def __init__(self, width: int, heads: int, hidden: int, side: int) -> None:
        super().__init__()
        if width % heads or width % 4:
            raise ValueError(f"a width of {width} cannot be cut into {heads} heads and four kinds of waves")
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, hidden)
        self.contract = nn.Linear(hidden, width)
        self.perceptron_norm = nn.LayerNorm(width)
        self.register_buffer("positions", window_positions(side, width), persistent=False)
        for matrix in (self.qkv, self.project, self.expand, self.contract):
            nn.init.xavier_uniform_(matrix.weight)

    def forward(self, cells: Tensor, where: Windows) -> Tensor:
        """Vectors (m, width) of cells to the same shape."""
        cells = self.attention_norm(cells + self.project(self._mixed(cells, where)))
        found: Tensor = self.perceptron_norm(cells + self.contract(F.gelu(self.expand(cells))))
        return found

    def _mixed(self, cells: Tensor, where: Windows) -> Tensor:
        width = cells.shape[1]
        # positions are added to what queries and keys are made of: a linear map, taken once a place
        placed = F.linear(self.positions, self.qkv.weight[: 2 * width])[where.place]
        qkv = self.qkv(cells) + F.pad(placed, (0, width))
        mixed: list[Tensor] = []
        for index, real in where.buckets:
            q, k, v = qkv[index].unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
            seen = F.scaled_dot_product_attention(q, k, v, attn_mask=real[:, None, None])
            mixed.append(seen.transpose(1, 2).flatten(2)[real])
        return torch.cat(mixed)[where.back] if mixed else cells.new_zeros(0, width)
