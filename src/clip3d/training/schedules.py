"""How a learning rate moves over the steps of a part."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

Shape = Literal["cosine", "constant", "one-cycle"]

LEAST = 1e-4  # of its start, at which one cycle ends


@dataclass(frozen=True)
class Schedule:
    """A linear rise, then a cosine fall or a constant rate; or one cycle.

    Attributes:
        shape: "cosine" or "constant", after the rise; or "one-cycle" (Smith and Topin 2019, annealed by cosines): a
            rise from `start` over the share `rise` of the steps, and a fall to a ten thousandth of `start`. What
            follows but these two is of the other shapes.
        warmup: steps of the rise.
        floor: share of the highest rate that a cosine ends at.
        period: steps after which the cosine starts again from the highest rate (Loshchilov and Hutter 2017); 0 for
            one fall over the whole run.
        start: share of the highest rate that one cycle starts from.
        rise: share of the steps over which it rises.

    Raises:
        ValueError: if the shape is none of these, or start or rise is out of range.
    """

    shape: Shape = "cosine"
    warmup: float = 0.0
    floor: float = 0.0
    period: int = 0
    start: float = 1 / 25
    rise: float = 0.1

    def __post_init__(self) -> None:
        if self.shape not in get_args(Shape):
            raise ValueError(f"a schedule must be one of {', '.join(get_args(Shape))}, got {self.shape!r}")
        if not (0 < self.start <= 1 and 0 < self.rise < 1):
            raise ValueError(f"start must lie in (0, 1] and rise in (0, 1), got {self.start} and {self.rise}")

    def factor(self, step: int, steps: int) -> float:
        """Share of the highest rate at a step of `steps`, counted from 0."""
        if self.shape == "one-cycle":
            return self._one_cycle(step, steps)
        if step < self.warmup:
            return min((step + 1) / self.warmup, 1.0)
        if self.shape == "constant":
            return 1.0
        fallen, length = step - self.warmup, steps - self.warmup
        if self.period:
            fallen, length = fallen % self.period, self.period
        share = fallen / max(length, 1)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * share))

    def _one_cycle(self, step: int, steps: int) -> float:
        """As PyTorch's OneCycleLR has it, whose rise ends between two steps where its share is no whole number."""
        summit, last = self.rise * steps - 1, steps - 1
        if summit > 0 and step <= summit:
            return _between(self.start, 1.0, step / summit)
        return _between(1.0, self.start * LEAST, (step - summit) / max(last - summit, 1e-9))


def _between(first: float, second: float, share: float) -> float:
    """From one to another by half a cosine."""
    return second + (first - second) * 0.5 * (1 + math.cos(math.pi * min(max(share, 0.0), 1.0)))


def own_steps(steps: int, place: int, parts: int) -> int:
    """How many of the steps are those of one of several parts that take turns: steps place, place + parts, …

    The turns go on over the ends of epochs, so that an odd number of batches an epoch favours no part.
    """
    return len(range(place, steps, parts))
