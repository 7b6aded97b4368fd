"""Batches of a pre-training: what a step is shown is decided by the seed and the step's number alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from clip3d.clouds.augmenting import augment_cg3d
from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.normalizing import normalize_unit_sphere
from clip3d.clouds.sampling import random_sample
from clip3d.data.caption_templates import draw_caption
from clip3d.data.triplets import Triplets
from clip3d.errors import DataError, FileProblem
from clip3d.models.preprocess import CloudPreprocess
from clip3d.training.loading_ahead import loaded_ahead
from clip3d.training.pretraining_recipe import PretrainingRecipe

Array = NDArray[np.float32]
Prepare = Callable[[NDArray[np.uint8]], Array]

# An object whose files are damaged is replaced; where so many in a row are, nothing is right.
MOST_DAMAGED = 50
ORDER, DRAWS = 1, 2  # streams of random numbers beside each other


@dataclass
class Batch:
    """What one process is shown of one batch of b objects.

    Attributes:
        objects: (b,) long, their indices.
        views: (b,) long, the picture of each that is compared.
        classes: (b,) long.
        texts: b captions in their prompts.
        points: (b, p, 3) and `colors`, or None in a step that looks at no cloud.
        pixels: (b, 3, s, s), or None in a step that looks at no picture, or has its vector.
        damaged: key and reason of objects that could not be read and were replaced.
    """

    objects: Tensor
    views: Tensor
    classes: Tensor
    texts: list[str]
    points: Tensor | None = None
    colors: Tensor | None = None
    pixels: Tensor | None = None
    damaged: list[tuple[str, str]] = field(default_factory=list)

    def to(self, device: torch.device) -> Batch:
        """The batch with its tensors on a device."""
        moved = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return Batch(**{**vars(self), **moved})


class Batches(Dataset[Batch]):
    """All batches of a run by their number: `accumulate` of them make a step, and the parts take turns with steps.

    Args:
        triplets: the n objects.
        recipe: the set-up.
        templates: prompts of captions.
        parts: how many take turns; the first looks at clouds, a second at pictures alone.
        prepare: gives the pixels that the image tower takes; None where vectors of pictures are known, or none is
            compared.
        place: number of this process.
        processes: how many share a batch.

    Raises:
        DataError: if there are fewer objects than a batch has, the processes do not divide it, or a part gets no
            step.
    """

    def __init__(
        self,
        triplets: Triplets,
        recipe: PretrainingRecipe,
        templates: tuple[str, ...],
        *,
        parts: int,
        prepare: Prepare | None,
        place: int = 0,
        processes: int = 1,
    ) -> None:
        if recipe.batch % processes:
            raise DataError("the recipe", f"{processes} processes do not divide a batch of {recipe.batch}")
        if len(triplets) < recipe.batch:
            reason = f"there are {len(triplets)} objects to learn from, fewer than a batch of {recipe.batch}"
            raise DataError("the recipe", reason, "name more data, or make the batch smaller")
        self.triplets, self.recipe, self.templates = triplets, recipe, templates
        self.parts, self.prepare = parts, prepare
        share = recipe.batch // processes
        self.rows = range(place * share, (place + 1) * share)
        self.an_epoch = len(triplets) // recipe.batch
        self._epoch, self._order = -1, np.zeros(0, np.int64)
        if self.steps < parts:
            reason = f"the run has {self.steps} steps, too few for its {parts} parts"
            raise DataError("the recipe", reason, "give it more epochs, or a smaller batch or accumulate")

    @property
    def steps(self) -> int:
        """Of the whole run; a last step with too few batches for it is left out."""
        return self.recipe.steps or self.recipe.epochs * self.an_epoch // self.recipe.accumulate

    def __len__(self) -> int:
        return self.steps * self.recipe.accumulate

    def __getitem__(self, number: int) -> Batch:
        damaged: list[tuple[str, str]] = []
        looks_at_clouds = (number // self.recipe.accumulate) % self.parts == 0
        shown = [self._row(number, row, looks_at_clouds, damaged) for row in self.rows]
        batch = Batch(
            objects=torch.tensor([one.index for one in shown]),
            views=torch.tensor([one.view for one in shown]),
            classes=torch.from_numpy(self.triplets.labels[[one.index for one in shown]]),
            texts=[one.text for one in shown],
            damaged=damaged,
        )
        if looks_at_clouds:
            batch.points = torch.from_numpy(np.stack([one.points for one in shown]))
            batch.colors = torch.from_numpy(np.stack([one.colors for one in shown]))
        if self.prepare is not None:
            batch.pixels = torch.from_numpy(np.stack([one.pixels for one in shown]))
        return batch

    def objects_of(self, number: int) -> NDArray[np.int64]:
        """The objects of a whole batch by its number, were none damaged."""
        start = number % self.an_epoch * self.recipe.batch
        return self._order_of(number // self.an_epoch)[start : start + self.recipe.batch]

    def _order_of(self, epoch: int) -> NDArray[np.int64]:
        if epoch != self._epoch:
            self._order = self.triplets.order(np.random.default_rng([self.recipe.seed, ORDER, epoch]))
            self._epoch = epoch
        return self._order

    def _row(self, number: int, row: int, clouds: bool, damaged: list[tuple[str, str]]) -> _Shown:
        order = self._order_of(number // self.an_epoch)
        place = number % self.an_epoch * self.recipe.batch + row
        for attempt in range(MOST_DAMAGED):
            # a batch further on, so that no object comes twice in one
            index = int(order[(place + attempt * self.recipe.batch) % len(order)])
            try:
                return self._show(index, np.random.default_rng([self.recipe.seed, DRAWS, number, row]), clouds)
            except FileProblem as problem:
                damaged.append((self.triplets.key(index), str(problem)))
        key, reason = damaged[-1]
        raise DataError(key, f"{MOST_DAMAGED} objects in a row cannot be read, the last: {reason}")

    def _show(self, index: int, rng: np.random.Generator, clouds: bool) -> _Shown:
        text = draw_caption(self.triplets.phrases(index)[0], rng, self.templates)
        count = self.triplets.views(index)
        shown = _Shown(index, int(rng.integers(count)) if count else 0, text)
        if self.prepare is not None:
            shown.pixels = self.prepare(self.triplets.picture(index, shown.view))
        if clouds:
            shown.points, shown.colors = see(self.triplets.cloud(index), self.recipe, rng)
        return shown


@dataclass
class _Shown:
    index: int
    view: int
    text: str
    points: Any = None
    colors: Any = None
    pixels: Any = None


def see(cloud: PointCloud, recipe: PretrainingRecipe, rng: np.random.Generator) -> tuple[Array, Array]:
    """Points and colours (p, 3) float32 of an augmented cloud, z up; p is the recipe's, repeated where too few."""
    cloud = cloud.z_up()
    if 0 < recipe.candidates < len(cloud):
        cloud = cloud.select(random_sample(cloud.points, recipe.candidates, seed=int(rng.integers(2**31))))
    xyz, fill = normalize_unit_sphere(cloud.points)[0], CloudPreprocess().color_fill
    if recipe.augmentation is None:
        points = augment_cg3d(xyz, recipe.points, rng, up="z", exact=False)
        return points, np.full_like(points, fill)
    given = np.full_like(xyz, fill) if cloud.colors is None else cloud.colors
    changed, colors = recipe.augmentation(xyz, given, rng)
    assert colors is not None
    kept = np.resize(rng.permutation(len(changed)), recipe.points)
    return normalize_unit_sphere(changed[kept])[0], colors[kept]


def loaded(batches: Batches, first: int) -> Iterator[Batch]:
    """The batches from a step on, made ready by the recipe's workers while the steps before are taken."""
    numbers = range(first * batches.recipe.accumulate, len(batches))
    return loaded_ahead(batches, numbers, batches.recipe.workers)
