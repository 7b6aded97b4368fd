"""The first steps of a sweep tower's training, taken to see what the whole will need."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from clip3d.models.vector_cache import VectorCache
from clip3d.training.loop import Progress, train_parts
from clip3d.training.rehearsal import peak_bytes
from clip3d.training.sweep import SweepTraining, prepare
from clip3d.training.sweep_batches import SweepBatch
from clip3d.training.sweep_recipe import SweepRecipe

STEPS = 6  # the first, in which memory is laid out, is not timed


def rehearse_sweep(recipe: SweepRecipe, *, data: Path, progress: Progress, device: str = "cpu") -> dict[str, Any]:
    """What a run of this recipe will need, from a few of its steps; nothing is kept but a few vectors in the cache.

    Args:
        recipe, data, progress, device: as of `clip3d.training.sweep.train_sweep`.

    Returns:
        Name to figure: parameters, memory in MiB at its peak, and seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        with VectorCache() as cache:
            views = Path(folder) / "views"
            job = prepare(recipe, views, data=data, progress=progress, device=device, cache=cache, encode=False)
        a_step, waiting = _seconds(job, Path(folder) / "run")
        stored = sum(file.stat().st_size for file in (Path(folder) / "views").iterdir())
    pictures = job.regions * (2 if recipe.encodes_twins else 1) if recipe.taught else 0
    features = pictures * job.seconds
    return {
        "views": job.views,
        "pictures": pictures,
        "steps": job.batches.steps,
        "parameters": sum(p.numel() for p in job.learner.parameters() if p.requires_grad),
        "memory, MiB": round(peak_bytes(job.device) / 2**20),
        "disk for views, MiB": round(stored / 2**20, 1),
        "seconds a step": round(a_step, 4),
        "share of it waiting for data": round(waiting, 3),
        "seconds a picture": round(job.seconds, 4),
        "seconds for vectors of pictures": round(features, 1),
        "seconds for the run": round(features + a_step * job.batches.steps, 4),
    }


def _seconds(job: SweepTraining, folder: Path) -> tuple[float, float]:
    """A step's mean time after the first, and the share of it that is spent on waiting for its batch."""
    steps, accumulate = min(STEPS, job.batches.steps), job.recipe.run.accumulate
    taken: list[float] = []
    waited: list[float] = []

    def timed(first: int) -> Iterator[SweepBatch]:
        source = islice(job.from_step(first), steps * accumulate)
        while True:
            asked = time.perf_counter()
            batch = next(source, None)
            if batch is None:
                return
            taken.append(asked)
            waited.append(time.perf_counter() - asked)
            yield batch

    run = replace(job.recipe.run, steps=steps)
    train_parts(
        job.learner,
        [job.part()],
        run,
        folder,
        seed=job.recipe.seed,
        identity="a rehearsal",
        progress=lambda line: None,
        batches=timed,
    )
    taken.append(time.perf_counter())
    whole = np.diff(taken)[accumulate:] if steps > 1 else np.diff(taken)
    spent = float(whole.sum())
    return spent / max(len(whole) / accumulate, 1), float(np.sum(waited[-len(whole) :])) / max(spent, 1e-9)
