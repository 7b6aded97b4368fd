"""A cloud tower without weights of its own: an image tower that looks at depth maps of a cloud.

R. Zhang et al., "PointCLIP: Point Cloud Understanding by CLIP", CVPR 2022, section 3.2; T. Huang et al.,
"CLIP2Point: Transfer CLIP to Point Cloud Classification with Image-Depth Pre-training", ICCV 2023.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from clip3d.towers.catalogue import resolve
from clip3d.towers.depth_drawing import drawing_of
from clip3d.towers.image_weights import ImageWeights


class DepthViewsTower(ImageWeights):
    """Gives any model that sees pictures a way to see clouds, without training.

    PointCLIP's answer is the label with the largest sum over the views of weight times cosine. That sum is the
    product of the label's unit vector and the weighted sum of the views' unit vectors, so that this mean, which has
    not unit length, ranks labels alike; its length only scales the logits. Weights are settings: nothing searches
    for them.

    Args:
        architecture: of the image tower, a name in `clip3d.towers.catalogue`.
        image: keyword arguments of that architecture.
        drawing: how it is drawn: keyword arguments of `clip3d.towers.depth_drawing.DepthDrawing`.
        weights: of the views, one each, none below zero; all 1 if empty.

    Raises:
        ValueError: if weights are too few, too many, negative or all zero, or the drawing is stated wrongly.
    """

    def __init__(
        self,
        architecture: str,
        image: Mapping[str, Any],
        drawing: Mapping[str, Any],
        *,
        weights: Sequence[float] = (),
    ) -> None:
        super().__init__()
        self.draw = drawing_of(drawing)
        views = self.draw.views
        self.weights = [float(weight) for weight in weights or [1.0] * views]
        if len(self.weights) != views or min(self.weights) < 0 or not sum(self.weights) > 0:
            raise ValueError(f"weights must be {views} numbers, none below 0 and not all 0, got {self.weights}")
        self.image: nn.Module = resolve(architecture)(**image)

    def forward(self, points: Tensor, colors: Tensor) -> Tensor:
        """Vectors (b, d) of clouds (b, p, 3), z up, in the unit sphere: weighted means of the views' unit vectors.

        Colours (b, p, 3) are not looked at.
        """
        seen = F.normalize(self.look(points), dim=-1)
        weights = seen.new_tensor(self.weights)
        return (weights[:, None] * seen).sum(1) / weights.sum()

    def look(self, points: Tensor) -> Tensor:
        """What the image tower says of each view: raw vectors (b, v, d) of clouds (b, p, 3)."""
        return look(self.image, self.draw(points))


def look(image: nn.Module, pixels: Tensor) -> Tensor:
    """Raw vectors (b, v, d) that an image tower gives of pictures (b, v, 3, s, s)."""
    vectors: Tensor = image(pixels.flatten(0, 1))
    return vectors.reshape(*pixels.shape[:2], -1)
