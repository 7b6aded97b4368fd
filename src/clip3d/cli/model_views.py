"""`clip3d models views`: a model that sees pictures is given a way to see clouds."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import note, print_json, print_line, start_logging
from clip3d.cli.session import load_model

EXAMPLES = o.examples(
    "clip3d models views models/vit-b-32 models/pointclip",
    "clip3d models views models/vit-b-32 models/clip2point --drawing clip2point",
    "clip3d evaluate zero-shot --clouds modelnet10.npz --model models/pointclip",
)


class Drawing(str, Enum):
    """What the image tower is shown of a cloud."""

    shaded = "shaded"
    pointclip = "pointclip"
    clip2point = "clip2point"


class Scale(str, Enum):
    """What is done to depth maps before the image tower sees them."""

    published = "published"
    photographs = "photographs"
    none = "none"


def views(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="A model with an image and a text tower.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The new model's folder; new or empty.")],
    drawing: Annotated[
        Drawing, typer.Option("--drawing", help="Depth maps of a paper, or shaded pictures in colour.")
    ] = Drawing.pointclip,
    count: Annotated[int, typer.Option("--views", help="Depth maps of a cloud: 6 or 10.")] = 6,
    scale: Annotated[
        Scale, typer.Option("--scale", help="Depth maps scaled: as published, as photographs are, or not at all.")
    ] = Scale.published,
    weights: Annotated[
        str, typer.Option("--weights", metavar="W,W,...", help="Of the depth maps, one each; all 1 if left out.")
    ] = "",
    new_name: Annotated[str | None, typer.Option("--name", help="Of the model, if not the folder's.")] = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Make a model whose cloud tower is the image tower of another, looking at drawings of a cloud.

    With depth maps of pointclip this is PointCLIP, zero-shot: no training, and the prompt of the paper. Those of
    clip2point are what its image tower is pre-trained on (clip3d train recipes/clip2point.toml). Texts and pictures
    are encoded as before, in the same space. A cloud tower that the model has is replaced.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.models.viewing import view_clouds

    scaled = None if scale is Scale.published else scale is Scale.photographs
    shares = _numbers(weights)
    made = view_clouds(
        load_model(name, "cpu"), out, drawing.value, views=count, scaled=scaled, weights=shares, name=new_name
    )
    if as_json:
        print_json({"model": made.id, "space": made.space.id, "towers": list(made.card.towers), "folder": str(out)})
        return
    print_line(f"{out}: {made.id}, space {made.space.id}, towers {', '.join(made.card.towers)}")
    if not quiet:
        note(f"prompts: {', '.join(made.card.templates)}")


def _numbers(words: str) -> list[float]:
    try:
        return [float(word) for word in words.split(",")] if words else []
    except ValueError as error:
        raise typer.BadParameter(f"--weights must be numbers with commas between them, got {words!r}") from error
