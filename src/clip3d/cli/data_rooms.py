"""`clip3d data simulate-rooms`: scans of furnished rooms with exact labels."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.data_simulate import ShapesName
from clip3d.cli.output import finish, name_problems, note, print_json, print_line, progress_bar, start_logging
from clip3d.errors import DataError, ShapeError

EXAMPLES = o.examples(
    "clip3d data simulate-rooms rooms/ --rooms 200 --workers 2",
    "clip3d data simulate-rooms test/ --shapes held-out --rooms 100 --seed 1",
    "clip3d data simulate-rooms offices/ --use office --scanner terrestrial --json",
    "clip3d data simulate-rooms rooms/ --rooms 200 --library library/furniture.npz --segments",
    "clip3d data simulate-rooms scannet/ --layout scannet --pictures 320",
)


class ScannerName(str, Enum):
    """With what rooms are scanned."""

    camera = "camera"
    terrestrial = "terrestrial"
    any = "any"


class LayoutName(str, Enum):
    """How rooms are written."""

    plain = "plain"
    scannet = "scannet"


def simulate_rooms(
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the rooms go, each in a folder of its own.")],
    rooms: Annotated[int, typer.Option("--rooms", min=1, max=1_000_000, help="How many.")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of everything that is drawn.")] = 0,
    use: Annotated[
        str | None, typer.Option("--use", metavar="NAME", help="Such as 'office' or 'bedroom'; else any.")
    ] = None,
    shapes: Annotated[
        ShapesName, typer.Option("--shapes", help="held-out: things whose shapes train never shows.")
    ] = ShapesName.train,
    scanner: Annotated[
        ScannerName, typer.Option("--scanner", help="A depth camera that is carried about, a tripod, or either.")
    ] = ScannerName.camera,
    views: Annotated[int, typer.Option("--views", min=0, max=2000, help="Of the camera; 0: as the room asks.")] = 0,
    stations: Annotated[
        int, typer.Option("--stations", min=0, max=20, help="Of the tripod; 0: as the room asks.")
    ] = 0,
    cell: Annotated[
        float, typer.Option("--cell", min=0, max=0.2, help="Metres between points; 0: 0.02, or 0.01 of a tripod.")
    ] = 0.0,
    pictures: Annotated[
        int, typer.Option("--pictures", min=0, max=1296, help="Keep posed pictures and depth maps of that width.")
    ] = 0,
    library: Annotated[
        Path | None, typer.Option("--library", metavar="FILE", help="Use its models beside procedural shapes.")
    ] = None,
    layout: Annotated[
        LayoutName, typer.Option("--layout", help="plain: scan.ply and truth.json; scannet: as ScanNet's scenes.")
    ] = LayoutName.plain,
    segments: Annotated[
        bool, typer.Option("--segments", help="Write segments.npz too: the things as scans see them, a library.")
    ] = False,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Processes; 0 for one a processor.")] = 0,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Furnish rooms and scan them: points with colours, and for each the thing that it belongs to.

    A room depends on its number, the seed and the options alone, not on the workers. A run that was interrupted, or
    killed, goes on with the same command. A library's models are clouds without surfaces: their points become
    small squares that rays meet. Needs the extra `simulate`.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.data.rooms.making import Rooms, make_rooms

    try:
        what = Rooms(
            seed=seed,
            shapes="held-out" if shapes is ShapesName.held_out else "train",
            use=use,
            scanner=scanner.value,
            views=views,
            stations=stations,
            cell=cell,
            pictures=pictures,
            library=str(library.resolve()) if library else "",
        )
    except ShapeError as error:
        raise typer.BadParameter(str(error)) from error
    with progress_bar("Rooms", quiet=quiet) as progress:
        result = make_rooms(what, rooms, out, workers=workers or os.cpu_count() or 1, layout=layout.value,
                            progress=progress)  # fmt: skip
    name_problems(result.problems)
    problems = list(result.problems)
    count = None
    if segments and result.made:
        below = out / "scans" if layout is LayoutName.scannet else out
        count, unread = _segments(out, [below / name for name in sorted(result.made)], seed, quiet)
        name_problems(unread)
        problems += unread
    if as_json:
        record = {"path": str(out), "rooms": result.rooms, "written": result.written}
        print_json(record if count is None else {**record, "segments": count})
    else:
        told = f", {count} things in {out / 'segments.npz'}" if count is not None else ""
        print_line(f"{out}: {result.rooms} rooms, {result.rooms - result.written} there before{told}")
    finish(problems, result.rooms)


def _segments(out: Path, paths: list[Path], seed: int, quiet: bool) -> tuple[int, list[DataError]]:
    from clip3d.data.rooms.segments import make_segments

    if not quiet:
        note("gathering the things of the rooms")
    with progress_bar("Things", quiet=quiet) as progress:
        library, problems = make_segments(paths, out / "segments.npz", seed=seed, progress=progress)
    return len(library), problems
