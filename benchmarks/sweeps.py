"""How fast sweep towers are from file to vector: by stages, beside drawn views and dense attention, and in memory.

Frames of a log are read, cut to what its first camera sees, voxelised and encoded, by LidarCLIP's tower and by the
small one, both with random weights. Beside them PointCLIP's set-up for a scene: depth maps of the same points from
six or ten sides, seen by a ViT-B/32 of random weights; and the same layers with attention among all non-empty cells
instead of within windows. Without --log a drive is simulated, which needs the extra simulate. On one thread CPU
time is counted, which a busy machine changes little, on more threads the time that passes.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from speed import VisionTransformer, measure
from torch import Tensor

import clip3d
from clip3d.lidar.frame import Frame, Frames, Log
from clip3d.lidar.frustum import Frustum
from clip3d.lidar.views import views
from clip3d.models.model import Model
from clip3d.models.packing import TowerFacts, golden_sweeps, pack
from clip3d.models.preprocess import SweepPreprocess
from clip3d.models.vector_cache import VectorCache
from clip3d.models.weights import write_arrays
from clip3d.search.sweep_embedding import embed_sweeps
from clip3d.towers.depth_drawing import DepthDrawing
from clip3d.towers.depth_views import look
from clip3d.towers.pillar_pyramid import PillarPyramidTower
from clip3d.towers.pillars import group_points
from clip3d.towers.sst import SparseTransformerTower
from clip3d.towers.window_attention import Windows

EXAMPLE = "example:\n  python benchmarks/sweeps.py --log drives/drive_0001 --frames 10 --repeats 5"
SENSOR_HERTZ = 10
PARTS = ("stages", "dense", "memory")
Towers = dict[str, torch.nn.Module]


def main() -> int:
    args = parse_arguments()
    torch.manual_seed(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        log = clip3d.read_log(args.log or simulated(Path(folder), args))
        frames = list(log.frames[: args.frames])
        towers: Towers = {
            "LidarCLIP's, 8.5 M": SparseTransformerTower(768).eval(),
            "small, 0.9 M": PillarPyramidTower().eval(),
            "mini's, 1.0 M": PillarPyramidTower(heads=8, peaks=128).eval(),
        }
        tell_frames(frames)
        with torch.inference_mode():
            for threads in args.threads if "stages" in args.parts else ():
                torch.set_num_threads(threads)
                print_stages(frames, towers, threads, args.repeats)
            torch.set_num_threads(1)
            if "dense" in args.parts:
                print_dense(frames, towers, args.repeats)
            if "memory" in args.parts:
                print_memory(log, towers, Path(folder), args)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="default: all")
    parser.add_argument("--log", type=Path, help="a driving log; one is simulated when left out")
    parser.add_argument("--frames", type=int, default=8, help="of it that are used (default 8)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="default: 1 2")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each stage (default 5)")
    parser.add_argument("--long", type=int, nargs=2, default=[100, 1000], metavar="N", help="frames of two logs")
    parser.add_argument("--seed", type=int, default=0, help="of the simulation and the weights (default 0)")
    return parser.parse_args()


def simulated(folder: Path, args: argparse.Namespace) -> Path:
    from clip3d.simulation.driving.logs import Drive
    from clip3d.simulation.driving.making import make_logs

    made = make_logs(Drive(frames=args.frames, seed=args.seed, sensor="hdl-64e"), 1, folder / "logs")
    if made.problems:
        raise SystemExit(str(made.problems[0]))
    return next(path for path in (folder / "logs").iterdir() if path.is_dir())


def first_view(frame: Frame) -> Frustum:
    return next(views(frame)).frustum


def as_tensors(shown: np.ndarray) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(shown), torch.tensor([len(shown)])


def tell_frames(frames: Sequence[Frame]) -> None:
    shown = [SweepPreprocess()(first_view(frame)) for frame in frames]
    cells = [len(group_points(*as_tensors(points), SparseTransformerTower().grid).cell) for points in shown]
    whole = np.mean([len(frame.sweep) for frame in frames])
    seen, mean = np.mean([len(points) for points in shown]), np.mean(cells)
    print(f"{len(frames)} frames: {whole:,.0f} points, {seen:,.0f} seen by the first camera, {mean:.0f} cells")


def print_stages(frames: Sequence[Frame], towers: Towers, threads: int, repeats: int) -> None:
    """Milliseconds a frame of each stage, and frames a second from file to vector."""
    sweeps = [frame.sweep for frame in frames]
    prepare, vit = SweepPreprocess(), VisionTransformer().eval()
    frusta = [next(views(f, sweep)).frustum for f, sweep in zip(frames, sweeps, strict=True)]
    inputs = [as_tensors(prepare(frustum)) for frustum in frusta]
    grid = SparseTransformerTower().grid

    def each(encode: Callable[[Tensor, Tensor], object]) -> None:
        for points, counts in inputs:
            encode(points, counts)

    def whole(encode: Callable[[Tensor, Tensor], object]) -> None:
        for frame in frames:
            encode(*as_tensors(prepare(first_view(frame))))

    stages: dict[str, Callable[[], object]] = {
        "read": lambda: [frame.sweep for frame in frames],
        "crop": lambda: [prepare(next(views(f, s)).frustum) for f, s in zip(frames, sweeps, strict=True)],
        "voxelise": lambda: each(lambda points, counts: group_points(points, counts, grid)),
    }
    for name, tower in towers.items():
        stages |= {f"encode: {name}": partial(each, tower), f"file to vector: {name}": partial(whole, tower)}
    stages["encode: 6 views"] = partial(each, partial(by_views, vit, DepthDrawing(views=6)))
    for sides in (6, 10):
        stages[f"file to vector: {sides} views"] = partial(whole, partial(by_views, vit, DepthDrawing(views=sides)))
    clock = time.process_time if threads == 1 else time.perf_counter
    seconds = {name: value / len(frames) for name, value in measure(stages, repeats, clock).items()}
    kind = "CPU time" if threads == 1 else "time"
    print(f"\n{threads} thread{'s' * (threads > 1)}, {kind}, medians of {repeats}\n")
    print(f"{'stage':38}{'ms a frame':>12}{'a second':>10}{'6 views / it':>14}{'x 10 Hz':>9}")
    for name, value in seconds.items():
        stage = name.partition(":")[0]
        ratio = f"{seconds[f'{stage}: 6 views'] / value:.1f}" if f"{stage}: 6 views" in seconds else ""
        print(f"{name:38}{1e3 * value:12.1f}{1 / value:10.1f}{ratio:>14}{1 / value / SENSOR_HERTZ:9.1f}")


def by_views(vit: torch.nn.Module, draw: DepthDrawing, points: Tensor, counts: Tensor) -> Tensor:
    """PointCLIP's way: depth maps of the points, scaled into the unit sphere, seen by an image tower."""
    xyz = points[:, :3] - points[:, :3].mean(0)
    return look(vit, draw(xyz[None] / xyz.norm(dim=1).max()))


