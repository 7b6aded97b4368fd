"""Few-shot training of an adapter over what an image tower says of a cloud's depth maps: PointCLIP, and CLIP2Point.

The image towers stay as they are, so that each cloud is looked at once, before the first step. The labels' vectors
stay those of the text tower: the result still takes labels that it was not trained on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from clip3d.data.labelled_clouds import LabelledClouds, read_labelled
from clip3d.data.subsets import few_shot
from clip3d.errors import DataError, ModelError, ShapeError
from clip3d.models.drawn_towers import DEPTH_POINTS, DRAWN_CLOUDS, drawing_tower
from clip3d.models.loading import load
from clip3d.models.model import Model, put_on
from clip3d.models.packing import golden_clouds
from clip3d.models.preprocess import CloudPreprocess
from clip3d.models.replacing import NewTower, with_towers
from clip3d.models.viewing import image_facts
from clip3d.models.weights import read_arrays, write_arrays
from clip3d.towers.adapted_views import AdaptedViewsTower
from clip3d.training.adapter_recipe import AdapterRecipe
from clip3d.training.loop import Progress, train_parts
from clip3d.training.objectives import centre
from clip3d.training.parts import LossOf, Part

MODEL, SEEN = "model", "seen-{}.safetensors"
Batch = tuple[Tensor, Tensor]


def train_adapter(
    recipe: AdapterRecipe, out: Path, *, data: Path, progress: Progress, device: str = "cpu"
) -> dict[str, Any]:
    """Train an adapter and make `out/model` a model of it; a run found in `out` goes on.

    The result is the last weights: no test label chooses among them.

    Args:
        recipe: the set-up.
        out: folder of the run.
        data: folder in which the recipe's clouds lie.
        progress: called with lines for the user.
        device: torch device of the image towers while they look; the adapter itself is trained on the processor.

    Returns:
        What was learned from what, and `train_accuracy`, the share of the clouds learned from that get their label.

    Raises:
        DataError: if the clouds cannot be used, or `out` belongs to another run.
        ModelError: if the teacher lacks a tower.
    """
    if not recipe.clouds:
        raise DataError(data, "the recipe names no clouds", "give labelled clouds as `clouds` in the recipe")
    teacher = load(recipe.teacher)
    clouds = read_labelled(data / recipe.clouds, recipe.split or None, recipe.variant or None)
    if recipe.shots:
        clouds = clouds.select(few_shot(clouds.labels, recipe.shots, recipe.seed))
    if len(clouds) < 2:
        raise ShapeError(f"an adapter needs at least 2 clouds to learn from, got {len(clouds)}")
    identity = _identity(recipe, teacher, clouds)
    config = adapter_config(recipe, teacher)
    tower = start_tower(recipe, teacher, config)
    progress(f"{len(clouds)} clouds of {len(np.unique(clouds.labels))} classes, {recipe.views} views each")
    seen = _seen_before(put_on(device, tower, teacher.folder), clouds, recipe, out, identity, progress)
    tower.cpu()
    labels = torch.from_numpy(clouds.labels.astype(np.int64))
    names = torch.from_numpy(teacher.space.centre(teacher.label_vectors(clouds.classes, [recipe.template])))
    mean, scale = torch.from_numpy(teacher.space.mean), recipe.scale or teacher.space.scale
    smoothing = recipe.smoothing * len(names) / max(len(names) - 1, 1)  # torch gives the right class its share too

    def loss_of(module: nn.Module, batch: Batch) -> Tensor:
        logits = scale * label_logits(module(batch[0]), names, mean)
        return F.cross_entropy(logits, batch[1], label_smoothing=smoothing)

    _train(recipe, tower.adapter, seen, labels, out, identity, progress, loss_of)
    with torch.inference_mode():
        right = (label_logits(tower.adapter(seen[:, 0]), names, mean).argmax(1) == labels).float().mean()
    if not (out / MODEL).exists():
        _pack(recipe, teacher, clouds, tower, config, out)
    return {
        "model": str(out / MODEL),
        "teacher": teacher.id,
        "clouds": len(clouds),
        "classes": len(np.unique(clouds.labels)),
        "data": clouds.path.name,
        "data_sha256": clouds.sha256,
        "train_accuracy": round(float(right), 4),
    }


def label_logits(vectors: Tensor, names: Tensor, mean: Tensor) -> Tensor:
    """Centred cosine of vectors (b, d) with centred label vectors (c, d), times the vectors' own lengths: (b, c).

    Where nothing is subtracted in the space, mean (d,) zero, it is the plain product with the labels' unit vectors.
    """
    return torch.mm(vectors.norm(dim=-1, keepdim=True) * centre(vectors, mean), names.T)


def adapter_config(recipe: AdapterRecipe, teacher: Model) -> dict[str, Any]:
    """Keyword arguments of the tower that a recipe trains."""
    drawn = drawing_tower(image_facts(teacher), recipe.drawing, recipe.views, recipe.scaled).config
    return {**drawn, "adapter": recipe.adapter, "dim": teacher.space.dim}


def start_tower(recipe: AdapterRecipe, teacher: Model, config: dict[str, Any]) -> AdaptedViewsTower:
    """The tower before the first step: the teacher's image towers, frozen, and an adapter of random weights.

    Raises:
        ModelError: if two towers are wanted, and the teacher's cloud tower holds no image tower.
    """
    torch.manual_seed(recipe.seed)
    tower = AdaptedViewsTower(**config)
    states = [teacher.tower("image").state_dict()]
    if tower.dual:
        card = teacher.tower_card("cloud")
        if card.architecture != "depth-views":
            reason = f"its cloud tower, {card.architecture}, is no image tower that was trained on depth maps"
            raise ModelError(teacher.folder, reason, "train one with recipes/clip2point.toml")
        states.insert(0, teacher.tower("cloud").state_dict())
    for image, state in zip(tower.images, states, strict=True):
        image.load_state_dict(state)
        image.requires_grad_(False)
    return tower.eval()


def _seen_before(
    tower: AdaptedViewsTower,
    clouds: LabelledClouds,
    recipe: AdapterRecipe,
    out: Path,
    identity: str,
    progress: Progress,
) -> Tensor:
    """What the image towers say of every cloud (n, versions, …), kept in the run's folder."""
    path = out / SEEN.format(hashlib.sha256(identity.encode()).hexdigest()[:12])
    if path.exists():
        return torch.from_numpy(read_arrays(path)["seen"])
    out.mkdir(parents=True, exist_ok=True)
    prepare, rows = CloudPreprocess(points=DEPTH_POINTS), []
    for i, cloud in enumerate(clouds.clouds()):
        points = prepare(cloud)[0]
        rows.append(torch.stack([_look(tower, _changed(points, recipe, i, v)) for v in range(recipe.versions)]))
        if (i + 1) % 100 == 0 or i + 1 == len(clouds):
            progress(f"looked at {i + 1} of {len(clouds)} clouds")
    write_arrays({"seen": torch.stack(rows).numpy()}, path)
    return torch.stack(rows)


