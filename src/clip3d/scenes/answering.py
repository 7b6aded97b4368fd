"""Which parts of a scene answer a phrase: how much more it says of them than what else is found indoors would."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.models.refusal import MOST, NEAR
from clip3d.scenes.parts import Part
from clip3d.scenes.vocabulary import INDOORS, size_terms
from clip3d.scenes.voxels import Array
from clip3d.spaces import Space

# Least chance of an answer.
THRESHOLD = 0.3
# Terms are bounded where they tell no more.
MOST_TOUCHING, MOST_TOP = 6.0, 3.0
# Of two answers that share so much of the smaller, only the better one stands.
OVERLAP = 0.3


@dataclass(frozen=True, eq=False)
class Weights:
    """What answers weigh, as scripts/fit_scene_answers.py fitted it to generated rooms with `mini`.

    Attributes:
        likeness: the scale of likenesses over that of the space.
        size: (12,) what each of `size_terms` takes away beside it.
        whole, whole_offset, whole_out: (h, 9), (h,) and (h,), a layer of h units over `whole_terms` that tells
            whole things.
        doubt: log-odds for each unit of entropy of what a part may be.
        slope, offset: from log-odds to chances (Platt 1999).
    """

    likeness: float
    size: NDArray[np.float64]
    whole: NDArray[np.float64]
    whole_offset: NDArray[np.float64]
    whole_out: NDArray[np.float64]
    doubt: float
    slope: float
    offset: float


@cache
def weights() -> Weights:
    """Those of the package."""
    told: dict[str, Any] = json.loads(files("clip3d.scenes").joinpath("weights.json").read_text(encoding="utf-8"))
    arrays: dict[str, Any] = {k: np.array(v) if isinstance(v, list) else v for k, v in told.items()}
    return Weights(**arrays)


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of n parts besides their vectors.

    Attributes:
        scales, touching: (n,) as of `clip3d.scenes.parts.Part`.
        area: (n,) square metres of surface.
        on_wall: (n,) bool, whether it was found in the plane of a wall.
        to_wall: (n,) metres to the next wall.
        sizes: (n, 4) longer and shorter level side, height, and height of the lowest point above the floor, in
            metres.
    """

    scales: NDArray[np.floating]
    touching: NDArray[np.floating]
    area: NDArray[np.floating]
    on_wall: NDArray[np.bool_]
    to_wall: NDArray[np.floating]
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
    use = weights()
    scale = use.likeness * space.scale
    like = scale * space.similarity(vectors, label_vectors).astype(np.float64)
    near = space.similarity(label_vectors, background).astype(np.float64)
    fit = -(size_terms(seen.sizes, seen.on_wall, seen.to_wall) @ use.size)
    rivals = scale * space.similarity(vectors, background).astype(np.float64) + fit
    whole = np.tanh(whole_terms(seen) @ use.whole.T + use.whole_offset) @ use.whole_out + use.doubt * doubt(rivals)
    columns = []
    for i, label in enumerate(labels):
        same = near[i] > NEAR
        shares = shares_of(label, space.scale * near[i], same)
        own = like[:, i] + np.log(np.exp(fit) @ shares + 1e-30)
        against = np.exp(np.where(same, -np.inf, rivals - own[:, None])).sum(axis=1)
        columns.append(whole - use.slope * np.log(against + np.exp(-MOST)))
    return np.asarray(1 / (1 + np.exp(-np.stack(columns, axis=1) - use.offset)), np.float32)


def whole_terms(seen: Seen) -> NDArray[np.float64]:
    """What tells whole things from pieces and lumps of things, for n parts: (n, 9).

    At how many scales it was found, its border with others, whether it lies in the plane of a wall; logarithms of
    its area, sides and height; the height of its top above the floor; the logarithm of its area over its box's.
    """
    long, short, height, base = np.maximum(seen.sizes.astype(np.float64).T, np.array([[0], [0], [0], [-np.inf]]))
    area = np.log(np.maximum(seen.area, 1e-4))
    box = 2 * (long * short + long * height + short * height) + 1e-3
    terms = (
        seen.scales.astype(np.float64),
        np.minimum(seen.touching, MOST_TOUCHING),
        seen.on_wall.astype(np.float64),
        area,
        np.log(long + 0.02),
        np.log(short + 0.02),
        np.log(height + 0.02),
        np.minimum(base + height, MOST_TOP),
        area - np.log(box),
    )
    return np.stack(terms, axis=1)


def doubt(rivals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy (n,) of what each part may be, of log-likelihoods (n, b) under the nouns."""
    odds = np.exp(rivals - rivals.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    return -np.asarray((odds * np.log(odds + 1e-12)).sum(axis=1))


def shares_of(label: str, near: NDArray[np.float64], same: NDArray[np.bool_]) -> NDArray[np.float64]:
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
