"""Pre-training as a row of a table: a recipe, what the row changes of it, and the model that comes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from clip3d.data.triplet_sources import open_joined
from clip3d.experiments.experiment import Bench
from clip3d.experiments.fine_tuned import RUNS
from clip3d.models.loading import load
from clip3d.models.model import Model


@dataclass(frozen=True)
class PreTraining:
    """What a row pre-trains.

    Attributes:
        name: of the run's folder.
        recipe: file of the kind "cg3d".
        teacher: folder of the model whose text and image towers are learned from.
        changes: fields of the recipe that the row sets.
        data: need whose folder the recipe's paths are relative to; empty for the folder of data.
        of_clouds: the recipe's steps are the cloud tower's alone; those of the image tower's part are added.
    """

    name: str
    recipe: str
    teacher: Path
    changes: Mapping[str, Any] = field(default_factory=dict)
    of_clouds: bool = False
    data: str = ""


@dataclass(frozen=True, eq=False)
class PreTrained:
    """The model that came of it, its recipe, what was measured on the way, and what the protocol says."""

    model: Model
    recipe: Any
    numbers: Mapping[str, Any]
    told: dict[str, Any]


def read_pre_training(bench: Bench, what: PreTraining, seed: int) -> Any:
    """The recipe of a row, with the bench's budget.

    Raises:
        DataError: if the recipe is of another kind.
    """
    from clip3d.training.recipe import read_recipe_of

    recipe = read_recipe_of("cg3d", bench.recipes / what.recipe)
    recipe = replace(recipe, seed=seed, teacher=str(what.teacher), **what.changes)
    if bench.steps is not None:
        recipe = replace(recipe, steps=min(bench.steps, recipe.steps) if recipe.steps else bench.steps)
    return replace(recipe, steps=2 * recipe.steps) if what.of_clouds and recipe.trains_images else recipe


def pre_train(bench: Bench, seed: int, what: PreTraining) -> PreTrained:
    """Run a row's pre-training, once for all rows that ask for it."""
    return bench.once(f"pretraining:{what.name}:{seed}", lambda: _pre_train(bench, seed, what))


def _pre_train(bench: Bench, seed: int, what: PreTraining) -> PreTrained:
    from clip3d.training.pretraining import pretrain

    recipe = read_pre_training(bench, what, seed)
    source = (bench.recipes / what.recipe).read_text(encoding="utf-8")
    teacher = load(what.teacher)
    data = bench.path(what.data) if what.data else bench.data
    learned = open_joined(recipe.data, data)
    decides = f"{recipe!r} {teacher.card.weights_hash} {learned.protocol()}"
    digest = hashlib.sha256(decides.encode()).hexdigest()[:8]
    out = bench.out / RUNS / f"{what.name.replace('/', '--')}.{seed}-{digest}"
    out.mkdir(parents=True, exist_ok=True)
    changed = "".join(f"# {name} = {value!r}\n" for name, value in sorted(what.changes.items()))
    numbers = pretrain(
        recipe,
        out,
        data=data,
        progress=bench.tell,
        device=bench.device,
        source=source + changed,
        triplets=learned,
    )
    model = load(out / "model", device=bench.device)
    losses = {"L(3D,2D)": recipe.image_weight, "L(3D,text)": recipe.text_weight}
    told = {
        "teacher": teacher.id,
        "recipe": what.recipe,
        "architecture": recipe.architecture,
        "losses": ", ".join(name for name, weight in losses.items() if weight),
        "visual prompts": recipe.prompts,
        "image tower": "trained whole" if recipe.unfreeze_teacher else "frozen",
        "positives": recipe.positives,
        "batch": recipe.batch,
        "length": f"{recipe.steps} steps" if recipe.steps else f"{recipe.epochs} epochs",
        "pre-trained on": [f"{one.format}:{one.path}:{one.split}" for one in recipe.data],
        "data_hashes": model.card.data[-1].get("protocol"),
    }
    return PreTrained(model, recipe, numbers, told)
