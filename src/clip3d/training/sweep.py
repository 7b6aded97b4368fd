"""Training of a sweep tower on pairs of pictures and points: LidarCLIP, and its extension by labels.

G. Hess, A. Tonderski, C. Petersson, K. Åström and L. Svensson, "LidarCLIP or: How I Learned to Talk to Point
Clouds", WACV 2024: a tower learns to give, from the part of a sweep that a camera sees, the vector that a frozen
image tower gives of the camera's picture. Beside whole frusta, "spots" are paired here: windows of the picture
about things that stand on the ground, and the cells of the same things.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from clip3d.data.driving_logs import read_logs
from clip3d.errors import DataError
from clip3d.models.loading import load
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.models.weights import load_strict, read_state, write_quantized
from clip3d.towers.catalogue import resolve
from clip3d.towers.sweep_cells import SweepCells
from clip3d.training.loading_ahead import loaded_ahead
from clip3d.training.loop import Progress, train_parts
from clip3d.training.parts import Part
from clip3d.training.region_vectors import RegionVectors, encoder_of
from clip3d.training.sweep_batches import Source, SweepBatch, SweepBatches
from clip3d.training.sweep_losses import NamingLoss, apart, pooled, to_teacher
from clip3d.training.sweep_recipe import SweepRecipe
from clip3d.training.sweep_views import Pack, digest_of, pack_of
from clip3d.training.sweep_words import Vocabulary, term_vectors, vocabulary_of

FILE = "sweep.safetensors"
REHEARSED = 4  # views whose pictures are encoded to see how long it takes


class Learner(nn.Module):
    """The tower, and what labels need beside it."""

    mean: Tensor

    def __init__(self, tower: Any, naming: NamingLoss | None, mean: Tensor) -> None:
        super().__init__()
        self.tower, self.naming = tower, naming
        self.register_buffer("mean", mean, persistent=False)
        self.cells: int = tower.grid.cells

    def loss(self, batch: SweepBatch, recipe: SweepRecipe) -> Tensor:
        """The loss () of a batch; in single precision, whatever the tower's is."""
        dense = self.naming is not None or recipe.region_weight > 0
        found = (self.tower.dense if dense else self.tower)(batch.points, batch.counts)
        with torch.autocast(batch.points.device.type, enabled=False):
            if not dense:
                return self._to_teacher(found.float(), batch.wanted, recipe)
            single = replace(found, vectors=found.vectors.float(), cells=found.cells.float())
            return self._of_cells(single, batch, recipe)

    def _of_cells(self, found: SweepCells, batch: SweepBatch, recipe: SweepRecipe) -> Tensor:
        loss = self._to_teacher(found.vectors, batch.wanted, recipe)
        if recipe.region_weight and len(batch.spot_wanted):
            spots = pooled(found, batch.spot_cell, batch.spot, len(batch.spot_wanted), self.cells)
            loss = loss + recipe.region_weight * self._to_teacher(spots, batch.spot_wanted, recipe)
        if self.naming is not None:
            loss = loss + recipe.labels.weight * self.naming(found, batch, self.cells)
        return loss

    def _to_teacher(self, given: Tensor, wanted: Tensor, recipe: SweepRecipe) -> Tensor:
        loss = recipe.teacher_weight * to_teacher(given, wanted, recipe.loss)
        return loss + recipe.contrast * apart(given, wanted, self.mean) if recipe.contrast else loss


@dataclass(frozen=True, eq=False)
class SweepTraining:
    """A training that is ready to begin.

    Attributes:
        recipe: the set-up.
        learner: what is trained.
        batches: of the whole run.
        teacher: the model whose pictures' vectors are reproduced.
        views: how many are seen.
        regions: of their pictures.
        seconds: that a region's picture took that was not in the cache; 0 if all were.
        encoded: regions, and mirror images of such, that were not in the cache.
        identity: of all that decides the weights.
        device: that is trained on.
        vocabulary: of labels, if they teach.
    """

    recipe: SweepRecipe
    learner: Learner
    batches: SweepBatches
    teacher: Model
    views: int
    regions: int
    seconds: float
    encoded: int
    identity: str
    device: torch.device
    vocabulary: Vocabulary | None

    def part(self) -> Part:
        """What the loop steps."""
        recipe = self.recipe

        def loss_of(module: nn.Module, batch: SweepBatch) -> Tensor:
            return self.learner.loss(batch.to(self.device), recipe)

        return Part(loss_of, recipe.optimiser, recipe.schedule, recipe.clip)

    def from_step(self, step: int) -> Iterator[SweepBatch]:
        """The batches from a step on."""
        numbers = range(step * self.recipe.run.accumulate, len(self.batches))
        return loaded_ahead(self.batches, numbers, self.recipe.workers)


