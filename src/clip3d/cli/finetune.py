"""`clip3d finetune`: labelled clouds and a model become a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clip3d.cli import options as o
from clip3d.cli.output import WrongCommand, finish, note, print_json, print_line, print_table, start_logging
from clip3d.cli.session import read_clouds

if TYPE_CHECKING:
    from clip3d.training.finetune_recipe import FinetuneRecipe

EXAMPLES = o.examples(
    "clip3d finetune my-clouds/ --out tuned/",
    "clip3d classify scan.ply --model tuned/",
    "clip3d finetune modelnet10.npz --split train --test-split test --fraction 0.1 --out tuned/",
    "clip3d finetune modelnet40/ --recipe recipes/finetune-pointmlp.toml --model cg3d/ --out tuned/",
)


def finetune(
    data: Annotated[Path, typer.Argument(metavar="DATA", help=o.LABELLED)],
    out: Annotated[Path, typer.Option("--out", help="The new model's folder; a run there goes on.")],
    recipe: Annotated[
        Path | None, typer.Option("--recipe", metavar="FILE", help="Such as recipes/finetune-mini.toml.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME|FOLDER", help="Whose cloud tower is tuned; mini.")
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Its architecture with random weights, to compare with.")
    ] = False,
    head_only: Annotated[bool, typer.Option("--head-only", help="Train the head alone.")] = False,
    split: Annotated[
        str | None,
        typer.Option("--split", help="Part to learn from; train where --test-split is given, else all."),
    ] = None,
    test_split: Annotated[
        str | None, typer.Option("--test-split", help="Part that is scored once, when the weights are settled.")
    ] = None,
    variant: o.Variant = None,
    near: Annotated[
        Path | None,
        typer.Option("--near-duplicates", metavar="FILE.json", help="Test clouds to leave out of a second count."),
    ] = None,
    fraction: Annotated[
        float | None, typer.Option("--fraction", min=0, max=1, help="Of the clouds of each class; .1 is a tenth.")
    ] = None,
    shots: Annotated[int | None, typer.Option("--shots", min=1, help="Clouds of each class.")] = None,
    validation: Annotated[
        float | None,
        typer.Option("--validation", min=0, max=1, help="Share of these that chooses the weights; 0 for none."),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option("--patience", min=0, help="Stop after so many validations without a better one; 0 never."),
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Of the run.")] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="In place of steps.")] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Clouds in a step.")] = None,
    points: Annotated[int | None, typer.Option("--points", min=32, max=8192, help="Points the tower sees.")] = None,
    rate: Annotated[float | None, typer.Option("--lr", min=0, help="Highest learning rate.")] = None,
    smoothing: Annotated[float | None, typer.Option("--smoothing", min=0, max=1, help="Of the labels.")] = None,
    votes: Annotated[
        int | None, typer.Option("--votes", min=1, help="Passes over the test part, averaged; the paper has 10.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of subset, head and batches.")] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Processor threads to use.")] = None,
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Tune a model's cloud tower into a classifier of your own classes.

    DATA is a folder with a folder of clouds or meshes for each class, or a labelled set. The result is a model:
    classify takes its labels by itself, search takes a label as its query. Weights are chosen on a part of the
    clouds that are learned from, never on the test part. Options go before what the recipe says.
    """
    start_logging(quiet=quiet, verbose=verbose)
    if shots is not None and fraction is not None:
        raise WrongCommand("give --shots or --fraction, not both")
    if steps is not None and epochs is not None:
        raise WrongCommand("give --steps or --epochs, not both")
    if near is not None and test_split is None:
        raise WrongCommand("--near-duplicates are left out of the test part: give --test-split")
    import torch

    from clip3d.data.near_duplicates import near_duplicates
    from clip3d.evaluation.scoring import accuracies
    from clip3d.training.finetune import finetune as tune

    if threads:
        torch.set_num_threads(threads)
    settings = with_options(
        _read(recipe),
        model=model,
        from_scratch=from_scratch or None,
        head_only=head_only or None,
        fraction=fraction,
        shots=shots,
        validation=validation,
        patience=patience,
        steps=steps,
        epochs=epochs,
        batch=batch,
        points=points,
        lr=rate,
        smoothing=smoothing,
        votes=votes,
        seed=seed,
    )
    if patience and (settings.shots or not settings.validation):
        raise WrongCommand("--patience needs clouds that choose weights: no --shots, and --validation above 0")
    learned = "train" if split is None and test_split is not None else split
    if learned is not None and learned == test_split:
        raise WrongCommand(f"the part {learned!r} cannot be both learned from and the test")
    train = read_clouds(data, learned, variant, quiet=quiet)
    test = None if test_split is None else read_clouds(data, test_split, variant, quiet=quiet)
    listed = () if near is None or test is None else near_duplicates(near, test).nonzero()[0]
    report = tune(
        settings,
        train,
        out,
        judge=accuracies,
        progress=(lambda line: None) if quiet else note,
        test=test,
        near=[test.names[i] for i in listed] if test else (),
        device=device,
    )
    print_json({"out": str(out), **report}) if as_json else show(report)
    if not quiet and not as_json:
        note(f"{out} is a model: clip3d classify FILE --model {out}")
    finish([*train.problems, *(test.problems if test else ())], report["train"]["learned_from"])


