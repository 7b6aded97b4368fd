"""CLIP2Point's pre-training: a copy of an image tower learns to see depth maps as the original sees pictures.

T. Huang et al., "CLIP2Point: Transfer CLIP to Point Cloud Classification with Image-Depth Pre-training", ICCV 2023.
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from clip3d.data.triplet_sources import TripletSource, open_joined
from clip3d.data.triplets import Triplets
from clip3d.errors import DataError, ShapeError
from clip3d.models.drawn_towers import DRAWN_CLOUDS, TEMPLATES, Drawing, drawing_tower
from clip3d.models.loading import load
from clip3d.models.model import Model
from clip3d.models.packing import golden_clouds
from clip3d.models.replacing import NewTower, with_towers
from clip3d.models.viewing import image_facts
from clip3d.towers.depth_drawing import drawing_of
from clip3d.training.depth_pairs import DepthPairs, Drawn, Showing, Sides, known_sides
from clip3d.training.driving_depths import DrivingPairs, DrivingViews
from clip3d.training.loop import Progress, train_parts
from clip3d.training.objectives import nt_xent
from clip3d.training.optimisers import Optimiser
from clip3d.training.parts import Part, Run
from clip3d.training.schedules import Schedule

MODEL = "model"
LAMB = Optimiser("lamb", 6e-3, 1e-4, (0.9, 0.999), decay_all=True)
DRAWING: Drawing = "clip2point"


@dataclass(frozen=True)
class Clip2PointRecipe:
    """One set-up of the pre-training.

    Attributes:
        seed: of the order, the points, the sides and the distances.
        teacher: model with an image and a text tower; its image tower is copied, and stays the teacher.
        data: sources of objects. Those with `pictures` that `clip3d data render` drew show these, with depth maps
            from the same sides; the others are drawn as shaded discs from one of ten sides.
        logs: folders of driving logs, relative to the data folder, in place of objects: their cameras' pictures
            with depth maps through the same lenses, as LidarCLIP's authors tune it.
        shift: metres by which the depths of a scene's two depth maps are shifted at most.
        views: of the finished cloud tower, 6 or 10.
        points: points of a depth map.
        batch: objects in a step.
        epochs: of the run; the schedule's warm-up and period count epochs too, and the steps of `run` are not used.
        steps: most steps of the run; 0 for all that its epochs have.
        jitter: largest change of the distances of an object's two depth maps, as a share.
        temperature: divides the cosines of the losses.
        clip: largest norm of the gradient; 0 for any.
        optimiser: how weights are moved.
        schedule: of the learning rate.
        run: averaging, precision, and how often is told and kept.

    Raises:
        ShapeError: if a number is out of range.
    """

    seed: int = 0
    teacher: str = "mini"
    data: tuple[TripletSource, ...] = ()
    logs: tuple[str, ...] = ()
    shift: float = 5.0
    views: int = 6
    points: int = 1024
    batch: int = 64
    epochs: int = 10
    steps: int = 0
    jitter: float = 0.1
    temperature: float = 0.07
    clip: float = 0.0
    optimiser: Optimiser = field(default_factory=lambda: LAMB)
    schedule: Schedule = field(default_factory=lambda: Schedule(period=2))
    run: Run = field(default_factory=lambda: Run(average=0.0))

    def __post_init__(self) -> None:
        right = {
            "views": self.views in (6, 10),
            "points": self.points >= 1,
            "batch": self.batch >= 2,
            "epochs": self.epochs >= 1,
            "steps": self.steps >= 0,
            "shift": self.shift >= 0,
            "jitter": 0 <= self.jitter < 1,
            "temperature": self.temperature > 0,
        }
        if wrong := [name for name, holds in right.items() if not holds]:
            raise ShapeError(f"{wrong[0]} = {getattr(self, wrong[0])!r} is out of range")
        if self.data and self.logs:
            raise ShapeError("the recipe takes objects under [[data]] or driving logs, not both")
        if self.run.accumulate > 1:
            raise ShapeError("the run takes no accumulate, which compares within a batch: make the batch larger")


class Student(nn.Module):
    """The copy that learns, and the learned weight of the loss between two depth maps."""

    def __init__(self, image: nn.Module) -> None:
        super().__init__()
        self.image = image
        self.balance = nn.Parameter(torch.ones(()))

    def loss(self, depths: Tensor, wanted: Tensor, temperature: float) -> Tensor:
        """As published: depth maps' mean to picture, map to map over the weight's square, and log(1 + weight).

        Args:
            depths: (2, b, 3, s, s) pixels.
            wanted: (b, d) the teacher's vectors of the pictures.
            temperature: of both losses.
        """
        first, second = self.image(depths.flatten(0, 1)).float().chunk(2)
        # in half precision a cosine over so small a temperature has no digits left
        with torch.autocast(depths.device.type, enabled=False):
            to_picture = nt_xent((first + second) / 2, wanted.float(), temperature)
            to_depth = nt_xent(first, second, temperature)
            return to_picture + to_depth / self.balance**2 + torch.log(1 + self.balance)


def train_clip2point(
    recipe: Clip2PointRecipe, out: Path, *, data: Path, progress: Progress, device: str = "cpu"
) -> dict[str, Any]:
    """Train a student of the teacher's image tower and make `out/model` a model of it; a run in `out` goes on.

    The model has the teacher's text and image tower, and a cloud tower that is the student on depth maps.

    Args:
        recipe: the set-up.
        out: folder of the run.
        data: folder in which the recipe's data lie.
        progress: called with lines for the user.
        device: torch device to train on.

    Raises:
        DataError: if the recipe names no data, a source cannot be opened, or `out` belongs to another run.
        ModelError: if the teacher lacks a tower.
    """
    if not (recipe.data or recipe.logs):
        raise DataError(data, "the recipe names no data", "give sources under [[data]] in the recipe, or logs")
    teacher = load(recipe.teacher, device=device)
    if recipe.logs:
        scenes = DrivingViews([data / name for name in recipe.logs], progress)
        return train_on_scenes(recipe, scenes, teacher, out, progress)
    triplets = open_joined(recipe.data, data)
    return train_student(recipe, triplets, teacher, out, progress=progress, sides=known_sides(recipe.data, data))


def train_student(
    recipe: Clip2PointRecipe,
    triplets: Triplets,
    teacher: Model,
    out: Path,
    *,
    progress: Progress,
    sides: Sides = lambda key: (),
) -> dict[str, Any]:
    """As `train_clip2point`, from objects and a teacher that are given.

    Args:
        sides: from which sides the objects' own pictures show them, by key; those without are drawn as discs.
    """
    pairs = DepthPairs(triplets, showing(recipe, teacher, sides), progress)
    return _train_on(recipe, pairs, teacher, out, progress)


def train_on_scenes(
    recipe: Clip2PointRecipe, scenes: DrivingViews, teacher: Model, out: Path, progress: Progress
) -> dict[str, Any]:
    """As `train_student`, from pictures of driving logs and the points behind them."""
    pairs = DrivingPairs(scenes, showing(recipe, teacher, lambda key: ()), progress, recipe.shift)
    return _train_on(recipe, pairs, teacher, out, progress)


def _train_on(
    recipe: Clip2PointRecipe, pairs: DepthPairs, teacher: Model, out: Path, progress: Progress
) -> dict[str, Any]:
    shown = pairs.objects
    if len(shown) < 2:
        raise ShapeError(f"the training needs at least 2 objects, got {len(shown)}")
    original = teacher.tower("image")
    original.eval().requires_grad_(False)
    student = Student(copy.deepcopy(original).requires_grad_(True))
    protocol = shown.protocol()

    def loss_of(module: nn.Module, drawn: Drawn) -> Tensor:
        depths, pictures = drawn.depths.to(teacher.device), drawn.pictures.to(teacher.device)
        with torch.no_grad():
            wanted = original(pictures)
        return student.loss(depths, wanted, recipe.temperature)

    steps, schedule = pairs.per_epoch, recipe.schedule
    whole = min(recipe.epochs * steps, recipe.steps or recipe.epochs * steps)
    schedule = replace(schedule, warmup=schedule.warmup * steps, period=schedule.period * steps)
    progress(f"{len(shown)} objects, {steps} steps an epoch, {whole} in all")
    train_parts(
        student,
        [Part(loss_of, recipe.optimiser, schedule, recipe.clip)],
        replace(recipe.run, steps=whole),
        out,
        seed=recipe.seed,
        identity="\n".join([repr(asdict(recipe)), teacher.tower_card("image").id, str(protocol["data_sha256"])]),
        progress=progress,
        batches=pairs.from_step,
    )
    if not (out / MODEL).exists():
        _pack(recipe, teacher, student, protocol, out)
    return {
        "model": str(out / MODEL),
        "teacher": teacher.id,
        "objects": len(shown),
        "unreadable": len(pairs.bad),
        "balance": float(student.balance.detach()),
    }


def showing(recipe: Clip2PointRecipe, teacher: Model, sides: Sides) -> Showing:
    """How a recipe shows objects to a teacher's image tower and its copy."""
    drawing = drawing_of(drawing_tower(image_facts(teacher), DRAWING, recipe.views).config["drawing"])
    settings = (recipe.seed, recipe.points, recipe.batch, recipe.epochs, recipe.jitter)
    return Showing(*settings, teacher.image_preparation(), drawing, sides)


def _pack(
    recipe: Clip2PointRecipe, teacher: Model, student: Student, protocol: dict[str, Any], out: Path
) -> None:
    sources = ", ".join([*(source.path for source in recipe.data), *recipe.logs])
    learned = {
        "name": sources or "triplets",
        "licence": "not stated",
        "use": "cloud tower: the image tower trained on depth maps (CLIP2Point)",
        "sha256": protocol["data_sha256"],
    }
    drawn = drawing_tower(image_facts(teacher), DRAWING, recipe.views)
    state = {name: tensor.detach().cpu().numpy() for name, tensor in student.image.state_dict().items()}
    with_towers(
        teacher,
        {"cloud": NewTower(drawn.architecture, state, golden_clouds(), drawn.config, drawn.preprocess)},
        out / MODEL,
        name=out.resolve().name,
        templates=[TEMPLATES[DRAWING]],
        data=[learned],
        limits=[DRAWN_CLOUDS, "It was not measured."],
    )
