"""The result of a pre-training: a model of the teacher's space, with the cloud tower and the prompts in it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from clip3d.models.card import Modality
from clip3d.models.joining import golden_inputs
from clip3d.models.model import Model
from clip3d.models.packing import golden_clouds
from clip3d.models.replacing import NewTower, with_towers
from clip3d.training.pretraining_recipe import PretrainingRecipe

PROMPTED = (
    "Its image tower carries visual prompts that were learned on drawn pictures: it reads those better than the "
    "plain tower does, and other pictures otherwise."
)
UNFROZEN = "Its image tower was trained on: what it knew of other pictures may be forgotten."


def write_model(
    recipe: PretrainingRecipe,
    teacher: Model,
    learner: nn.Module,
    folder: Path,
    protocol: Mapping[str, Any],
    source: str,
    measured: Mapping[str, float],
    objects: int,
    scale: float,
) -> Model:
    """Write the model in place of any that an earlier end of the same run left.

    Args:
        recipe: the set-up.
        teacher: whose other towers and space it takes.
        learner: a `clip3d.training.pretraining.Learner`.
        folder: of the model.
        protocol: of the data.
        source: text of the recipe's file.
        measured: shares that were measured on held-out objects.
        objects: how many those were.
        scale: inverse temperature at the end.
    """
    towers: dict[Modality, NewTower] = {"cloud": _clouds(recipe, teacher, learner.get_submodule("clouds"))}
    if recipe.trains_images:
        towers["image"] = _images(recipe, teacher, learner.get_submodule("image"))
    if (folder / "card.json").is_file():
        shutil.rmtree(folder)
    limits = [UNFROZEN if recipe.unfreeze_teacher else PROMPTED] if recipe.trains_images else []
    return with_towers(
        teacher,
        towers,
        folder,
        name=f"{teacher.name}-cg3d",
        scale=scale if recipe.temperature == "learned" else None,
        data=[_provenance(recipe, teacher, protocol, source)],
        measured=[
            {"test": f"held out: {name}", "value": value, "unit": "share", "n": objects}
            for name, value in measured.items()
        ],
        limits=limits,
    )


def _clouds(recipe: PretrainingRecipe, teacher: Model, tower: nn.Module) -> NewTower:
    config = {"dim": teacher.space.dim, **recipe.tower}
    return NewTower(recipe.architecture, state_of(tower), golden_clouds(), config, {"points": recipe.points})


def _images(recipe: PretrainingRecipe, teacher: Model, tower: nn.Module) -> NewTower:
    card = teacher.tower_card("image")
    config = card.config | ({"prompts": recipe.prompts} if recipe.prompts else {})
    golden = {k: v for k, v in golden_inputs({"image": teacher}).items() if k.startswith("image.")}
    return NewTower(card.architecture, state_of(tower), golden, config, card.preprocess)


def state_of(tower: nn.Module) -> dict[str, NDArray[Any]]:
    """A tower's weights in the form that they are written in."""
    return {name: np.asarray(tensor.detach().cpu().numpy()) for name, tensor in tower.state_dict().items()}


def _provenance(
    recipe: PretrainingRecipe, teacher: Model, protocol: Mapping[str, Any], source: str
) -> dict[str, Any]:
    return {
        "name": "triplets of clouds, pictures and captions",
        "use": "pre-training after CLIP goes 3D (Hegde et al. 2023)",
        "teacher": {"model": teacher.id, "weights": teacher.card.weights_hash},
        "seed": recipe.seed,
        "protocol": dict(protocol),
        "recipe": source or repr(asdict(recipe)),
    }
