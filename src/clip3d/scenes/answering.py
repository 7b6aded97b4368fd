"""Which parts of a scene answer a phrase: how much more it says of them than what else is found indoors would."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clip3d.models.refusal import evidence
from clip3d.scenes.parts import Part
from clip3d.scenes.voxels import Array
from clip3d.spaces import Space

# Log-odds that a part is a whole thing: for each further scale that it was found at, and for its border.
A_SCALE, A_BORDER = 0.15, -0.5
# From log-odds to chances (Platt 1999), fitted on generated rooms with `mini`: see docs/scenes.md.
SLOPE, OFFSET = 0.9, 3.0
# Least chance of an answer.
THRESHOLD = 0.5
# Of two answers that share so much of the smaller, only the better one stands.
OVERLAP = 0.3


def wholeness(scales: NDArray[np.integer], touching: NDArray[np.floating]) -> NDArray[np.float64]:
    """Log-odds (n,) that parts are whole things, given `scales` and `touching` of each as `parts.Part` has them."""
    return np.asarray(A_SCALE * (scales - 1) + A_BORDER * touching, np.float64)


def scores_of(
    space: Space, whole: NDArray[np.floating], vectors: Array, label_vectors: Array, background: Array
) -> Array:
    """Chance (n, m) in [0, 1] that each of m labels names each of n parts.

    The log-odds of the label against the nouns of the background that do not say the same
    (`clip3d.models.refusal.evidence`), and those of the part being a whole thing and not a piece of one.

    Args:
        space: of all vectors.
        whole: (n,) as `wholeness` gives it.
        vectors: (n, d), one a part.
        label_vectors: (m, d).
        background: (b, d), nouns that are usual in scenes.
    """
    if not len(vectors):
        return np.zeros((0, len(label_vectors)), np.float32)
    columns = [evidence(space, vectors, label[None], background) for label in label_vectors]
    odds = SLOPE * (np.stack(columns, axis=1) + whole[:, None]) + OFFSET
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


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
