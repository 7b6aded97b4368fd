"""`clip3d models attach`: a published 3D encoder beside the towers of its CLIP."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import note, print_json, print_line
from clip3d.cli.session import load_model

EXAMPLES = o.examples(
    "clip3d models attach cg3d_pointmlp.pth models/cg3d --to models/slip --licence MIT",
    "clip3d models attach lidarclip_vitl14.ckpt models/lidarclip --to models/vit-l-14",
)
UNCHECKED = "nothing but the length of its vectors shows that it belongs to {}"


class TrainedUp(str, Enum):
    """Axes that point up in the clouds of published encoders."""

    y = "y"
    z = "z"


def attach(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="Of CG3D, ULIP, ULIP-2 or LidarCLIP.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The model's folder; new or empty.")],
    to: Annotated[str, typer.Option("--to", metavar="MODEL", help="The CLIP it was trained against, converted.")],
    points: Annotated[
        int | None, typer.Option("--points", min=1, help="It is shown of a cloud; else as its publisher does.")
    ] = None,
    up: Annotated[TrainedUp, typer.Option("--up", help="Axis that points up for it.")] = TrainedUp.y,
    intensity: Annotated[
        float, typer.Option("--intensity", min=0, help="A sweep tower is shown it for the brightest echo.")
    ] = 255.0,
    name: Annotated[str | None, typer.Option("--name", help="Of the model, if not the folder's.")] = None,
    licence: Annotated[str | None, typer.Option("--licence", help="Of the checkpoint.")] = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> None:
    """Put a published 3D encoder beside the text and image towers of the CLIP that it was trained against.

    The checkpoint is read as data: nothing in it is run. Its vectors are taken to lie in the model's space. Their
    lengths must agree; ULIP's checkpoints hold their teacher, which must be the model; of others nothing more can
    be checked, and the card says so.
    """
    from clip3d.models.attaching import attach_encoder

    done = attach_encoder(
        checkpoint,
        load_model(to, "cpu"),
        out,
        points=points,
        up=up.value,
        intensity=intensity,
        name=name,
        licence=licence,
    )
    if as_json:
        facts = {"model": done.model.id, "space": done.model.space.id, "towers": list(done.model.card.towers)}
        print_json({**facts, "folder": str(out), "layout": done.encoder.layout, "teacher_known": done.belongs})
        return
    print_line(f"{out}: {done.model.id}, space {done.model.space.id}, towers {', '.join(done.model.card.towers)}")
    if not quiet:
        note(f"read {checkpoint}, layout of {done.encoder.layout}, and ran nothing in it")
        note("its teacher is the model" if done.belongs else UNCHECKED.format(to))
