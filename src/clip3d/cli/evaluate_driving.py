"""`clip3d evaluate driving`: labelled objects, partners and scenes of driving logs."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.atomic import replacing
from clip3d.cli import options as o
from clip3d.cli.output import (
    WrongCommand,
    finish,
    name_problems,
    note,
    print_json,
    print_line,
    print_table,
    start_logging,
)
from clip3d.cli.session import load_model

if TYPE_CHECKING:
    from clip3d.errors import FileProblem
    from clip3d.evaluation.driving_report import DrivingReport

EXAMPLES = o.examples(
    "clip3d data simulate test/ --logs 20 --shapes held-out --seed 1",
    "clip3d evaluate driving test/",
    "clip3d evaluate driving kitti/object/ --only objects --tiling whole --list --html objects.html",
    "clip3d evaluate driving test/ --sizes-from train/ --crops --json --report driving.md",
)


class TilingOption(str, Enum):
    """What of a picture is a frustum."""

    square = "square"
    tiles = "tiles"
    whole = "whole"


def driving(
    logs: Annotated[list[Path], typer.Argument(metavar="LOGS", help="Driving logs, or folders of them.")],
    only: Annotated[
        str | None, typer.Option("--only", metavar="A,B,...", help="Of objects, match, terms; all if left out.")
    ] = None,
    tiling: Annotated[
        TilingOption, typer.Option("--tiling", help="Of pictures: the middle square, squares all over, the whole.")
    ] = TilingOption.square,
    every: Annotated[int, typer.Option("--every", min=1, help="Objects of one frame in so many.")] = 1,
    apart: Annotated[
        float, typer.Option("--apart", min=0, help="Seconds between scenes of a log, against near copies.")
    ] = 2.0,
    least: Annotated[int, typer.Option("--least", min=1, help="Points that an object's box must hold.")] = 5,
    within: Annotated[float, typer.Option("--within", min=1, help="Metres within which objects count.")] = 40.0,
    cameras: Annotated[
        str | None, typer.Option("--cameras", metavar="A,B,...", help="Their names; all if left out.")
    ] = None,
    crops: Annotated[bool, typer.Option("--crops", help="Name the pictures of objects too.")] = False,
    sizes_from: Annotated[
        list[Path] | None,
        typer.Option("--sizes-from", metavar="LOGS", help="Labelled logs to learn sizes from; else typical ones."),
    ] = None,
    gallery: Annotated[int, typer.Option("--gallery", min=2, help="Pairs among which one is to be found.")] = 200,
    frames: Annotated[int | None, typer.Option("--frames", min=1, help="Of each log at most.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Each object with its answers.")] = False,
    markdown: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.md", help="Write the tables as Markdown too.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--html", metavar="FILE.html", help="Write a page with each object's picture.")
    ] = None,
    templates: o.Templates = None,
    seed: o.DrawSeed = 0,
    model: o.ModelName = "mini",
    device: o.Device = "cpu",
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Measure a sweep tower on driving logs.

    objects: labelled objects take the nearest of six classes, from the cells under them, asked with words that the
    recipes of mini hear and with others; beside it box size alone and the commonest class. match: from frusta to
    their pictures and back. terms: scenes found by what is in them, time of day, weather and crowding.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.evaluation.driving_frames import Looking, look
    from clip3d.evaluation.driving_objects import TEMPLATES, TYPICAL, mean_sizes
    from clip3d.evaluation.driving_report import PARTS, report

    parts = PARTS if only is None else tuple(part.strip() for part in only.split(",") if part.strip())
    if wrong := [part for part in parts if part not in PARTS]:
        raise WrongCommand(f"--only takes {', '.join(PARTS)}; got {wrong[0]!r}")
    how = Looking(
        every=every,
        apart=apart,
        tiling=tiling.value,
        least=least,
        within=within,
        cameras=tuple(name.strip() for name in cameras.split(",")) if cameras else (),
        crops=crops,
        pictures=page is not None,
        scenes="match" in parts or "terms" in parts,
        objects="objects" in parts,
        frames=frames,
    )
    loaded = load_model(model, device)
    problems: list[FileProblem] = []
    sizes = mean_sizes(sizes_from, problems) if sizes_from else TYPICAL
    seen = look(loaded, logs, how, (lambda line: None) if quiet else note)
    found = report(
        loaded,
        seen,
        how,
        logs,
        parts=parts,
        sizes=sizes,
        gallery=gallery,
        templates=templates or TEMPLATES,
        seed=seed,
    )
    if markdown is not None:
        with replacing(markdown) as temporary:
            temporary.write_text(found.markdown(listed=listed), encoding="utf-8")
    if page is not None:
        from clip3d.evaluation.driving_page import write_objects

        write_objects(page, found, seen.objects if found.listed else ())
    if as_json:
        print_json(found.as_dict(listed=listed))
    else:
        show(found, listed=listed)
    problems += seen.problems
    name_problems(problems)
    finish(problems, seen.frames)


def show(found: DrivingReport, *, listed: bool) -> None:
    """Print tables and the protocol."""
    from clip3d.evaluation import driving_report as tables

    if found.objects:
        print_table(*tables.object_rows(found.objects), right=range(1, 13))
        print_line()
    if found.match is not None:
        print_table(*tables.match_rows(found.match), right=range(1, 5))
        print_line()
    if found.terms:
        print_table(*tables.term_rows(found.terms), right=range(1, 13))
        print_line()
    if listed and found.listed:
        print_table(*tables.listed_rows(found.listed), right=(5, 6))
        print_line()
    print_line(f"model {found.model}; {tables.protocol_line(found.protocol)}")
