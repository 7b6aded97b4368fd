"""A linear map or convolution and the batch norm after it, taken as one where the norm no longer learns.

With kept statistics a batch norm is an affine map of each channel, which the weights before it can hold: it then
costs nothing. The parameters stay apart, so that checkpoints and training know nothing of it.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


def linear_norm(
    weight: Tensor, norm: nn.BatchNorm1d, rows: Tensor, shared: Tensor | None = None, index: Tensor | None = None
) -> Tensor:
    """Batch norm of a map without bias of rows.

    The map of a row and what it shares with others, side by side, is the sum of two: that of what is shared is
    taken once for all. Of fewer than two rows no statistics can be had: while training, too, they are normed by
    the kept ones.

    Args:
        weight: (o, c), or (o, c + s) where something is shared.
        norm: of o channels.
        rows: (q, c).
        shared: (m, s) what stands beside them.
        index: (q,) which of those stands beside each row.

    Returns:
        (q, o).
    """
    learns = norm.training and len(rows) > 1
    shift = None
    if not learns:
        scale, shift = affine(norm)
        weight = weight * scale[:, None]
    if shared is None:
        lifted = F.linear(rows, weight, shift)
    else:
        own, other = weight[:, : rows.shape[1]], weight[:, rows.shape[1] :]
        lifted = F.linear(rows, own).add_(F.linear(shared, other, shift)[index])
    return norm(lifted) if learns else lifted


def convolution_norm(convolution: nn.Conv2d, norm: nn.BatchNorm2d, view: Tensor) -> Tensor:
    """Batch norm of the convolution without bias of a map (n, c, h, w)."""
    if norm.training:
        found: Tensor = norm(convolution(view))
        return found
    scale, shift = affine(norm)
    weight = convolution.weight * scale[:, None, None, None]
    return F.conv2d(
        view, weight, shift, convolution.stride, convolution.padding, convolution.dilation, convolution.groups
    )


def affine(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """By what a batch norm with kept statistics multiplies each channel, and what it adds: (c,) each."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    return scale, norm.bias - norm.running_mean * scale
