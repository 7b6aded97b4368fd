"""`clip3d train`: a recipe becomes a tower."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clip3d.cli import options as o
from clip3d.cli.output import note, print_json, print_table, start_logging
from clip3d.errors import DataError

if TYPE_CHECKING:
    from clip3d.models.model import Model
    from clip3d.training.loop import Progress

EXAMPLES = o.examples(
    "clip3d data build library/",
    "clip3d train recipes/mini-cloud-first.toml --data library/ --out runs/cloud-first",
    "clip3d train recipes/cg3d-point-transformer.toml --data data/ --out runs/cg3d --dry-run",
    "torchrun --nproc-per-node 8 -m clip3d train recipes/cg3d-point-transformer.toml --data data/ --out runs/cg3d",
)

ON_DEVICES = ("adapter", "clip2point", "sweep")
REHEARSED = ("cg3d", "sweep")


def train(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="Such as recipes/mini-cloud-first.toml.")],
    data: Annotated[Path, typer.Option("--data", help="Folder in which the recipe's data files lie.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for checkpoints and weights; a run there goes on.")],
    teacher: Annotated[
        str | None, typer.Option("--teacher", metavar="NAME|FOLDER", help="Model to learn from, not the recipe's.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of the run, not the recipe's.")] = None,
    device: Annotated[
        str, typer.Option("--device", help="Of kinds cg3d, sweep, adapter and clip2point: cpu, cuda, cuda:1.")
    ] = "cpu",
    initial: Annotated[
        Path | None,
        typer.Option("--initial", help="Weights to start from, in place of the recipe's.", dir_okay=False),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Of kinds cg3d and sweep: take a few steps, say what all will need.")
    ] = False,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Processor threads to use.")] = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Train the tower that a recipe describes; a run that was interrupted goes on where it stopped.

    Recipes of kind cg3d take a GPU (--device), several processes (torchrun), and a rehearsal (--dry-run); those of
    kinds adapter and clip2point a GPU, those of kind sweep a GPU and a rehearsal.
    """
    start_logging(quiet=quiet, verbose=verbose)
    import torch

    from clip3d.models.weights import write_json
    from clip3d.training.recipe import read_recipe, tower_config

    if threads:
        torch.set_num_threads(threads)
    kind, settings = read_recipe(recipe)
    if kind == "finetune":
        raise DataError(recipe, "describes a fine-tuning", f"clip3d finetune DATA --recipe {recipe} --out FOLDER")
    if teacher is not None:
        settings = _taught_by(teacher, settings, recipe)
    if seed is not None:
        settings = replace(settings, seed=seed)
    if initial is not None:
        settings = _started_from(initial, settings, recipe)
    progress: Progress = (lambda line: None) if quiet else note
    if kind == "cg3d":
        source = recipe.read_text(encoding="utf-8") + _overridden(teacher, seed, initial)
        numbers = _pretrain(settings, data, out, progress, device, source, dry_run)
        if numbers is None:
            return
    else:
        _refuse_alone(recipe, kind, device, dry_run)
        if not dry_run:
            out.mkdir(parents=True, exist_ok=True)
        placed: dict[str, Any] = {"device": device} if kind in ON_DEVICES else {}
        if kind in REHEARSED:
            placed["dry_run"] = dry_run
        numbers = _trainers()[kind](settings, data, out, progress, **placed)
    if not dry_run:
        write_json({"kind": kind, "tower": tower_config(settings), **numbers}, out / "result.json")
    if as_json:
        print_json({"kind": kind, "out": str(out), **numbers})
    else:
        print_table(("result", "value"), [(name, f"{value}") for name, value in numbers.items()])


def _taught_by(teacher: str, settings: Any, recipe: Path) -> Any:
    if not hasattr(settings, "teacher"):
        raise DataError(recipe, "describes a tower that has no teacher", "leave --teacher out")
    return replace(settings, teacher=teacher)


def _started_from(initial: Path, settings: Any, recipe: Path) -> Any:
    if not hasattr(settings, "initial"):
        raise DataError(recipe, "describes a training that always starts anew", "leave --initial out")
    # The recipe's path is relative to the data folder; the command line's, as always, to where the user is.
    return replace(settings, initial=str(initial.absolute()))


