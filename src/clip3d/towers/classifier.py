"""A classifier as a cloud tower: compared with labels, its vectors give the classifier's own probabilities.

From logits z, centred to mean 0, the tower makes the unit vector [z / S, sqrt(1 - |z / S|^2)]. A label's vector is
1 at its class and 0 elsewhere, so that the cosine of both is z_c / S, and a space of scale S gives softmax(z).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from clip3d.errors import ShapeError
from clip3d.towers.catalogue import resolve
from clip3d.towers.channel_norm import ChannelNorm
from clip3d.towers.levels import with_levels

# Architectures that give a feature instead of a vector, and how they are told to.
BACKBONES: dict[str, dict[str, Any]] = {
    "set-abstraction": {"dim": None},
    "ensemble": {"dim": None},
    "point-transformer": {"dim": None},
    "point-mlp": {"dim": None, "head": []},
}


class ClassifierTower(nn.Module):
    """Clouds to unit vectors with one number a class and one more.

    Args:
        architecture: of the backbone, a key of `BACKBONES`.
        backbone: keyword arguments of that architecture, with which it gives its feature.
        classes: number of them, at least 2.
        hidden: widths of layers between feature and logits; CG3D has (256,) for PointTransformer, (512, 256) for
            PointMLP (Hegde et al. 2023, published code).
        norm: whether a batch norm follows each of them, as for PointMLP.
        drop: dropout after each of them, or of the feature where there is none.
        levels: whether the head sees, beside the backbone's feature, what its levels make of parts of the cloud:
            the maximum and the mean of each.
        scale: largest length S of the centred logits, and the scale of the space.

    Raises:
        ValueError: if the architecture gives no feature, or a number is out of range.
    """

    def __init__(
        self,
        architecture: str,
        backbone: Mapping[str, Any],
        classes: int,
        *,
        hidden: Sequence[int] = (),
        norm: bool = False,
        drop: float = 0.5,
        levels: bool = False,
        scale: float = 100.0,
    ) -> None:
        super().__init__()
        if architecture not in BACKBONES:
            raise ValueError(f"{architecture!r} gives no feature to classify by: {', '.join(BACKBONES)} do")
        if classes < 2 or not scale > 0:
            raise ValueError(f"classes must be at least 2 and scale above 0, got {classes} and {scale}")
        self.backbone: nn.Module = resolve(architecture)(**{**backbone, **BACKBONES[architecture]})
        self.levels = levels
        width = int(self.backbone.feature_width) + (2 * sum(self.backbone.level_widths) if levels else 0)
        self.head = head_of([width, *hidden, classes], norm, drop)
        self.scale = float(scale)

    def logits(self, points: Tensor, colors: Tensor) -> Tensor:
        """Logits (b, classes) of clouds as the backbone takes them."""
        found: Tensor = self.head(self.features(points, colors))
        return found

    def features(self, points: Tensor, colors: Tensor) -> Tensor:
        """What the head sees of clouds: (b, w)."""
        found: Tensor = with_levels(self.backbone, points, colors) if self.levels else self.backbone(points, colors)
        return found

    def forward(self, points: Tensor, colors: Tensor, upright: Tensor | None = None) -> Tensor:
        """Unit vectors (b, classes + 1) of clouds.

        Args:
            points: (b, p, 3) float32 in the unit sphere, z up.
            colors: (b, p, 3) float32 in [0, 1].
            upright: (b,) bool; a classifier has no pose-free mode, so all must be True.

        Raises:
            ShapeError: for a cloud that is not upright.
        """
        if upright is not None and not bool(upright.all()):
            raise ShapeError("a classifier has no pose-free mode: clouds must be upright")
        return on_sphere(self.logits(points, colors), self.scale)


def on_sphere(logits: Tensor, scale: float) -> Tensor:
    """Unit vectors (b, c + 1) of logits (b, c); centred logits longer than the scale are shortened to it."""
    centred = (logits - logits.mean(1, keepdim=True)) / scale
    short = centred / torch.linalg.vector_norm(centred, dim=1, keepdim=True).clamp_min(1)
    rest = (1 - short.square().sum(1, keepdim=True)).clamp_min(0).sqrt()
    return torch.cat([short, rest], dim=1)


def head_of(widths: Sequence[int], norm: bool, drop: float) -> nn.Sequential:
    """A perceptron with ReLU and dropout; see `ClassifierTower`. `widths` begins with the feature's."""
    layers: list[nn.Module] = [] if len(widths) > 2 else [nn.Dropout(drop)]
    for inner, outer in pairwise(widths[:-1]):
        layers += [nn.Linear(inner, outer), *([ChannelNorm(outer)] if norm else []), nn.ReLU(), nn.Dropout(drop)]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))
