"""What the training of an adapter is: one dataclass, which a recipe of the kind "adapter" fills."""

from __future__ import annotations

from dataclasses import dataclass, field

from clip3d.clouds.augmenting import Augmentation
from clip3d.errors import ShapeError
from clip3d.models.drawn_towers import Drawing
from clip3d.training.optimisers import Optimiser
from clip3d.training.parts import Run
from clip3d.training.schedules import Schedule


@dataclass(frozen=True)
class AdapterRecipe:
    """One set-up of an adapter.

    Attributes:
        seed: of the shots, the weights and the batches.
        teacher: model with an image and a text tower. For the adapter "dual-path" its cloud tower is the image
            tower that was trained on depth maps, as `recipes/clip2point.toml` gives it.
        adapter: "inter-view" for PointCLIP's, "dual-path" for CLIP2Point's.
        drawing: "pointclip" or "clip2point".
        views: depth maps of a cloud, 6 or 10.
        scaled: whether depth maps are scaled as photographs are, if not as published.
        template: prompt that the classes are put into.
        clouds: file or folder of labelled clouds, relative to the data folder.
        split: part of them to learn from; empty for a set without parts.
        variant: of a set that comes in several.
        shots: clouds of each class; 0 for all.
        versions: how often each cloud is looked at: as it is, and further times after changes by `augmentation`.
        augmentation: those changes. The published code changes a cloud anew in each epoch.
        smoothing: share of a target that goes to the other classes evenly.
        scale: multiplies the cosines; 0 for the scale of the model's space.
        batch: clouds in a step.
        epochs: of the run; the schedule's warm-up and period count epochs too, and the steps of `run` are
            not used.
        clip: largest norm of the gradient; 0 for any.
        optimiser: how weights are moved.
        schedule: of the learning rate.
        run: averaging, and how often is told and kept.

    Raises:
        ShapeError: if a number is out of range.
    """

    seed: int = 0
    teacher: str = "mini"
    adapter: str = "inter-view"
    drawing: Drawing = "pointclip"
    views: int = 10
    scaled: bool | None = None
    template: str = "point cloud of a big {}."
    clouds: str = ""
    split: str = "train"
    variant: str = ""
    shots: int = 16
    versions: int = 1
    augmentation: Augmentation = field(default_factory=Augmentation)
    smoothing: float = 0.0
    scale: float = 0.0
    batch: int = 32
    epochs: int = 100
    clip: float = 0.0
    optimiser: Optimiser = field(default_factory=Optimiser)
    schedule: Schedule = field(default_factory=Schedule)
    run: Run = field(default_factory=lambda: Run(average=0.0))

    def __post_init__(self) -> None:
        right = {
            "adapter": self.adapter in ("inter-view", "dual-path"),
            "drawing": self.drawing in ("pointclip", "clip2point"),
            "views": self.views in (6, 10),
            "shots": self.shots >= 0,
            "versions": self.versions >= 1,
            "smoothing": 0 <= self.smoothing < 1,
            "scale": self.scale >= 0,
            "batch": self.batch >= 2,
            "epochs": self.epochs >= 1,
        }
        if wrong := [name for name, holds in right.items() if not holds]:
            raise ShapeError(f"{wrong[0]} = {getattr(self, wrong[0])!r} is out of range")
        if self.run.accumulate > 1:
            raise ShapeError("an adapter's run takes no accumulate: make the batch larger")
