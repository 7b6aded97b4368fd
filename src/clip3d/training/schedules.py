"""How a learning rate moves over the steps of a part."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Shape = Literal["cosine", "constant"]


@dataclass(frozen=True)
class Schedule:
    """A linear rise, then a cosine fall or a constant rate.

    Attributes:
        shape: "cosine" or "constant", after the rise.
        warmup: steps of the rise.
        floor: share of the highest rate that a cosine ends at.
        period: steps after which the cosine starts again from the highest rate (Loshchilov and Hutter 2017); 0 for
            one fall over the whole run.

    Raises:
        ValueError: if the shape is neither.
    """

    shape: Shape = "cosine"
    warmup: float = 0.0
    floor: float = 0.0
    period: int = 0

    def __post_init__(self) -> None:
        if self.shape not in get_args(Shape):
            raise ValueError(f"a schedule must be one of {', '.join(get_args(Shape))}, got {self.shape!r}")

    def factor(self, step: int, steps: int) -> float:
        """Share of the highest rate at a step of `steps`, counted from 0."""
        if step < self.warmup:
            return min((step + 1) / self.warmup, 1.0)
        if self.shape == "constant":
            return 1.0
        fallen, length = step - self.warmup, steps - self.warmup
        if self.period:
            fallen, length = fallen % self.period, self.period
        share = fallen / max(length, 1)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * share))


def own_steps(steps: int, place: int, parts: int) -> int:
    """How many of the steps are those of one of several parts that take turns: steps place, place + parts, …

    The turns go on over the ends of epochs, so that an odd number of batches an epoch favours no part.
    """
    return len(range(place, steps, parts))
