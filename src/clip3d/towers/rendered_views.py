"""A cloud tower without weights of its own: an image tower that looks at pictures drawn of a cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from clip3d.render.splat import AROUND, View, splat_views
from clip3d.towers.catalogue import resolve
from clip3d.towers.image_weights import ImageWeights

MAX_VIEWS, MAX_SIZE = 64, 1024


class RenderedViewsTower(ImageWeights):
    """Gives any model that sees pictures a way to see clouds.

    A cloud is drawn from several sides as shaded discs (`clip3d.render.splat`), the image tower encodes each
    picture, and the mean of the unit vectors stands for the cloud. PointCLIP (Zhang et al. 2022, section 3.2) does
    so with depth maps (`clip3d.towers.depth_views`); shaded pictures in colour are nearer to what image towers were
    trained on.

    Args:
        architecture: of the image tower, a name in `clip3d.towers.catalogue`.
        image: keyword arguments of that architecture.
        size: pixels of a side of the pictures.
        mean: of the channels that the image tower expects, in [0, 1].
        std: of the channels, in [0, 1].
        views: azimuth and elevation of each picture in degrees; see `clip3d.render.splat.splat`.
        background: sRGB level in [0, 1] around the cloud.

    Raises:
        ValueError: if there is no view, more than `MAX_VIEWS`, or a picture has no pixel or a side over `MAX_SIZE`.
    """

    def __init__(
        self,
        architecture: str,
        image: Mapping[str, Any],
        *,
        size: int = 224,
        mean: Sequence[float] = (0.5, 0.5, 0.5),
        std: Sequence[float] = (0.5, 0.5, 0.5),
        views: Sequence[View] = AROUND,
        background: float = 1.0,
    ) -> None:
        super().__init__()
        if not 1 <= len(views) <= MAX_VIEWS:
            raise ValueError(f"views must be 1 to {MAX_VIEWS}, got {len(views)}")
        if not 1 <= size <= MAX_SIZE:
            raise ValueError(f"size must be 1 to {MAX_SIZE} pixels, got {size}")
        self.image: nn.Module = resolve(architecture)(**image)
        self.size = size
        self.mean, self.std = ([float(level) for level in levels] for levels in (mean, std))
        self.views: list[View] = [(float(azimuth), float(elevation)) for azimuth, elevation in views]
        self.background = background

    def forward(self, points: Tensor, colors: Tensor) -> Tensor:
        """Vectors (b, d) of unit length from clouds (b, p, 3), z up, and their sRGB colours (b, p, 3) in [0, 1].

        Drawing runs on the processor in NumPy and passes no gradient.
        """
        pictures = np.stack(
            [self._draw(xyz, rgb) for xyz, rgb in zip(_array(points), _array(colors), strict=True)]
        )
        pixels = torch.from_numpy(pictures).to(points.device).flatten(0, 1).permute(0, 3, 1, 2).float() / 255
        mean, std = (pixels.new_tensor(levels)[:, None, None] for levels in (self.mean, self.std))
        vectors = F.normalize(self.image((pixels - mean) / std), dim=-1)
        return F.normalize(vectors.reshape(len(points), len(self.views), -1).mean(1), dim=-1)

    def _draw(self, points: np.ndarray, colors: np.ndarray) -> np.ndarray:
        level = (self.background,) * 3
        return splat_views(points, colors, views=self.views, size=self.size, background=level)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy()
