"""One vector of the cells of a bird's-eye view, by attention with a single query.

A. Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021, section 2.4,
for CLIP's ResNets; LidarCLIP (section 4.1) puts it upon the non-empty cells of a sweep.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

QueryOver = Literal["all", "occupied"]


class AttentionPooling(nn.Module):
    """Non-empty cells of n sweeps to n vectors, and to one for each cell in the same space.

    A cell is lifted to `dim` channels and a learned position added; keys and values are the non-empty cells, the
    query is the mean cell with a position of its own. There is one query, so that keys and values of single cells
    are never made: scores come from the query brought through the keys' map, and the values' map is applied to the
    weighted mean.

    Args:
        width: of a cell's vector.
        dim: length of a vector.
        cells: in the grid.
        heads: of the attention.
        query: "all" takes the mean over all cells of the grid, where empty ones count as zeros, as LidarCLIP's
            published checkpoints were trained; "occupied" over the non-empty ones, so that the mean does not
            depend on how large the grid is.

    Raises:
        ValueError: if `dim` is no multiple of the heads or `query` is none of these.
    """

    def __init__(self, width: int, dim: int, cells: int, heads: int = 8, query: QueryOver = "all") -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"vectors of length {dim} cannot be cut into {heads} heads")
        if query not in get_args(QueryOver):
            raise ValueError(f"query must be one of {', '.join(get_args(QueryOver))}, got {query!r}")
        self.heads = heads
        self.cells = cells
        self.query_over = query
        self.positions = nn.Parameter(torch.randn(cells + 1, dim) / dim**0.5)
        self.lift = nn.Linear(width, dim)
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, features: Tensor, sample: Tensor, cell: Tensor, batch: int) -> Tensor:
        """Vectors (batch, dim) of non-empty cells.

        A sweep without a cell has nothing to attend to: its query stands in for the mean of its cells.

        Args:
            features: (m, width) of the cells.
            sample: (m,) the sweep of each, ascending.
            cell: (m,) its number in the grid.
            batch: number of sweeps.
        """
        count = torch.bincount(sample, minlength=batch)
        query = self.lift(self._mean(features, sample, count)) + self.positions[0]
        filled, places, real = self._padded(features, sample, cell, count)
        weights = self._weights(query, filled, places, real)
        mean = self.lift(weights @ filled) + weights @ places  # (n, heads, dim)
        mean = torch.where((count > 0)[:, None, None], mean, query[:, None])
        heads, dim = self.heads, query.shape[1]
        value = self.value.weight.reshape(heads, dim // heads, dim)
        mixed = torch.einsum("nhd,hed->nhe", mean, value).flatten(1) + self.value.bias
        found: Tensor = self.out(mixed)
        return found

    def each(self, features: Tensor, cell: Tensor) -> Tensor:
        """Vectors (m, dim) of cells as if each were the only one (Zhou et al. 2022, "MaskCLIP", section 3.2)."""
        found: Tensor = self.out(self.value(self.lift(features) + self.positions[cell + 1]))
        return found

    def _mean(self, features: Tensor, sample: Tensor, count: Tensor) -> Tensor:
        total = features.new_zeros(len(count), features.shape[1]).index_add_(0, sample, features)
        if self.query_over == "all":
            return total / self.cells
        return total / count.clamp(min=1)[:, None]

    def _padded(
        self, features: Tensor, sample: Tensor, cell: Tensor, count: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Cells (n, k, width) filled up to the most of a sweep, their positions (n, k, dim), which are real."""
        most = int(count.max()) if len(features) else 0
        steps = torch.arange(most, device=features.device)
        real = steps < count[:, None]
        start = (count.cumsum(0) - count)[:, None]
        index = torch.where(real, start + steps, 0)
        return features[index], self.positions[cell[index] + 1], real

    def _weights(self, query: Tensor, filled: Tensor, places: Tensor, real: Tensor) -> Tensor:
        """Attention (n, heads, k), zero on what fills up."""
        heads, dim = self.heads, query.shape[1]
        asked = self.query(query).reshape(-1, heads, dim // heads) * (dim // heads) ** -0.5
        key = self.key.weight.reshape(heads, dim // heads, dim)
        through = torch.einsum("nhe,hed->nhd", asked, key)
        scores = (through @ self.lift.weight) @ filled.mT + through @ places.mT
        # the same for all keys, and so without effect on the answer: kept so that every parameter has a gradient
        shared = through @ self.lift.bias + (asked * self.key.bias.reshape(heads, -1)).sum(-1)
        # a row of nothing but minus infinity has no softmax: that of an empty sweep is left as it is
        filling = ~real & real.any(1, keepdim=True)
        scores = (scores + shared[..., None]).masked_fill(filling[:, None], -torch.inf)
        weights = torch.softmax(scores, dim=-1)
        return torch.where(real[:, None], weights, 0)
