"""Which parts of a scene answer a phrase: how much more it says of them than what else is found indoors would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.models.refusal import MOST, NEAR
from clip3d.scenes.parts import Part
from clip3d.scenes.vocabulary import INDOORS, size_evidence
from clip3d.scenes.voxels import Array
from clip3d.spaces import Space

# Log-odds that a part is a whole thing: for each further scale that it was found at, and for its border.
A_SCALE, A_BORDER = 0.15, -0.5
# What size and place count beside the likeness of vectors, as both are told by the shape in part.
SIZE_WEIGHT = 0.7
# From log-odds to chances (Platt 1999), fitted on generated rooms with `mini`: see docs/scenes.md.
SLOPE, OFFSET = 0.62, -1.87
# Least chance of an answer.
THRESHOLD = 0.25
# Of two answers that share so much of the smaller, only the better one stands.
OVERLAP = 0.3


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of n parts besides their vectors.

    Attributes:
        scales, touching: (n,) as of `clip3d.scenes.parts.Part`.
        sizes: (n, 3) longest level side, height, and height of the lowest point above the floor, in metres.
    """

    scales: NDArray[np.floating]
    touching: NDArray[np.floating]
    sizes: NDArray[np.floating]


def scores_of(
    space: Space, seen: Seen, vectors: Array, labels: Sequence[str], label_vectors: Array, background: Array
) -> Array:
    """Chance (n, m) in [0, 1] that each of m labels names each of n parts.

    The log-odds of the label against the nouns of `INDOORS` that do not say the same, by likeness of vectors at the
    scale of the space and by usual size and place, and those of the part being a whole thing, no piece of one.
    A label that is none of the nouns has the size and place of those that say the same, weighted by likeness, and
    without any such noun those of things in general.

    Args:
        space: of all vectors.
        seen: of the parts.
        vectors: (n, d), one a part.
        labels, label_vectors: m of them, (m, d).
        background: (b, d), the vectors of `INDOORS`.
    """
    if not len(vectors):
        return np.zeros((0, len(labels)), np.float32)
    like = space.scale * space.similarity(vectors, label_vectors).astype(np.float64)
    near = space.similarity(label_vectors, background).astype(np.float64)
    fit = SIZE_WEIGHT * size_evidence(seen.sizes)
    rivals = space.scale * space.similarity(vectors, background).astype(np.float64) + fit
    whole = A_SCALE * (seen.scales - 1) + A_BORDER * seen.touching
    columns = []
    for i, label in enumerate(labels):
        same = near[i] > NEAR
        shares = _shares(label, space.scale * near[i], same)
        own = like[:, i] + np.log(np.exp(fit) @ shares)
        against = np.exp(np.where(same, -np.inf, rivals - own[:, None])).sum(axis=1)
        columns.append(-np.log(against + np.exp(-MOST)) + whole)
    return np.asarray(1 / (1 + np.exp(-SLOPE * np.stack(columns, axis=1) - OFFSET)), np.float32)


def _shares(label: str, near: NDArray[np.float64], same: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How much each noun of `INDOORS` (b,) tells of a label's size and place; they add up to 1."""
    if label in INDOORS:
        return np.asarray(np.arange(len(INDOORS)) == INDOORS.index(label), np.float64)
    if not same.any():
        return np.full(len(INDOORS), 1 / len(INDOORS))
    weight = np.where(same, np.exp(near - near.max()), 0.0)
    return np.asarray(weight / weight.sum())


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
