"""How fast the encoders are on a CPU: beside others' with the same weights, by batch and threads, and compiled.

The part `others` takes torch-pointcloud if it is installed (`pip install torch-pointcloud`, 0.0.18 is known to
work). Ratios are of medians of one run in which all take turns; above 1 clip3d is the faster one. On one thread CPU
time is counted, which a busy machine changes little, on more threads the time that passes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec

import torch
from other_encoders import (
    GROUPINGS,
    PlainPointBert,
    PublishedPointBert,
    grouping_with,
    has_pyg_lib,
    packed,
    published_point_mlp,
)
from speed import measure
from torch import Tensor, nn

import clip3d
from clip3d.towers.clip_vit import ClipViT
from clip3d.towers.point_mlp import PointMLPTower
from clip3d.towers.point_transformer import PointTransformerTower

PARTS = ("others", "batches", "compiled")
EXAMPLE = "example:\n  python benchmarks/encoders.py --parts others batches --repeats 5 --batches 1 4 --threads 1"
Encode = Callable[[int], Tensor]  # the first of the inputs, as many as asked for, to vectors


def main() -> int:
    args = parse_arguments()
    torch.manual_seed(args.seed)
    print(f"medians of {args.repeats}, {args.points} points, torch {torch.__version__}")
    print_part = {"others": print_others, "batches": print_batches, "compiled": print_compiled}
    for part in args.parts:
        with torch.inference_mode():
            print_part[part](args)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS[:2], help="default: others batches")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each encoder (default 5)")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 16], help="default: 1 4 16")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="default: 1 2; not of `others`")
    parser.add_argument("--points", type=int, default=1024, help="of a cloud (default 1024)")
    parser.add_argument("--only", nargs="+", help="encoders of the other parts whose names begin like this")
    parser.add_argument("--seed", type=int, default=0, help="of the clouds and the random weights (default 0)")
    return parser.parse_args()


def print_others(args: argparse.Namespace) -> None:
    """Ours beside others' with the same weights: times of a batch, and how far the vectors of one cloud differ."""
    torch.set_num_threads(1)
    print("\nBeside others with the same weights, CPU time on one thread\n")
    print_heads("encoder", "other", "batch", "ours, ms", "other, ms", "other / ours", "difference")
    points = make_clouds(max(args.batches), args.points)
    for name, make in (("PointTransformer", transformers), ("PointMLP", point_mlps)):
        encoders = make(points)
        ours = encoders["ours"](1)
        differences = {other: difference(ours, encode(1)) for other, encode in encoders.items()}
        for batch in args.batches:
            stages = {other: partial(encode, batch) for other, encode in encoders.items()}
            seconds = measure(stages, args.repeats, clock(1))
            mine = seconds.pop("ours")
            for other, theirs in seconds.items():
                times = (f"{1e3 * mine:.0f}", f"{1e3 * theirs:.0f}", f"{theirs / mine:.2f}")
                print_row(name, other, batch, *times, f"{differences[other]:.0e}")


