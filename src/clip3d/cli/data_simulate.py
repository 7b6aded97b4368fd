"""`clip3d data simulate`: driving logs of simulated streets."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import finish, name_problems, print_json, print_line, progress_bar, start_logging
from clip3d.errors import ShapeError

EXAMPLES = o.examples(
    "clip3d data simulate logs/ --logs 20 --frames 20",
    "clip3d data simulate night/ --period night --weather rainy --cameras 3 --workers 2",
    "clip3d data simulate once/ --layout once --sensor pandar40p --cameras 6",
    "clip3d data simulate balanced/ --mix balanced --logs 300 --frames 8 --rate 0.5 --seed 2",
    "clip3d data simulate test/ --shapes held-out --sensor generic-48 --seed 1",
)


class PeriodName(str, Enum):
    """Of the day."""

    day = "day"
    dusk = "dusk"
    night = "night"


class WeatherName(str, Enum):
    """Of the sky."""

    sunny = "sunny"
    cloudy = "cloudy"
    rainy = "rainy"
    foggy = "foggy"


class ShapesName(str, Enum):
    """Which things are shown."""

    train = "train"
    held_out = "held-out"


class MixName(str, Enum):
    """How common scarce things are."""

    usual = "usual"
    balanced = "balanced"


class LayoutName(str, Enum):
    """How logs are written."""

    plain = "plain"
    once = "once"


def simulate(
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the logs go, each in a folder of its own.")],
    logs: Annotated[int, typer.Option("--logs", min=1, max=1_000_000, help="How many.")] = 10,
    frames: Annotated[int, typer.Option("--frames", min=1, max=6000, help="Of each log.")] = 20,
    rate: Annotated[float, typer.Option("--rate", min=0.1, max=20, help="Sweeps a second.")] = 2.0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of everything that is drawn.")] = 0,
    sensor: Annotated[
        str, typer.Option("--sensor", metavar="NAME", help="vlp-16, hdl-32e, pandar40p, hdl-64e, ... or any.")
    ] = "any",
    cameras: Annotated[int, typer.Option("--cameras", min=0, max=6, help="Of the vehicle.")] = 1,
    picture: Annotated[int, typer.Option("--picture", min=16, max=4096, help="Pixels of a picture's width.")] = 400,
    place: Annotated[
        str | None, typer.Option("--place", metavar="NAME", help="Such as 'crossing' or 'motorway'; else any.")
    ] = None,
    period: Annotated[PeriodName | None, typer.Option("--period", help="Of the day; else any.")] = None,
    weather: Annotated[WeatherName | None, typer.Option("--weather", help="Else any.")] = None,
    shapes: Annotated[
        ShapesName, typer.Option("--shapes", help="held-out: things whose shapes train never shows.")
    ] = ShapesName.train,
    mix: Annotated[
        MixName,
        typer.Option(
            "--mix", help="balanced, for training: buses, cyclists, things close by, night and glare are common."
        ),
    ] = MixName.usual,
    layout: Annotated[
        LayoutName, typer.Option("--layout", help="plain: a folder for each log; once: one data set of ONCE's.")
    ] = LayoutName.plain,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Processes; 0 for one a processor.")] = 0,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Record drives through simulated streets: sweeps, pictures, poses, and what is true of them.

    Each log is a folder in the plain layout, or a sequence in ONCE's; `read_log` reads both. It depends on its
    number, the seed and the options alone, not on the workers. A run that was interrupted, or killed, goes on with
    the same command. Needs the extra `simulate`.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.simulation.driving.logs import Drive
    from clip3d.simulation.driving.making import make_logs

    try:
        drive = Drive(
            frames=frames,
            seed=seed,
            rate=rate,
            sensor=sensor,
            cameras=cameras,
            picture=picture,
            shapes="held-out" if shapes is ShapesName.held_out else "train",
            place=place,
            period=period.value if period else None,
            weather=weather.value if weather else None,
            mix=mix.value,
        )
    except ShapeError as error:
        raise typer.BadParameter(str(error)) from error
    with progress_bar("Driving", quiet=quiet) as progress:
        result = make_logs(
            drive, logs, out, workers=workers or os.cpu_count() or 1, layout=layout.value, progress=progress
        )
    name_problems(result.problems)
    if as_json:
        record = {"path": str(out), "logs": result.logs, "frames": result.frames, "written": result.written}
        print_json(record)
    else:
        print_line(
            f"{out}: {result.logs} logs of {frames} frames, {result.frames - result.written} frames there before"
        )
    finish(result.problems, result.logs)
