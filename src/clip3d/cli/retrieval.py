"""`clip3d evaluate retrieval`: are held-out objects found by words and pictures?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import library_objects, note, print_json, print_line, print_table, start_logging
from clip3d.cli.session import load_model

if TYPE_CHECKING:
    from clip3d.evaluation.retrieval import RetrievalReport

EXAMPLES = o.examples(
    "clip3d evaluate retrieval --library library/furniture.npz",
    "clip3d evaluate retrieval --library library/ --icons sweethome3d-furniture_1.8-1_all.deb --json",
)


def retrieval(
    libraries: o.Libraries,
    everything: o.AllObjects = False,
    icons: Annotated[
        Path | None,
        typer.Option("--icons", metavar="FILE.deb", help="Package sweethome3d-furniture: asks with its icons too."),
    ] = None,
    gallery: Annotated[
        int, typer.Option("--gallery", min=2, help="Objects that a picture is compared with, at most.")
    ] = 100,
    galleries: Annotated[int, typer.Option("--galleries", min=1, help="How many such sets are drawn.")] = 20,
    seed: o.DrawSeed = 0,
    templates: o.Templates = None,
    model: o.ModelName = "mini",
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Find held-out objects by their captions and by pictures of them, and pictures by objects.

    Words are compared with all objects; a drawn view of an object, and its icon, with galleries of some objects.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.evaluation import retrieval as protocol
    from clip3d.evaluation.library_part import read_part

    part = read_part(libraries, everything=everything)
    pictures = None
    if icons is not None:
        from clip3d.data.icons import read_icons

        pictures = read_icons(icons)
    report = protocol.retrieval(
        load_model(model, device),
        part,
        icons=pictures,
        templates=templates,
        gallery=gallery,
        galleries=galleries,
        seed=seed,
        progress=None if quiet else note,
    )
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)


def show(report: RetrievalReport) -> None:
    """Print a line for each way of asking, and how it was measured."""
    ks = list(report.rows[0].recall)
    rows = []
    for row in report.rows:
        precision = [f"{100 * row.precision[k]:.1f}" if row.precision else "-" for k in ks]
        mean = row.mean_average_precision
        cells = [f"{100 * row.recall[k]:.1f}" for k in ks] + precision
        cells.append("-" if mean is None else f"{100 * mean:.1f}")
        rows.append((row.task, *cells, str(row.gallery), str(row.queries)))
    shares = [f"{name}@{k} %" for name in ("recall", "precision") for k in ks]
    headings = ("task", *shares, "mAP %", "among", "queries")
    print_table(headings, rows, right=range(1, len(headings)))
    protocol = report.protocol
    print_line(
        f"model {report.model}; {library_objects(protocol)}; galleries: {protocol['galleries']}, seed "
        f"{protocol['seed']}; prompts: {'; '.join(protocol['prompts'])}"
    )
