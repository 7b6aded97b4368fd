"""The grid of upright cells, seen from above, that sweep towers cut the ground into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError

Extent = tuple[float, float, float, float, float, float]

# A table of positions or a map of more cells is no grid of a street, but a card that asks for the machine's memory.
MOST_CELLS = 2**20


@dataclass(frozen=True)
class BevGrid:
    """Square cells on the ground, each as high as the extent: row = index along y, column = index along x.

    Cell number `row * columns + column`. The defaults are LidarCLIP's (section 4.1, and its configuration).

    Attributes:
        extent: least x, y, z and largest x, y, z in metres, in the frustum's frame (x forward, y left, z up).
        size: of a cell's side in metres.

    Raises:
        ShapeError: if the extent is empty, or is no multiple of the cells' size in x and y.
    """

    extent: Extent = (0.0, -20.0, -2.0, 40.0, 20.0, 4.0)
    size: float = 0.5

    def __post_init__(self) -> None:
        if len(self.extent) != 6 or not np.isfinite([*self.extent, self.size]).all() or self.size <= 0:
            raise ShapeError(f"a grid needs a finite extent of six numbers and cells with a side, got {self}")
        low, high = np.array(self.extent[:3]), np.array(self.extent[3:])
        sides = (high - low)[:2] / self.size
        if (high <= low).any() or not np.allclose(sides, sides.round(), atol=1e-6):
            raise ShapeError(f"the extent of a grid must hold whole cells of {self.size} m, got {self.extent}")
        if self.cells > MOST_CELLS:
            raise ShapeError(f"a grid may have {MOST_CELLS} cells, this one has {self.cells}")

    @classmethod
    def of(cls, values: Extent | list[float], size: float) -> BevGrid:
        """A grid of numbers as a card holds them."""
        numbers = tuple(float(value) for value in values)
        if len(numbers) != 6:
            raise ShapeError(f"the extent of a grid must be six numbers, got {len(numbers)}")
        return cls((numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]), float(size))

    @property
    def columns(self) -> int:
        """Cells along x."""
        return round((self.extent[3] - self.extent[0]) / self.size)

    @property
    def rows(self) -> int:
        """Cells along y."""
        return round((self.extent[4] - self.extent[1]) / self.size)

    @property
    def cells(self) -> int:
        """Cells in all."""
        return self.rows * self.columns

    def cell_of(self, xyz: NDArray[np.floating]) -> NDArray[np.intp]:
        """Cell numbers (n,) of points (n, 3); -1 for one that is outside, NaN among them."""
        low = np.array(self.extent[:3], np.float32)
        with np.errstate(invalid="ignore"):
            sides = np.array([self.size, self.size, self.extent[5] - self.extent[2]], np.float32)
            steps = np.floor((np.asarray(xyz) - low) / sides)
            inside = np.all((steps >= 0) & (steps < np.array([self.columns, self.rows, 1])), axis=1)
        column, row = np.where(np.expand_dims(inside, 1), steps, 0).astype(np.intp).T[:2]
        cell: NDArray[np.intp] = np.where(inside, row * self.columns + column, -1)
        return cell

    def centers(self, cells: NDArray[np.integer]) -> NDArray[np.float32]:
        """Middles (m, 2) float32 of cells (m,): x and y in metres."""
        row, column = np.divmod(np.asarray(cells), self.columns)
        middles = np.stack([column, row], axis=1) + 0.5
        found: NDArray[np.float32] = (middles * self.size + np.array(self.extent[:2])).astype(np.float32)
        return found