def train_sweep(
    recipe: SweepRecipe,
    out: Path,
    *,
    data: Path,
    progress: Progress,
    device: str = "cpu",
) -> dict[str, Any]:
    """Train a tower and write `sweep.safetensors` into `out`; a run found there goes on.

    Args:
        recipe: the set-up.
        out: folder for views, checkpoint, metrics and result.
        data: folder in which the recipe's logs lie.
        progress: called with lines for the user.
        device: torch device to train on.

    Returns:
        What the training saw, by name.

    Raises:
        DataError: if a folder holds no log with pictures, or `out` belongs to another run.
        ModelError: if the teacher lacks a tower.
    """
    with VectorCache() as cache:
        job = prepare(recipe, out / "views", data=data, progress=progress, device=device, cache=cache)
    train_parts(
        job.learner,
        [job.part()],
        replace(recipe.run, steps=job.batches.steps),
        out,
        seed=recipe.seed,
        identity=job.identity,
        progress=progress,
        batches=job.from_step,
        record={"architecture": recipe.architecture},
    )
    write_quantized(job.learner.tower, out / FILE)
    words = job.vocabulary
    return {
        "architecture": recipe.architecture,
        "teacher": job.teacher.id,
        "views": job.views,
        "regions": job.regions,
        "steps": job.batches.steps,
        "labels": recipe.named,
        **({} if words is None else {"words": len(words.words), "terms": len(words.terms)}),
    }


def prepare(
    recipe: SweepRecipe,
    folder: Path,
    *,
    data: Path,
    progress: Progress,
    cache: VectorCache,
    device: str = "cpu",
    encode: bool = True,
) -> SweepTraining:
    """Read what a recipe names, work out the teacher's vectors, and make the tower.

    Args:
        recipe: the set-up.
        folder: for the views.
        data: folder in which the recipe's logs lie.
        progress: called with lines for the user.
        cache: of the teacher's vectors.
        device: torch device to train on.
        encode: encode all pictures; otherwise a few, to see how long it takes, and all vectors are zeros.
    """
    teacher = load(recipe.teacher, device=device)
    vectors = RegionVectors(encoder_of(teacher), cache, progress)
    sources, packs = [], []
    for name, share in recipe.logs.items():
        if share:
            source, own = _source(
                recipe, data / name, share, folder, vectors, teacher.space.dim, progress, encode=encode
            )
            sources.append(source)
            packs += own
    views = [view for source in sources for view in source.views]
    vocabulary = vocabulary_of(views, recipe.labels) if recipe.named else None
    torch.manual_seed(recipe.seed)
    tower = resolve(recipe.architecture)(**{"dim": teacher.space.dim, **recipe.tower})
    if recipe.initial:
        load_strict(tower, read_state(data / recipe.initial), data / recipe.initial)
    learner = Learner(tower, _naming(recipe, vocabulary, teacher), torch.from_numpy(teacher.space.mean)).to(device)
    steps = recipe.steps or max(1, recipe.epochs * len(views) // (recipe.batch * recipe.run.accumulate))
    batches = SweepBatches(sources, recipe, tower.grid, vocabulary, steps)
    progress(f"{len(views)} views of {len(packs)} logs, {steps} steps of {recipe.batch} frusta")
    return SweepTraining(
        recipe=recipe,
        learner=learner,
        batches=batches,
        teacher=teacher,
        views=len(views),
        regions=sum(len(view.regions) for view in views),
        seconds=vectors.seconds,
        encoded=vectors.made,
        identity="\n".join([repr(recipe), vectors.encoder.id, teacher.card.weights_hash, digest_of(packs)]),
        device=torch.device(device),
        vocabulary=vocabulary,
    )


def _source(
    recipe: SweepRecipe,
    path: Path,
    share: float,
    folder: Path,
    vectors: RegionVectors,
    dim: int,
    progress: Progress,
    *,
    encode: bool,
) -> tuple[Source, list[Pack]]:
    """The views of a folder of logs, and the teacher's vectors of their regions."""
    packs: list[Pack] = []
    tables = []
    for log in read_logs(path, lambda problem: progress(str(problem))):
        for problem in log.problems:
            progress(problem)
        pack = pack_of(log, recipe.views, recipe.regions, folder, progress)
        if not pack.views:
            continue
        if not encode and not packs:
            vectors.of(replace(pack, views=pack.views[:REHEARSED]), log, twins=False)
        twins = recipe.encodes_twins
        if encode and recipe.taught:
            rows = vectors.of(pack, log, twins=twins)
            if known := bool(np.isfinite(rows).any()):
                tables.append(vectors.finished(rows))
        else:
            known = False
        if not known:
            tables.append(np.full((pack.regions, 1 + twins, dim), np.nan if encode else 0, np.float32))
        packs.append(pack)
    views = [view for pack in packs for view in pack.views]
    if not views:
        raise DataError(path, "holds no frame with a picture and points", "name a folder of logs, or one log")
    first = np.cumsum([0, *(len(view.regions) for view in views[:-1])])
    return Source(share, views, first.astype(np.intp), np.concatenate(tables)), packs


def _naming(recipe: SweepRecipe, vocabulary: Vocabulary | None, teacher: Model) -> NamingLoss | None:
    """The loss that labels teach by, with the vectors of all words and terms."""
    if vocabulary is None:
        return None
    if not vocabulary.words:
        reason = "labels are to teach, and the logs have none that is not withheld"
        raise DataError(", ".join(recipe.logs), reason, "set labels.weight to 0, or name labelled logs")
    phrases = teacher.encode_texts(list(vocabulary.words), [recipe.labels.template])
    terms = torch.from_numpy(term_vectors(vocabulary.terms, teacher))
    known = (torch.from_numpy(phrases), torch.from_numpy(vocabulary.positives), terms)
    return NamingLoss(
        recipe.labels, *known, torch.from_numpy(vocabulary.odds), torch.from_numpy(teacher.space.mean)
    )
