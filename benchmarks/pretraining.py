"""How long a step of a pre-training takes with a ViT-B/32 teacher, cached and not, and what it waits for and holds.

The teacher has CLIP's shape and random weights, which are made on the fly (about 500 MB in a temporary folder); its
captions are cut into bytes, so that they are about twice as long as with CLIP's own vocabulary. A step is that of
the cloud tower: batch, losses, gradients and AdamW. "cached" takes the frozen teacher's vectors from the cache,
"uncached" works them out in every step, "prompts" is a step of each part in turn with five visual prompts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn

from clip3d.clouds.cloud import PointCloud
from clip3d.data.triplet_sources import TripletSource
from clip3d.models.packing import TowerFacts, pack
from clip3d.models.weights import write_arrays
from clip3d.towers.clip_text import ClipTextTransformer
from clip3d.towers.clip_tokenizer import END, START, WORD_END, byte_symbols
from clip3d.towers.clip_vit import ClipViT
from clip3d.training.loop import train_parts
from clip3d.training.pretraining import Pretraining, prepare
from clip3d.training.pretraining_batches import Batch, loaded
from clip3d.training.pretraining_recipe import PretrainingRecipe

IMAGE = {"width": 768, "layers": 12, "heads": 12, "patch": 32, "size": 224, "dim": 512, "activation": "quick_gelu"}
TEXT = {"width": 512, "layers": 12, "heads": 8, "dim": 512, "activation": "quick_gelu"}
TOWERS = {"set-abstraction": "as mini's", "point-transformer": "22 M", "point-mlp": "13 M"}
TEACHERS = {"cached": 0, "prompts": 5}
EXAMPLE = "example:\n  python benchmarks/pretraining.py --batch 16 --towers set-abstraction point-transformer"


class Things:
    """Triplets in memory: coloured clouds of 2,048 points with two pictures of 256 pixels."""

    def __init__(self, n: int) -> None:
        self.classes = tuple(f"thing {letter}" for letter in "abcdefghijklmnop")
        self.labels = np.arange(n, dtype=np.int64) % len(self.classes)
        self.seen = np.random.default_rng(0).integers(0, 256, (8, 256, 256, 3), dtype=np.uint8)

    def __len__(self) -> int:
        return len(self.labels)

    def key(self, index: int) -> str:
        return str(index)

    def phrases(self, index: int) -> tuple[str, ...]:
        return (self.classes[self.labels[index]],)

    def cloud(self, index: int) -> PointCloud:
        rng = np.random.default_rng(index)
        return PointCloud(rng.normal(size=(2048, 3)), rng.uniform(size=(2048, 3)))

    def views(self, index: int) -> int:
        return 2

    def picture(self, index: int, view: int) -> np.ndarray:
        return np.roll(self.seen[(index + view) % 8], index, axis=0)

    def order(self, rng: np.random.Generator) -> np.ndarray:
        return rng.permutation(len(self))

    def protocol(self) -> dict[str, object]:
        return {"n": len(self), "data_sha256": "made in memory"}


def main() -> int:
    args = parse_arguments()
    torch.set_num_threads(args.threads)
    if args.memory_of is not None:
        print(json.dumps(peak_mebibytes(args)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.environ["CLIP3D_CACHE"] = str(place / "vectors.db")
        args.teacher = write_teacher(place / "teacher")
        print(f"medians of {args.repeats}, batch {args.batch}, 1,024 points, {args.threads} threads")
        print(f"{torch.__version__=}\n")
        print(f"{'tower':<20}{'cached':>10}{'uncached':>10}{'ratio':>8}{'prompts':>10}")
        for tower in args.towers:
            print_steps(args, tower)
        print(f"\nshare of the time spent on waiting for data, {args.towers[0]}")
        for teacher, prompts in TEACHERS.items():
            shares = {workers: waiting_share(args, prompts, workers) for workers in (0, 1, 2)}
            told = "  ".join(f"{workers} workers {100 * share:.0f} %" for workers, share in shares.items())
            print(f"{teacher:<20}{told}")
        print(f"\npeak memory of the process in MiB, {args.towers[0]}")
        for batch in args.batches:
            peaks = "  ".join(f"{name} {memory_of(args, batch, p):,}" for name, p in TEACHERS.items())
            print(f"batch {batch:<14}{peaks}")
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=16, help="objects in a step (default 16)")
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 16, 32], help="default: 8 16 32")
    parser.add_argument("--towers", nargs="+", choices=TOWERS, default=list(TOWERS)[:2], help="cloud towers")
    parser.add_argument("--repeats", type=int, default=5, help="steps of each kind (default 5)")
    parser.add_argument("--threads", type=int, default=1, help="of torch (default 1)")
    parser.add_argument("--teacher", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def write_teacher(folder: Path) -> Path:
    """A model's folder with towers of ViT-B/32's shape."""
    folder.mkdir()
    symbols = byte_symbols().values()
    tokens = [*symbols, *(symbol + WORD_END for symbol in symbols), START, END]
    table = {token: i for i, token in enumerate(tokens)}
    model = {"type": "BPE", "end_of_word_suffix": WORD_END, "vocab": table, "merges": []}
    added = [{"id": table[mark], "content": mark, "special": True} for mark in (START, END)]
    (folder / "tokenizer.json").write_text(json.dumps({"added_tokens": added, "model": model}), encoding="utf-8")
    torch.manual_seed(0)
    text = TEXT | {"vocabulary": len(tokens)}
    write_tower(ClipViT(**IMAGE), folder / "image.safetensors")
    write_tower(ClipTextTransformer(**text), folder / "text.safetensors")
    write_arrays({"mean": np.zeros(512, np.float32)}, folder / "space.safetensors")
    facts = {"name": "vit-b32", "version": "1", "licence": "CC0-1.0", "templates": ["a {}"]}
    space = {"id": "random", "dim": 512, "scale": 100.0, "stored": "unit", "weights": "space.safetensors"}
    size = {"size": 224, "interpolation": "bicubic"}
    towers = {
        "image": TowerFacts("clip-vit", "image.safetensors", IMAGE, size),
        "text": TowerFacts("clip-text", "text.safetensors", text, files=("tokenizer.json",)),
    }
    return pack(folder, facts, space, towers, {}).folder


def write_tower(tower: nn.Module, path: Path) -> None:
    state = {name: tensor + 0.02 * torch.randn(tensor.shape) for name, tensor in tower.state_dict().items()}
    write_arrays({name: tensor.numpy() for name, tensor in state.items()}, path)


def job_of(args: argparse.Namespace, tower: str, prompts: int, batch: int | None = None) -> Pretraining:
    recipe = PretrainingRecipe(
        str(args.teacher),
        (TripletSource("library", "in memory"),),
        architecture=tower,
        prompts=prompts,
        batch=batch or args.batch,
        templates=("a point cloud of a {}",),
    )
    return prepare(recipe, Path(), lambda line: None, triplets=Things(2 * recipe.batch))


class Uncached:
    """Stands in for the vectors of a frozen teacher: works them out each time, as from pictures read each time."""

    def __init__(self, job: Pretraining) -> None:
        self.job = job

    def __call__(self, *given: object) -> Tensor:
        if len(given) == 1:
            return torch.from_numpy(self.job.teacher.encode_texts(list(given[0])))
        pairs = zip(*(column.tolist() for column in given), strict=True)
        return torch.from_numpy(self.job.teacher.encode_images([self.job.triplets.picture(*p) for p in pairs]))


def print_steps(args: argparse.Namespace, tower: str) -> None:
    job = job_of(args, tower, 0)
    cached = seconds_a_step(job, args.repeats, (0,))
    uncached = replace(job, texts=Uncached(job), pictures=Uncached(job))
    plain = seconds_a_step(uncached, args.repeats, (0,))
    prompted = seconds_a_step(job_of(args, tower, 5), args.repeats, (0, 1))
    print(f"{tower:<20}{cached:>9.3f}s{plain:>9.3f}s{plain / cached:>7.1f}x{prompted:>9.3f}s", flush=True)


def seconds_a_step(job: Pretraining, repeats: int, places: Sequence[int]) -> float:
    """Median over steps, averaged over the parts, after one step of each that is not timed."""
    parts = job.parts()
    optimisers = [
        part.optimiser.over({n: p for n, p in job.learner.named_parameters() if p.requires_grad and part.owns(n)})
        for part in parts
    ]
    taken: dict[int, list[float]] = {place: [] for place in places}
    for number in range((repeats + 1) * len(places)):
        place = number % len(parts)
        began = time.perf_counter()
        loss = parts[place].loss_of(job.learner.train(), job.batches[number % len(job.batches)])
        optimisers[place].zero_grad()
        loss.backward()
        optimisers[place].step()
        taken[place].append(time.perf_counter() - began)
    return sum(median(times[1:]) for times in taken.values()) / len(places)


def waiting_share(args: argparse.Namespace, prompts: int, workers: int) -> float:
    """As the loop records it, after a first step that starts the workers."""
    job = job_of(args, args.towers[0], prompts)
    steps = 2 * args.repeats + 2
    job.batches.recipe = job.recipe = replace(job.recipe, workers=workers, steps=steps)
    waited, begun = 0.0, 0.0

    def timed(first: int) -> Iterator[Batch]:
        nonlocal waited, begun
        source = loaded(job.batches, first)
        for number in range(steps):
            asked = time.perf_counter()
            batch = next(source)
            if number == 1:
                begun = time.perf_counter()
            elif number > 1:
                waited += time.perf_counter() - asked
            yield batch

    with tempfile.TemporaryDirectory() as folder:
        run = replace(job.recipe.run(steps), checkpoint_every=10 * steps)
        given = {"seed": 0, "identity": "", "progress": lambda line: None}
        train_parts(job.learner, job.parts(), run, Path(folder), batches=timed, **given)
    return waited / (time.perf_counter() - begun)


def memory_of(args: argparse.Namespace, batch: int, prompts: int) -> int:
    """In a process of its own, since memory that was once taken stays the peak."""
    command = [sys.executable, __file__, "--memory-of", str(prompts), "--batch", str(batch)]
    command += ["--teacher", str(args.teacher), "--towers", args.towers[0], "--threads", str(args.threads)]
    return int(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def peak_mebibytes(args: argparse.Namespace) -> int:
    import resource

    job = job_of(args, args.towers[0], args.memory_of)
    seconds_a_step(job, 1, range(len(job.parts())))
    status = Path("/proc/self/status")
    if status.exists():  # on Linux the other way counts what the process held that this one was forked from
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) // 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


if __name__ == "__main__":
    sys.exit(main())
