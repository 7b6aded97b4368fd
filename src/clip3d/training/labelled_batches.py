"""Labelled clouds made ready for a classifier: prepared once, and drawn anew for each step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clip3d.clouds.augmenting import Augmentation
from clip3d.clouds.normalizing import normalize_unit_sphere
from clip3d.data.labelled_clouds import LabelledClouds
from clip3d.errors import DataError
from clip3d.models.preprocess import CloudPreprocess
from clip3d.towers.labels import label_key
from clip3d.training.finetune_recipe import FinetuneRecipe

Array = NDArray[np.float32]
Index = NDArray[np.intp]
Inputs = tuple[Array, Array]


class Batch(NamedTuple):
    """What one step sees: points (b, p, 3), colours (b, p, 3), labels (b,) long."""

    points: Tensor
    colors: Tensor
    labels: Tensor


@dataclass(frozen=True, eq=False)
class Pools:
    """Clouds of which a step sees a part.

    Attributes:
        clouds: of each, points (q, 3) in the unit sphere in farthest-point order, and colours (q, 3).
        labels: (n,) indices of the classes.
    """

    clouds: Sequence[Inputs]
    labels: Index

    def __len__(self) -> int:
        return len(self.labels)


def labels_in(data: LabelledClouds, labels: Sequence[str]) -> Index:
    """The class (n,) of each cloud as an index into labels, whatever the order and spelling in the data.

    Raises:
        DataError: if a cloud is of a class that is none of the labels.
    """
    known = {label_key(label): i for i, label in enumerate(labels)}
    places = [known.get(label_key(name), -1) for name in data.classes]
    found = np.array(places, dtype=np.intp)[data.labels]
    if (found < 0).any():
        name = data.classes[int(data.labels[(found < 0).argmax()])]
        raise DataError(data.path, f"has the class {name!r}", f"trained are: {', '.join(labels)}")
    return found


def pool_clouds(data: LabelledClouds, rows: Index, labels: Index, prepare: CloudPreprocess, most: int) -> Pools:
    """The clouds of the rows with their labels (of the rows), each in at most so many points."""
    return Pools([prepare(cloud, points=most) for cloud in data.clouds(rows.tolist())], labels)


def batches(pools: Pools, recipe: FinetuneRecipe, first: int) -> Iterator[Batch]:
    """The batches of every step from `first`: shuffled epochs without an end, each cloud as often as any other."""
    number = first * recipe.run.accumulate
    while True:
        rng = np.random.default_rng([recipe.seed, number])
        rows = rows_of(len(pools), recipe.batch, recipe.seed, number)
        drawn = [draw(pools.clouds[i], recipe, recipe.augmentation, rng) for i in rows]
        points, colors = (torch.from_numpy(np.stack(column)) for column in zip(*drawn, strict=True))
        yield Batch(points, colors, torch.from_numpy(pools.labels[rows].astype(np.int64)))
        number += 1


def rows_of(n: int, batch: int, seed: int, number: int) -> Index:
    """Rows (batch,) of one batch of endless epochs over n clouds; a batch may reach into the next epoch."""
    places = number * batch + np.arange(batch)
    orders = {epoch: np.random.default_rng([seed, epoch, n]).permutation(n) for epoch in np.unique(places // n)}
    return np.array([orders[place // n][place % n] for place in places], dtype=np.intp)


def draw(cloud: Inputs, recipe: FinetuneRecipe, changes: Augmentation, rng: np.random.Generator) -> Inputs:
    """Points (recipe.points, 3) and colours of a cloud: drawn from its pool, changed; a small cloud's repeated."""
    points, colors = cloud
    kept = rng.permutation(len(points))[: recipe.points]
    xyz, rgb = changes(points[kept], colors[kept], rng)
    assert rgb is not None
    filled = np.resize(np.arange(len(xyz)), recipe.points)
    return (normalize_unit_sphere(xyz[filled])[0] if recipe.unit else xyz[filled]), rgb[filled]


def vote_changes(recipe: FinetuneRecipe) -> Augmentation:
    """Of a recipe's changes those that a vote draws anew: scale and shift."""
    return replace(Augmentation(turn=0.0), scale=recipe.augmentation.scale, shift=recipe.augmentation.shift)
