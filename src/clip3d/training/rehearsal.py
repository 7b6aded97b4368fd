"""A pre-training's first steps, taken to see what the whole will need. Nothing is kept but vectors in the cache."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clip3d.data.triplets import Triplets
from clip3d.training.checkpoints import trained_state
from clip3d.training.loop import Progress, train_parts
from clip3d.training.pretraining import Pretraining, prepare
from clip3d.training.pretraining_batches import Batch, loaded
from clip3d.training.pretraining_recipe import PretrainingRecipe

ROUNDS = 3  # steps of each part; the first, in which memory is laid out, is not timed
CACHE_ENTRY = 200  # bytes in the cache beside the vector itself


def rehearse(
    recipe: PretrainingRecipe,
    *,
    data: Path,
    progress: Progress,
    device: str = "cpu",
    triplets: Triplets | None = None,
) -> dict[str, Any]:
    """What a run of this recipe will need, from a few of its steps.

    Args:
        recipe, data, progress, device, triplets: as of `clip3d.training.pretraining.pretrain`.

    Returns:
        Name to figure: parameters, memory in MiB at its peak, seconds, and MiB of disk.
    """
    job = prepare(recipe, data, progress, device, triplets, vectors=False)
    parts = job.parts()
    steps = min(ROUNDS * len(parts) + 1, job.batches.steps)
    if job.pictures is not None:
        numbers = range(steps * recipe.accumulate)
        job.pictures.make(np.unique([job.batches.objects_of(n) for n in numbers]).tolist(), progress)
    a_batch = _seconds_a_batch(job, steps)
    pictures = sum(job.triplets.views(i) for i in range(len(job.triplets))) if job.pictures is not None else 0
    features = pictures * (job.pictures.seconds if job.pictures is not None else 0.0)
    trained = {part.name: _owned(job, part.owns) for part in parts}
    epoch = a_batch * job.batches.an_epoch
    return {
        "objects": len(job.triplets),
        "steps": job.batches.steps,
        **{f"parameters of {name}": count for name, count in trained.items()},
        "memory, MiB": round(peak_bytes(job.device) / 2**20),
        "seconds a batch": round(a_batch, 4),
        "seconds an epoch": round(epoch, 4),
        "seconds for vectors of pictures": round(features, 1),
        "seconds for the run": round(features + a_batch * len(job.batches), 4),
        "disk for a checkpoint, MiB": round(_checkpoint_bytes(job) / 2**20, 1),
        "disk for the cache, MiB": round(_cache_bytes(job, pictures) / 2**20, 1),
    }


def _seconds_a_batch(job: Pretraining, steps: int) -> float:
    """Mean over the parts' batches after the first round, with the wait for data."""
    taken: list[float] = []

    def timed(first: int) -> Iterator[Batch]:
        for batch in islice(loaded(job.batches, first), steps * job.recipe.accumulate):
            taken.append(time.perf_counter())
            yield batch

    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        train_parts(
            job.learner,
            job.parts(),
            job.recipe.run(steps),
            Path(folder),
            seed=job.recipe.seed,
            identity="a rehearsal",
            progress=lambda line: None,
            batches=timed,
        )
        ended = time.perf_counter()
    later = np.diff(taken)[len(job.parts()) * job.recipe.accumulate :]
    return float(later.mean()) if len(later) else (ended - begun) / max(len(taken), 1)


def _owned(job: Pretraining, owns: Any) -> int:
    trained = [(name, p) for name, p in job.learner.named_parameters() if p.requires_grad]
    return sum(p.numel() for name, p in trained if owns(name))


def peak_bytes(device: torch.device) -> int:
    """The most memory that the process, or its part of the GPU, has taken; 0 where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * 1024)


def _checkpoint_bytes(job: Pretraining) -> int:
    weights = sum(t.numel() * t.element_size() for t in trained_state(job.learner).values())
    moments = 0
    for part, settings in zip(job.parts(), (job.recipe.clouds, job.recipe.visual), strict=False):
        moments += (1 if settings.method == "sgd" else 2) * 4 * _owned(job, part.owns)
    return weights * (2 if job.recipe.average else 1) + moments


def _cache_bytes(job: Pretraining, pictures: int) -> int:
    """With every caption in every prompt that can be drawn."""
    phrases = {job.triplets.phrases(i)[0] for i in range(len(job.triplets))}
    texts = min(len(phrases) * len(job.batches.templates), len(job.batches) * job.recipe.batch)
    return (pictures + texts) * (4 * job.teacher.space.dim + CACHE_ENTRY)
