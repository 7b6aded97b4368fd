"""The models that LidarCLIP's experiments compare: published towers, baselines that draw points, and your own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import partial

from clip3d.experiments.driving_sets import DrivingSet, drawn_row, learned_from
from clip3d.experiments.experiment import Bench, Row
from clip3d.experiments.fine_tuned import RUNS
from clip3d.experiments.given_models import Candidate, clip_model, made, own_candidates
from clip3d.experiments.needs import fingerprint
from clip3d.models.drawn_towers import Drawing
from clip3d.models.loading import load
from clip3d.models.model import Model
from clip3d.models.viewing import view_clouds

TUNING = "clip2point-driving.toml"


def lidarclip_model(bench: Bench, need: str, clip: str) -> Model:
    """A published LidarCLIP beside the CLIP that it was trained against; or the model's folder that was brought."""
    from clip3d.models.attaching import attach_encoder

    path, teacher = bench.path(need), bench.path(clip)
    return made(
        bench, need, path, lambda out: attach_encoder(path, clip_model(bench, clip), out, name=need), teacher
    )


LIDARCLIP_B32, LIDARCLIP_L14, LIDARCLIP_NUSCENES = (
    Candidate(need, title, (need, clip), partial(lidarclip_model, need=need, clip=clip))
    for need, title, clip in (
        ("lidarclip-b32", "LidarCLIP B/32", "clip-vit-b-32"),
        ("lidarclip-l14", "LidarCLIP L/14", "clip-vit-l-14"),
        ("lidarclip-nuscenes", "LidarCLIP L/14 of nuScenes", "clip-vit-l-14"),
    )
)
CLIP_B32 = Candidate("clip-b32", "CLIP B/32", ("clip-vit-b-32",), partial(clip_model, need="clip-vit-b-32"))


def for_pictures(candidate: Candidate) -> Candidate:
    """What a published model needs where its image tower alone is asked: the CLIP, without LidarCLIP."""
    if candidate.own:
        return candidate
    clip = candidate.needs[-1]
    return replace(candidate, needs=(clip,), load=partial(clip_model, need=clip))


def candidates(bench: Bench) -> list[Candidate]:
    """Models with a sweep tower of their own: the published ones and those that the user names."""
    return [LIDARCLIP_B32, LIDARCLIP_L14, *own_candidates(bench)]


@dataclass(frozen=True)
class Baseline:
    """A way to see points without a sweep tower: an image tower that looks at depth maps.

    Attributes:
        name: in names of rows.
        title: in tables.
        drawing: how points are drawn.
        tuned: whether the image tower learned depth maps of driving scenes.
        need: what is brought for it, besides the image tower; nothing if empty.
    """

    name: str
    title: str
    drawing: Drawing
    tuned: bool = False
    need: str = ""


POINTCLIP = Baseline("pointclip", "PointCLIP", "pointclip")
CLIP2POINT = Baseline("clip2point", "CLIP2Point, not pre-trained", "clip2point")
SHAPENET = Baseline("clip2point-shapenet", "CLIP2Point of ShapeNet", "clip2point", need="clip2point")
TUNED = Baseline("clip2point-tuned", "CLIP2Point tuned on driving", "clip2point", tuned=True)


def seen_through(baseline: Baseline, base: Candidate, on: DrivingSet) -> Candidate:
    """A baseline with a model's image tower.

    Args:
        baseline: how points are seen.
        base: whose image tower looks at depth maps.
        on: the data set that a tuned one learns from.
    """
    needs = (baseline.need,) if baseline.need else base.needs
    if baseline.tuned:
        name = f"{baseline.name}-{on.train}"
        get = partial(_tuned, base=base, on=on, name=f"{name}-{base.name}")
    elif baseline.need:
        return Candidate(f"{baseline.name}", baseline.title, needs, partial(clip_model, need=baseline.need))
    else:
        get = partial(_drawn, baseline=baseline, base=base)
    return Candidate(f"{baseline.name}-{base.name}", f"{baseline.title}, {base.title}", needs, get, own=base.own)


def tuning_row(on: DrivingSet, row: Row) -> Row:
    """A row of a tuned baseline: what it learns from is needed, or used and drawn, too."""
    drawn = drawn_row(*dict.fromkeys([*row.uses, on.train])) if on.train.startswith("driving") else {}
    needs = row.needs if drawn else tuple(dict.fromkeys([*row.needs, on.train]))
    return replace(row, needs=needs, recipe=TUNING, **drawn)


def _drawn(bench: Bench, baseline: Baseline, base: Candidate) -> Model:
    model = base.load(bench)
    name = f"{baseline.name}-{base.name}"
    return made(bench, name, model.folder, lambda out: view_clouds(model, out, baseline.drawing), ready=False)


def _tuned(bench: Bench, base: Candidate, on: DrivingSet, name: str) -> Model:
    """The model of a training on driving logs, once for all rows; a run that was stopped goes on."""
    from clip3d.training.clip2point import MODEL, train_clip2point
    from clip3d.training.recipe import read_recipe_of

    def get() -> Model:
        teacher, (data, logs) = base.load(bench), learned_from(bench, on)
        recipe = read_recipe_of("clip2point", bench.recipes / TUNING)
        recipe = replace(recipe, teacher=str(teacher.folder), logs=logs)
        if bench.steps is not None:
            recipe = replace(recipe, steps=bench.steps)
        decides = f"{recipe!r} {teacher.card.weights_hash} {fingerprint(bench.path(on.train))}"
        out = bench.out / RUNS / f"{name}-{hashlib.sha256(decides.encode()).hexdigest()[:8]}"
        if not (out / MODEL / "card.json").is_file():
            out.mkdir(parents=True, exist_ok=True)
            train_clip2point(recipe, out, data=data, progress=bench.tell, device=bench.device)
        return load(out / MODEL, device=bench.device)

    return bench.once(f"model:{name}", get)
