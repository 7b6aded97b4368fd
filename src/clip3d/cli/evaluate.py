"""`clip3d evaluate`: protocols with their numbers."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import evaluate_driving, evaluate_text, refusal, retrieval, robustness
from clip3d.cli import options as o
from clip3d.cli.output import (
    WrongCommand,
    finish,
    name_problems,
    print_json,
    print_line,
    print_table,
    progress_bar,
    start_logging,
)
from clip3d.cli.session import load_model, read_clouds

if TYPE_CHECKING:
    from clip3d.evaluation.zero_shot import ZeroShotReport
    from clip3d.models.model import Model

EXAMPLES = o.examples(
    "clip3d evaluate zero-shot --clouds modelnet10.npz --split test",
    "clip3d evaluate zero-shot --clouds modelnet10.npz --split test --votes 10 --json",
    "clip3d evaluate zero-shot --clouds modelnet10.npz --views partial --failures wrong.html",
    "clip3d evaluate zero-shot --images photos/",
)

app = typer.Typer(
    help="Measure a model by a fixed protocol.", epilog=EXAMPLES, no_args_is_help=True, rich_markup_mode=None
)


class ViewsOption(str, Enum):
    """What of a cloud is shown."""

    whole = "whole"
    partial = "partial"


@app.callback()
def _root() -> None:
    """Measure a model by a fixed protocol."""


@app.command("zero-shot", epilog=EXAMPLES)
def zero_shot(
    clouds: Annotated[Path | None, typer.Option("--clouds", metavar="FILE|FOLDER", help=o.LABELLED)] = None,
    images: Annotated[
        Path | None,
        typer.Option("--images", metavar="FOLDER|CSV", help="Pictures: a sub-folder a label, or rows path,label."),
    ] = None,
    split: o.Split = None,
    variant: o.Variant = None,
    votes: Annotated[int, typer.Option("--votes", min=1, help="Views about the up axis, averaged.")] = 1,
    points: Annotated[
        int | None, typer.Option("--points", min=1, help="Points the tower sees, if not its own number.")
    ] = None,
    views: Annotated[
        ViewsOption, typer.Option("--views", help="partial: what is seen from each of five sides; the mean counts.")
    ] = ViewsOption.whole,
    pose: Annotated[
        o.Stance, typer.Option("--pose", help="any: each cloud in a random rotation, the model told so.")
    ] = o.Stance.upright,
    seed: o.DrawSeed = 0,
    limit: o.Limit = None,
    failures: Annotated[
        Path | None,
        typer.Option("--failures", metavar="PAGE.html", help="Write a page of the surest wrong answers, drawn."),
    ] = None,
    templates: o.Templates = None,
    model: o.ModelName = "mini",
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Zero-shot classification: each cloud, or each picture, takes the nearest label.

    An npz file holds points (n, p, 3), labels (n), classes (c), up ("x", "y" or "z"), and perhaps split (n), names
    (n) and colors (n, p, 3). The whole split is counted; nothing is drawn at random without --views partial or
    --pose any.
    """
    start_logging(quiet=quiet, verbose=verbose)
    if clouds is not None and images is not None:
        raise WrongCommand("give either --clouds or --images, not both")
    if images is not None:
        as_usual = (votes, views, pose, seed) == (1, ViewsOption.whole, o.Stance.upright, 0)
        if split or variant or limit or points or not as_usual:
            those = "--split, --variant, --votes, --points, --views, --pose, --seed and --limit"
            raise WrongCommand(f"{those} are for --clouds")
        _images(images, failures, templates, load_model(model, device), as_json=as_json, quiet=quiet)
        return
    if clouds is None:
        raise WrongCommand("give either --clouds or --images")
    from clip3d.evaluation import failures as page
    from clip3d.evaluation import zero_shot as protocol

    data = read_clouds(clouds, split, variant, limit, quiet=quiet)
    loaded = load_model(model, device)
    with progress_bar("Classifying", quiet=quiet) as progress:
        report = protocol.zero_shot(
            loaded,
            data,
            templates=templates,
            votes=votes,
            points=points,
            views="partial" if views is ViewsOption.partial else "whole",
            pose="any" if pose is o.Stance.any else "upright",
            seed=seed,
            progress=progress,
        )
    if failures is not None:
        found = page.most_confident_failures(report, data.labels.tolist(), loaded.space)
        page.write_failures(failures, report, found, lambda i: page.drawn(next(data.clouds([i]))))
    _answer(report, as_json=as_json)
    finish(data.problems, report.n)


def _images(
    path: Path,
    failures: Path | None,
    templates: list[str] | None,
    model: Model,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    from clip3d.evaluation import failures as page
    from clip3d.evaluation.labelled_images import find_labelled_images, zero_shot_images
    from clip3d.search.pictures import open_image

    data = find_labelled_images(path)
    with progress_bar("Classifying", quiet=quiet) as progress:
        report, problems = zero_shot_images(model, data, templates=templates, progress=progress)
    if failures is not None:
        found = page.most_confident_failures(report, data.labels, model.space)
        page.write_failures(failures, report, found, lambda i: open_image(data.files[i]))
    _answer(report, as_json=as_json)
    name_problems(problems)
    finish(problems, report.n)


def _answer(report: ZeroShotReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)


app.command("robustness", epilog=robustness.EXAMPLES)(robustness.robustness)
app.command("retrieval", epilog=retrieval.EXAMPLES)(retrieval.retrieval)
app.command("driving", epilog=evaluate_driving.EXAMPLES)(evaluate_driving.driving)
app.command("text", epilog=evaluate_text.EXAMPLES)(evaluate_text.text)
app.command("refusal", epilog=refusal.EXAMPLES)(refusal.refusal)


def show(report: ZeroShotReport) -> None:
    """Print a report: a line a class, then the totals and how they were measured."""
    rows = []
    for (name, value), counts in zip(report.per_class.items(), report.confusion, strict=True):
        rows.append((name, "-" if value is None else f"{100 * value:.1f}", str(sum(counts))))
    print_table(("class", "accuracy %", "n"), rows, right=(1, 2))
    print_line(f"accuracy {100 * report.accuracy:.2f} %, class mean {100 * report.class_mean:.2f} %, n {report.n}")
    if report.view_std is not None:
        parts = ", ".join(f"{100 * value:.1f}" for value in report.view_accuracies)
        print_line(f"partial views: {parts} %; standard deviation {100 * report.view_std:.2f} %")
    protocol = report.protocol
    prompts = f"prompts: {'; '.join(protocol['prompts'])}"
    if "pictures" in protocol:
        print_line(f"top-5 {100 * report.top5:.2f} %; model {report.model}; {prompts}")
        return
    every = protocol["every"]
    print_line(
        f"model {report.model}; split {protocol['split']}{f', one object in {every}' if every > 1 else ''}; "
        f"{protocol['points']} points; votes {protocol['votes']}; {prompts}"
    )
