"""`clip3d embed`: vectors of files, in one npz file."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from clip3d.cli import options as o
from clip3d.cli.output import finish, name_problems, print_json, print_line, progress_bar, start_logging
from clip3d.cli.session import load_model, open_cache, reading_of

EXAMPLES = o.examples(
    "clip3d embed assets/ -o vectors.npz",
    "clip3d embed s3://bucket/assets -o vectors.npz",
    "clip3d embed kitti/drive_0001/ -o drive.npz",
    "clip3d embed 000008.bin --as sweeps -o sweep.npz",
    "clip3d embed drive.mcap --topic /lidar --message 100 -o vectors.npz",
    """python -c "import numpy; print(numpy.load('vectors.npz')['vectors'].shape)\"""",
)


class Taken(str, Enum):
    """What files may be taken for."""

    clouds = "clouds"
    sweeps = "sweeps"


def embed(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Files, folders to search through, and URIs of either.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.npz", help="Where to write the vectors.")],
    model: o.ModelName = "mini",
    device: o.Device = "cpu",
    up: o.UpAxis = None,
    unit: o.UnitName = None,
    pose: o.PoseName = o.Stance.upright,
    topic: o.Topic = None,
    message: o.Message = 0,
    taken: Annotated[
        Taken | None, typer.Option("--as", help="Take all for objects, or all for lidar sweeps.")
    ] = None,
    points: o.Points = 8192,
    seed: o.Seed = 0,
    no_cache: o.NoCache = False,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
    verbose: o.Verbose = False,
) -> None:
    """Write the vectors of 3D objects to a file; of pictures, with a model that has no cloud tower.

    With a model that has a sweep tower, driving logs and files of lidar sweeps are embedded as what cameras see:
    one vector for each camera of each frame, named SWEEP#CAMERA; of a sweep without cameras one for each quarter
    around it: #ahead, #left, #behind, #right. A folder that holds logs stands for them alone.
    A folder named clouds/ is a log's only beside calibration.toml or poses.csv; --as tells what is meant.

    The npz file holds `paths` (n), `vectors` (n, d) float32, and the ids `space`, `model` and `weights`.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from clip3d.search.mixed_embedding import embed_paths
    from clip3d.search.vector_file import save_vectors

    loaded = load_model(model, device)
    with open_cache(disabled=no_cache) as cache:
        found = embed_paths(
            loaded,
            paths,
            cache=cache,
            reading=reading_of(points, seed, up, unit, pose, topic, message),
            taken=None if taken is None else taken.value,
            bar=lambda label: progress_bar(label, quiet=quiet),
        )
    problems, n = found.problems, len(found.names)
    if n:
        save_vectors(output, found.names, found.vectors, loaded)
    record = {"output": str(output) if n else None, "n": n, "failed": len(problems)}
    if as_json:
        print_json({**record, "space": loaded.space.id, "model": loaded.id})
    elif n:
        space = loaded.space
        print_line(f"{output}: {n} vectors of {space.dim} numbers, space {space.id}, model {loaded.id}")
    name_problems(problems)
    finish(problems, n)
