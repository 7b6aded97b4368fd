"""The settings of a training of a sweep tower."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from clip3d.errors import ShapeError
from clip3d.lidar.augmenting import SensorChange
from clip3d.training.optimisers import Optimiser
from clip3d.training.parts import Run
from clip3d.training.schedules import Schedule
from clip3d.training.sweep_regions import RegionRecipe
from clip3d.training.sweep_views import ViewRecipe

Loss = Literal["mse", "cosine", "contrastive"]
# LidarCLIP's: Adam, one cycle from a 25th of the highest rate, a tenth of the steps rising.
ADAM = Optimiser("adam", 1e-3, 0.0, (0.9, 0.999))


@dataclass(frozen=True)
class LabelRecipe:
    """Text supervision from exact labels: an extension of LidarCLIP, which is shown no word.

    Attributes:
        weight: of the whole; 0 for none.
        objects: weight of the loss on the vectors of cells, averaged over the points in each box.
        cells: weight of the loss on each cell that lies in a box, by itself.
        scenes: weight of the loss that tells, from a frustum's vector, which terms are true of its scene.
        scale: inverse temperature that learning starts from.
        regression: weight of 1 - cosine to the mean of an object's words, beside the cross-entropy over all words.
        sharpness: inverse temperature of the likeness by which a word's share is spread over its near synonyms.
        own: share of an object's target that goes to the first of its words that names a class; the rest is spread
            evenly over the others.
        power: an object counts (objects of its class) ** -power; at 0 all alike.
        least: points with which a box teaches.
        withheld: words that nothing is called in training, nor by any phrase that holds them, so that words never
            heard can be measured.
        template: prompt that words are put into.
    """

    weight: float = 0.0
    objects: float = 1.0
    cells: float = 0.5
    scenes: float = 0.5
    scale: float = 15.0
    regression: float = 0.5
    sharpness: float = 25.0
    own: float = 0.5
    power: float = 0.5
    least: int = 3
    withheld: tuple[str, ...] = ()
    template: str = "a {}"

    def __post_init__(self) -> None:
        for name in ("weight", "objects", "cells", "scenes", "regression", "power"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if self.scale <= 0 or self.sharpness <= 0 or self.least < 1 or not 0 <= self.own <= 1:
            raise ValueError("scale and sharpness must be above 0, least at least 1, own in [0, 1]")


@dataclass(frozen=True)
class SweepRecipe:
    """One set-up of LidarCLIP's training.

    Attributes:
        logs: folders of driving logs, relative to the data folder, with the share of the frusta that is drawn from
            each; a folder is one log or holds several.
        teacher: model whose image tower is reproduced.
        architecture: of the tower, a name in `clip3d.towers.catalogue`.
        tower: its configuration.
        initial: weights to start from, relative to the data folder; none if empty.
        loss: "mse" on raw vectors, as published; "cosine", its ablation; or "contrastive", each frustum against the
            pictures of the others in its batch, which the paper does without.
        teacher_weight: of the losses on the teacher's vectors; it matters only beside labels.
        contrast: weight of CLIP's loss beside it, frusta against pictures and spots against spots, compared as the
            space compares them. Where all pictures' vectors lie close together, their differences are the smaller
            part of a squared error; this loss sees them alone. 0 as published.
        region_weight: of the same losses on cells: the mean over the points of a spot, against the vector of the
            spot's picture. 0 for the loss on whole frusta alone, as published.
        zoom: share of the frusta that are a spot by itself, rather than a square.
        mirror: share of the frusta that are mirrored, with their pictures.
        twins: encode the mirror images of pictures too. Otherwise a mirrored frustum is taught by the picture as it
            is, which takes half the time and errs by as much as the teacher tells left from right.
        views: which frames are seen.
        regions: which parts of their pictures are paired.
        change: what is changed at random about points.
        labels: text supervision.
        batch: frusta in a step.
        epochs: passes over all frusta, if `steps` is 0.
        steps: of the whole run.
        workers: processes that make batches beside the training.
        optimiser: how weights are moved.
        schedule: of the learning rate.
        clip: largest norm of the gradient; 0 for any.
        run: averaging, precision, and how often is told and kept; its `steps` are not used.
        seed: of all chance.

    Raises:
        ShapeError: if a number is out of range.
    """

    logs: dict[str, float]
    teacher: str = "mini"
    architecture: str = "pillar-pyramid"
    tower: dict[str, object] = field(default_factory=dict)
    initial: str = ""
    loss: Loss = "mse"
    teacher_weight: float = 1.0
    contrast: float = 0.0
    region_weight: float = 1.0
    zoom: float = 0.25
    mirror: float = 0.5
    twins: bool = True
    views: ViewRecipe = field(default_factory=ViewRecipe)
    regions: RegionRecipe = field(default_factory=RegionRecipe)
    change: SensorChange = field(default_factory=SensorChange)
    labels: LabelRecipe = field(default_factory=LabelRecipe)
    batch: int = 32
    epochs: int = 3
    steps: int = 0
    workers: int = 0
    optimiser: Optimiser = field(default_factory=lambda: ADAM)
    schedule: Schedule = field(default_factory=lambda: Schedule("one-cycle"))
    clip: float = 0.0
    run: Run = field(default_factory=lambda: Run(average=0.0))
    seed: int = 0

    def __post_init__(self) -> None:
        least = dict.fromkeys(("teacher_weight", "contrast", "region_weight", "steps", "workers", "clip"), 0)
        least |= {"batch": 2, "epochs": 1}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise ShapeError(f"{name} must be at least {lowest}, got {getattr(self, name)}")
        for name in ("zoom", "mirror"):
            if not 0 <= getattr(self, name) <= 1:
                raise ShapeError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if self.loss not in get_args(Loss):
            raise ShapeError(f"loss must be one of {', '.join(get_args(Loss))}, got {self.loss!r}")
        if not self.logs or min(self.logs.values()) < 0 or not sum(self.logs.values()):
            raise ShapeError("logs must name folders of driving logs with shares, not all of them 0")
        if not (self.taught or self.labels.weight):
            raise ShapeError("teacher_weight, contrast and the labels' weight are 0: nothing to learn from")
        if (self.region_weight or self.zoom) and not self.regions.spots:
            raise ShapeError("region_weight and zoom need spots: give regions.spots, or set both to 0")

    @property
    def taught(self) -> bool:
        """Whether the teacher's vectors teach."""
        return self.teacher_weight > 0 or self.contrast > 0

    @property
    def encodes_twins(self) -> bool:
        """Whether mirror images are encoded."""
        return self.twins and self.mirror > 0

    @property
    def named(self) -> bool:
        """Whether labels teach."""
        return self.labels.weight > 0
