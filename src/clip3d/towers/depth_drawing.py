"""Depth maps of clouds as an image tower takes them, in the ways of PointCLIP and of CLIP2Point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from clip3d.render.clip2point_depth import DIRECTIONS, disc_depth_maps
from clip3d.render.depth import depth_maps

Style = Literal["pointclip", "clip2point"]
MAX_SIDE = 1024
# Pixels of a side on which PointCLIP projects points: few for zero-shot, so that they lie close, then enlarged.
PROJECTED = {6: 128, 10: 224}


@dataclass(frozen=True)
class DepthDrawing:
    """How depth maps of a cloud become pixels.

    Attributes:
        style: "pointclip" for the maps of `clip3d.render.depth`, whose values are depths from 0 for empty to 2.6,
            enlarged bilinearly; "clip2point" for the grey levels of `clip3d.render.clip2point_depth`.
        views: 6 or 10 directions, those of the style.
        size: pixels of a side that the image tower takes.
        mean: of the channels that the image tower expects, in [0, 1]; none if empty: PointCLIP's published code
            puts the depths in as they are, CLIP2Point's scales its grey levels as photographs.
        std: of the channels, in [0, 1]; as many as there are means.

    Raises:
        ValueError: if a number or the style is none of these.
    """

    style: Style = "pointclip"
    views: int = 6
    size: int = 224
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.style not in get_args(Style):
            raise ValueError(f"style must be one of {', '.join(get_args(Style))}, got {self.style!r}")
        if self.views not in PROJECTED:
            raise ValueError(f"views must be 6 or 10, got {self.views}")
        if not 1 <= self.size <= MAX_SIDE:
            raise ValueError(f"size must be 1 to {MAX_SIDE} pixels, got {self.size}")
        if len(self.mean) not in (0, 3) or len(self.std) != len(self.mean):
            raise ValueError("mean and std must have three entries each, or none")

    def __call__(self, points: Tensor) -> Tensor:
        """Pixels (b, v, 3, size, size) from clouds (b, p, 3), z up; on the processor in NumPy, without gradient."""
        clouds = points.detach().float().cpu().numpy()
        maps = torch.from_numpy(np.stack([self._maps(xyz) for xyz in clouds])).to(points.device)
        if maps.shape[-1] != self.size:
            maps = F.interpolate(maps, size=(self.size, self.size), mode="bilinear", align_corners=True)
        return self.prepare(maps)

    def prepare(self, maps: Tensor) -> Tensor:
        """Maps (…, s, s) in three channels (…, 3, s, s), scaled as the image tower expects."""
        pixels = maps.unsqueeze(-3).expand(*maps.shape[:-2], 3, *maps.shape[-2:])
        if not self.mean:
            return pixels
        mean, std = (pixels.new_tensor(levels)[:, None, None] for levels in (self.mean, self.std))
        return (pixels - mean) / std

    def _maps(self, points: np.ndarray) -> np.ndarray:
        if self.style == "pointclip":
            return depth_maps(points, 6 if self.views == 6 else 10, PROJECTED[self.views])
        return disc_depth_maps(points, DIRECTIONS[self.views], self.size)


def drawing_of(settings: Mapping[str, Any]) -> DepthDrawing:
    """A drawing from what a model's card states, in which tuples are lists.

    Raises:
        TypeError: if a setting is unknown.
        ValueError: as `DepthDrawing` does.
    """
    values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in settings.items()}
    return DepthDrawing(**values)
