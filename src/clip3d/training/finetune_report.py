"""What a fine-tuning says of itself: its identity, its report, and the facts of the card."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from clip3d.data.labelled_clouds import LabelledClouds
from clip3d.errors import DataError
from clip3d.models.classifiers import CARD
from clip3d.models.model import Model
from clip3d.training.finetune_recipe import FinetuneRecipe
from clip3d.training.parts import Watch

RUN, RESULT, SETTINGS = "run", "result.json", "settings.txt"
LIMITS = (
    "It knows its labels and no other words: a thing of another kind is given one of them.",
    "Clouds must stand upright.",
)
NOT_STATED = "not stated"


def identity_of(
    recipe: FinetuneRecipe, base: Model, sets: Sequence[LabelledClouds], near: Collection[str]
) -> str:
    """What decides a run and its report: all settings, so that another version's defaults make another run, the
    model's weights, and the data."""
    settings = [f"{f.name}={getattr(recipe, f.name)!r}" for f in fields(recipe)]
    data = [f"{part.sha256} {part.split} {part.every} {len(part)}" for part in sets]
    return "\n".join([*settings, base.card.weights_hash, *data, *sorted(near)])


def finished_report(out: Path, identity: str) -> dict[str, Any] | None:
    """The report of a finished run of these settings; None if the run is to begin or to go on.

    Raises:
        DataError: if the folder holds a run of other settings, or something else.
    """
    run = out / RUN
    if out.exists() and not (out.is_dir() and (run.is_dir() or not any(out.iterdir()))):
        raise DataError(out, "holds something else than a fine-tuning", "choose a new --out folder")
    if not (run / RESULT).exists() or not (out / CARD).exists():
        return None
    if (run / SETTINGS).read_text(encoding="utf-8") != identity:
        reason = "holds a finished fine-tuning of other settings or data"
        raise DataError(out, reason, "choose another --out folder or delete it")
    return dict(json.loads((run / RESULT).read_text(encoding="utf-8")))


def protocol(
    recipe: FinetuneRecipe, base: Model, train: LabelledClouds, labels: Sequence[str], learned: int, held: int
) -> dict[str, Any]:
    """The report without its numbers."""
    part = f"{recipe.shots} shots" if recipe.shots else f"{100 * recipe.fraction:g} %, stratified"
    return {
        "task": "fine-tuning",
        "model": base.id,
        "backbone": recipe.start,
        "train": {**train.protocol(), "part": part, "learned_from": learned},
        "validation": {"n": held, "weights": _chosen_by(recipe.watch) if held else _at_the_end(recipe)},
        "labels": list(labels),
        "steps": recipe.steps(learned),
        "batch": recipe.batch,
        "points": recipe.points,
        "points_drawn_from": recipe.pool,
        "normalizing": "centred, largest radius 1",
        "seed": recipe.seed,
        "recipe": asdict(recipe),
    }


def card_facts(recipe: FinetuneRecipe, base: Model, report: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What the card of the result says."""
    train = report["train"]
    learned = {
        "name": f"{train['data']}, {train['split']}: {train['learned_from']} clouds ({train['part']})",
        "licence": NOT_STATED,
        "use": "cloud tower: fine-tuning",
        "sha256": train["data_sha256"],
    }
    licence = NOT_STATED if recipe.from_scratch else f"{base.card.licence} ({base.name}); data: {NOT_STATED}"
    return {
        "name": name,
        "version": "1",
        "licence": licence,
        "data": [*(() if recipe.from_scratch else base.card.data), learned],
        "measured": [_measured(report)] if "test" in report else [],
        "limits": [*LIMITS, *(() if "test" in report else ("It was not measured.",))],
    }


def _at_the_end(recipe: FinetuneRecipe) -> str:
    return "running averages at the end" if recipe.run.average else "the last"


def _chosen_by(watch: Watch) -> str:
    stop = f"; the run ends after {watch.patience} validations without a better one" if watch.patience else ""
    number = watch.number
    best = f"the least {number[1:]}" if number.startswith("-") else f"the best {number}"
    return f"those of the validation with {best}{stop}"


def _measured(report: Mapping[str, Any]) -> dict[str, Any]:
    test = report["test"]
    kept = ("class_mean", "n", "voted", "without_near_duplicates")
    return {
        "test": f"{test['data']}, {test['split']}, fine-tuned",
        "value": _rounded(test["accuracy"]),
        "unit": "accuracy",
        **{key: _rounded(test[key]) for key in kept if key in test},
        "protocol": f"{report['points']} points; {report['backbone']} backbone of {report['model']}; learned from "
        f"{report['train']['learned_from']} clouds ({report['train']['part']}), seed {report['seed']}",
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    return round(value, 4) if isinstance(value, float) else value
