"""Pre-training of a cloud tower against a CLIP, with visual prompts in its image tower.

D. Hegde et al., "CLIP goes 3D", ICCV workshops 2023, section 3. L_3D = L(3D,2D) + L(3D,text) moves the cloud tower
and L_P = L(2D,text) the prompts, batch by batch in turn; nothing else of the teacher moves. Positives are all pairs
of one class, as the paper has it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clip3d.data.caption_templates import TEMPLATES
from clip3d.data.triplet_sources import open_joined
from clip3d.data.triplets import Subset, Triplets
from clip3d.errors import DataError, ModelError
from clip3d.models.checking import check_has_folder
from clip3d.models.loading import load
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.models.weights import load_strict, read_state, sha256_of
from clip3d.towers.catalogue import resolve
from clip3d.towers.clip_vit import ClipViT
from clip3d.training import distributed
from clip3d.training.loop import Part, Progress, train_parts
from clip3d.training.objectives import MOST_SCALE, centre, contrastive, inverse_temperature
from clip3d.training.pretraining_batches import Batch, Batches, loaded
from clip3d.training.pretraining_checks import HeldOut
from clip3d.training.pretraining_recipe import PretrainingRecipe
from clip3d.training.pretraining_result import write_model
from clip3d.training.teacher_features import FrozenPictures, FrozenTexts

HOLDING_OUT = 3  # a stream of random numbers beside those of `Batches`


class Learner(nn.Module):
    """The towers that a pre-training moves.

    Args:
        clouds: the cloud tower.
        image: the image tower, where it changes; None where its vectors are known.
        scale: inverse temperature.
        learned: whether it is learned.
    """

    def __init__(self, clouds: nn.Module, image: nn.Module | None, scale: float, *, learned: bool) -> None:
        super().__init__()
        self.clouds = clouds
        self.image = image
        self.log_scale = nn.Parameter(torch.tensor(float(np.log(scale))), requires_grad=learned)

    @property
    def scale(self) -> Tensor:
        """Inverse temperature, at most 100."""
        return inverse_temperature(self.log_scale)


@dataclass(eq=False)
class Pretraining:
    """A pre-training that is ready to begin.

    Attributes:
        recipe: the set-up.
        teacher: as it is, but for prompts in its image tower.
        learner: what is trained.
        triplets: what is learned from.
        held_out: what is measured; None without validation.
        batches: of the triplets.
        texts: vectors of captions.
        pictures: vectors of pictures, where the image tower stays as it is and is looked at.
        device: where it runs.
        progress: called with lines for the user.
        damaged: objects that could not be read, each with the reason.
    """

    recipe: PretrainingRecipe
    teacher: Model
    learner: Learner
    triplets: Triplets
    held_out: HeldOut | None
    batches: Batches
    texts: FrozenTexts
    pictures: FrozenPictures | None
    device: torch.device
    progress: Progress
    damaged: dict[str, str]

    @property
    def mean(self) -> Tensor:
        """What is subtracted from unit vectors before they are compared."""
        space, wanted = self.teacher.space, self.recipe.centred
        mean = space.mean if wanted or wanted is None else np.zeros_like(space.mean)
        return torch.from_numpy(mean).to(self.device)

    def parts(self) -> list[Part]:
        """The cloud tower and, where the image tower changes, its prompts or all of it."""
        recipe = self.recipe
        first = recipe.clouds
        found = [Part(self._clouds, first.optimiser, first.rates, first.clip, "clouds", _of_clouds)]
        if recipe.trains_images:
            second, name = recipe.visual, "image tower" if recipe.unfreeze_teacher else "prompts"
            # as published, the rule that leaves tokens out is the cloud tower's, and prompts do decay
            optimiser = replace(second.optimiser, decay_all=not recipe.unfreeze_teacher)
            found.append(Part(self._visual, optimiser, second.rates, second.clip, name, _of_images))
        return found

    def _clouds(self, learner: nn.Module, batch: Batch) -> Tensor:
        """L_3D, which moves the cloud tower alone."""
        assert isinstance(learner, Learner)
        recipe, batch = self.recipe, self._received(batch)
        vectors = learner.clouds(batch.points, batch.colors)
        with torch.no_grad():
            pictures = self._images(learner, batch) if recipe.image_weight else None
        with self._exactly():
            clouds, classes = self._gathered(vectors), self._classes(batch)
            loss = clouds.new_zeros(())
            if pictures is not None:
                seen = self._gathered(pictures)
                loss = loss + recipe.image_weight * contrastive(clouds, seen, classes, learner.scale)
            if recipe.text_weight:
                read = self._gathered(self.texts(batch.texts).to(self.device))
                loss = loss + recipe.text_weight * contrastive(clouds, read, classes, learner.scale)
        return loss

    def _visual(self, learner: nn.Module, batch: Batch) -> Tensor:
        """L_P, which moves the prompts alone."""
        assert isinstance(learner, Learner)
        batch = self._received(batch)
        pictures = self._images(learner, batch)
        with self._exactly():
            seen, read = self._gathered(pictures), self._gathered(self.texts(batch.texts).to(self.device))
            return contrastive(seen, read, self._classes(batch), learner.scale.detach())

    def _received(self, batch: Batch) -> Batch:
        for key, reason in batch.damaged:
            if key not in self.damaged:
                self.damaged[key] = reason
                self.progress(f"left out and replaced: {reason}")
        return batch.to(self.device)

    def _images(self, learner: Learner, batch: Batch) -> Tensor:
        if learner.image is not None:
            vectors: Tensor = learner.image(batch.pixels)
            return vectors
        assert self.pictures is not None
        return self.pictures(batch.objects.cpu(), batch.views.cpu()).to(self.device)

    @contextmanager
    def _exactly(self) -> Iterator[None]:
        """In single precision: large scales times cosines have no digits to lose."""
        with torch.autocast(self.device.type, enabled=False):
            yield

    def _gathered(self, vectors: Tensor) -> Tensor:
        """Centred unit vectors of the whole batch."""
        return distributed.gather(centre(vectors.float(), self.mean))

    def _classes(self, batch: Batch) -> Tensor:
        classes = distributed.gather(batch.classes)
        return classes if self.recipe.positives == "class" else torch.arange(len(classes), device=self.device)


def pretrain(
    recipe: PretrainingRecipe,
    out: Path,
    *,
    data: Path,
    progress: Progress,
    device: str = "cpu",
    source: str = "",
    triplets: Triplets | None = None,
) -> dict[str, Any]:
    """Pre-train a cloud tower, and prompts; write them beside the teacher's towers as the model `out`/model.

    Args:
        recipe: the set-up.
        out: folder for checkpoint, metrics, the drawing of the learning rates and the model; a run there goes on.
        data: folder in which the recipe's data and weights lie.
        progress: called with lines for the user.
        device: torch device.
        source: text of the recipe's file, for checkpoints and the card.
        triplets: what to learn from, if not the recipe's data.

    Returns:
        What was measured on held-out objects, the inverse temperature, and the folder of the model.

    Raises:
        DataError: if the data hold too little, or a source or the folder cannot be used.
        ModelError: if the teacher cannot be used, or its image tower takes no prompts.
    """
    job = prepare(recipe, data, progress, device, triplets)
    parts, steps = job.parts(), job.batches.steps
    if distributed.place() == 0:
        progress(_summary(job, steps))
    protocol = job.triplets.protocol()
    train_parts(
        job.learner,
        parts,
        recipe.run(steps),
        out,
        seed=recipe.seed,
        identity=_identity(job, data),
        progress=progress,
        batches=lambda first: loaded(job.batches, first),
        validate=job.held_out,
        record={"recipe": source, "data": json.dumps(protocol)},
    )
    numbers = job.held_out(job.learner) if job.held_out is not None else {}
    if job.damaged:
        names = ", ".join(sorted(job.damaged))
        progress(f"{len(job.damaged)} objects could not be read and were replaced: {names}")
    scale = float(job.learner.scale.detach())
    if distributed.place() == 0:
        objects = job.held_out.objects if job.held_out is not None else 0
        write_model(recipe, job.teacher, job.learner, out / "model", protocol, source, numbers, objects, scale)
    distributed.wait_for_all()
    return {**numbers, "scale": scale, "damaged": len(job.damaged), "model": str(out / "model")}


def prepare(
    recipe: PretrainingRecipe,
    data: Path,
    progress: Progress,
    device: str = "cpu",
    triplets: Triplets | None = None,
    *,
    vectors: bool = True,
) -> Pretraining:
    """Open data and teacher and build what is trained.

    Args:
        recipe, data, progress, device, triplets: as of `pretrain`.
        vectors: work out the vectors of pictures that stay the same.
    """
    teacher = _teacher(recipe, device)
    whole = open_joined(recipe.data, data) if triplets is None else triplets
    learned, measured = _split(_pictured(whole, recipe, progress, "the data"), recipe, data, progress)
    cache, damaged = VectorCache(), dict[str, str]()
    texts, pictures = FrozenTexts(teacher, cache), None
    if recipe.needs_pictures and not recipe.trains_images:
        learned, pictures = _seen(teacher, learned, cache, progress, damaged, vectors)
    torch.manual_seed(recipe.seed)
    learner = _learner(recipe, teacher, data).to(device)
    batches = Batches(
        learned,
        recipe,
        _templates(recipe),
        parts=1 + recipe.trains_images,
        prepare=teacher.image_preparation() if recipe.trains_images else None,
        place=distributed.place(),
        processes=distributed.processes(),
    )
    job = Pretraining(
        recipe=recipe,
        teacher=teacher,
        learner=learner,
        triplets=learned,
        held_out=None,
        batches=batches,
        texts=texts,
        pictures=pictures,
        device=torch.device(device),
        progress=progress,
        damaged=damaged,
    )
    if measured is not None and len(measured):
        pictured = recipe.needs_pictures
        job.held_out = HeldOut(measured, teacher, recipe.points, job.mean, pictured=pictured, progress=progress)
    return job


def _teacher(recipe: PretrainingRecipe, device: str) -> Model:
    teacher = load(recipe.teacher, device=device)
    check_has_folder(teacher)
    teacher.tower_card("text")
    if recipe.needs_pictures:
        teacher.tower_card("image")
    if recipe.trains_images and not isinstance(teacher.tower("image"), ClipViT):
        architecture = teacher.tower_card("image").architecture
        remedy = "set prompts = 0, or take a CLIP's vision transformer"
        raise ModelError(teacher.folder, f"its image tower, {architecture}, takes no visual prompts", remedy)
    return teacher


def _pictured(whole: Triplets, recipe: PretrainingRecipe, progress: Progress, name: str) -> Triplets:
    """The objects that have a picture, where pictures are compared."""
    if not recipe.needs_pictures:
        return whole
    views = np.array([whole.views(i) for i in range(len(whole))])
    if not views.any():
        remedy = "make pictures with `clip3d data render`, or set prompts and image_weight to 0"
        raise DataError(name, "no object has a picture", remedy)
    if (views == 0).any():
        progress(f"{name}: {int((views == 0).sum())} of {len(whole)} objects have no picture and are left out")
        return Subset(whole, np.flatnonzero(views))
    return whole


def _split(
    whole: Triplets, recipe: PretrainingRecipe, data: Path, progress: Progress
) -> tuple[Triplets, Triplets | None]:
    """What is learned from and what is measured."""
    if recipe.validation:
        opened = open_joined(recipe.validation, data)
        return whole, _pictured(opened, recipe, progress, "the validation data")
    kept = round(recipe.held_out * len(whole))
    if not kept:
        return whole, None
    order: NDArray[np.int64] = np.random.default_rng([recipe.seed, HOLDING_OUT]).permutation(len(whole))
    return Subset(whole, np.sort(order[kept:])), Subset(whole, np.sort(order[:kept]))


def _seen(
    teacher: Model,
    triplets: Triplets,
    cache: VectorCache,
    progress: Progress,
    damaged: dict[str, str],
    vectors: bool,
) -> tuple[Triplets, FrozenPictures]:
    """Vectors of all pictures, and the objects whose pictures could all be read."""
    pictures = FrozenPictures(teacher, triplets, cache)
    if not vectors:
        return triplets, pictures
    if distributed.place():
        distributed.wait_for_all()  # the first process has put them into the cache
    whole = pictures.make(range(len(triplets)), progress)
    if not distributed.place():
        distributed.wait_for_all()
    damaged |= dict(pictures.damaged)
    for _, reason in pictures.damaged:
        progress(f"left out: {reason}")
    if len(whole) < len(triplets):
        triplets, pictures.vectors = Subset(triplets, np.array(whole, np.int64)), pictures.vectors[whole]
    return triplets, pictures


def _learner(recipe: PretrainingRecipe, teacher: Model, data: Path) -> Learner:
    clouds = _cloud_tower(recipe, teacher, data)
    image = teacher.tower("image") if recipe.trains_images else None
    if image is not None and recipe.prompts:
        image.add_prompts(recipe.prompts)
    if image is not None and recipe.unfreeze_teacher:
        image.requires_grad_(True)
    if recipe.compile:
        for tower in filter(None, (clouds, image)):
            tower.compile()
    scale = min(recipe.scale or teacher.space.scale, MOST_SCALE)
    return Learner(clouds, image, scale, learned=recipe.temperature == "learned")


def _cloud_tower(recipe: PretrainingRecipe, teacher: Model, data: Path) -> nn.Module:
    try:
        tower: nn.Module = resolve(recipe.architecture)(**{"dim": teacher.space.dim, **recipe.tower})
    except (KeyError, TypeError, ValueError) as error:
        reason = f"states the cloud tower {recipe.architecture!r} wrongly: {error.args[0] if error.args else error}"
        raise DataError("the recipe", reason) from error
    if recipe.initial:
        path = data / recipe.initial
        return load_strict(tower, read_state(path), path).requires_grad_(True)
    if teacher.space.mean.any():
        _begin_at(tower, torch.from_numpy(teacher.space.mean))
    return tower


@torch.no_grad()
def _begin_at(tower: nn.Module, mean: Tensor) -> None:
    """Let vectors start about the mean of the space, where every direction is as near as any other."""
    last = [m for m in tower.modules() if isinstance(m, nn.Linear) and m.out_features == len(mean)]
    if last and last[-1].bias is not None:
        last[-1].bias.copy_(mean)
        last[-1].weight.mul_(0.5)


def _templates(recipe: PretrainingRecipe) -> tuple[str, ...]:
    if not recipe.templates:
        return TEMPLATES
    if wrong := [template for template in recipe.templates if "{}" not in template]:
        raise DataError("the recipe", f"the template {wrong[0]!r} has no {{}} for the caption")
    return recipe.templates


def _identity(job: Pretraining, data: Path) -> str:
    """All that decides the weights: settings, the teacher, the data, and the weights that are started from."""
    settings = {key: value for key, value in asdict(job.recipe).items() if key not in ("workers", "teacher")}
    initial = [sha256_of(data / job.recipe.initial)] if job.recipe.initial else []
    parts = [settings, job.teacher.card.weights_hash, job.triplets.protocol(), *initial]
    return json.dumps(parts, sort_keys=True, default=str)


def _summary(job: Pretraining, steps: int) -> str:
    count = sum(p.numel() for p in job.learner.parameters() if p.requires_grad)
    told = f"{len(job.triplets)} objects of {len(job.triplets.classes)} classes, {count:,} parameters to train"
    return f"{told}, {steps} steps of {job.recipe.batch} objects"


def _of_clouds(name: str) -> bool:
    return not _of_images(name)


def _of_images(name: str) -> bool:
    return name.startswith("image.")