def _look(tower: AdaptedViewsTower, points: NDArray[np.float32]) -> Tensor:
    with torch.inference_mode():
        given = torch.from_numpy(points)[None].to(next(tower.parameters()).device)
        return tower.look(given)[0].cpu().clone()


def _changed(points: NDArray[np.float32], recipe: AdapterRecipe, i: int, version: int) -> NDArray[np.float32]:
    if not version:
        return points
    return recipe.augmentation(points, None, np.random.default_rng([recipe.seed, i, version]))[0]


def _train(
    recipe: AdapterRecipe,
    adapter: nn.Module,
    seen: Tensor,
    labels: Tensor,
    out: Path,
    identity: str,
    progress: Progress,
    loss_of: LossOf,
) -> None:
    """Train the adapter in place; it is in eval mode afterwards."""
    size = min(recipe.batch, len(seen))
    per_epoch = len(seen) // size
    schedule = recipe.schedule
    schedule = replace(schedule, warmup=schedule.warmup * per_epoch, period=schedule.period * per_epoch)

    def batches(first: int) -> Iterator[Batch]:
        for step in range(first, recipe.epochs * per_epoch):
            epoch, place = divmod(step, per_epoch)
            order = np.random.default_rng([recipe.seed, epoch]).permutation(len(seen))
            rows = order[place * size : (place + 1) * size]
            versions = np.random.default_rng([recipe.seed, epoch, step]).integers(seen.shape[1], size=size)
            yield seen[rows, versions], labels[rows]

    train_parts(
        adapter,
        [Part(loss_of, recipe.optimiser, schedule, recipe.clip)],
        replace(recipe.run, steps=recipe.epochs * per_epoch),
        out,
        seed=recipe.seed,
        identity=identity,
        progress=progress,
        batches=batches,
    )


def _identity(recipe: AdapterRecipe, teacher: Model, clouds: LabelledClouds) -> str:
    towers = [teacher.card.towers[modality].id for modality in sorted(teacher.card.towers)]
    rows = hashlib.sha256(np.array([clouds.index(i) for i in range(len(clouds))]).tobytes()).hexdigest()
    return "\n".join([repr(asdict(recipe)), *towers, f"{clouds.sha256} {clouds.split} {rows}"])


def _pack(
    recipe: AdapterRecipe,
    teacher: Model,
    clouds: LabelledClouds,
    tower: AdaptedViewsTower,
    config: dict[str, Any],
    out: Path,
) -> None:
    shots = f"{recipe.shots} a class" if recipe.shots else "all"
    learned = {
        "name": f"{clouds.path.name}, {clouds.split}: {len(clouds)} clouds ({shots})",
        "licence": "not stated",
        "use": "cloud tower: adapter over views",
        "sha256": clouds.sha256,
    }
    state = {name: tensor.numpy() for name, tensor in tower.state_dict().items()}
    adapted = NewTower("adapted-views", state, golden_clouds(), config, {"points": DEPTH_POINTS})
    with_towers(
        teacher,
        {"cloud": adapted},
        out / MODEL,
        name=out.resolve().name,
        templates=[recipe.template],
        data=[learned],
        limits=[f"Trained to tell apart {', '.join(clouds.classes)}. {DRAWN_CLOUDS}", "It was not measured."],
    )
