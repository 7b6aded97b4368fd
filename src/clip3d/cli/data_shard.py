"""`clip3d data shard`: sets of clouds, pictures and captions in tar files that stream."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import finish, name_problems, print_json, print_line, progress_bar, start_logging

EXAMPLES = o.examples(
    "clip3d data shard library/furniture.npz shards/ --pictures library/furniture-views",
    "clip3d data shard ShapeNet55/ shards/ --split train --objects 2000",
)


def shard(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Libraries, folders, or data sets.")],
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the shards go.")],
    kind: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="Of the sources, if it cannot be told from them.")
    ] = None,
    split: Annotated[str, typer.Option("--split", help="train, test, ... or all.")] = "train",
    pictures: Annotated[
        list[str] | None,
        typer.Option("--pictures", metavar="FOLDER", help="Of `data render`; once for each source, in order."),
    ] = None,
    captions: Annotated[
        list[str] | None,
        typer.Option("--captions", metavar="FILE", help="Table of captions; once for each source, in order."),
    ] = None,
    objects: Annotated[int, typer.Option("--objects", min=1, help="Of a shard, at most.")] = 1000,
    megabytes: Annotated[int, typer.Option("--megabytes", min=1, help="Of a shard, about.")] = 256,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the order of the objects.")] = 0,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Put clouds, pictures and captions into tar shards with an index, for sets beyond memory.

    The shards keep to the convention of WebDataset. A run that was interrupted goes on with the shard where it
    stopped; objects that cannot be read are left out and named. A recipe reads the folder, or its URI, as
    `format = "shards"`.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.clouds.remote import as_path
    from clip3d.data.sharding import Sharding, write_shards
    from clip3d.data.triplet_sources import TripletSource, format_of, open_joined

    beside = [_one_each(pictures, sources, "--pictures"), _one_each(captions, sources, "--captions")]
    named = [
        TripletSource(kind or format_of(as_path(source)), source, split, *extras)
        for source, *extras in zip(sources, *beside, strict=True)
    ]
    how = Sharding(objects, megabytes * 2**20, seed)
    with progress_bar("Writing", quiet=quiet) as progress:
        result = write_shards(open_joined(named, Path()), out, how, progress=progress)
    name_problems(result.problems)
    if as_json:
        print_json({"path": str(out), "n": result.objects, "shards": result.shards, "failed": len(result.problems)})
    else:
        there = f", {result.there} of them there before" if result.there else ""
        print_line(f"{out}: {result.objects} objects in {result.shards} shards{there}")
    finish(result.problems, result.objects)


def _one_each(values: list[str] | None, sources: list[str], option: str) -> list[str]:
    """One value for each source; empty ones if the option is not given."""
    if not values:
        return [""] * len(sources)
    if len(values) != len(sources):
        raise typer.BadParameter(f"give it once for each of the {len(sources)} sources", param_hint=option)
    return values
