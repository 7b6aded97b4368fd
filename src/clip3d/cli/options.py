"""Options that mean the same in every command."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Up(str, Enum):
    """Axes that may point up."""

    x = "x"
    y = "y"
    z = "z"


class Length(str, Enum):
    """Units of length."""

    mm = "mm"
    cm = "cm"
    m = "m"
    inch = "in"
    ft = "ft"


class Stance(str, Enum):
    """How objects stand."""

    upright = "upright"
    any = "any"


ModelName = Annotated[
    str,
    typer.Option(
        "--model", metavar="NAME|FOLDER", help="An embedded model, a folder, or open_clip:ARCHITECTURE/WEIGHTS."
    ),
]
Device = Annotated[str, typer.Option("--device", help="Where towers run: cpu, cuda, cuda:1, mps.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress, no notes; failures are still named.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say what is done; errors with a traceback.")]
UpAxis = Annotated[Up | None, typer.Option("--up", help="Axis that points up, whatever the files say.")]
UnitName = Annotated[Length | None, typer.Option("--unit", help="Unit of the files, whatever they say.")]
PoseName = Annotated[
    Stance, typer.Option("--pose", help="any: the objects may be turned in any way; slower and less sure.")
]
Topic = Annotated[
    str | None, typer.Option("--topic", metavar="NAME", help="Of ROS recordings: where their cloud was sent.")
]
Message = Annotated[
    int, typer.Option("--message", min=0, metavar="N", help="Of ROS recordings: pass over N clouds of the topic.")
]
Points = Annotated[int, typer.Option("--points", min=1, max=50_000_000, help="Points drawn on a mesh.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of the drawing of points.")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Neither use nor keep vectors of earlier runs.")]
Templates = Annotated[
    list[str] | None,
    typer.Option("--template", metavar="TEXT", help="Prompt with {} for the label, not the model's; repeatable."),
]
LABELLED = "Clouds with their classes: an npz file, a folder of class folders, or a published set, unpacked."
LabelledPath = Annotated[Path, typer.Option("--clouds", metavar="FILE|FOLDER", help=LABELLED)]
Split = Annotated[str | None, typer.Option("--split", help="This part alone, such as test; all if left out.")]
Variant = Annotated[
    str | None, typer.Option("--variant", help="Of a set that has several, such as ScanObjectNN's PB_T50_RS.")
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="A quick look at this many objects at most, evenly spread.")
]
LIBRARIES = "Of `clip3d data build`; a folder of such; repeatable."
Libraries = Annotated[list[Path], typer.Option("--library", metavar="FILE|FOLDER", help=LIBRARIES)]
AllObjects = Annotated[bool, typer.Option("--all", help="All objects, not the held-out ones alone.")]
DrawSeed = Annotated[int, typer.Option("--seed", min=0, help="Of everything that is drawn at random.")]


def examples(*lines: str) -> str:
    """The foot of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
