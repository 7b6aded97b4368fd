"""Fine-tuning as a row of a table: a recipe, what the row changes of it, and accuracy on test clouds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from clip3d.experiments.experiment import Bench, Measured
from clip3d.experiments.labelled_sets import LabelledSet, near_test_clouds
from clip3d.models.loading import load

RUNS = "runs"


@dataclass(frozen=True)
class FineTuning:
    """What a row fine-tunes.

    Attributes:
        name: of the row; the run's folder is named after it.
        recipe: file of the kind "finetune".
        tests: set whose training split is learned and whose test split is scored.
        folder: of the model whose cloud tower is the backbone.
        changes: fields of the recipe that the row sets.
    """

    name: str
    recipe: str
    tests: LabelledSet
    folder: Path
    changes: Mapping[str, Any] = field(default_factory=dict)


def fine_tune(bench: Bench, seed: int, what: FineTuning) -> Measured:
    """Train, score the test clouds once, and give accuracy with and without near duplicates, and of votes.

    Raises:
        DataError: if the recipe is of another kind.
    """
    from clip3d.evaluation.scoring import accuracies
    from clip3d.training.finetune import finetune
    from clip3d.training.finetune_report import identity_of

    recipe = _recipe(bench, seed, what)
    train, test = what.tests.read(bench, "train"), what.tests.read(bench, "test")
    near = near_test_clouds(bench, what.tests, test)
    names = [] if near is None else [test.names[i] for i in np.flatnonzero(near)]
    identity = identity_of(recipe, load(recipe.model), [train, test], names)
    digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
    out = bench.out / RUNS / f"{what.name.replace('/', '--')}.{seed}-{digest}"
    out.parent.mkdir(parents=True, exist_ok=True)
    report = finetune(
        recipe, train, out, judge=accuracies, progress=bench.tell, test=test, near=names, device=bench.device
    )
    found = report["test"]
    also = {"class mean": 100 * found["class_mean"]}
    if "without_near_duplicates" in found:
        also["without near duplicates"] = 100 * found["without_near_duplicates"]["accuracy"]
    if "voted" in found:
        also[f"{found['voted']['votes']} votes"] = 100 * found["voted"]["accuracy"]
    return Measured(100 * found["accuracy"], found["n"], _protocol(report), also=also)


def _recipe(bench: Bench, seed: int, what: FineTuning) -> Any:
    from clip3d.training.recipe import read_recipe_of

    recipe = read_recipe_of("finetune", bench.recipes / what.recipe)
    recipe = replace(recipe, seed=seed, model=str(what.folder), **what.changes)
    if bench.steps is not None:
        most = bench.steps if recipe.epochs else min(bench.steps, recipe.run.steps)
        recipe = replace(recipe, epochs=0, run=replace(recipe.run, steps=most))
    return recipe


def _protocol(report: Mapping[str, Any]) -> dict[str, Any]:
    """A fine-tuning's own account, flat, without its numbers."""
    train, test = report["train"], report["test"]
    held = report["validation"]
    recipe = {key: value for key, value in report["recipe"].items() if key not in ("model", "seed")}
    name = report["model"].partition("@")[0]
    return {
        **{key: report[key] for key in ("task", "backbone", "steps", "batch", "points")},
        "model": f"{name}, its architecture alone" if recipe["from_scratch"] else report["model"],
        "points_drawn_from": report["points_drawn_from"],
        "normalizing": report["normalizing"],
        "data": test["data"],
        "data_sha256": test["data_sha256"],
        "learned_from": f"{train['learned_from']} clouds of the split {train['split']} ({train['part']})",
        "weights": f"{held['weights']} ({held['n']} held-out training clouds)" if held["n"] else "the last",
        "tested on": f"the split {test['split']}, once",
        "recipe": recipe,
    }
