"""What a sweep tower says of single cells."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class SweepCells:
    """Vectors of n sweeps and of their m non-empty cells.

    Attributes:
        vectors: (n, d) of the sweeps, raw.
        cells: (m, d) of the non-empty cells, raw, in the same space.
        sample: (m,) which sweep each belongs to, ascending.
        cell: (m,) its number in the tower's grid: row * columns + column, row along y, column along x.
    """

    vectors: Tensor
    cells: Tensor
    sample: Tensor
    cell: Tensor
