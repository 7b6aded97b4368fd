"""Which parts of a scene answer a phrase: fit against a background of nouns, and of parts that overlap the best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clip3d.models.model import Model
from clip3d.models.refusal import evidence
from clip3d.scenes.parts import Part
from clip3d.scenes.voxels import Array

# Of two answers that share so much of the smaller, only the better one stands.
OVERLAP = 0.3


def fits_of(model: Model, vectors: Array, label_vectors: Array) -> NDArray[np.float32]:
    """Chance (n, m) in [0, 1] that each of m labels names each of n parts, as the model's refusal tells.

    Without a refusal in the card it is the softmax over the parts of the model's similarity, as the paper has it.
    """
    if not len(vectors):
        return np.zeros((0, len(label_vectors)), np.float32)
    if not model.card.refusal:
        return model.space.probabilities(model.space.similarity(label_vectors, vectors)).T
    refusal = model.refusal
    columns = [
        refusal.score_of(evidence(model.space, vectors, label[None], refusal.background)) for label in label_vectors
    ]
    return np.stack(columns, axis=1)


def least_fit(model: Model, threshold: float | None) -> float:
    """The least chance of an answer: that given, or the model's, or 0 for a model that cannot tell."""
    if threshold is not None:
        return threshold
    return model.refusal.threshold if model.card.refusal else 0.0


def distinct(parts: Sequence[Part], order: Sequence[int]) -> list[int]:
    """Of parts in an order, best first, those that do not share much with a better one."""
    kept: list[int] = []
    for i in order:
        if all(shared(parts[i], parts[j]) < OVERLAP for j in kept):
            kept.append(i)
    return kept


def shared(a: Part, b: Part) -> float:
    """Share of the smaller of two parts that is in both."""
    if (a.voxels[0] > b.voxels[-1]) or (b.voxels[0] > a.voxels[-1]):
        return 0.0
    both = len(np.intersect1d(a.voxels, b.voxels, assume_unique=True))
    return both / min(len(a.voxels), len(b.voxels))
