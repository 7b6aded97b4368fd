"""Points of sweeps grouped into the upright cells of a grid: only cells with points in them are kept."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from clip3d.errors import ShapeError
from clip3d.lidar.bev_grid import BevGrid


@dataclass(frozen=True)
class Pillars:
    """Points and the non-empty cells that they lie in, of a batch of n sweeps.

    Attributes:
        points: (q, 4) those inside the grid's extent: x, y, z in metres, intensity.
        pillar: (q,) which of the m non-empty cells each point lies in.
        sample: (m,) which of the n sweeps each cell belongs to, ascending.
        cell: (m,) its number in the grid, ascending within a sweep.
        batch: n.
    """

    points: Tensor
    pillar: Tensor
    sample: Tensor
    cell: Tensor
    batch: int

    def mean(self, values: Tensor) -> Tensor:
        """Mean (m, c) over each cell's points of values (q, c)."""
        total = values.new_zeros(len(self.cell), values.shape[1]).index_add_(0, self.pillar, values)
        number = torch.bincount(self.pillar, minlength=len(self.cell)).to(values.dtype)
        return total / number[:, None]

    def maximum(self, values: Tensor) -> Tensor:
        """Maximum (m, c) over each cell's points of values (q, c)."""
        index = self.pillar[:, None].expand_as(values)
        start = values.new_zeros(len(self.cell), values.shape[1])
        return start.scatter_reduce(0, index, values, "amax", include_self=False)

    def map(self, features: Tensor, grid: BevGrid) -> Tensor:
        """Map (n, c, rows, columns) of the cells' features (m, c), zeros where empty; channels last in memory."""
        canvas = features.new_zeros(self.batch * grid.cells, features.shape[1])
        canvas = canvas.index_copy(0, self.place(grid), features)
        return canvas.reshape(self.batch, grid.rows, grid.columns, -1).permute(0, 3, 1, 2)

    def place(self, grid: BevGrid) -> Tensor:
        """Number (m,) of each cell among those of all n maps."""
        return self.sample * grid.cells + self.cell


def group_points(points: Tensor, counts: Tensor, grid: BevGrid) -> Pillars:
    """Group the points of n sweeps; what lies outside the grid, NaN among it, is left out first.

    Args:
        points: (p, 4) of all sweeps one after the other, or (n, p, 4) of sweeps filled up to one length.
        counts: (n,) points of each sweep; what stands after them in a filled-up one is not looked at.
        grid: of the cells.

    Raises:
        ShapeError: if shapes or counts do not fit together.
    """
    points, sample = flat_points(points, counts)
    low = points.new_tensor(grid.extent[:3])
    sides = points.new_tensor([grid.size, grid.size, grid.extent[5] - grid.extent[2]])
    steps = torch.floor((points[:, :3] - low) / sides)
    inside = ((steps >= 0) & (steps < steps.new_tensor([grid.columns, grid.rows, 1]))).all(1)
    points, sample, steps = points[inside], sample[inside], steps[inside].long()
    place = sample * grid.cells + steps[:, 1] * grid.columns + steps[:, 0]
    # counting over the whole grid costs less than sorting the points
    occupied = torch.zeros(len(counts) * grid.cells, dtype=torch.bool, device=points.device)
    occupied[place] = True
    number = occupied.cumsum(0) - 1
    found = occupied.nonzero()[:, 0]
    return Pillars(
        points=points,
        pillar=number[place],
        sample=found // grid.cells,
        cell=found % grid.cells,
        batch=len(counts),
    )


def flat_points(points: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Points (p, 4) of sweeps as a tower is given them, and the sweep (p,) that each belongs to.

    Raises:
        ShapeError: if points and counts do not fit to each other.
    """
    if counts.dim() != 1 or points.dim() not in (2, 3) or points.shape[-1] != 4:
        reason = f"got points {tuple(points.shape)}, counts {tuple(counts.shape)}"
        raise ShapeError(f"a sweep tower takes points (p, 4) or (n, p, 4) and counts (n,): {reason}")
    n = len(counts)
    if points.dim() == 3:
        if len(points) != n or (counts > points.shape[1]).any():
            raise ShapeError(f"{n} counts do not fit to points {tuple(points.shape)}")
        kept = torch.arange(points.shape[1], device=points.device) < counts[:, None]
        points = points[kept]
    elif int(counts.sum()) != len(points):
        raise ShapeError(f"counts add up to {int(counts.sum())}, and there are {len(points)} points")
    return points, torch.repeat_interleave(torch.arange(n, device=points.device), counts)


def center_offsets(pillars: Pillars, grid: BevGrid) -> Tensor:
    """From the middle of its cell to each point: (q, 3) metres."""
    cell = pillars.cell[pillars.pillar]
    steps = torch.stack([cell % grid.columns, cell // grid.columns], 1).to(pillars.points.dtype)
    across = pillars.points[:, :2] - ((steps + 0.5) * grid.size + pillars.points.new_tensor(grid.extent[:2]))
    up = pillars.points[:, 2:3] - (grid.extent[2] + grid.extent[5]) / 2
    return torch.cat([across, up], dim=1)
