"""How long a search over cached objects takes from a cold start, as a whole process.

    python benchmarks/cold_search.py --objects 1000 --runs 5
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.mesh import sample_surface
from clip3d.clouds.writing import write
from clip3d.simulation import generate

POINTS = 1024
HEAVY = ("torch", "trimesh", "scipy", "PIL")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.environ["CLIP3D_CACHE"] = str(place / "vectors.db")
        make_objects(place / "objects", arguments.objects)
        command = [sys.executable, "-m", "clip3d", "search", "a chair", str(place / "objects"), "-q"]
        first = seconds(command)
        later = [seconds(command) for _ in range(arguments.runs)]
        imported = heavy_imports(command)
    print(f"{arguments.objects} objects of {POINTS} points")
    print(f"first search, everything embedded  {first:8.2f} s   {arguments.objects / first:.0f} objects/s")
    print(f"later searches, median of {arguments.runs}        {statistics.median(later):8.2f} s   "
          f"least {min(later):.2f}, most {max(later):.2f}")
    print(f"of {', '.join(HEAVY)} imported: {', '.join(imported) or 'none'}")


def make_objects(folder: Path, count: int) -> None:
    folder.mkdir()
    for number, made in enumerate(generate(per_family=count // 100 + 1)):
        if number == count:
            return
        sample = sample_surface(made.meshes, POINTS, seed=number)
        write(PointCloud(sample.points, sample.colors), folder / f"{number:05d}.ply")


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def heavy_imports(command: list[str]) -> list[str]:
    timed = [command[0], "-X", "importtime", *command[1:]]
    log = subprocess.run(timed, check=True, capture_output=True, text=True).stderr
    names = {line.rsplit("|", 1)[-1].strip() for line in log.splitlines()}
    return [name for name in HEAVY if name in names]


if __name__ == "__main__":
    main()
