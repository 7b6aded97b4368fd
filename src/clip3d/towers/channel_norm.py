"""Batch norm for features whose channels come last."""

from __future__ import annotations

from torch import Tensor, nn


class ChannelNorm(nn.BatchNorm1d):
    """Batch norm (Ioffe and Szegedy 2015) over every axis but the last, so that points need not be transposed."""

    def forward(self, values: Tensor) -> Tensor:
        """(..., c) to the same shape; while training there must be more than one value a channel."""
        flat: Tensor = super().forward(values.reshape(-1, values.shape[-1]))
        return flat.reshape(values.shape)
