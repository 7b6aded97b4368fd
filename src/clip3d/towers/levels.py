"""What a cloud tower makes of parts of a cloud on its way to the feature of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


@contextmanager
def pooled_levels(levels: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """A list that fills, while a tower runs, with what its levels give, pooled over the parts of each cloud.

    Of each level first the maximum, then the mean (b, w); the parts' features are (b, m, w), perhaps behind the
    parts' places.
    """
    seen: list[Tensor] = []

    def keep(module: nn.Module, arguments: Any, given: Any) -> None:
        features = given[-1] if isinstance(given, tuple) else given
        seen.extend((features.amax(1), features.mean(1)))

    handles = [level.register_forward_hook(keep) for level in levels]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def with_levels(tower: Any, *inputs: Tensor) -> Tensor:
    """The pooled levels (b, 2 * sum of `level_widths`) of a tower without a head, and after them its feature."""
    with pooled_levels(tower.levels) as seen:
        feature: Tensor = tower(*inputs)
    return torch.cat([*seen, feature], dim=-1)
