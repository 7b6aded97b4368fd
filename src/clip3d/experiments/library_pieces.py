"""What experiments on the built library are made of: pictures of its objects, and a small teacher of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from clip3d.data.drawing import Rendering
from clip3d.data.joined_triplets import JoinedTriplets
from clip3d.data.renderings import Shape, render_shapes
from clip3d.data.triplet_sources import TripletSource, open_triplets
from clip3d.data.triplets import Triplets
from clip3d.errors import FileProblem
from clip3d.experiments.experiment import Bench
from clip3d.experiments.given_models import MODELS
from clip3d.experiments.pre_trained import PreTraining, pre_train, read_pre_training
from clip3d.models.loading import load
from clip3d.models.model import Model

Kind = Literal["color", "depth"]

TEACHER, ABLATION, PROMPTS = "library-teacher.toml", "library-ablation.toml", "library-prompts.toml"
# The teacher's image tower: small enough for two cores.
VIT: dict[str, Any] = {"width": 192, "layers": 4, "heads": 3, "patch": 8, "size": 64}
SCALED = {"size": VIT["size"], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
VIEWS = 5


def sources_of(bench: Bench, recipe: Any, kind: Kind) -> dict[str, tuple[TripletSource, ...]]:
    """The recipe's data and validation with pictures of one kind, which are drawn where they are not there."""
    return {
        part: tuple(replace(one, pictures=str(_drawn(bench, one, kind))) for one in getattr(recipe, part))
        for part in ("data", "validation")
    }


def _drawn(bench: Bench, source: TripletSource, kind: Kind) -> Path:
    """Folder of the pictures of a library's objects, of both splits."""
    folder = (bench.out / "pictures" / f"{Path(source.path).stem}-{kind}").resolve()

    def draw() -> Path:
        whole = open_triplets(replace(source, split="all", pictures=""), bench.data)
        bench.tell(f"{folder}: pictures of {len(whole)} objects")
        done = render_shapes(
            _shapes(whole),
            folder,
            Rendering(kind, views=VIEWS, size=2 * SCALED["size"]),
            count=len(whole),
            protocol=whole.protocol(),
        )
        for problem in done.problems:
            bench.tell(str(problem))
        return folder

    return bench.once(f"drawn:{folder}", draw)


def _shapes(triplets: Triplets) -> Iterator[Shape | FileProblem]:
    for index in range(len(triplets)):
        try:
            yield Shape(triplets.key(index), triplets.cloud(index))
        except FileProblem as problem:
            yield problem


def held_out(bench: Bench, sources: Sequence[TripletSource]) -> Triplets:
    """The objects of several sources as one set."""
    return JoinedTriplets([open_triplets(one, bench.data) for one in sources])


def small_teacher(bench: Bench) -> Model:
    """Mini's text tower beside a small vision transformer that the recipe of the teacher trains on renders.

    One that is brought under the name library-teacher in the folder of weights is taken in its place.
    """
    brought = bench.find("library-teacher")
    if brought:
        return bench.once("model:library-teacher", lambda: load(brought))
    what = PreTraining("teacher", TEACHER, _untrained(bench))
    recipe = read_pre_training(bench, what, 0)
    return pre_train(bench, 0, replace(what, changes=sources_of(bench, recipe, "color"))).model


def _untrained(bench: Bench) -> Path:
    import torch

    from clip3d.models.packing import golden_images
    from clip3d.models.replacing import NewTower, with_towers
    from clip3d.towers.clip_vit import ClipViT

    folder = bench.out / MODELS / "untrained-teacher"
    if not (folder / "card.json").is_file():
        base = load(bench.models["mini"])
        config = {**VIT, "dim": base.space.dim}
        torch.manual_seed(0)
        state = {name: tensor.detach().numpy() for name, tensor in ClipViT(**config).state_dict().items()}
        pixels = np.random.default_rng(0).integers(0, 256, size=(2, 48, 64, 3), dtype=np.uint8)
        tower = NewTower("clip-vit", state, golden_images(list(pixels)), config, dict(SCALED))
        with_towers(base, {"image": tower}, folder, name="small-vit")
    return folder
