"""`clip3d collection`: a whole collection for other programs."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import (
    WrongCommand,
    finish,
    name_problems,
    print_json,
    print_line,
    progress_bar,
    start_logging,
)
from clip3d.cli.search_options import Where

if TYPE_CHECKING:
    from clip3d.errors import FileProblem
    from clip3d.search.exports.exporting import Progress, Selection

EXPORT_EXAMPLES = o.examples(
    "clip3d collection export vectors.npz --db assets.db",
    "clip3d collection export assets.parquet --db assets.db --where \"split = 'test'\" --thumbnails",
    "clip3d collection export assets.rrd --db assets.db --colour split && rerun assets.rrd",
    "clip3d collection export media/ --db assets.db --format fiftyone --name assets",
)


class Format(str, Enum):
    """What a collection is written as."""

    npz = "npz"
    parquet = "parquet"
    rerun = "rerun"
    fiftyone = "fiftyone"


ENDINGS = {".npz": Format.npz, ".parquet": Format.parquet, ".rrd": Format.rerun}

app = typer.Typer(
    help="A whole collection for other programs.",
    epilog=EXPORT_EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def _root() -> None:
    """A whole collection for other programs."""


@app.command("export", epilog=EXPORT_EXAMPLES)
def export(
    output: Annotated[
        Path, typer.Argument(metavar="OUTPUT", help="A file .npz, .parquet or .rrd; a new folder for FiftyOne.")
    ],
    db: Annotated[str, typer.Option("--db", metavar="DB", help="The collection.")],
    where: Where = None,
    file_format: Annotated[
        Format | None, typer.Option("--format", help="NumPy, Parquet, Rerun or FiftyOne; else as OUTPUT ends.")
    ] = None,
    thumbnails: Annotated[bool, typer.Option("--thumbnails", help="Parquet: with the thumbnails.")] = False,
    points: Annotated[
        int, typer.Option("--points", min=0, help="Rerun: points of each cloud; 0 to read no files.")
    ] = 2000,
    colour: Annotated[
        str, typer.Option("--colour", metavar="COLUMN", help="Rerun: the column that colours the map.")
    ] = "kind",
    name: Annotated[
        str | None, typer.Option("--name", help="FiftyOne: name of the dataset, if not that of the folder.")
    ] = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Write the items of a collection with their vectors and metadata for other programs.

    npz holds arrays for NumPy; Parquet a row an item; Rerun a recording with a map of the vectors and the items one
    after the other; FiftyOne a dataset whose samples show the thumbnails, which are put into OUTPUT. Vectors are as
    the model gave them: subtract the mean that is told with them before comparing.
    """
    start_logging(quiet=quiet, verbose=verbose)
    chosen = file_format or ENDINGS.get(output.suffix.lower())
    if chosen is None:
        endings = ", ".join(ENDINGS)
        raise WrongCommand(f"{output.name} ends in none of {endings}; for FiftyOne give --format fiftyone")
    _refuse_others(chosen, thumbnails=thumbnails, points=points != 2000, colour=colour != "kind", name=bool(name))
    from clip3d.search.collection import Collection
    from clip3d.search.conditions.where import Condition
    from clip3d.search.exports.exporting import select

    condition = None if where is None else Condition(where)
    with Collection(db, read_only=True) as collection, progress_bar("Exporting", quiet=quiet) as progress:
        selection = select(collection.store, condition)
        if colour not in ("folder", *selection.store.columns()):
            raise WrongCommand(f"there is no column {colour!r}; there are: {', '.join(selection.store.columns())}")
        n, problems = _write(chosen, output, selection, progress, thumbnails, points, colour, name)
    record = {"output": str(output), "format": chosen.value, "n": n, "vectors": list(selection.names)}
    if as_json:
        print_json({**record, **selection.origin()})
    else:
        vectors = ", ".join(selection.names)
        print_line(f"{output}: {n} items, {vectors} vectors, space {selection.header.space}")
    name_problems(problems)
    finish(problems, n - len(problems))


def _refuse_others(chosen: Format, **given: bool) -> None:
    """WrongCommand for an option of another format."""
    of = {"thumbnails": Format.parquet, "points": Format.rerun, "colour": Format.rerun, "name": Format.fiftyone}
    for option, is_given in given.items():
        if is_given and of[option] is not chosen:
            raise WrongCommand(f"--{option} is for {of[option].value}, not for {chosen.value}")


def _write(
    chosen: Format,
    output: Path,
    selection: Selection,
    progress: Progress | None,
    thumbnails: bool,
    points: int,
    colour: str,
    name: str | None,
) -> tuple[int, list[FileProblem]]:
    if chosen is Format.npz:
        from clip3d.search.exports.exporting import export_npz

        return export_npz(output, selection, progress), []
    if chosen is Format.parquet:
        from clip3d.search.exports.export_parquet import export_parquet

        return export_parquet(output, selection, progress, thumbnails=thumbnails), []
    if chosen is Format.rerun:
        from clip3d.search.exports.export_rerun import export_rerun

        return export_rerun(output, selection, progress, points=points, colour=colour)
    from clip3d.search.exports.export_fiftyone import export_fiftyone

    return export_fiftyone(output, name or output.absolute().name, selection, progress), []