def transformers(points: Tensor) -> dict[str, Encode]:
    tower = scattered(PointTransformerTower(centers=points.shape[1] // 16))
    plain = PlainPointBert(tower)
    found: dict[str, Encode] = {
        "ours": lambda n: tower(points[:n], points[:n]),
        "plain PyTorch, written from the paper": lambda n: plain(points[:n]),
    }
    if find_spec("torch_pointcloud"):
        published = PublishedPointBert(tower)
        found |= with_groupings(lambda n: published(points[:n]))
    return found


def point_mlps(points: Tensor) -> dict[str, Encode]:
    tower = scattered(PointMLPTower())
    found: dict[str, Encode] = {"ours": lambda n: tower(points[:n], points[:n])}
    if find_spec("torch_pointcloud"):
        published = published_point_mlp(tower, points.shape[1])
        found |= with_groupings(lambda n: published(None, *packed(points[:n])))
    return found


def with_groupings(encode: Encode) -> dict[str, Encode]:
    """torch-pointcloud's encoder as it is where pyg-lib is there, and with functions in place of pyg-lib's."""

    def encode_grouped(n: int, name: str) -> Tensor:
        with grouping_with(*GROUPINGS[name]):
            return encode(n)

    found = {"torch-pointcloud": encode} if has_pyg_lib() else {}
    stand_ins = {
        f"torch-pointcloud, {name} grouping": lambda n, name=name: encode_grouped(n, name) for name in GROUPINGS
    }
    return found | stand_ins


def print_batches(args: argparse.Namespace) -> None:
    """Clouds or pictures a second."""
    encoders = our_encoders(args)
    print("\nClouds or pictures a second; on one thread a second of CPU time\n")
    print_heads("threads", "batch", *(key for key, _, _ in encoders))
    for threads in args.threads:
        torch.set_num_threads(threads)
        for batch in args.batches:
            stages = {key: partial(run, *given(batch)) for key, run, given in encoders}
            rates = {key: batch / value for key, value in measure(stages, args.repeats, clock(threads)).items()}
            print_row(threads, batch, *(f"{rates[key]:.1f}" for key in stages))


def print_compiled(args: argparse.Namespace) -> None:
    """Each encoder as it is and under `torch.compile`, for one shape at a time."""
    print("\nUnder torch.compile\n")
    heads = ("encoder", "threads", "batch", "as it is, ms", "compiled, ms", "as it is / compiled", "first run, s")
    print_heads(*heads, "difference")
    for threads in args.threads:
        torch.set_num_threads(threads)
        for name, run, given in our_encoders(args):
            for batch in args.batches:
                inputs = given(batch)
                print_row(name, threads, batch, *compared(run, inputs, args.repeats, clock(threads)))


def compared(
    run: nn.Module, inputs: Sequence[Tensor], repeats: int, clock: Callable[[], float]
) -> Iterator[str]:
    torch.compiler.reset()
    compiled = torch.compile(run, dynamic=False)
    start = time.perf_counter()
    vectors = compiled(*inputs)
    first = time.perf_counter() - start
    seconds = measure({"plain": partial(run, *inputs), "compiled": partial(compiled, *inputs)}, repeats, clock)
    yield from (f"{1e3 * value:.1f}" for value in seconds.values())
    yield f"{seconds['plain'] / seconds['compiled']:.2f}"
    yield f"{first:.0f}"
    yield f"{difference(run(*inputs), vectors):.1e}"


def our_encoders(args: argparse.Namespace) -> list[tuple[str, nn.Module, Callable[[int], tuple[Tensor, ...]]]]:
    """Names, modules, and what gives them inputs of a batch."""
    points = make_clouds(max(args.batches), args.points)
    pixels = torch.rand(max(args.batches), 3, 224, 224)
    vit = ClipViT(width=768, layers=12, heads=12, patch=32, size=224, dim=512).eval()

    def clouds(batch: int) -> tuple[Tensor, ...]:
        return points[:batch], (points[:batch] + 1) / 2

    found = [
        ("mini's cloud tower", clip3d.load("mini").tower("cloud"), clouds),
        ("PointTransformer", scattered(PointTransformerTower(centers=args.points // 16)), clouds),
        ("PointMLP", scattered(PointMLPTower()), clouds),
        ("CLIP ViT-B/32", vit, lambda batch: (pixels[:batch],)),
    ]
    return [row for row in found if not args.only or row[0].startswith(tuple(args.only))]


def clock(threads: int) -> Callable[[], float]:
    return time.process_time if threads == 1 else time.perf_counter


def make_clouds(count: int, points: int) -> Tensor:
    """Ellipsoids (count, points, 3) in the unit sphere."""
    directions = nn.functional.normalize(torch.randn(count, points, 3), dim=2)
    return directions * torch.empty(count, 1, 3).uniform_(0.3, 1)


def scattered(tower: nn.Module) -> nn.Module:
    """With batch norms as if after a training, so that each of their numbers counts."""
    for part in tower.modules():
        if isinstance(part, nn.BatchNorm1d):
            for values, least, most in ((part.weight, 0.5, 1.5), (part.running_var, 0.5, 1.5)):
                values.data.uniform_(least, most)
            for values in (part.bias, part.running_mean):
                values.data.uniform_(-0.5, 0.5)
    return tower.eval().requires_grad_(False)


def difference(ours: Tensor, theirs: Tensor) -> float:
    """Largest difference of two numbers, as a share of the largest number."""
    return float((ours - theirs).abs().max() / ours.abs().max())


def print_heads(*heads: str) -> None:
    print_row(*heads)
    print(f"|{'---|' * len(heads)}")


def print_row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
