"""Dynamic voxel features: one vector for each non-empty pillar of its points, however many they are.

Y. Zhou et al., "End-to-End Multi-View Fusion for 3D Object Detection in LiDAR Point Clouds", CoRL 2019, section
3.1, in the form and with the numbers of LidarCLIP's published configuration.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clip3d.lidar.bev_grid import BevGrid
from clip3d.towers.folding import linear_norm
from clip3d.towers.pillars import Pillars, center_offsets

POINT_CHANNELS = 10


class PointLayer(nn.Module):
    """A linear map without bias, batch norm and ReLU over points."""

    def __init__(self, in_width: int, out_width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_width, out_width, bias=False)
        self.norm = nn.BatchNorm1d(out_width, eps=1e-3, momentum=0.01)

    def forward(self, points: Tensor, summary: Tensor | None = None, index: Tensor | None = None) -> Tensor:
        """Features (q, out_width) of points (q, c), beside each the summary (m, s) at its index (q,)."""
        return linear_norm(self.linear.weight, self.norm, points, summary, index).relu_()


class VoxelFeatures(nn.Module):
    """Pillars to vectors.

    A point is x, y, z, intensity, its offset from the mean of its pillar's points and that from the pillar's
    middle. Two layers; after each the maximum over a pillar's points, and the second sees it beside the point.

    Args:
        grid: of the pillars.
        hidden: width of the first layer.
        width: of a pillar's vector.
    """

    def __init__(self, grid: BevGrid, hidden: int = 64, width: int = 128) -> None:
        super().__init__()
        self.grid = grid
        self.width = width
        self.layers = nn.ModuleList([PointLayer(POINT_CHANNELS, hidden), PointLayer(2 * hidden, width)])

    def forward(self, pillars: Pillars) -> Tensor:
        """Vectors (m, width) of m pillars."""
        points = pillars.points
        if not len(points):
            return points.new_zeros(0, self.width)
        mean = pillars.mean(points[:, :3])
        offset = points[:, :3] - mean[pillars.pillar]
        first = self.layers[0](torch.cat([points, offset, center_offsets(pillars, self.grid)], dim=1))
        return pillars.maximum(self.layers[1](first, pillars.maximum(first), pillars.pillar))
