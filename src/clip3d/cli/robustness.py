"""`clip3d evaluate robustness`: accuracy under corruptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import finish, note, print_json, print_line, print_table, progress_bar, start_logging
from clip3d.cli.session import load_model, read_clouds

if TYPE_CHECKING:
    from clip3d.evaluation.robustness import RobustnessRow

EXAMPLES = o.examples(
    "clip3d evaluate robustness --clouds modelnet10.npz --split test",
    "clip3d evaluate robustness --clouds modelnet10.npz --only noise,points --limit 100 --json",
)


def robustness(
    clouds: o.LabelledPath,
    split: o.Split = None,
    variant: o.Variant = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="A,B,...", help="Corruptions to try; all if left out.")
    ] = None,
    limit: o.Limit = None,
    seed: o.DrawSeed = 0,
    templates: o.Templates = None,
    model: o.ModelName = "mini",
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Zero-shot accuracy on corrupted clouds, beside that on clouds as they are.

    Corruptions: points, noise, outliers, occlusion, cut, tilt, rotation, scale, shift, mirror, dropout, color. Each
    corrupted set follows from the seed, the object, the corruption and its level.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.evaluation.robustness import robustness

    names = None if only is None else [name.strip() for name in only.split(",") if name.strip()]
    data = read_clouds(clouds, split, variant, limit, quiet=quiet)
    rows = []
    with progress_bar("Classifying", quiet=quiet) as progress:
        for row in robustness(
            load_model(model, device), data, only=names, templates=templates, seed=seed, progress=progress
        ):
            rows.append(row)
            if as_json:
                print_json(row.as_dict())
            elif progress is None and not quiet:
                note(f"{row.corruption} {row.label}: {_percent(row.accuracy)} {row.note}".strip())
    if not as_json:
        show(rows)
    finish(data.problems, len(data))


def show(rows: Sequence[RobustnessRow]) -> None:
    """Print a line a level, the mean over partial views, and how it was measured."""
    table = [
        (
            row.corruption,
            row.label,
            _percent(row.accuracy),
            _percent(row.class_mean),
            _percent(row.difference, sign=True),
            "-" if row.seen is None else f"{row.seen:,}",
            row.note,
        )
        for row in rows
    ]
    seen = "points seen" if rows[0].protocol["points_are"] == "exact" else "points seen, at most"
    headings = ("corruption", "level", "accuracy %", "class mean %", "difference", seen, "note")
    print_table(headings, table, right=(2, 3, 4, 5))
    views = [row.accuracy for row in rows if row.corruption == "occlusion" and row.accuracy is not None]
    if views:
        print_line(f"occlusion, mean of {len(views)} views: accuracy {100 * sum(views) / len(views):.1f} %")
    first = rows[0]
    every = first.protocol["every"]
    print_line(
        f"model {first.model}; {first.protocol['data']}, split {first.protocol['split']}"
        f"{f', one object in {every}' if every > 1 else ''}; n {first.n}; seed {first.seed}; "
        f"prompts: {'; '.join(first.protocol['prompts'])}"
    )


def _percent(value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return "-"
    return f"{100 * value:+.1f}" if sign else f"{100 * value:.1f}"
