"""What is trained and how: the settings of a run, and its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from torch import Tensor, nn

from clip3d.errors import ShapeError
from clip3d.training.optimisers import Optimiser
from clip3d.training.schedules import Schedule

Precision = Literal["none", "bf16", "fp16"]
Batches = Callable[[int], Iterator[Any]]
Validate = Callable[[nn.Module], dict[str, float]]
LossOf = Callable[[nn.Module, Any], Tensor]


@dataclass(frozen=True)
class Run:
    """What all parts of a run share.

    Attributes:
        steps: steps of the whole run, over all parts.
        average: decay of the exponential moving average of the weights that is the result; 0 for the last weights.
        checkpoint_every: steps between checkpoints.
        validate_every: steps between validations.
        log_every: steps between lines of progress.
        precision: "none" for float32, "bf16", or "fp16" with scaled gradients.
        accumulate: batches whose gradients are averaged for one step.
        tensorboard: write the numbers for TensorBoard too (extra `research`).
    """

    steps: int = 1500
    average: float = 0.995
    checkpoint_every: int = 100
    validate_every: int = 300
    log_every: int = 20
    precision: Precision = "none"
    accumulate: int = 1
    tensorboard: bool = False

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            known = ", ".join(get_args(Precision))
            raise ValueError(f"a precision must be one of {known}, got {self.precision!r}")
        least = {"steps": 0, "checkpoint_every": 1, "validate_every": 1, "log_every": 1, "accumulate": 1}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise ValueError(f"{name} must be at least {lowest}, got {getattr(self, name)}")
        if not 0 <= self.average < 1:
            raise ValueError(f"average must be at least 0 and below 1, got {self.average}")


@dataclass(frozen=True)
class Optimisation(Run):
    """How the weights of a run of one part are moved.

    Attributes:
        lr: highest learning rate.
        weight_decay: AdamW's, on matrices only.
        warmup: steps of linear rise before the cosine fall to a hundredth.
        clip: largest norm of the gradient; 0 for any.
        compile: let `torch.compile` have the module.
    """

    lr: float = 1e-3
    weight_decay: float = 0.05
    warmup: int = 50
    clip: float = 5.0
    compile: bool = False


@dataclass(frozen=True)
class Part:
    """Parameters that are moved together, and the loss that moves them.

    Attributes:
        loss_of: the loss of one step, from the module and what `Batches` gives; by default that is the step's own
            generator of random numbers.
        optimiser: how they are moved.
        schedule: of the learning rate, over the part's own steps.
        clip: largest norm of the part's gradient; 0 for any.
        name: of the part.
        owns: tells from a parameter's name whether it belongs to the part.
    """

    loss_of: LossOf
    optimiser: Optimiser = field(default_factory=Optimiser)
    schedule: Schedule = field(default_factory=Schedule)
    clip: float = 0.0
    name: str = "all"
    owns: Callable[[str], bool] = lambda name: True


@dataclass(frozen=True)
class Watch:
    """A number of the validations that decides which weights are the result: those where it was highest.

    Attributes:
        number: its name; one that begins with "-" is best where lowest.
        patience: validations without a better one after which the run ends; 0 for never.
    """

    number: str
    patience: int = 0

    def of(self, numbers: Mapping[str, float]) -> float:
        """The number, so that higher is better."""
        name = self.number.removeprefix("-")
        if name not in numbers:
            raise ShapeError(f"there is no number {name!r} to watch: validation gives {', '.join(numbers)}")
        return -numbers[name] if self.number.startswith("-") else numbers[name]
