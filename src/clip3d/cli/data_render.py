"""`clip3d data render`: pictures of many objects, to train against."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import finish, name_problems, print_json, print_line, progress_bar, start_logging
from clip3d.errors import FileProblem

if TYPE_CHECKING:
    from clip3d.data.renderings import Shape
    from clip3d.data.triplets import Triplets

EXAMPLES = o.examples(
    "clip3d data render library/furniture.npz library/furniture-views",
    "clip3d data render meshes/ views/ --views 12 --processes 4",
    "clip3d data render ShapeNet55/ depth/ --depth --views 3",
)


def render(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A library, a folder of meshes, or a data set.")],
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the pictures go.")],
    kind: Annotated[
        str | None, typer.Option("--format", metavar="NAME", help="Of the source, if it cannot be told from it.")
    ] = None,
    split: Annotated[str, typer.Option("--split", help="train, test, ... or all.")] = "all",
    captions: Annotated[
        str, typer.Option("--captions", metavar="FILE", help="Draw only what this table of captions names.")
    ] = "",
    views: Annotated[int, typer.Option("--views", min=1, max=1000, help="Pictures an object.")] = 5,
    size: Annotated[int, typer.Option("--size", min=8, max=4096, help="Pixels of a side.")] = 224,
    depth: Annotated[bool, typer.Option("--depth", help="Depth pictures, as CLIP goes 3D has them.")] = False,
    elevation: Annotated[
        tuple[float, float], typer.Option("--elevation", metavar="LOW HIGH", help="Degrees of the eye.")
    ] = (0.0, 30.0),
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the sides from which objects are seen.")] = 0,
    processes: Annotated[
        int, typer.Option("--processes", min=0, help="That draw at a time; 0 for one a processor.")
    ] = 0,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Draw pictures of every object of a source, each in a folder of its own, with `renders.json` saying how.

    Meshes are drawn face by face with their textures, clouds as soft discs. The sides depend on the seed and the
    object's name alone, so that neither order nor number of processes matters. A run that was interrupted goes on
    where it stopped; files that cannot be drawn are named at the end. A recipe's `pictures` names FOLDER.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.data.drawing import Rendering
    from clip3d.data.renderings import render_shapes

    rendering = Rendering("depth" if depth else "color", views, size, seed, elevation)
    objects = _opened(source, kind, split, captions)
    with progress_bar("Drawing", quiet=quiet) as progress:
        result = render_shapes(
            _shapes(objects, rendering.kind),
            out,
            rendering,
            count=len(objects),
            protocol=objects.protocol(),
            processes=processes or os.cpu_count() or 1,
            progress=progress,
        )
    name_problems(result.problems)
    whole = result.drawn + result.there
    if as_json:
        print_json({"path": str(out), "n": whole, "drawn": result.drawn, "failed": len(result.problems)})
    else:
        print_line(f"{out}: {whole} objects of {views} pictures, {result.there} of them there before")
    finish(result.problems, whole)


def _opened(source: str, kind: str | None, split: str, captions: str) -> Triplets:
    from clip3d.clouds.remote import as_path
    from clip3d.data.mesh_triplets import TABLES, list_meshes
    from clip3d.data.triplet_sources import TripletSource, format_of, open_triplets

    kind = kind or format_of(as_path(source))
    if kind == "meshes" and not captions and not any((Path(source) / name).is_file() for name in TABLES):
        return list_meshes(Path(source))
    return open_triplets(TripletSource(kind, source, split, captions=captions), Path())


def _shapes(objects: Triplets, kind: str) -> Iterator[Shape | FileProblem]:
    """What is to be drawn: a file where the source has one for this kind of picture, else the object's cloud."""
    from clip3d.data.renderings import Shape

    drawn_file = getattr(objects, "drawn_file", None)
    for index in range(len(objects)):
        try:
            file = drawn_file(index, kind) if drawn_file else None
            yield Shape(objects.key(index), file or objects.cloud(index))
        except FileProblem as problem:
            yield problem