def with_options(recipe: FinetuneRecipe, **options: Any) -> FinetuneRecipe:
    """The recipe with every option that is not None in place of its own."""
    given = {name: value for name, value in options.items() if value is not None}
    if "steps" in given or "epochs" in given:
        recipe = recipe.lasting(steps=given.pop("steps", None), epochs=given.pop("epochs", None))
    if "points" in given:
        recipe = recipe.seeing(given.pop("points"))
    if "lr" in given:
        given["optimiser"] = replace(recipe.optimiser, lr=given.pop("lr"), rates=None)
    if "patience" in given:
        given["watch"] = replace(recipe.watch, patience=given.pop("patience"))
    if "fraction" in given:
        given["shots"] = 0
    return replace(recipe, **given)


def show(report: dict[str, Any]) -> None:
    """Print what was learned from what, and the accuracies."""
    rows: list[Sequence[str]] = []
    for name, part in _counts(report):
        mean = f"{100 * part['class_mean']:.2f}"
        rows.append((name, f"{100 * part['accuracy']:.2f}", mean, str(part["n"])))
    if rows:
        print_table(("clouds", "accuracy %", "class mean %", "n"), rows, right=(1, 2, 3))
    train = report["train"]
    print_line(
        f"{report['backbone']} backbone of {report['model']}; learned from {train['learned_from']} clouds of "
        f"{len(report['labels'])} classes ({train['data']}, split {train['split']}, {train['part']}); "
        f"{report['steps']} steps of {report['batch']}; {report['points']} points; seed {report['seed']}; "
        f"weights: {report['validation']['weights']}"
    )


def _counts(report: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found = [("validation", report["validation"])] if "accuracy" in report["validation"] else []
    test = report.get("test")
    for name, part in (("test", test), (f"test, {_votes(test)} votes", (test or {}).get("voted"))):
        if part:
            found.append((name, part))
        if part and "without_near_duplicates" in part:
            found.append((f"{name}, without near duplicates", part["without_near_duplicates"]))
    return found


def _votes(test: dict[str, Any] | None) -> int:
    return int(test["voted"]["votes"]) if test and "voted" in test else 1


def _read(path: Path | None) -> FinetuneRecipe:
    from clip3d.training.finetune_recipe import FinetuneRecipe
    from clip3d.training.recipe import read_recipe

    if path is None:
        return FinetuneRecipe()
    settings = read_recipe(path)[1]
    if not isinstance(settings, FinetuneRecipe):
        raise WrongCommand(f'{path} describes no fine-tuning: one begins with kind = "finetune"')
    return settings
