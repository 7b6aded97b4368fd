"""How long each stage of a simulated drive takes: drawing a street, composing a moment, lidar, truth, picture."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean

import numpy as np

from clip3d.lidar.motion import inverse
from clip3d.lidar.writing import LogWriter
from clip3d.simulation.driving.camera import render
from clip3d.simulation.driving.lidar_layouts import LIDARS, lidar_named
from clip3d.simulation.driving.lidar_sensor import scan
from clip3d.simulation.driving.rig import draw_rig
from clip3d.simulation.driving.streets import draw_street
from clip3d.simulation.driving.truth import true_boxes

EXAMPLE = "example:\n  python benchmarks/simulation.py --sensor hdl-64e --logs 8 --frames 10 --picture 0"
STAGES = ("draw", "compose", "tree", "scan", "truth", "write", "picture")


def main() -> int:
    args = parse_arguments()
    print(f"{args.logs} logs of {args.frames} frames; seconds of processor time a frame\n")
    print("sensor       rays     points   " + "".join(f"{stage:>9}" for stage in STAGES) + "   sweeps an hour")
    for name in LIDARS if args.sensor == "all" else [args.sensor]:
        spent: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        points: list[int] = []
        with tempfile.TemporaryDirectory() as folder:
            for number in range(args.logs):
                log = Path(folder) / str(number)
                points += drive(name, args.seed + number, args.frames, args.picture, log, spent)
        each = {stage: value / len(points) for stage, value in spent.items()}
        sweep = sum(value for stage, value in each.items() if stage != "picture")
        rays = len(lidar_named(name).directions()[0])
        times = "".join(f"{each[stage]:9.3f}" for stage in STAGES)
        print(f"{name:12s} {rays:7,} {mean(points):8,.0f}   {times}   {3600 / sweep:14,.0f}")
    return 0


def drive(sensor: str, seed: int, frames: int, picture: int, folder: Path, spent: dict[str, float]) -> list[int]:
    """Record one log and add each stage's time; the points of its sweeps."""
    rng = np.random.default_rng(seed)
    with timed(spent, "draw"):
        street = draw_street(seed, frames / 2)
        rig = draw_rig(rng, lidar_named(sensor), 1, picture or 400)
        writer = LogWriter(folder, rig.cameras)
    points = []
    for index in range(frames):
        with timed(spent, "compose"):
            snapshot = street.at(index / 2)
        with timed(spent, "tree"):
            caster = street.caster(snapshot)
            caster.blocked(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32))
        pose = snapshot.world_from_vehicle @ rig.vehicle_from_lidar
        with timed(spent, "scan"):
            scanned = scan(snapshot, caster, rig.lidar, pose, rng, index / 2)
        with timed(spent, "truth"):
            boxes = true_boxes(snapshot, caster, scanned, pose, rig.cameras, rng)
        with timed(spent, "write"):
            writer.append(f"{index:06d}", scanned.sweep, boxes=boxes, world_from_lidar=pose)
        if picture:
            camera = rig.cameras[0]
            with timed(spent, "picture"):
                render(snapshot, caster, camera, pose @ inverse(camera.camera_from_lidar), rng)
        points.append(len(scanned.sweep))
    return points


@contextmanager
def timed(spent: dict[str, float], stage: str) -> Iterator[None]:
    """Add the processor time of a block to a stage."""
    start = time.process_time()
    yield
    spent[stage] += time.process_time() - start


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sensor", default="all", choices=("all", *LIDARS))
    parser.add_argument("--logs", type=int, default=4)
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--picture", type=int, default=0, help="pixels of a picture's width; 0 for none")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
