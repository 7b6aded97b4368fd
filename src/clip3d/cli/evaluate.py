"""`clip3d evaluate`: protocols with their numbers."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli import refusal, retrieval, robustness
from clip3d.cli.output import print_json, print_line, print_table, progress_bar, start_logging
from clip3d.cli.session import load_model

if TYPE_CHECKING:
    from clip3d.evaluation.zero_shot import ZeroShotReport

EXAMPLES = o.examples(
    "clip3d evaluate zero-shot --clouds modelnet10.npz --split test",
    "clip3d evaluate zero-shot --clouds modelnet10.npz --split test --votes 10 --json",
    "clip3d evaluate zero-shot --clouds modelnet10.npz --views partial",
)

app = typer.Typer(
    help="Measure a model by a fixed protocol.", epilog=EXAMPLES, no_args_is_help=True, rich_markup_mode=None
)


class ViewsOption(str, Enum):
    """What of a cloud is shown."""

    whole = "whole"
    partial = "partial"


class PoseOption(str, Enum):
    """How clouds stand."""

    upright = "upright"
    any = "any"


@app.callback()
def _root() -> None:
    """Measure a model by a fixed protocol."""


@app.command("zero-shot", epilog=EXAMPLES)
def zero_shot(
    clouds: o.LabelledFile,
    split: o.Split = None,
    votes: Annotated[int, typer.Option("--votes", min=1, help="Views about the up axis, averaged.")] = 1,
    points: Annotated[
        int | None, typer.Option("--points", min=1, help="Points the tower sees, if not its own number.")
    ] = None,
    views: Annotated[
        ViewsOption, typer.Option("--views", help="partial: what is seen from each of five sides; the mean counts.")
    ] = ViewsOption.whole,
    pose: Annotated[
        PoseOption, typer.Option("--pose", help="any: each cloud in a random rotation, the model told so.")
    ] = PoseOption.upright,
    seed: o.DrawSeed = 0,
    limit: o.Limit = None,
    templates: o.Templates = None,
    model: o.ModelName = "mini",
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Zero-shot classification: each cloud takes the nearest label.

    The npz file holds points (n, p, 3), labels (n), classes (c), up ("x", "y" or "z"), and perhaps split (n) and
    colors (n, p, 3). The whole split is counted; nothing is drawn at random without --views partial or --pose any.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.evaluation import zero_shot as protocol

    data = protocol.load_labelled_clouds(clouds, split).limited(limit)
    with progress_bar("Classifying", quiet=quiet) as progress:
        report = protocol.zero_shot(
            load_model(model, device),
            data,
            templates=templates,
            votes=votes,
            points=points,
            views="partial" if views is ViewsOption.partial else "whole",
            pose="any" if pose is PoseOption.any else "upright",
            seed=seed,
            progress=progress,
        )
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)


app.command("robustness", epilog=robustness.EXAMPLES)(robustness.robustness)
app.command("retrieval", epilog=retrieval.EXAMPLES)(retrieval.retrieval)
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
    every = protocol["every"]
    print_line(
        f"model {report.model}; split {protocol['split']}{f', one object in {every}' if every > 1 else ''}; "
        f"{protocol['points']} points; votes {protocol['votes']}; prompts: {'; '.join(protocol['prompts'])}"
    )
