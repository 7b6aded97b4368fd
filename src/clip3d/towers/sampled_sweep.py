"""A cloud tower made to look at sweeps: the baseline that a sweep tower is to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from clip3d.towers.catalogue import resolve
from clip3d.towers.grouping import farthest_points
from clip3d.towers.pillars import flat_points
from clip3d.towers.sst import EXTENT

# Farthest points are chosen among so many times as many, evenly taken from the sweep.
CANDIDATES = 4


class SampledSweepTower(nn.Module):
    """Sweeps to raw vectors by a tower that takes a fixed number of points.

    Of the points within the extent some are taken evenly in the sensor's order, and of those the farthest from
    each other; near ground would fill a random sample. They are moved and scaled so that the extent's longest side
    is from -1 to 1. Intensity stands for all three colours. A sweep with fewer points repeats them; one without is
    seen as a single point in the middle.

    Args:
        architecture: of the cloud tower, a name in `clip3d.towers.catalogue`.
        cloud: keyword arguments of that architecture.
        points: that it is shown.
        extent: least x, y, z and largest x, y, z in metres.

    Raises:
        ValueError: if points are fewer than one or the extent is none.
    """

    def __init__(
        self,
        architecture: str,
        cloud: Mapping[str, Any],
        points: int = 1024,
        extent: Sequence[float] = EXTENT,
    ) -> None:
        super().__init__()
        if points < 1 or len(extent) != 6 or not all(a < b for a, b in zip(extent[:3], extent[3:], strict=True)):
            raise ValueError(f"cannot show {points} points within {list(extent)}")
        self.points = points
        self.extent = tuple(map(float, extent))
        self.cloud: nn.Module = resolve(architecture)(**cloud)

    def forward(self, points: Tensor, counts: Tensor) -> Tensor:
        """Raw vectors (n, d) of n sweeps, empty ones among them: see `clip3d.towers.sst`."""
        flat, _ = flat_points(points, counts)
        shown = torch.stack([self._shown(part) for part in torch.split(flat, counts.tolist())])
        found: Tensor = self.cloud(shown[..., :3].contiguous(), shown[..., 3:].expand(-1, -1, 3).contiguous())
        return found

    def _shown(self, points: Tensor) -> Tensor:
        """Points (self.points, 4) of a sweep (p, 4), scaled."""
        low, high = points.new_tensor(self.extent).reshape(2, 3)
        points = points[((points[:, :3] >= low) & (points[:, :3] < high)).all(1)]
        if not len(points):
            return points.new_zeros(self.points, 4)
        evenly = torch.linspace(0, len(points) - 1, min(len(points), CANDIDATES * self.points)).long()
        points = points[evenly.to(points.device)]
        scaled = (points[:, :3] - (low + high) / 2) / ((high - low).max() / 2)
        chosen = farthest_points(scaled[None], self.points)[0]
        return torch.cat([scaled, points[:, 3:]], dim=1)[chosen]