def _overridden(teacher: str | None, seed: int | None, initial: Path | None) -> str:
    """What the command line said otherwise, as comments under the recipe's text."""
    said = {"teacher": teacher, "seed": seed, "initial": initial}
    return "".join(f"# --{name} {value}\n" for name, value in said.items() if value is not None)


def _refuse_alone(recipe: Path, kind: str, device: str, dry_run: bool) -> None:
    """Refuse what recipes of this kind cannot do."""
    from clip3d.training.distributed import started_by_torchrun

    if started_by_torchrun():
        raise DataError(recipe, f"a recipe of kind {kind} trains in one process", "start it without torchrun")
    cannot_rehearse = dry_run and kind not in REHEARSED
    if cannot_rehearse or (device != "cpu" and kind not in ON_DEVICES):
        option = "--dry-run" if cannot_rehearse else "--device"
        raise DataError(recipe, f"a recipe of kind {kind} takes no {option}", f"leave {option} out")


def _pretrain(
    settings: Any, data: Path, out: Path, progress: Progress, device: str, source: str, dry_run: bool
) -> dict[str, Any] | None:
    """The numbers of a pre-training or its rehearsal; None in processes that do not speak."""
    from clip3d.training.distributed import place, together

    with together(device) as own:
        if dry_run:
            from clip3d.training.rehearsal import rehearse

            numbers = rehearse(settings, data=data, progress=progress, device=own)
        else:
            from clip3d.training.pretraining import pretrain

            numbers = pretrain(settings, out, data=data, progress=progress, device=own, source=source)
        return None if place() else numbers


def _trainers() -> dict[str, Any]:
    return {
        "cloud": _train_cloud,
        "text": _train_text,
        "image": _train_image,
        "adapter": _train_adapter,
        "clip2point": _train_clip2point,
        "clip-image": _train_clip_image,
        "sweep": _train_sweep,
    }


def _train_cloud(recipe: Any, data: Path, out: Path, progress: Any) -> dict[str, Any]:
    from clip3d.training.cloud import held_out_objects, train_cloud

    held_out = held_out_objects(recipe, data)

    def validate(tower: Any, teacher: Model) -> dict[str, float]:
        from clip3d.evaluation.naming import naming_accuracy, tower_vectors

        vectors = tower_vectors(tower, held_out)
        space, templates = teacher.space, [recipe.template]
        return naming_accuracy(vectors, held_out, lambda t: teacher.encode_texts(t, templates), space)

    judge = validate if len(held_out) else None
    return dict(train_cloud(recipe, out, data=data, progress=progress, validate=judge))


def _train_text(recipe: Any, data: Path, out: Path, progress: Any) -> dict[str, Any]:
    from clip3d.training.text import train_text

    return dict(train_text(recipe, out, data=data, progress=progress))


def _train_image(recipe: Any, data: Path, out: Path, progress: Any) -> dict[str, Any]:
    from clip3d.training.image import train_image

    return dict(train_image(recipe, out, data=data, progress=progress))


def _train_adapter(recipe: Any, data: Path, out: Path, progress: Any, device: str) -> dict[str, Any]:
    from clip3d.training.adapters import train_adapter

    return dict(train_adapter(recipe, out, data=data, progress=progress, device=device))


def _train_clip2point(recipe: Any, data: Path, out: Path, progress: Any, device: str) -> dict[str, Any]:
    from clip3d.training.clip2point import train_clip2point

    return dict(train_clip2point(recipe, out, data=data, progress=progress, device=device))


def _train_clip_image(recipe: Any, data: Path, out: Path, progress: Any) -> dict[str, Any]:
    from clip3d.training.clip_image import train_clip_image

    return dict(train_clip_image(recipe, out, data=data, progress=progress))


def _train_sweep(recipe: Any, data: Path, out: Path, progress: Any, device: str, dry_run: bool) -> dict[str, Any]:
    if dry_run:
        from clip3d.training.sweep_rehearsal import rehearse_sweep

        return dict(rehearse_sweep(recipe, data=data, progress=progress, device=device))
    from clip3d.training.sweep import train_sweep

    return dict(train_sweep(recipe, out, data=data, progress=progress, device=device))
