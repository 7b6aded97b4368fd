"""LidarCLIP's tower: a Single-stride Sparse Transformer over pillars, and attention pooling.

G. Hess, A. Tonderski et al., "LidarCLIP or: How I Learned to Talk to Point Clouds", WACV 2024, section 4.1, after
L. Fan et al., "Embracing Single Stride 3D Object Detector with Sparse Transformer", CVPR 2022. Plain PyTorch, the
same on every device.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from clip3d.lidar.bev_grid import BevGrid
from clip3d.towers.attention_pooling import AttentionPooling, QueryOver
from clip3d.towers.pillars import Pillars, group_points
from clip3d.towers.sweep_cells import SweepCells
from clip3d.towers.voxel_features import VoxelFeatures
from clip3d.towers.window_attention import WindowLayer, windows

EXTENT = (0.0, -20.0, -2.0, 40.0, 20.0, 4.0)


class SparseTransformerTower(nn.Module):
    """Sweeps, cut down to what a camera sees, to raw vectors. The defaults are the published tower's.

    Args:
        dim: length of a vector.
        extent: least x, y, z and largest x, y, z in metres; points outside are dropped.
        cell: side of a pillar in metres.
        width: of a pillar's vector.
        point_width: of the first layer over points.
        blocks: of two layers each, the second with windows shifted by half a window.
        heads: of the attention in windows.
        hidden: width of the layers' perceptrons.
        window: pillars along a window's side.
        pool_heads: of the attention pooling.
        query: see `AttentionPooling`.

    Attributes:
        grid: of the cells.
    """

    def __init__(
        self,
        dim: int = 512,
        extent: Sequence[float] = EXTENT,
        cell: float = 0.5,
        width: int = 128,
        point_width: int = 64,
        blocks: int = 4,
        heads: int = 8,
        hidden: int = 256,
        window: int = 12,
        pool_heads: int = 8,
        query: QueryOver = "all",
    ) -> None:
        super().__init__()
        self.grid = BevGrid.of(list(extent), cell)
        self.window = window
        self.features = VoxelFeatures(self.grid, point_width, width)
        layers = [[WindowLayer(width, heads, hidden, window) for _ in (0, 1)] for _ in range(blocks)]
        self.blocks = nn.ModuleList(nn.ModuleList(pair) for pair in layers)
        self.pool = AttentionPooling(width, dim, self.grid.cells, pool_heads, query)

    def forward(self, points: Tensor, counts: Tensor) -> Tensor:
        """Raw vectors (n, dim) of n sweeps, empty ones among them.

        Args:
            points: (p, 4) of all sweeps one after the other, or (n, p, 4) of sweeps filled up to one length: x
                forward, y left, z up in metres from the camera, intensity.
            counts: (n,) points of each sweep.
        """
        pillars = group_points(points, counts, self.grid)
        return self._pooled(self._body(pillars), pillars)

    def dense(self, points: Tensor, counts: Tensor) -> SweepCells:
        """The same vectors, and those of the cells."""
        pillars = group_points(points, counts, self.grid)
        features = self._body(pillars)
        cells = self.pool.each(features, pillars.cell)
        return SweepCells(self._pooled(features, pillars), cells, pillars.sample, pillars.cell)

    def bird_view(self, points: Tensor, counts: Tensor) -> Tensor:
        """What attention pooling sees as a map: (n, width, rows, columns), zeros where empty."""
        pillars = group_points(points, counts, self.grid)
        return pillars.map(self._body(pillars), self.grid)

    def _body(self, pillars: Pillars) -> Tensor:
        """Vectors (m, width) of the non-empty cells after all blocks."""
        cells: Tensor = self.features(pillars)
        where = [
            windows(pillars.sample, pillars.cell, self.grid, self.window, shift) for shift in (0, self.window // 2)
        ]
        for pair in self.blocks:
            assert isinstance(pair, nn.ModuleList)
            for number, plan in enumerate(where):
                cells = pair[number](cells, plan)
        return cells

    def _pooled(self, features: Tensor, pillars: Pillars) -> Tensor:
        found: Tensor = self.pool(features, pillars.sample, pillars.cell, pillars.batch)
        return found
