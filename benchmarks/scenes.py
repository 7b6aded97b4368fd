"""How long a room takes to be asked: step by step in one process, and as whole commands, at first and later.

    python benchmarks/scenes.py --points 5000000
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import clip3d
from clip3d.clouds.mesh import Mesh, sample_surface
from clip3d.scenes.parts import choose_parts, part_clouds
from clip3d.scenes.segmenting import SEGMENTERS
from clip3d.scenes.structure import NOTHING, find_structure
from clip3d.scenes.surface import surface_of
from clip3d.scenes.threads import one_thread
from clip3d.scenes.voxels import voxelise
from clip3d.simulation.moving import merge, move, rotate
from clip3d.simulation.objects import make
from clip3d.simulation.shapes import box

SIDES = (9.0, 7.0, 2.7)
THINGS = (
    *("chair", "table", "sofa", "bed", "bookshelf", "desk", "lamp", "toilet", "refrigerator", "potted plant"),
    *("monitor", "night stand", "chair", "chair", "stool", "wardrobe"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=5_000_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "room.ply"
        os.environ["CLIP3D_CACHE"] = str(Path(folder) / "vectors.db")
        clip3d.write(room(arguments.points, arguments.seed), path)
        print(f"a room of {arguments.points:,} points, {os.cpu_count()} cores; wall and CPU seconds")
        steps(path)
        command = [sys.executable, "-m", "clip3d", "scene", str(path), "a bookshelf", "-q"]
        for name, words in (("first question", []), ("the same question", []), ("another question", ["a chair"])):
            with told(f"clip3d scene, {name}"):
                subprocess.run([*command, *words], check=True, stdout=subprocess.DEVNULL)
        with told("clip3d scene, with --ply"):
            output = str(Path(folder) / "answer.ply")
            subprocess.run([*command, "--ply", output], check=True, stdout=subprocess.DEVNULL)


def steps(path: Path) -> None:
    """Each step of parting a scan."""
    with told("load the model"):
        model = clip3d.load()
        model.tower("cloud")
    with told("read the scan"):
        cloud = clip3d.read(path)
    with told("voxels"):
        voxels = voxelise(cloud)
    with told("neighbours and normals"):
        surface = surface_of(voxels)
    with told("gravity, floor, ceiling, walls"):
        surface, structure = find_structure(surface)
    with told("segmentation by graph"):
        scales = SEGMENTERS["graph"](surface, structure)
    with told("parts"):
        parts = choose_parts(surface, structure.labels == NOTHING, scales)
        clouds = part_clouds(cloud, voxels, surface, structure.rotation, parts)
    with told(f"vectors of {len(parts)} parts"), one_thread():
        model.encode_clouds(clouds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(voxels):,} voxels of {1000 * voxels.grid.size:.0f} mm; at most {peak:,.0f} MiB held")


def room(points: int, seed: int) -> clip3d.PointCloud:
    """A furnished room whose surfaces are seen from all sides, with noise of 4 mm."""
    rng = np.random.default_rng(seed)
    wide, deep, high = SIDES
    meshes: list[Mesh] = [box((wide, deep, 0.02), (0, 0, z), (0.7, 0.6, 0.5)) for z in (-0.02, high)]
    meshes += [box((wide, 0.02, high), (0, s * deep / 2, 0), (0.9, 0.9, 0.8)) for s in (-1, 1)]
    meshes += [box((0.02, deep, high), (s * wide / 2, 0, 0), (0.9, 0.9, 0.8)) for s in (-1, 1)]
    for place, name in enumerate(THINGS):
        thing = rotate(merge(make(name, place).meshes), "z", rng.uniform(0, 360))
        meshes.append(move(thing, (-3.4 + 2.2 * (place % 4), -2.5 + 1.7 * (place // 4), 0)))
    sample = sample_surface(meshes, points, seed=seed)
    noisy = sample.points + rng.normal(0, 0.004, sample.points.shape)
    return clip3d.PointCloud(noisy.astype(np.float32), sample.colors, unit="m")


@contextmanager
def told(what: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), _cpu()
    yield
    print(f"{what:36}{time.perf_counter() - wall:8.2f}{_cpu() - cpu:8.2f}", flush=True)


def _cpu() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
