"""`clip3d classify`: which of the labels names each file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import (
    WrongCommand,
    finish,
    name_problems,
    note,
    print_json,
    print_table,
    progress_bar,
    start_logging,
)
from clip3d.cli.session import load_model, open_cache, reading_of

if TYPE_CHECKING:
    from clip3d.models.model import Model
    from clip3d.models.refusal import Fits
    from clip3d.search.labelling import LabelledFiles

EXAMPLES = o.examples(
    'clip3d classify chair.glb lamp.obj --labels "chair,table,lamp"',
    'clip3d classify chair.glb --labels "car,dog,tree" --threshold 0.2',
    "clip3d classify assets/ --labels @labels.txt --json",
    "clip3d classify assets/ --model tuned/",
)


def classify(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Files, and folders to search through.")],
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            metavar="A,B,...|@FILE",
            help="Labels with commas, or a file, one a line; left out, those of a classifier.",
        ),
    ] = None,
    templates: o.Templates = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", min=0, max=1, help="Least fit of a label, if not the model's; 0 to 1."),
    ] = None,
    no_refuse: Annotated[bool, typer.Option("--no-refuse", help="Always choose one of the labels.")] = False,
    model: o.ModelName = "mini",
    device: o.Device = "cpu",
    up: o.UpAxis = None,
    unit: o.UnitName = None,
    pose: o.PoseName = o.Stance.upright,
    topic: o.Topic = None,
    message: o.Message = 0,
    points: o.Points = 8192,
    seed: o.Seed = 0,
    no_cache: o.NoCache = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Choose a label for each 3D object, or none of these; for each picture, with a model without a cloud tower.

    Probabilities add up to 1 among the labels given. Apart from them, fit says how likely the best label is right
    at all: below the model's threshold the answer is "none of these".
    """
    start_logging(quiet=quiet, verbose=verbose)
    if no_refuse and threshold is not None:
        raise WrongCommand("--no-refuse never refuses: leave out --threshold")
    names = None if labels is None else read_labels(labels)
    from clip3d.search.labelling import classify_files

    with open_cache(disabled=no_cache) as cache, progress_bar("Embedding", quiet=quiet) as progress:
        result = classify_files(
            _with_labels(load_model(model, device), names),
            paths,
            names,
            templates=templates,
            refuse=not no_refuse,
            threshold=threshold,
            reading=reading_of(points, seed, up, unit, pose, topic, message),
            cache=cache,
            progress=progress,
        )
    show(result, as_json=as_json)
    name_problems(result.problems)
    if not quiet and not as_json:
        note(f"prompts: {'; '.join(result.templates)}; model {result.model}")
    finish(result.problems, len(result.answers))


def _with_labels(model: Model, names: list[str] | None) -> Model:
    """The model, if there are labels to choose between: given, or its own."""
    if names is None and not model.card.labels:
        raise WrongCommand(f'{model.name} has no labels of its own, give some: --labels "chair,table"')
    return model


def read_labels(text: str) -> list[str]:
    """Labels from a list with commas, or from the file after an @.

    Raises:
        WrongCommand: if the file cannot be read, or there is no label.
    """
    if text.startswith("@"):
        try:
            names = Path(text[1:]).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise WrongCommand(f"the labels file {text[1:]} cannot be read: {error}") from error
    else:
        names = text.split(",")
    names = [name.strip() for name in names if name.strip()]
    if len(set(names)) < 2:
        raise WrongCommand(f'give two labels or more to choose between: --labels "chair,table", got {text!r}')
    return names


def show(result: LabelledFiles, *, as_json: bool) -> None:
    """Print the labels, one line a file."""
    rows = []
    for i, (path, ranked) in enumerate(result.answers):
        best, second = ranked[:2]
        fit = {} if result.fits is None else _fit(result.fits, i)
        if as_json:
            print_json(
                {
                    "path": str(path),
                    "label": best.label,
                    "probability": round(best.probability, 6),
                    **fit,
                    "scores": {label.label: round(label.probability, 6) for label in ranked},
                    "model": result.model,
                    "templates": result.templates,
                }
            )
        if fit.get("fits", True):
            also = f"{second.label} {second.probability:.3f}"
            rows.append((str(path), best.label, f"{best.probability:.3f}", also))
        else:
            rows.append((str(path), f"none of these (nearest: {best.label}, {fit['fit']:.2f})", "-", "-"))
    if rows and not as_json:
        print_table(("path", "label", "probability", "next"), rows, right=(2,))


def _fit(fits: Fits, i: int) -> dict[str, float | bool]:
    return {"fits": bool(fits.fits[i]), "fit": round(float(fits.score[i]), 6)}
