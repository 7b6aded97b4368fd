"""Vectors of the cells of a sweep, and of the boxes that stand on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError
from clip3d.lidar.bev_grid import BevGrid

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class CellFeatures:
    """What a sweep tower says of each non-empty cell, in the space of its vectors.

    Attributes:
        features: (m, d) float32.
        cells: (m,) their numbers in the grid, ascending.
        grid: where the cells lie, in the frustum's frame.
    """

    features: Array
    cells: NDArray[np.intp]
    grid: BevGrid

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or self.cells.shape != (len(self.features),):
            raise ShapeError(f"cells {self.cells.shape} do not fit to features {self.features.shape}")

    @property
    def centers(self) -> Array:
        """Middles (m, 2) of the cells: x and y in metres."""
        return self.grid.centers(self.cells)

    @property
    def occupied(self) -> NDArray[np.bool_]:
        """Map (rows, columns) of the non-empty cells: row along y, column along x."""
        found = np.zeros(self.grid.cells, bool)
        found[self.cells] = True
        return found.reshape(self.grid.rows, self.grid.columns)

    def map(self) -> Array:
        """Map (rows, columns, d) of the features, zeros where empty."""
        found = np.zeros((self.grid.cells, self.features.shape[1]), np.float32)
        found[self.cells] = self.features
        return found.reshape(self.grid.rows, self.grid.columns, -1)


@dataclass(frozen=True, eq=False)
class SweepFeatures:
    """Vectors of n sweeps and of their cells.

    Attributes:
        vectors: (n, d) float32.
        cells: of each sweep.
    """

    vectors: Array
    cells: tuple[CellFeatures, ...]
