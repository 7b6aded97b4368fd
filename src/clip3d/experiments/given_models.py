"""Models made of the checkpoints that were brought, once each, in the experiment's folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from clip3d.atomic import making_folder
from clip3d.experiments.experiment import Bench
from clip3d.experiments.needs import fingerprint
from clip3d.models.loading import load
from clip3d.models.model import Model
from clip3d.models.packing import TowerFacts, golden_clouds, pack
from clip3d.models.weights import write_arrays

MODELS = "models"
DIM = 512  # of SLIP's space, CG3D's


def clip_model(bench: Bench, need: str) -> Model:
    """A CLIP of the table `NEEDS`: the model's folder that was brought, or one converted from a checkpoint."""
    from clip3d.models.clip_converting import convert_clip

    path = bench.path(need)
    return made(bench, need, path, lambda out: convert_clip(path, out, name=need))


def cg3d_model(bench: Bench, need: str) -> Model:
    """A published encoder beside SLIP, which CG3D was trained against; or the model's folder that was brought."""
    from clip3d.models.attaching import attach_encoder

    path, slip = bench.path(need), bench.path("slip")
    attach = partial(attach_encoder, path, clip_model(bench, "slip"), name=need)
    return made(bench, need, path, attach, slip)


def point_clip(bench: Bench, need: str = "clip") -> Model:
    """PointCLIP, zero-shot: a CLIP that looks at six depth maps of a cloud."""
    from clip3d.models.viewing import view_clouds

    model = clip_model(bench, need)
    return made(
        bench, f"pointclip-{need}", bench.path(need), lambda out: view_clouds(model, out, "pointclip"), ready=False
    )


def own_model(bench: Bench, name: str) -> Model:
    """One of the models that the user names, or that come with the package."""
    return bench.once(f"model:{name}", lambda: load(bench.models[name], device=bench.device))


def blank_model(bench: Bench, architecture: str) -> Model:
    """A model with an encoder of CG3D's sizes and random weights, which tells a fine-tuning what to build."""
    from clip3d.towers.catalogue import resolve

    def make(folder: Path) -> None:
        with making_folder(folder) as new:
            tower = resolve(architecture)(dim=DIM)
            state = {name: tensor.detach().numpy() for name, tensor in tower.state_dict().items()}
            write_arrays(state, new / "cloud.safetensors")
            write_arrays({"mean": np.zeros(DIM, np.float32)}, new / "space.safetensors")
            facts = {"name": architecture, "version": "1", "licence": "CC0-1.0", "templates": ["{}"]}
            space = {"id": f"none:{architecture}", "dim": DIM, "scale": 1.0, "stored": "unit"}
            facts_of_tower = TowerFacts(architecture, "cloud.safetensors", {"dim": DIM}, {"points": 1024})
            pack(new, facts, {**space, "weights": "space.safetensors"}, {"cloud": facts_of_tower}, golden_clouds(1))

    def get() -> Model:
        folder = bench.out / MODELS / f"blank-{architecture}"
        if not (folder / "card.json").is_file():
            make(folder)
        return load(folder)

    return bench.once(f"blank:{architecture}", get)


@dataclass(frozen=True)
class Candidate:
    """A model that an experiment measures.

    Attributes:
        name: in names of rows.
        title: in tables.
        needs: names in the table `NEEDS`.
        load: gives it.
        own: whether it is one of `Bench.models`.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    load: Callable[[Bench], Model]
    own: bool = False


POINT_CLIP = Candidate("pointclip", "PointCLIP", ("clip",), point_clip)
POINT_TRANSFORMER, POINT_MLP = (
    Candidate(need, title, ("slip", need), partial(cg3d_model, need=need))
    for need, title in (
        ("cg3d-point-transformer", "CG3D PointTransformer"),
        ("cg3d-point-mlp", "CG3D PointMLP"),
    )
)


def own_candidates(bench: Bench) -> list[Candidate]:
    """The models that the user names, and mini."""
    return [Candidate(name, name, (), partial(own_model, name=name), own=True) for name in bench.models]


def made(
    bench: Bench,
    name: str,
    source: Path,
    make: Callable[[Path], object],
    beside: Path | None = None,
    *,
    ready: bool = True,
) -> Model:
    """The model that `make` writes of a source, and of what lies beside it: made anew when either has changed.

    Args:
        bench: in whose folder it is written.
        name: of the model.
        source: what it is made of.
        make: writes it into a folder.
        beside: something else that it is made of.
        ready: a source that is a model's folder is the model itself.
    """

    def get() -> Model:
        if ready and (source / "card.json").is_file():
            return load(source, device=bench.device)
        marks = [fingerprint(path)[:8] for path in (source, beside) if path]
        folder = bench.out / MODELS / "-".join([name, *marks])
        if not (folder / "card.json").is_file():
            bench.tell(f"{folder} is made of {source}")
            make(folder)
        return load(folder, device=bench.device)

    return bench.once(f"model:{name}", get)
