"""`clip3d evaluate retrieval`: are held-out objects, or clouds of a class, found by words and pictures?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import (
    WrongCommand,
    finish,
    library_objects,
    name_problems,
    note,
    print_json,
    print_line,
    print_table,
    start_logging,
)
from clip3d.cli.session import load_model, read_clouds

if TYPE_CHECKING:
    from clip3d.data.labelled_clouds import LabelledClouds
    from clip3d.evaluation.retrieval import RetrievalReport
    from clip3d.models.model import Model

EXAMPLES = o.examples(
    "clip3d evaluate retrieval --library library/furniture.npz",
    "clip3d evaluate retrieval --library library/ --icons sweethome3d-furniture_1.8-1_all.deb --json",
    "clip3d evaluate retrieval --clouds modelnet10.npz --split test --images photos/",
)


def retrieval(
    libraries: Annotated[
        list[Path] | None, typer.Option("--library", metavar="FILE|FOLDER", help=o.LIBRARIES)
    ] = None,
    clouds: Annotated[Path | None, typer.Option("--clouds", metavar="FILE|FOLDER", help=o.LABELLED)] = None,
    split: o.Split = None,
    variant: o.Variant = None,
    images: Annotated[
        Path | None,
        typer.Option("--images", metavar="FOLDER|CSV", help="With --clouds: pictures by class, asked with too."),
    ] = None,
    votes: Annotated[
        int, typer.Option("--votes", min=1, help="With --clouds: views about the up axis, averaged.")
    ] = 1,
    limit: o.Limit = None,
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
    With --clouds, labelled clouds are found by the names of their classes, by pictures of the classes, and by each
    other; every cloud of the class is right.
    """
    start_logging(quiet=quiet, verbose=verbose)
    if bool(libraries) == (clouds is not None):
        raise WrongCommand("give either --library or --clouds")
    if clouds is not None:
        if icons or everything:
            raise WrongCommand("--icons and --all are for --library")
        data = read_clouds(clouds, split, variant, limit, quiet=quiet)
        _by_class(data, images, votes, templates, load_model(model, device), as_json=as_json, quiet=quiet)
        return
    if images or split or variant or limit or votes > 1:
        raise WrongCommand("--images, --split, --variant, --votes and --limit are for --clouds")
    from clip3d.evaluation import retrieval as protocol
    from clip3d.evaluation.library_part import read_part

    part = read_part(libraries or [], everything=everything)
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


def _by_class(
    data: LabelledClouds,
    images: Path | None,
    votes: int,
    templates: list[str] | None,
    model: Model,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    from clip3d.evaluation.class_retrieval import class_retrieval
    from clip3d.evaluation.labelled_images import find_labelled_images

    pictures = None if images is None else find_labelled_images(images)
    tell = None if quiet else note
    report, problems = class_retrieval(
        model, data, images=pictures, templates=templates, votes=votes, progress=tell
    )
    if as_json:
        print_json(report.as_dict())
    else:
        _table(report)
        protocol = report.protocol
        print_line(
            f"model {report.model}; {protocol['data']}, split {protocol['split']}; {protocol['points']} points; "
            f"votes {votes}; prompts: {'; '.join(protocol['prompts'])}"
        )
    name_problems(problems)
    finish([*data.problems, *problems], report.n)


def show(report: RetrievalReport) -> None:
    """Print a line for each way of asking, and how it was measured."""
    _table(report)
    protocol = report.protocol
    print_line(
        f"model {report.model}; {library_objects(protocol)}; galleries: {protocol['galleries']}, seed "
        f"{protocol['seed']}; prompts: {'; '.join(protocol['prompts'])}"
    )


def _table(report: RetrievalReport) -> None:
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
