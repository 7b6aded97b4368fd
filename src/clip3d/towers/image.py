"""The image tower: EfficientNet-Lite0 and a head that answers in the space of the text tower.

Trunk: M. Tan and Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019,
table 1, in the Lite form that its authors released in 2020: no squeeze-and-excitation, ReLU6 for swish, stem and
head not scaled. Inverted residual blocks: M. Sandler et al., "MobileNetV2", CVPR 2018, section 3.

Head: M. Norouzi et al., "Zero-Shot Learning by Convex Combination of Semantic Embeddings", ICLR 2014, with a
trained addition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Blocks, kernel, stride of the first block, expansion, channels out; B0 of table 1.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM_WIDTH = 32
FEATURES = 1280
BATCH_NORM_EPS = 1e-3


class SameConv(nn.Module):
    """Convolution padded as TensorFlow's SAME, batch norm and, unless `linear`, ReLU6.

    At stride 2 an even side is padded by one pixel less on the left and top than on the right and bottom; the
    published weights were trained so. `fold` merges the batch norm into the convolution.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, linear: bool = False
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outputs, eps=BATCH_NORM_EPS)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, ceil(h / stride), ceil(w / stride))."""
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        if kernel > 1:
            x = F.pad(x, (*_same_padding(x.shape[3], kernel, stride), *_same_padding(x.shape[2], kernel, stride)))
        x = self.norm(self.conv(x))
        return x if self.linear else F.relu6(x)

    def fold(self) -> None:
        """Merge the batch norm, as it acts in eval mode, into weight and bias of the convolution."""
        if isinstance(self.norm, nn.Identity):
            return
        norm = cast(nn.BatchNorm2d, self.norm)
        mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
        gain = (norm.weight / torch.sqrt(variance + norm.eps)).detach()
        self.conv.weight.data = self.conv.weight.data * gain[:, None, None, None]
        self.conv.bias = nn.Parameter((norm.bias - mean * gain).detach())
        self.norm = nn.Identity()


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; added to its input where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = inputs * expansion
        self.expand = SameConv(inputs, width, 1) if expansion > 1 else nn.Identity()
        self.depthwise = SameConv(width, width, kernel, stride, groups=width)
        self.project = SameConv(width, outputs, 1, linear=True)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, ceil(h / stride), ceil(w / stride))."""
        y = cast(Tensor, self.project(self.depthwise(self.expand(x))))
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """Pixels (n, 3, s, s) in [-1, 1] to features (n, 1280), each in [0, 6].

    Args:
        folded: build without batch norms, for weights whose norms were merged by `fold`.
    """

    def __init__(self, folded: bool = False) -> None:
        super().__init__()
        self.stem = SameConv(3, STEM_WIDTH, 3, 2)
        self.blocks = nn.Sequential(*_blocks())
        self.head = SameConv(STAGES[-1][-1], FEATURES, 1)
        if folded:
            self.fold()

    def forward(self, pixels: Tensor) -> Tensor:
        """Features of square pictures; the side should be a multiple of 32, 224 is what it was trained at."""
        return self.maps(pixels).mean((2, 3))

    def maps(self, pixels: Tensor) -> Tensor:
        """The same before the mean over the picture: (n, 1280, s / 32, s / 32)."""
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        return cast(Tensor, self.head(self.blocks(self.stem(pixels))))

    def fold(self) -> None:
        """Merge every batch norm into its convolution."""
        for module in self.modules():
            if isinstance(module, SameConv):
                module.fold()


def _blocks() -> list[nn.Module]:
    blocks: list[nn.Module] = []
    inputs = STEM_WIDTH
    for repeats, kernel, stride, expansion, outputs in STAGES:
        for i in range(repeats):
            blocks.append(InvertedResidual(inputs, outputs, kernel, stride if i == 0 else 1, expansion))
            inputs = outputs
    return blocks


