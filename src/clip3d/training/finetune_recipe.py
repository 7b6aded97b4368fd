"""What a fine-tuning is: one dataclass, which a recipe of the kind "finetune" fills."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from clip3d.clouds.augmenting import Augmentation
from clip3d.errors import ShapeError
from clip3d.training.optimisers import Optimiser
from clip3d.training.parts import Run, Watch
from clip3d.training.schedules import Schedule


def _changes() -> Augmentation:
    return Augmentation(scale=(0.8, 1.25), turn=0.0, jitter=0.3)


WHOLE, HEAD = "tower.", "tower.head."  # how the names of all parameters, and of the head's, begin


def _optimiser() -> Optimiser:
    return Optimiser(lr=1e-3, weight_decay=0.05, rates={WHOLE: 1e-4})


def _schedule() -> Schedule:
    return Schedule(warmup=10.0, floor=0.01)


def _run() -> Run:
    return Run(steps=100, average=0.98, checkpoint_every=25, validate_every=25, log_every=10)


def _watch() -> Watch:
    return Watch("-loss")


@dataclass(frozen=True)
class FinetuneRecipe:
    """One set-up of a classifier that is trained on labelled clouds. The defaults suit `mini` on two cores.

    Attributes:
        seed: of the subset, the weights of the head and the batches.
        model: whose cloud tower is the backbone.
        from_scratch: give the backbone random weights: the same architecture without what it was trained on.
        head_only: leave the backbone as it is, with its statistics of normalisation.
        fixed_norms: train the backbone, but keep its statistics of normalisation; random weights have none to keep.
        probe_first: let the head, which must be without hidden layers then, begin as a logistic regression of what
            the backbone gives; one of random weights gives nothing to go by, and does without.
        fraction: of the training clouds, the same share of each class.
        shots: training clouds of each class; 0 for the fraction.
        validation: share of the chosen training clouds that is held out to choose the weights; 0 for none, and
            none in any case where `shots` are given. The result is then the last weights.
        points: points the tower sees, in training and in use.
        pool: points in farthest-point order among which those of a step are drawn.
        unit: bring a cloud back to the unit sphere after it was changed.
        batch: clouds of which gradients are worked out at once; `run.accumulate` of them make a step.
        epochs: of the run, in place of the steps of `run`; the schedule's warm-up then counts epochs too. 0 for
            the steps.
        smoothing: share of a target that is spread over all classes.
        votes: passes over the test clouds, each with another draw of points, scale and shift, whose logits are
            averaged; 1 for one pass over clouds that are prepared as in use.
        hidden: widths of layers between feature and logits.
        norm: whether a batch norm follows each of them.
        levels: let the head see what the backbone makes of parts of a cloud, beside its feature of the whole.
        drop: dropout after each of them, or of the feature where there is none.
        clip: largest norm of the gradient; 0 for any.
        augmentation: changes to a cloud before it is shown.
        optimiser: how weights are moved; `rates` may give "tower." (all of them), "tower.backbone." or
            "tower.head." a rate of their own; with a backbone of random weights only the head's counts.
        schedule: of the learning rate.
        run: steps, averaging, and how often is told, kept and validated.
        watch: which number of the validations chooses the weights, and when to stop: accuracy, class_mean or -loss.

    Raises:
        ShapeError: if a number is out of range.
    """

    seed: int = 0
    model: str = "mini"
    from_scratch: bool = False
    head_only: bool = False
    fixed_norms: bool = True
    probe_first: bool = True
    fraction: float = 1.0
    shots: int = 0
    validation: float = 0.1
    points: int = 256
    pool: int = 320
    unit: bool = True
    batch: int = 32
    epochs: int = 0
    smoothing: float = 0.0
    votes: int = 1
    hidden: tuple[int, ...] = ()
    norm: bool = False
    levels: bool = True
    drop: float = 0.3
    clip: float = 5.0
    augmentation: Augmentation = field(default_factory=_changes)
    optimiser: Optimiser = field(default_factory=_optimiser)
    schedule: Schedule = field(default_factory=_schedule)
    run: Run = field(default_factory=_run)
    watch: Watch = field(default_factory=_watch)

    def __post_init__(self) -> None:
        shares = {"fraction": 0 < self.fraction <= 1, "validation": 0 <= self.validation < 1}
        least = {name: getattr(self, name) >= 1 for name in ("points", "batch", "votes")}
        others = {
            "pool": self.pool >= self.points,
            "shots": self.shots >= 0,
            "epochs": self.epochs >= 0,
            "smoothing": 0 <= self.smoothing < 1,
            "drop": 0 <= self.drop < 1,
            "seed": self.seed >= 0,
        }
        if wrong := [name for name, right in {**shares, **least, **others}.items() if not right]:
            raise ShapeError(f"{wrong[0]} = {getattr(self, wrong[0])} is out of range")
        if self.head_only and self.from_scratch:
            raise ShapeError("a head on a backbone of random weights learns nothing: head_only or from_scratch")

        if self.probe_first and self.hidden:
            raise ShapeError("only a head without hidden layers can begin as a regression: set probe_first = false")

    @property
    def start(self) -> str:
        """Which weights the backbone begins with."""
        return "random" if self.from_scratch else "head only" if self.head_only else "pre-trained"

    def settled(self) -> FinetuneRecipe:
        """The same without what only a backbone has that learned something before, if it has random weights."""
        if not self.from_scratch:
            return self
        rates = {name: rate for name, rate in (self.optimiser.rates or {}).items() if name.startswith(HEAD)}
        plain = replace(self.optimiser, rates=rates or None)
        return replace(self, fixed_norms=False, probe_first=False, optimiser=plain)

    def lasting(self, *, steps: int | None = None, epochs: int | None = None) -> FinetuneRecipe:
        """The same over so many steps or epochs; the warm-up keeps its share of the run."""
        share = self.schedule.warmup / (self.epochs or self.run.steps)
        schedule = replace(self.schedule, warmup=share * (epochs or steps or 0))
        run = self.run if steps is None else replace(self.run, steps=steps)
        return replace(self, epochs=epochs or 0, run=run, schedule=schedule)

    def seeing(self, points: int) -> FinetuneRecipe:
        """The same with another number of points, drawn from a pool as much larger as before."""
        return replace(self, points=points, pool=round(points * self.pool / self.points))

    def steps(self, clouds: int) -> int:
        """Steps of a run on so many training clouds."""
        return self.run.steps if not self.epochs else -(-self.epochs * clouds // self.shown)

    @property
    def shown(self) -> int:
        """Clouds in the batches of one step."""
        return self.batch * self.run.accumulate
