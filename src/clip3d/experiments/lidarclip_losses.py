"""LidarCLIP's table 3: by which loss a sweep tower learns from an image tower."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from clip3d.evaluation.driving_ranking import overall
from clip3d.experiments.driving_models import CLIP_B32
from clip3d.experiments.driving_retrieval import find_terms, measured
from clip3d.experiments.driving_sets import ON_ONCE, ON_SIMULATOR, DrivingSet, drawn_row, learned_from
from clip3d.experiments.experiment import Bench, Experiment, Measured, Published, Row
from clip3d.experiments.fine_tuned import RUNS
from clip3d.experiments.given_models import Candidate, own_candidates
from clip3d.experiments.lidarclip_retrieval import SOURCE
from clip3d.experiments.needs import fingerprint
from clip3d.models.loading import load
from clip3d.models.model import Model

SMALL, PUBLISHED_RECIPE = "lidarclip-ablation.toml", "lidarclip.toml"


@dataclass(frozen=True)
class Variant:
    """What a row changes of the recipe.

    Attributes:
        name: in names of rows.
        title: in tables.
        changes: fields of the recipe.
        published: P@10 and P@100 of B/32 on ONCE, in %.
    """

    name: str
    title: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    published: tuple[float, float] | None = None


def _variants() -> tuple[Variant, ...]:
    from clip3d.training.sweep_recipe import LabelRecipe

    return (
        Variant("mse", "squared error on raw vectors", {"loss": "mse"}, (86.9, 81.0)),
        Variant("cosine", "cosine", {"loss": "cosine"}, (78.1, 74.8)),
        Variant("contrastive", "contrastive within the batch", {"loss": "contrastive", "teacher_weight": 1.0}),
        Variant("mse-words", "squared error, and words of labels", {"labels": LabelRecipe(weight=1.0)}),
    )


def _rows(bench: Bench) -> list[Row]:
    rows = [_row(ON_ONCE, CLIP_B32, variant, PUBLISHED_RECIPE) for variant in _variants()]
    for base in own_candidates(bench):
        rows += [_row(ON_SIMULATOR, base, variant, SMALL) for variant in _variants()]
    return rows


def _row(on: DrivingSet, base: Candidate, variant: Variant, recipe: str) -> Row:
    def measure(bench: Bench, seed: int) -> Measured:
        model = _trained(bench, on, base, variant, recipe, seed)
        name = f"{variant.name}-{base.name}-{seed}"
        candidate = Candidate(name, name, (), lambda bench: model)
        found = find_terms(bench, on, candidate, "lidar")
        joint = overall(find_terms(bench, on, candidate, "joint"))
        told = {"recipe": recipe, "loss": variant.title, "learned": model.card.data[-1].get("use"), "seed": None}
        one = measured(bench, on, candidate, "lidar", found, **told)
        both = {f"joint {name}": 100 * joint[name] for name in ("P@10", "P@100")}
        return replace(one, also={**one.also, **both})

    known = variant.published if on is ON_ONCE else None
    place = drawn_row(on.need, on.train) if on is ON_SIMULATOR else on.row()
    needs = (*base.needs, *place.pop("needs", ()))
    return Row(
        name=f"{on.name}/{base.name}/{variant.name}",
        cells=(on.title, base.title, variant.title),
        needs=needs,
        measure=measure,
        published=None if known is None else Published(known[0]),
        also_published={} if known is None else {"P@100": Published(known[1])},
        seeded=True,
        model=base.name if base.own else None,
        recipe=recipe,
        **place,
    )


def _trained(bench: Bench, on: DrivingSet, base: Candidate, variant: Variant, name: str, seed: int) -> Model:
    """The base with a sweep tower that learned from its image tower; a run that was stopped goes on."""
    from clip3d.training.recipe import read_recipe_of
    from clip3d.training.sweep import train_sweep

    teacher, (data, logs) = base.load(bench), learned_from(bench, on)
    recipe = read_recipe_of("sweep", bench.recipes / name)
    share = 1 / len(logs)
    settings = {"teacher": str(teacher.folder), "logs": dict.fromkeys(logs, share), "seed": seed}
    recipe = replace(recipe, **settings, **variant.changes)
    if bench.steps is not None:
        recipe = replace(recipe, steps=min(bench.steps, recipe.steps) if recipe.steps else bench.steps)
    decides = f"{recipe!r} {teacher.card.weights_hash} {fingerprint(bench.path(on.train))}"
    digest = hashlib.sha256(decides.encode()).hexdigest()[:8]
    out = bench.out / RUNS / f"{on.name}-{base.name}-{variant.name}.{seed}-{digest}"
    if not (out / "model" / "card.json").is_file():
        out.mkdir(parents=True, exist_ok=True)
        numbers = train_sweep(recipe, out, data=data, progress=bench.tell, device=bench.device)
        _pack(teacher, recipe, out, numbers)
    return load(out / "model", device=bench.device)


def _pack(teacher: Model, recipe: Any, out: Any, numbers: Mapping[str, Any]) -> None:
    from clip3d.models.packing import golden_sweeps
    from clip3d.models.replacing import NewTower, with_towers
    from clip3d.models.weights import read_state
    from clip3d.training.sweep import FILE

    state = {key: tensor.float().numpy() for key, tensor in read_state(out / FILE).items()}
    config = {"dim": teacher.space.dim, **recipe.tower}
    tower = NewTower(recipe.architecture, state, golden_sweeps(), config, {"intensity": 1.0})
    learned_by = f"{numbers['steps']} steps of {recipe.batch} of {numbers['views']} frusta, loss {recipe.loss}"
    names = ", ".join(list(recipe.logs)[:3])
    learned = {"name": names, "licence": "not stated", "use": f"sweep tower: {learned_by}"}
    with_towers(teacher, {"sweep": tower}, out / "model", data=[learned], limits=["Trained for an ablation."])


TABLE_3 = Experiment(
    name="lidarclip-table3",
    title="losses",
    source=f"{SOURCE}, table 3",
    shows="By which loss a sweep tower learns most from an image tower: P@10 by lidar alone, and joint beside it.",
    columns=("data", "image tower", "loss"),
    rows=_rows,
    notes=(
        "ONCE's rows train by recipes/lidarclip.toml, three epochs of seven million pairs: work for a GPU.",
        "The simulator's rows train by recipes/lidarclip-ablation.toml, a small tower, three seeds.",
        "The contrastive loss and the words of labels are this project's: the paper has the first two.",
    ),
)