def _same_padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    total = max((-(side // -stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


class SemanticHead(nn.Module):
    """Features to a vector in the space of the text tower.

    A classifier's probabilities mix the text directions of its classes (ConSE), and a small network, trained on
    pictures of captioned objects, adds what the classes do not know. A second one may do so for pictures of
    streets, as far as a gate takes a picture for such, so that neither kind is learned at the cost of the other (a
    mixture of experts, Jacobs et al. 1991).

    Args:
        dim: d of the space.
        classes: number of classes of the classifier.
        hidden: width of the small network.
        streets: width of the one for streets; 0 for none.
    """

    mean: Tensor

    def __init__(self, dim: int, classes: int, hidden: int, streets: int = 0) -> None:
        super().__init__()
        self.streets = streets
        self.classifier = nn.Linear(FEATURES, classes)
        self.directions = nn.Parameter(torch.zeros(classes, dim))
        self.narrow = nn.Linear(FEATURES, hidden)
        self.widen = nn.Linear(hidden, dim)
        if streets:
            self.street_narrow = nn.Linear(FEATURES, streets)
            self.street_widen = nn.Linear(streets, dim)
            self.gate = nn.Linear(FEATURES, 1)
        self.register_buffer("mean", torch.zeros(dim))

    def forward(self, features: Tensor, whole: Tensor | None = None) -> Tensor:
        """Features (n, 1280) to vectors (n, d) of unit length that lie in the space's cone.

        Args:
            features: of pictures, or of places in pictures.
            whole: (n, 1280) of the pictures that the places are in, by which the gate judges; None for the same.
        """
        return place_in_space(self.direction(features, whole), self.mean)

    def direction(self, features: Tensor, whole: Tensor | None = None) -> Tensor:
        """Features (n, 1280) to centred directions (n, d), of any length."""
        return self.by_classes(features) + self.addition(features, whole)

    def by_classes(self, features: Tensor) -> Tensor:
        """What the classifier alone says: the mean of its classes' directions, weighted by their probabilities."""
        return cast(Tensor, self.classifier(features).softmax(1) @ self.directions)

    def addition(self, features: Tensor, whole: Tensor | None = None) -> Tensor:
        """What the small network adds, or both."""
        plain = self.widen(F.relu(self.narrow(features)))
        if not self.streets:
            return cast(Tensor, plain)
        street = self.street_widen(F.relu(self.street_narrow(features)))
        opened = self.gate(features if whole is None else whole).sigmoid()
        return cast(Tensor, plain + opened * (street - plain))


class ImageTower(nn.Module):
    """Pixels to vectors of the text space, with batch norms merged.

    Args:
        dim: d of the space.
        classes: number of classes whose text directions are mixed.
        hidden: width of the head's small network.
        streets: width of the one for pictures of streets; 0 for none.
    """

    any_size = True  # of pictures, in multiples of 32

    def __init__(self, dim: int = 512, classes: int = 1000, hidden: int = 256, streets: int = 0) -> None:
        super().__init__()
        self.trunk = EfficientNetLite0(folded=True)
        self.head = SemanticHead(dim, classes, hidden, streets)

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, 3, s, s) float32 in [-1, 1] to (n, d) of unit length."""
        return cast(Tensor, self.head(self.trunk(pixels)))

    def dense(self, pixels: Tensor) -> Tensor:
        """What the head says of each place: (n, 3, s, s) to (n, s / 32, s / 32, d); s a multiple of 32."""
        maps = self.trunk.maps(pixels).permute(0, 2, 3, 1)
        whole = maps.mean((1, 2), keepdim=True).expand_as(maps)
        return cast(Tensor, self.head(maps.flatten(0, 2), whole.flatten(0, 2))).reshape(*maps.shape[:3], -1)


def place_in_space(direction: Tensor, mean: Tensor) -> Tensor:
    """The vectors v (n, d) of unit length for which v - mean points along `direction` (n, d); mean is (d,).

    With u the unit direction, v = mean + r u and |v| = 1 give r = -u.mean + sqrt((u.mean)^2 + 1 - |mean|^2), which
    is positive since the mean of unit vectors is shorter than 1.
    """
    u = F.normalize(direction, dim=1)
    along = u @ mean
    r = -along + torch.sqrt(along**2 + 1 - mean @ mean)
    return mean + r[:, None] * u


def rename_published(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """The published checkpoint's tensors under the names of `EfficientNetLite0`.

    Key map (`i` is a block): `_conv_stem`, `_bn0` become `stem`; `_blocks.i._expand_conv`, `_bn0` become
    `blocks.i.expand`; `_depthwise_conv`, `_bn1` become `depthwise`; `_project_conv`, `_bn2` become `project`;
    `_conv_head`, `_bn1` become `head`. `_fc` is the classifier.

    Returns:
        The trunk's state, the classifier's weight (1000, 1280) and bias (1000,).
    """
    trunk = {_renamed(name): tensor for name, tensor in state.items() if not name.startswith("_fc.")}
    return trunk, state["_fc.weight"], state["_fc.bias"]


_RENAMED_IN_BLOCK = {
    "_expand_conv": "expand.conv", "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv", "_bn1": "depthwise.norm",
    "_project_conv": "project.conv", "_bn2": "project.norm",
}  # fmt: skip
_RENAMED = {"_conv_stem": "stem.conv", "_bn0": "stem.norm", "_conv_head": "head.conv", "_bn1": "head.norm"}


def _renamed(name: str) -> str:
    block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if block:
        return f"blocks.{block[1]}.{_RENAMED_IN_BLOCK[block[2]]}.{block[3]}"
    layer, tensor = name.split(".")
    return f"{_RENAMED[layer]}.{tensor}"
