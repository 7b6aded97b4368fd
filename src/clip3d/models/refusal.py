"""Does any of the labels fit at all? The best label is weighed against a fixed background of nouns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ModelError
from clip3d.models.weights import check_hash, read_arrays
from clip3d.spaces import Space

Array = NDArray[np.float32]

MOST = 30.0  # log-odds where no noun of the background is left
NEAR = 0.5  # centred cosine above which a noun of the background says the same as a label


@dataclass(frozen=True, eq=False)
class Fits:
    """Whether the best of some labels fits, for n things.

    Attributes:
        score: (n,) float32 in [0, 1], chance that the best label is right, if half of such lists hold a right one.
        fits: (n,) bool, whether the score reaches the threshold.
        threshold: that was used.
    """

    score: Array
    fits: NDArray[np.bool_]
    threshold: float


@dataclass(frozen=True, eq=False)
class Refusal:
    """How a model tells that none of the labels fits.

    Attributes:
        background: (b, d) float32, vectors of nouns of all kinds, as `Model.label_vectors` gives them.
        threshold: least score of a label that fits.
        slope: of the logistic function from evidence to score (Platt 1999).
        offset: of the same.
    """

    background: Array
    threshold: float
    slope: float = 1.0
    offset: float = 0.0

    def scores(self, space: Space, vectors: Array, label_vectors: Array, *, meant: float = 0.5) -> Array:
        """Chance (n,) float32 in [0, 1] that the best label is right.

        Args:
            space, vectors, label_vectors: as for `evidence`.
            meant: chance in (0, 1) that it is, as far as is known before the vectors are looked at.
        """
        return self.score_of(evidence(space, vectors, label_vectors, self.background), meant=meant)

    def score_of(self, evidence: NDArray[np.float64], *, meant: float = 0.5) -> Array:
        """The score of evidence, of any shape; `meant` as of `scores`."""
        odds = self.slope * evidence + self.offset + np.log(meant / (1 - meant))
        return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float32)


def evidence(space: Space, vectors: Array, label_vectors: Array, background: Array) -> NDArray[np.float64]:
    """Log-odds (n,) of the best label against those nouns of the background that do not say the same, less log m.

    They come from a softmax at the scale of the space. Of the other labels their number alone counts: the best of
    many is near by chance, and with every label as likely as the others the odds of one fall with their number.

    Args:
        space: of all vectors.
        vectors: (n, d) of what is labelled.
        label_vectors: (m, d), m at least 1.
        background: (b, d).
    """
    similarity = space.similarity(vectors, label_vectors)
    same = space.similarity(label_vectors, background)[similarity.argmax(1)] > NEAR
    margin = similarity.max(1, keepdims=True) - space.similarity(vectors, background).astype(np.float64)
    against = np.exp(np.where(same, -np.inf, -space.scale * margin)).sum(1)
    return np.asarray(-np.log(against + np.exp(-MOST)) - np.log(len(label_vectors)))


def read_refusal(folder: Path, facts: Mapping[str, Any]) -> Refusal:
    """The refusal that a card's table `refusal` describes: keys `background`, `sha256`, `threshold`,
    `slope` and `offset`.

    Raises:
        ModelError: if the table or the file is not as it should be.
    """
    try:
        path = folder / str(facts["background"])
        check_hash(path, str(facts["sha256"]))
        background = read_arrays(path)["background"].astype(np.float32)
        return Refusal(background, *(float(facts[key]) for key in ("threshold", "slope", "offset")))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(folder / "card.json", f"states the refusal wrongly: {error}") from error
