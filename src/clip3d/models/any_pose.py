"""Clouds that may lie on any side: stood on each in turn, and what comes of it averaged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.augmenting import rotate, rotation_about
from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.posing import SIDES, stances
from clip3d.models.preprocess import CloudPreprocess
from clip3d.spaces import unit

Array = NDArray[np.float32]


def stood(
    clouds: Iterable[PointCloud], prepare: CloudPreprocess, points: int | None
) -> Iterator[tuple[Array, ...]]:
    """Each cloud on every side of its box and in every turn of the preparation, as a pose-free tower takes it."""
    turns = [rotation_about("z", 2 * np.pi * i / prepare.turns) for i in range(prepare.turns)]
    for cloud in clouds:
        xyz, colors = prepare(cloud, points=points)
        for stance in stances(xyz):
            for turn in turns:
                yield rotate(xyz, turn @ stance), colors, np.array(False)


def with_stance(tower: Any, *inputs: Any) -> Any:
    """Vectors (b, d) and the logit (b, 1) of standing upright, side by side."""
    import torch

    vectors, logits = tower.with_stance(*inputs)
    return torch.cat([vectors, logits[:, None]], dim=1)


def mean_of_stances(found: Array, turns: int) -> Array:
    """Vectors (n, d) of n clouds from what `with_stance` gives of all their stances and turns."""
    groups = found.reshape(-1, len(SIDES) * turns, found.shape[1])
    return np.stack([_mean(group[:, :-1], group[:, -1]) for group in groups])


def _mean(vectors: Array, logits: Array) -> Array:
    """The vector (d,) of a cloud from those (s, d) of its stances: only one is right, so logits (s,) compete."""
    weights: Array = np.exp(logits - logits.max())[:, None]
    mean: Array = unit((weights * unit(vectors)).sum(axis=0, keepdims=True))[0]
    return mean
