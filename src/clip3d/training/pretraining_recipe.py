"""What a pre-training of "CLIP goes 3D" is made of: one frozen dataclass, as a TOML file fills it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from clip3d.clouds.augmenting import Augmentation
from clip3d.data.triplet_sources import TripletSource
from clip3d.errors import ShapeError
from clip3d.training.optimisers import Method, Optimiser
from clip3d.training.parts import Precision, Run
from clip3d.training.schedules import Schedule, Shape

Positives = Literal["class", "diagonal"]
Temperature = Literal["fixed", "learned"]


@dataclass(frozen=True)
class PartRecipe:
    """How the parameters of one part are moved.

    Attributes:
        method: "adamw" or "sgd".
        lr: highest learning rate.
        lowest: learning rate at the end of a cosine.
        weight_decay: of all but biases, tokens and what has one dimension; of prompts where they alone are moved.
        momentum: of SGD.
        nesterov: SGD's momentum in Nesterov's form.
        schedule: "cosine" or "constant", over the part's own steps.
        warmup: of the part's own steps, those in which the rate rises.
        clip: largest norm of the gradient; 0 for any.
    """

    method: Method = "adamw"
    lr: float = 5e-5
    lowest: float = 1e-6
    weight_decay: float = 0.05
    momentum: float = 0.9
    nesterov: bool = False
    schedule: Shape = "cosine"
    warmup: int = 0
    clip: float = 10.0

    def __post_init__(self) -> None:
        if not (self.optimiser.lr > 0 and self.rates.floor >= 0):
            raise ShapeError(f"a learning rate must be above 0, got {self.lr}")

    @property
    def optimiser(self) -> Optimiser:
        """In the loop's words."""
        betas = (0.9, 0.999)
        return Optimiser(self.method, self.lr, self.weight_decay, betas, self.momentum, self.nesterov)

    @property
    def rates(self) -> Schedule:
        """In the loop's words."""
        return Schedule(self.schedule, self.warmup, min(self.lowest / self.lr, 1.0) if self.lr > 0 else 0.0)


@dataclass(frozen=True)
class PretrainingRecipe:
    """One pre-training; the defaults are the paper's for its PointTransformer (Hegde et al. 2023, section 4).

    Attributes:
        seed: of weights, batches and everything that is drawn.
        teacher: model whose text and image towers are learned from, by name or folder.
        data: sources of triplets (`clip3d.data.triplet_sources`); several are put together.
        validation: sources that are measured and not learned from.
        held_out: share of the data's objects that is kept for validation where no source is named for it.
        architecture: of the cloud tower, by its name in `clip3d.towers.catalogue`.
        tower: its keyword arguments; the length of its vectors is the teacher's.
        initial: weights of the same architecture to start from, relative to the data folder; random if empty.
        prompts: visual prompts before each block of the image tower, which must be a ClipViT; 0 for none.
        unfreeze_teacher: train the whole image tower in place of prompts alone, on the same loss.
        image_weight: of L(3D,2D) in the cloud tower's loss; 0 leaves it out.
        text_weight: of L(3D,text); 0 leaves it out.
        positives: "class": all objects of a batch that are of one class are positives, as the paper says;
            "diagonal": an object's own picture and caption alone, as the published code does.
        temperature: "fixed" at `scale`, or "learned" from there.
        scale: inverse temperature; 0 for the teacher's own.
        centred: subtract the mean of the teacher's space before vectors are compared. By default as the space does:
            CLIP's own cosines, the paper's, where the space subtracts nothing.
        templates: prompts with {} for a caption, one drawn each time an object is shown; those of
            `clip3d.data.caption_templates` if none is given.
        augmentation: changes to clouds, in place of the paper's own (`clip3d.clouds.augmenting.augment_cg3d`),
            which shows no colours.
        points: of a cloud that the tower sees.
        candidates: points drawn of a larger cloud before the farthest are chosen; 0 for all, as in the paper.
        batch: objects in a step, over all processes.
        epochs: how often each object comes up.
        steps: steps of all parts together, in place of the epochs' number; 0 for that.
        clouds: how the cloud tower is moved.
        visual: how the prompts, or the unfrozen image tower, are moved.
        average: decay of the running average of the weights that is the result; 0 for the last weights.
        precision: "none", "bf16" or "fp16".
        accumulate: batches whose gradients are averaged for one step; an object is compared within its batch alone.
        compile: let `torch.compile` have the towers.
        workers: processes that make batches ready; 0 makes them in between.
        tensorboard: write the metrics for TensorBoard too.
        checkpoint_every: steps between checkpoints.
        validate_every: steps between validations.
        log_every: steps between lines of progress.
    """

    teacher: str
    data: tuple[TripletSource, ...]
    seed: int = 0
    validation: tuple[TripletSource, ...] = ()
    held_out: float = 0.0
    architecture: str = "point-transformer"
    tower: dict[str, object] = field(default_factory=dict)
    initial: str = ""
    prompts: int = 5
    unfreeze_teacher: bool = False
    image_weight: float = 1.0
    text_weight: float = 1.0
    positives: Positives = "class"
    temperature: Temperature = "fixed"
    scale: float = 0.0
    centred: bool | None = None
    templates: tuple[str, ...] = ()
    augmentation: Augmentation | None = None
    points: int = 1024
    candidates: int = 0
    batch: int = 32
    epochs: int = 100
    steps: int = 0
    clouds: PartRecipe = field(default_factory=PartRecipe)
    visual: PartRecipe = field(default_factory=lambda: PartRecipe("sgd", 2e-3, 1e-6, 1e-4))
    average: float = 0.0
    precision: Precision = "none"
    accumulate: int = 1
    compile: bool = False
    workers: int = 0
    tensorboard: bool = False
    checkpoint_every: int = 500
    validate_every: int = 2000
    log_every: int = 50

    def __post_init__(self) -> None:
        known = {"positives": Positives, "temperature": Temperature, "precision": Precision}
        for name, choices in ((name, get_args(kind)) for name, kind in known.items()):
            if getattr(self, name) not in choices:
                raise ShapeError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        least = dict.fromkeys(("prompts", "image_weight", "text_weight", "workers", "steps", "scale"), 0)
        least |= {"held_out": 0, "candidates": 0, "points": 1, "epochs": 1, "batch": 2}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise ShapeError(f"{name} must be at least {lowest}, got {getattr(self, name)}")
        if not self.data:
            raise ShapeError("a pre-training needs data: name a source under [[data]]")
        if self.held_out >= 1:
            raise ShapeError(f"held_out is a share below 1, got {self.held_out}")
        if not (self.image_weight or self.text_weight):
            raise ShapeError("image_weight and text_weight are both 0: there is nothing to learn from")
        self.run(self.steps)  # told before data are opened

    def run(self, steps: int) -> Run:
        """The loop's settings; ValueError if one is out of range.

        Args:
            steps: of the whole run.
        """
        same = ["average", "precision", "accumulate", "tensorboard"]
        same += ["checkpoint_every", "validate_every", "log_every"]
        return Run(steps, **{name: getattr(self, name) for name in same})

    @property
    def trains_images(self) -> bool:
        """Whether the image tower changes, so that its vectors cannot be kept."""
        return self.unfreeze_teacher or self.prompts > 0

    @property
    def needs_pictures(self) -> bool:
        """Whether a loss compares pictures."""
        return self.trains_images or self.image_weight > 0
