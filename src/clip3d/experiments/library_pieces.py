"""What experiments on the built library are made of: pictures of its objects, and a small teacher of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from clip3d.data.drawing import Rendering
from clip3d.data.renderings import Shape, render_shapes
from clip3d.data.triplet_sources import TripletSource, open_joined, open_triplets
from clip3d.data.triplets import Triplets
from clip3d.errors import FileProblem
from clip3d.experiments.experiment import Bench
from clip3d.experiments.fine_tuned import RUNS
from clip3d.models.loading import load
from clip3d.models.model import Model

Kind = Literal["color", "depth"]

TEACHER, ABLATION, PROMPTS = "small-vit.toml", "library-ablation.toml", "library-prompts.toml"
VIEWS, SIZE = 4, 96


def with_pictures(bench: Bench, sources: Sequence[TripletSource], kind: Kind) -> tuple[TripletSource, ...]:
    """The sources with pictures of one kind: those that they name where they are there, else drawn ones."""
    root = bench.path("library")

    def pictured(source: TripletSource) -> TripletSource:
        if kind == "color" and source.pictures and (root / source.pictures).is_dir():
            return source
        return replace(source, pictures=str(_drawn(bench, source, kind)))

    return tuple(map(pictured, sources))


def _drawn(bench: Bench, source: TripletSource, kind: Kind) -> Path:
    """Folder of the pictures of a library's objects, of both splits."""
    folder = (bench.out / "pictures" / f"{Path(source.path).stem}-{kind}").resolve()

    def draw() -> Path:
        whole = open_triplets(replace(source, split="all", pictures=""), bench.path("library"))
        return draw_shapes(bench, whole, folder, Rendering(kind, views=VIEWS, size=SIZE))

    return bench.once(f"drawn:{folder}", draw)


def draw_shapes(bench: Bench, whole: Triplets, folder: Path, rendering: Rendering) -> Path:
    """Draw pictures of all objects of a set into a folder, which is given back."""
    bench.tell(f"{folder}: pictures of {len(whole)} objects")
    done = render_shapes(_shapes(whole), folder, rendering, count=len(whole), protocol=whole.protocol())
    for problem in done.problems:
        bench.tell(str(problem))
    return folder


def _shapes(triplets: Triplets) -> Iterator[Shape | FileProblem]:
    for index in range(len(triplets)):
        try:
            yield Shape(triplets.key(index), triplets.cloud(index))
        except FileProblem as problem:
            yield problem


def joined(bench: Bench, sources: Sequence[TripletSource]) -> Triplets:
    """The objects of several sources as one set."""
    return open_joined(sources, bench.path("library"))


def small_teacher(bench: Bench) -> Model:
    """Mini's text tower beside a small vision transformer that learns from renders of the library.

    One that is brought under the name small-vit in the folder of weights is taken in its place.
    """
    brought = bench.find("small-vit")
    return bench.once("model:small-vit", lambda: load(brought) if brought else _train_teacher(bench))


def _train_teacher(bench: Bench) -> Model:
    from clip3d.training.clip_image import train_clip_image
    from clip3d.training.recipe import read_recipe_of

    recipe = read_recipe_of("clip-image", bench.recipes / TEACHER)
    settings: dict[str, Any] = {"teacher": bench.models["mini"], "data": with_pictures(bench, recipe.data, "color")}
    if bench.steps is not None:
        steps = min(bench.steps, recipe.optimisation.steps)
        settings["optimisation"] = replace(recipe.optimisation, steps=steps)
    recipe = replace(recipe, **settings)
    decides = [recipe, load(recipe.teacher).card.weights_hash, joined(bench, recipe.data).protocol()]
    digest = hashlib.sha256(repr(decides).encode()).hexdigest()[:8]
    out = bench.out / RUNS / f"small-vit-{digest}"
    if not (out / "model" / "card.json").is_file():
        train_clip_image(recipe, out, data=bench.path("library"), progress=bench.tell)
    return load(out / "model", device=bench.device)
