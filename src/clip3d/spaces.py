"""The embedding space of a vector, and the only place where vectors are compared.

CLIP's text vectors sit in a narrow cone: any two share most of their direction. Each space therefore
knows the mean of its unit vectors, which is subtracted before vectors are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError, SpaceMismatch

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Space:
    """Where vectors live.

    Attributes:
        id: name of the space, such as "clip-vit-b32-text".
        dim: length d of a vector.
        mean: (d,) float32, mean of the space's unit vectors; zeros where nothing is subtracted.
        scale: multiplies a centred cosine before the softmax that gives probabilities.
        stored: whether vectors are kept as the tower gave them ("raw") or at unit length ("unit").
    """

    id: str
    dim: int
    mean: Array
    scale: float = 1.0
    stored: Literal["raw", "unit"] = "unit"

    def __post_init__(self) -> None:
        if self.mean.shape != (self.dim,):
            raise ShapeError(f"space {self.id}: the mean must have shape ({self.dim},), got {self.mean.shape}")

    def check(self, other_id: str, what: str) -> None:
        """Raise SpaceMismatch unless `other_id` is this space."""
        if other_id != self.id:
            raise SpaceMismatch(
                f"{what} lies in the space {other_id!r}, the model works in {self.id!r}: "
                "embed it again with this model, or choose the model that made it with --model"
            )

    def centre(self, vectors: Array) -> Array:
        """Bring vectors (n, d) to unit length, subtract the mean of the space, and to unit length again."""
        vectors = np.asarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or vectors.shape[1] != self.dim:
            raise ShapeError(f"vectors of space {self.id} have shape (n, {self.dim}), got {vectors.shape}")
        return unit(unit(vectors) - self.mean)

    def similarity(self, a: Array, b: Array) -> Array:
        """Centred cosine of every row of a (n, d) with every row of b (m, d): (n, m) float32 in [-1, 1]."""
        return np.asarray(self.centre(a) @ self.centre(b).T, dtype=np.float32)

    def ensemble(self, vectors: Array) -> Array:
        """One vector (d,) for several prompts (n, d) of one thing: the mean of the unit vectors, at unit length."""
        return np.asarray(unit(unit(np.asarray(vectors, dtype=np.float32)).mean(0, keepdims=True))[0])

    def query(
        self,
        positives: Array,
        negatives: Array | None = None,
        weight: float = 0.5,
        *,
        shares: Sequence[float] | None = None,
        negative_shares: Sequence[float] | None = None,
    ) -> Array:
        """Centred direction (d,) towards the positives (n, d) and away from the negatives (m, d).

        Both are averaged after centring; `weight` scales the negatives' mean before it is subtracted.

        Args:
            positives: vectors of this space.
            negatives: vectors of this space; None or none for no turning away.
            weight: of the negatives' mean.
            shares: (n,) what each positive counts in the mean, more than 0; None for alike.
            negative_shares: (m,) the same of the negatives.
        """
        direction = np.average(self.centre(positives), axis=0, weights=shares)
        if negatives is not None and len(negatives):
            direction = direction - weight * np.average(self.centre(negatives), axis=0, weights=negative_shares)
        return np.asarray(unit(np.asarray(direction, np.float32)[None])[0])

    def scores(self, direction: Array, vectors: Array) -> Array:
        """Cosine of a centred direction (d,), as `query` gives it, with each row of vectors (n, d): (n,)."""
        return np.asarray(self.centre(vectors) @ direction, dtype=np.float32)

    def probabilities(self, similarity: Array) -> Array:
        """Softmax over the last axis of `scale` times the similarity."""
        logits = np.asarray(similarity, dtype=np.float64) * self.scale
        logits -= logits.max(-1, keepdims=True)
        odds = np.exp(logits)
        return np.asarray(odds / odds.sum(-1, keepdims=True), dtype=np.float32)


def unit(vectors: Array) -> Array:
    """Scale rows (n, d) to length 1; a zero row stays zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)


def rank(scores: Array, k: int | None = None) -> NDArray[np.intp]:
    """Indices of the k best scores (n,), best first; equal scores keep their order."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    return order if k is None else order[:k]


def fill_templates(names: Sequence[str], templates: Sequence[str]) -> list[str]:
    """Every template filled with every name, names outermost; underscores in names become spaces."""
    for template in templates:
        if "{}" not in template:
            raise ShapeError(f"a prompt template needs {{}} where the name goes, got {template!r}")
    return [template.replace("{}", name.replace("_", " ")) for name in names for template in templates]
