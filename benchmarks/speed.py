"""How fast clip3d reads, samples, groups and encodes, beside a renderer with a ViT and a plain PyTorch grouping."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn

import clip3d
from clip3d.clouds.discovery import find_clouds
from clip3d.clouds.neighbors import nearest_neighbors
from clip3d.clouds.sampling import farthest_point_sample
from clip3d.data.samples import list_samples
from clip3d.render.depth import depth_maps

LEVELS = ((1024, 32), (128, 32))  # centres and neighbours of two grouping levels; the first sees 8,192 points
EXAMPLE = "example:\n  python benchmarks/speed.py --files assets/ --objects 16 --repeats 5"


class VisionTransformer(nn.Module):
    """CLIP's ViT-B/32 in size (random weights): 224 px, patch 32, 12 layers of 768, 12 heads, 512 out."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 768, 32, stride=32, bias=False)
        self.start = nn.Parameter(torch.randn(768) / 28)
        self.position = nn.Parameter(torch.randn(50, 768) / 28)
        self.before, self.after = nn.LayerNorm(768), nn.LayerNorm(768)
        layer = nn.TransformerEncoderLayer(768, 12, 3072, 0.0, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 12, enable_nested_tensor=False)
        self.project = nn.Linear(768, 512, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, 224, 224) to (n, 512)."""
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.start.expand(len(images), 1, -1), tokens], dim=1) + self.position
        return self.project(self.after(self.blocks(self.before(tokens))[:, 0]))


def main() -> int:
    args = parse_arguments()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    files = choose_files(args.files, args.objects)
    print(f"{len(files)} files, medians of {args.repeats}, one thread, torch {torch.__version__}\n")
    rows = encoding_rows(files, args.repeats) + grouping_rows(args.seed, args.repeats)
    print_table(rows)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=Path, help="folder of shapes; the package's samples when left out")
    parser.add_argument("--objects", type=int, default=8, help="how many of them to use (default 8)")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each stage (default 5)")
    parser.add_argument("--seed", type=int, default=0, help="of the points and the random weights (default 0)")
    return parser.parse_args()


def choose_files(folder: Path | None, count: int) -> list[Path]:
    found = [sample.path for sample in list_samples().objects] if folder is None else find_clouds([folder]).files
    if not found:
        raise SystemExit(f"{folder}: no file that clip3d reads")
    return found[:count]


def encoding_rows(files: Sequence[Path], repeats: int) -> list[tuple[str, float, float, str]]:
    """Stage, objects a second here and by the rendering way, and what was compared."""
    model, vit = clip3d.load("mini"), VisionTransformer().eval()
    clouds = [clip3d.read(path) for path in files]
    maps = [depth_maps(cloud.z_up().points) for cloud in clouds]

    @torch.inference_mode()
    def look(views: np.ndarray) -> Tensor:
        return vit(torch.from_numpy(views)[:, None].expand(-1, 3, -1, -1))

    def encode_by_views() -> None:
        for path in files:
            look(depth_maps(clip3d.read(path).z_up().points))

    seconds = measure(
        {
            "read": lambda: [clip3d.read(path) for path in files],
            "sample": lambda: [farthest_point_sample(cloud.points, 1024) for cloud in clouds],
            "render": lambda: [depth_maps(cloud.z_up().points) for cloud in clouds],
            "encode": lambda: model.encode_clouds(clouds),
            "look": lambda: [look(views) for views in maps],
            "ours": lambda: model.encode_clouds([clip3d.read(path) for path in files]),
            "views": encode_by_views,
        },
        repeats,
    )
    rate = {name: len(files) / value for name, value in seconds.items()}
    return [
        ("reading", rate["read"], rate["read"], "the same for both"),
        ("sampling", rate["sample"], rate["render"], "1,024 farthest points / 10 depth maps"),
        ("encoding", rate["encode"], rate["look"], "cloud to vector / ViT-B/32 on 10 maps"),
        ("end to end", rate["ours"], rate["views"], "file to vector / file, 10 maps, ViT-B/32"),
    ]


def grouping_rows(seed: int, repeats: int) -> list[tuple[str, float, float, str]]:
    points = np.random.default_rng(seed).normal(size=(8192, 3)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    tensor = torch.from_numpy(points)[None]
    seconds = measure(
        {
            "exact": lambda: group_clip3d(points, exact=True),
            "approximate": lambda: group_clip3d(points, exact=False),
            "plain": lambda: group_plain(tensor),
        },
        repeats,
    )
    rate = {name: 1 / value for name, value in seconds.items()}
    same = "8,192 to 1,024 to 128, 32 neighbours / plain PyTorch loop and cdist"
    return [(f"grouping, {name}", rate[name], rate["plain"], same) for name in ("exact", "approximate")]


def group_clip3d(points: np.ndarray, *, exact: bool) -> None:
    for centers, neighbors in LEVELS:
        chosen = points[farthest_point_sample(points, centers, exact=exact)]
        nearest_neighbors(points, chosen, neighbors, approximate=0.0 if exact else 0.1)
        points = chosen


@torch.inference_mode()
def group_plain(xyz: Tensor) -> None:
    for centers, neighbors in LEVELS:
        chosen = xyz[:, farthest_plain(xyz, centers)[0]]
        torch.cdist(chosen, xyz).topk(neighbors, largest=False)
        xyz = chosen


def farthest_plain(xyz: Tensor, n: int) -> Tensor:
    """Farthest points as they are commonly written: (b, p, 3) to (b, n)."""
    b, p, _ = xyz.shape
    chosen = torch.zeros(b, n, dtype=torch.long)
    distance = torch.full((b, p), 1e10)
    farthest = torch.zeros(b, dtype=torch.long)
    batch = torch.arange(b)
    for i in range(n):
        chosen[:, i] = farthest
        center = xyz[batch, farthest].view(b, 1, 3)
        distance = torch.minimum(distance, ((xyz - center) ** 2).sum(-1))
        farthest = distance.max(-1).indices
    return chosen


def measure(
    stages: dict[str, Callable[[], object]], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Median seconds of each stage; the stages take turns, so that a busy spell touches all of them."""
    taken: dict[str, list[float]] = {name: [] for name in stages}
    for repeat in range(repeats + 1):
        for name, stage in stages.items():
            start = clock()
            stage()
            if repeat:  # the first round warms caches and is not counted
                taken[name].append(clock() - start)
    return {name: median(values) for name, values in taken.items()}


def print_table(rows: Sequence[tuple[str, float, float, str]]) -> None:
    print(f"{'stage':<22}{'clip3d /s':>11}{'other /s':>11}{'ratio':>8}  clip3d / other")
    for stage, ours, other, what in rows:
        print(f"{stage:<22}{ours:>11.2f}{other:>11.2f}{ours / other:>8.1f}  {what}")


if __name__ == "__main__":
    sys.exit(main())
