"""This project's own ablations on the built library, with a small teacher: CG3D's tables 3, 4 and 5 in small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from clip3d.data.triplets import Triplets
from clip3d.evaluation.scoring import count
from clip3d.experiments.cg3d_pretraining import LOSSES
from clip3d.experiments.experiment import Bench, Experiment, Measured, Row
from clip3d.experiments.given_models import Candidate
from clip3d.experiments.labelled_sets import MODELNET10, name_clouds
from clip3d.experiments.library_pieces import (
    ABLATION,
    PROMPTS,
    TEACHER,
    Kind,
    joined,
    small_teacher,
    with_pictures,
)
from clip3d.experiments.picture_sets import Pictures, PictureSet, name_pictures, probe_pictures, views_of
from clip3d.experiments.pre_trained import PreTrained, PreTraining, pre_train, read_pre_training
from clip3d.models.model import Model

PROMPT = "a {}"
KINDS: dict[Kind, str] = {"color": "colour renders", "depth": "depth maps"}
NO_PROMPTS = "none"
NOTE = (
    "The teacher is mini's text tower with a small vision transformer that was trained on renders of a part of the "
    "library. A class is an object's first caption; about one object in eight is held out."
)


def _ablation(bench: Bench) -> list[Row]:
    return [
        Row(
            f"{name}/{test}",
            (title, heading),
            ("library", *needs),
            partial(_measure, name=name, changes=changes, score=score),
            seeded=True,
            model=_text_tower(bench),
            recipe=ABLATION,
            uses=("small-vit",),
            teacher_recipe=TEACHER,
        )
        for test, heading, needs, score in (
            ("held-out", "held-out objects", (), _of_held_out),
            ("modelnet10", "ModelNet10", (MODELNET10.need,), _of_modelnet10),
        )
        for name, (title, changes, _) in LOSSES.items()
    ]


def _text_tower(bench: Bench) -> str | None:
    """The model whose text tower a teacher that is trained here would take; one that is brought has its own."""
    return None if bench.find("small-vit") else "mini"


Score = Callable[[Bench, PreTrained, str], Measured]


def _measure(bench: Bench, seed: int, name: str, changes: dict[str, Any], score: Score) -> Measured:
    """Pre-train with some of the losses, the cloud tower having the same number of steps in each row, and score."""
    what = PreTraining(
        name, ABLATION, small_teacher(bench).folder, changes, of_clouds=True, data="library"
    )
    done = pre_train(bench, seed, replace(what, changes={**changes, **_pictured(bench, what, "color")}))
    return score(bench, done, f"{name}-{seed}")


def _pictured(bench: Bench, what: PreTraining, kind: Kind) -> dict[str, Any]:
    """The recipe's data and validation, with pictures of one kind."""
    recipe = read_pre_training(bench, what, 0)
    return {part: with_pictures(bench, getattr(recipe, part), kind) for part in ("data", "validation")}


def _of_held_out(bench: Bench, done: PreTrained, name: str) -> Measured:
    found = name_objects(done.model, joined(bench, done.recipe.validation))
    return Measured(found.value, found.n, {**found.protocol, **done.told}, also=found.also)


def _of_modelnet10(bench: Bench, done: PreTrained, name: str) -> Measured:
    candidate = Candidate(name, name, (), lambda bench: done.model)
    found = name_clouds(bench, candidate, MODELNET10, "card")
    return Measured(found.value, found.n, {**found.protocol, **done.told}, also=found.also)


def name_objects(model: Model, triplets: Triplets) -> Measured:
    """Share of objects whose cloud is nearest to its own class's name, in the model's space."""
    vectors = model.encode_clouds(triplets.cloud(i) for i in range(len(triplets)))
    scores = model.space.similarity(vectors, model.label_vectors(triplets.classes, [PROMPT]))
    counts = count(scores, triplets.labels.astype(np.intp), triplets.classes)
    told = {
        "task": "zero-shot classification of held-out objects",
        **triplets.protocol(),
        "prompts": [PROMPT],
        "score": "cosine after the mean of the space is subtracted",
        "points": model.cloud_preparation().points,
        "model": model.id,
    }
    also = {"top 5": 100 * counts.top5, "class mean": 100 * counts.class_mean}
    return Measured(100 * counts.accuracy, len(triplets), told, also=also)


def _prompts(bench: Bench) -> list[Row]:
    rows = []
    choices: tuple[Any, ...] = (NO_PROMPTS, *KINDS)
    for probed in (False, True):
        for prompts in choices:
            for shown, title in KINDS.items():
                how = "linear probe" if probed else "zero-shot"
                trained = "no prompts" if prompts == NO_PROMPTS else f"prompts of {KINDS[prompts]}"
                rows.append(
                    Row(
                        f"{'probe' if probed else 'zero-shot'}/{prompts}/{shown}",
                        (how, trained, title),
                        ("library",),
                        partial(_of_prompts, prompts=prompts, shown=shown, probed=probed),
                        seeded=probed or prompts != NO_PROMPTS,
                        model=_text_tower(bench),
                        recipe=PROMPTS,
                        uses=("small-vit",),
                        teacher_recipe=TEACHER,
                    )
                )
    return rows


def _of_prompts(bench: Bench, seed: int, prompts: Any, shown: Kind, probed: bool) -> Measured:
    teacher = small_teacher(bench)
    what = PreTraining(f"prompts-{prompts}", PROMPTS, teacher.folder, data="library")

    def read(bench: Bench, split: str) -> Pictures:
        sources = _pictured(bench, what, shown)["data" if split == "train" else "validation"]
        return views_of(joined(bench, sources))

    pictures = PictureSet(f"library-{shown}", KINDS[shown], (), read)
    told: dict[str, Any] = {}
    if prompts == NO_PROMPTS:
        candidate = Candidate("teacher", "teacher", (), lambda bench: teacher)
    else:
        done = pre_train(bench, seed, replace(what, changes=_pictured(bench, what, prompts)))
        candidate, told = Candidate(f"{prompts}-{seed}", prompts, (), lambda bench: done.model), done.told
    found = (
        probe_pictures(bench, candidate, pictures, seed)
        if probed
        else name_pictures(bench, candidate, pictures, PROMPT)
    )
    return Measured(found.value, found.n, {**found.protocol, **told}, also=found.also)


ABLATIONS = Experiment(
    name="library-table3",
    title="which loss does what, on the built library",
    source="this project, after CLIP goes 3D's table 3",
    shows="The four rows of the paper's ablation in small: zero-shot on held-out objects and on ModelNet10.",
    columns=("losses", "test"),
    rows=_ablation,
    notes=(NOTE, "The cloud tower has as many steps in every row; with prompts as many more are the prompts' own."),
)
PROMPTED = Experiment(
    name="library-tables45",
    title="the image tower alone, on the built library",
    source="this project, after CLIP goes 3D's tables 4 and 5",
    shows="What prompts of renders and prompts of depth maps do for pictures of held-out objects of both kinds.",
    columns=("how", "image tower", "pictures"),
    rows=_prompts,
    notes=(NOTE,),
)
