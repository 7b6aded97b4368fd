"""A cloud tower adapted by few labelled clouds: depth maps, one or two image towers, an adapter over the views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from clip3d.towers.catalogue import resolve
from clip3d.towers.depth_drawing import drawing_of
from clip3d.towers.depth_views import look
from clip3d.towers.inter_view import ADAPTERS


class AdaptedViewsTower(nn.Module):
    """Clouds into the space of the image tower that sees their depth maps, so that labels stay free.

    Args:
        architecture: of the image towers, a name in `clip3d.towers.catalogue`.
        image: keyword arguments of that architecture.
        drawing: keyword arguments of `clip3d.towers.depth_drawing.DepthDrawing`.
        adapter: "inter-view" for PointCLIP's, with one image tower, or "dual-path" for CLIP2Point's, with two: the
            one that was trained on depth maps, and CLIP's own.
        dim: d of the space.

    Raises:
        ValueError: if there is no such adapter, or the drawing is stated wrongly.
    """

    def __init__(
        self, architecture: str, image: Mapping[str, Any], drawing: Mapping[str, Any], *, adapter: str, dim: int
    ) -> None:
        super().__init__()
        if adapter not in ADAPTERS:
            raise ValueError(f"adapter must be one of {', '.join(ADAPTERS)}, got {adapter!r}")
        self.draw = drawing_of(drawing)
        self.dual = adapter == "dual-path"
        self.images = nn.ModuleList(resolve(architecture)(**image) for _ in range(2 if self.dual else 1))
        self.adapter = ADAPTERS[adapter](self.draw.views, dim)

    def forward(self, points: Tensor, colors: Tensor) -> Tensor:
        """Vectors (b, d) of clouds (b, p, 3), z up, in the unit sphere; colours (b, p, 3) are not looked at."""
        return cast(Tensor, self.adapter(self.look(points)))

    def look(self, points: Tensor) -> Tensor:
        """What the adapter takes: raw vectors (b, v, d) of the views, or (b, 2, v, d) with two image towers."""
        pixels: Tensor = self.draw(points)
        seen = [look(image, pixels) for image in self.images]
        return torch.stack(seen, 1) if self.dual else seen[0]