def print_dense(frames: Sequence[Frame], towers: Towers, repeats: int) -> None:
    """The layers of LidarCLIP's tower within windows, and among all non-empty cells; also of a whole half turn."""
    tower = towers["LidarCLIP's, 8.5 M"]
    assert isinstance(tower, SparseTransformerTower)
    print("\nattention of LidarCLIP's tower, one thread, CPU time\n")
    print(f"{'points':38}{'cells':>8}{'windows, ms':>13}{'all, ms':>10}{'ratio':>8}")
    prepare = SweepPreprocess()
    half_turn = [prepare(Frustum(rows_of(frame))) for frame in frames]
    for name, shown in (
        ("what the camera sees", [prepare(first_view(frame)) for frame in frames]),
        ("all within the extent", half_turn),
    ):
        pillars = [group_points(*as_tensors(points), tower.grid) for points in shown]
        cells = [tower.features(each) for each in pillars]
        stages = {
            "windows": partial(lambda a, b: [*map(tower.attended, a, b)], cells, pillars),
            "all": partial(lambda a: [among_all(tower, each) for each in a], cells),
        }
        seconds = measure(stages, repeats, time.process_time)
        few, many = (1e3 * seconds[way] / len(frames) for way in ("windows", "all"))
        mean = np.mean([len(each) for each in cells])
        print(f"{name:38}{mean:8.0f}{few:13.1f}{many:10.1f}{many / few:8.1f}")


def rows_of(frame: Frame) -> np.ndarray:
    sweep = frame.sweep
    return np.concatenate([sweep.points, sweep.intensity[:, None]], axis=1)


def among_all(tower: SparseTransformerTower, cells: Tensor) -> Tensor:
    count = torch.arange(len(cells))
    plan = Windows(torch.zeros_like(count), ((count[None], torch.ones(1, len(cells), dtype=torch.bool)),), count)
    for pair in tower.blocks:
        for layer in pair:
            cells = layer(cells, plan)
    return cells


def print_memory(log: Log, towers: Towers, folder: Path, args: argparse.Namespace) -> None:
    """Peak memory of embedding logs of two lengths; the frames of the given one come again and again."""
    model = small_model(folder / "model", towers["small, 0.9 M"])
    print("\nembedding a log with the small tower, as clip3d embed does, one thread\n")
    print(f"{'frames':>8}{'seconds':>10}{'a second':>10}{'peak, MiB':>12}")
    for length in args.long:
        started = time.perf_counter()
        done = embed_sweeps(model, [lengthened(log, length)], cache=VectorCache.disabled())
        seconds = time.perf_counter() - started
        unit = 1024**2 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit
        assert not done.problems, done.problems[0]
        print(f"{length:8}{seconds:10.1f}{length / seconds:10.1f}{peak:12}")


def lengthened(log: Log, length: int) -> Log:
    keys = [str(number) for number in range(length)]
    return replace(log, frames=Frames(keys, lambda at: log[at % len(log)]))


def small_model(folder: Path, tower: torch.nn.Module) -> Model:
    folder.mkdir(parents=True)
    write_arrays({name: t.numpy() for name, t in tower.state_dict().items()}, folder / "sweep.safetensors")
    write_arrays({"mean": np.zeros(512, np.float32)}, folder / "space.safetensors")
    facts = {"name": "timed", "version": "1", "licence": "none", "templates": ["{}"]}
    space = {"id": "timed", "dim": 512, "scale": 1.0, "stored": "unit", "weights": "space.safetensors"}
    return pack(folder, facts, space, {"sweep": TowerFacts("pillar-pyramid", "sweep.safetensors")}, golden_sweeps())


if __name__ == "__main__":
    sys.exit(main())
