"""`clip3d evaluate`: protocols with their numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import print_json, print_line, print_table, progress_bar, start_logging
from clip3d.cli.session import load_model

if TYPE_CHECKING:
    from clip3d.evaluation.zero_shot import ZeroShotReport

EXAMPLES = o.examples(
    "clip3d evaluate zero-shot --clouds modelnet10.npz --split test",
    "clip3d evaluate zero-shot --clouds modelnet10.npz --split test --votes 10 --json",
)

app = typer.Typer(
    help="Measure a model by a fixed protocol.", epilog=EXAMPLES, no_args_is_help=True, rich_markup_mode=None
)


@app.callback()
def _root() -> None:
    """Measure a model by a fixed protocol."""


@app.command("zero-shot", epilog=EXAMPLES)
def zero_shot(
    clouds: Annotated[Path, typer.Option("--clouds", metavar="FILE.npz", help="Clouds with their classes.")],
    split: Annotated[str | None, typer.Option("--split", help="Rows with this `split`; all if left out.")] = None,
    votes: Annotated[int, typer.Option("--votes", min=1, help="Views about the up axis, averaged.")] = 1,
    points: Annotated[
        int | None, typer.Option("--points", min=1, help="Points the tower sees, if not its own number.")
    ] = None,
    templates: o.Templates = None,
    model: o.ModelName = "mini",
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Zero-shot classification: each cloud takes the nearest label.

    The npz file holds points (n, p, 3), labels (n), classes (c), up ("x", "y" or "z"), and perhaps split (n) and
    colors (n, p, 3). Nothing is drawn at random, and the whole split is counted.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.evaluation import zero_shot as protocol

    data = protocol.load_labelled_clouds(clouds, split)
    with progress_bar("Classifying", quiet=quiet) as progress:
        report = protocol.zero_shot(
            load_model(model, device), data, templates=templates, votes=votes, points=points, progress=progress
        )
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)


def show(report: ZeroShotReport) -> None:
    """Print a report: a line a class, then the totals and how they were measured."""
    rows = []
    for (name, value), counts in zip(report.per_class.items(), report.confusion, strict=True):
        rows.append((name, "-" if value is None else f"{100 * value:.1f}", str(sum(counts))))
    print_table(("class", "accuracy %", "n"), rows, right=(1, 2))
    print_line(f"accuracy {100 * report.accuracy:.2f} %, class mean {100 * report.class_mean:.2f} %, n {report.n}")
    protocol = report.protocol
    print_line(
        f"model {report.model}; split {protocol['split']}; {protocol['points']} points; votes {protocol['votes']}; "
        f"prompts: {'; '.join(protocol['prompts'])}"
    )
