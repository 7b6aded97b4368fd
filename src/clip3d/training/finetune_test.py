"""What a classifier says of clouds that it does not learn from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clip3d.data.labelled_clouds import LabelledClouds
from clip3d.models.preprocess import CloudPreprocess
from clip3d.towers.classifier import ClassifierTower
from clip3d.training.finetune_recipe import FinetuneRecipe
from clip3d.training.labelled_batches import Index, Inputs, draw, labels_in, pool_clouds, vote_changes

Array = NDArray[np.float32]
Judge = Callable[[Array, Index, Sequence[str]], dict[str, float]]

BATCH = 32


@dataclass(frozen=True, eq=False)
class Prepared:
    """Clouds as the tower sees them in use, and their classes (n,)."""

    clouds: Sequence[Inputs]
    labels: Index


def prepared(data: LabelledClouds, rows: Index, labels: Index, prepare: CloudPreprocess) -> Prepared:
    """The clouds of the rows, prepared as in use: nothing is drawn at random."""
    return Prepared([prepare(cloud) for cloud in data.clouds(rows.tolist())], labels)


def logits_of(tower: ClassifierTower, clouds: Sequence[Inputs]) -> Array:
    """Logits (n, c) of a tower in eval mode; clouds of one size go through it together."""
    return outputs(tower.logits, clouds, next(tower.parameters()).device)


def outputs(run: Callable[..., Tensor], clouds: Sequence[Inputs], device: torch.device) -> Array:
    """What `run` gives (n, …) of points (b, p, 3) and colours (b, p, 3), clouds of one size going together."""
    sizes = np.array([len(points) for points, _ in clouds])
    found: dict[int, Array] = {}
    with torch.inference_mode():
        for size in np.unique(sizes):
            rows = np.flatnonzero(sizes == size)
            for some in np.array_split(rows, -(-len(rows) // BATCH)):
                columns = zip(*(clouds[i] for i in some), strict=True)
                inputs = [torch.from_numpy(np.stack(column)).to(device) for column in columns]
                found |= dict(zip(some.tolist(), run(*inputs).float().cpu().numpy(), strict=True))
    return np.stack([found[i] for i in range(len(clouds))])


def cross_entropy(scores: Array, labels: Index) -> float:
    """Mean cross entropy of logits (n, c)."""
    return float(torch.nn.functional.cross_entropy(torch.from_numpy(scores), torch.from_numpy(labels)))


def measure(
    tower: ClassifierTower,
    test: LabelledClouds,
    labels: Sequence[str],
    recipe: FinetuneRecipe,
    prepare: CloudPreprocess,
    judge: Judge,
    near: Collection[str] = (),
) -> dict[str, Any]:
    """Numbers on test clouds, in one pass and by votes, with and without those whose names are in `near`."""
    rows, targets = np.arange(len(test)), labels_in(test, labels)
    apart = ~np.isin(np.array(test.names), list(near))

    def counted(scores: Array) -> dict[str, Any]:
        found: dict[str, Any] = {**judge(scores, targets, labels), "n": len(targets)}
        if near and apart.any():
            rest = judge(scores[apart], targets[apart], labels)
            found["without_near_duplicates"] = {**rest, "n": int(apart.sum())}
        return found

    report = {**test.protocol(), **counted(logits_of(tower, prepared(test, rows, targets, prepare).clouds))}
    if recipe.votes > 1:
        report["voted"] = {"votes": recipe.votes, **counted(voted(tower, test, rows, targets, recipe, prepare))}
    return report


def voted(
    tower: ClassifierTower,
    test: LabelledClouds,
    rows: Index,
    targets: Index,
    recipe: FinetuneRecipe,
    prepare: CloudPreprocess,
) -> Array:
    """Mean logits (n, c) over the votes; what is drawn follows from the seed, the vote and the cloud's place."""
    pools, changes = pool_clouds(test, rows, targets, prepare, recipe.pool), vote_changes(recipe)
    passes = []
    for vote in range(recipe.votes):
        rngs = [np.random.default_rng([recipe.seed, vote, test.index(int(i))]) for i in rows]
        seen = [draw(cloud, recipe, changes, rng) for cloud, rng in zip(pools.clouds, rngs, strict=True)]
        passes.append(logits_of(tower, seen))
    return np.asarray(np.mean(passes, axis=0), dtype=np.float32)
