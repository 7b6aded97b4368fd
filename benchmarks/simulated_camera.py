"""How long a camera's picture of a simulated street takes on one core, in all kinds of light and weather.

    OMP_NUM_THREADS=1 python benchmarks/simulated_camera.py --width 320 --height 320 --streets 3
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from clip3d.lidar.camera import Camera
from clip3d.simulation.driving.camera import render
from clip3d.simulation.driving.rays import RayCaster
from clip3d.simulation.driving.streets import draw_street

KINDS = (
    ("day", "sunny"), ("day", "rainy"), ("day", "foggy"), ("dusk", "sunny"), ("night", "sunny"), ("night", "rainy"),
)  # fmt: skip
HIGH = 1.6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--height", type=int, default=320)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--streets", type=int, default=3, help="of each kind of light and weather")
    arguments = parser.parse_args()
    camera, vehicle_from_camera = ahead(arguments.width, arguments.height)
    print(f"{arguments.width} x {arguments.height} pixels, {arguments.samples} samples at edges, processor seconds")
    print("period  weather   triangles  lamps   tree  first  later")
    for number, (period, weather) in enumerate(KINDS):
        rows = []
        for seed in range(100 * number, 100 * number + arguments.streets):
            snapshot = draw_street(seed, 4.0, period=period, weather=weather).at(1.0)
            pose = snapshot.world_from_vehicle @ vehicle_from_camera
            start = time.process_time()
            caster = RayCaster(snapshot.corners)
            tree = time.process_time() - start
            taken = []
            for _ in range(3):
                start = time.process_time()
                render(snapshot, caster, camera, pose, np.random.default_rng(seed), samples=arguments.samples)
                taken.append(time.process_time() - start)
            rows.append((len(snapshot.corners), len(snapshot.lamps), tree, taken[0], min(taken[1:])))
        many, lamps, tree, first, later = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"{period:7} {weather:9} {many:9.0f} {lamps:6.0f} {tree:6.3f} {first:6.3f} {later:6.3f}")


def ahead(width: int, height: int) -> tuple[Camera, np.ndarray]:
    """A camera of 70 degrees and its pose (4, 4) in a vehicle that it looks out of."""
    focal = width / 2 / np.tan(np.radians(35))
    intrinsics = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    pose = np.array([[0, 0, 1, 1.0], [-1, 0, 0, 0], [0, -1, 0, HIGH], [0, 0, 0, 1]])
    return Camera("front", width, height, intrinsics, np.linalg.inv(pose)), pose


if __name__ == "__main__":
    main()
