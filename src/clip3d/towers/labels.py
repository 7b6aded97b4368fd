"""The text tower of a classifier: it knows its labels and no other words. NumPy alone, no torch."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ModelError, ShapeError

Array = NDArray[np.float32]

# So many labels are listed to a user who gave none of them.
LISTED = 60


class LabelTower:
    """Labels to their vectors.

    Attributes:
        labels: c names, which differ in more than case, spaces, hyphens and underscores.
        dim: length d of a vector.

    Raises:
        ValueError: if two labels read alike, or there are not as many vectors.
    """

    def __init__(self, labels: Sequence[str], vectors: Array) -> None:
        self.labels = [str(label) for label in labels]
        self._rows = {label_key(label): row for row, label in enumerate(self.labels)}
        if vectors.ndim != 2 or len(vectors) != len(self.labels):
            raise ValueError(f"{len(self.labels)} labels need vectors of shape (c, d), got {vectors.shape}")
        if len(self._rows) != len(self.labels):
            raise ValueError("two labels differ in nothing but case, spaces, hyphens or underscores")
        self._vectors = np.asarray(vectors, dtype=np.float32)
        self.dim = int(vectors.shape[1])

    @classmethod
    def load(cls, folder: Path, weights: str, *, labels: Sequence[str]) -> LabelTower:
        """Load from a folder.

        Args:
            folder: of the model.
            weights: file name of safetensors weights with the tensor `vectors` (c, d).
            labels: c names, in the order of the rows.

        Raises:
            ModelError: if the file is missing or damaged.
            ValueError: as for the class.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = folder / weights
        try:
            return cls(labels, load_file(path)["vectors"])
        except KeyError as error:
            raise ModelError(path, f"lacks the tensor {error}") from error
        except (SafetensorError, OSError) as error:
            raise ModelError(path, f"is not a readable safetensors file: {error}") from error

    def encode(self, phrases: Sequence[str]) -> Array:
        """Vectors (n, d) float32 of n labels; case, spaces, hyphens and underscores do not matter.

        Raises:
            ShapeError: for anything that is no label; the message lists those there are.
        """
        rows = [self._row(phrase) for phrase in phrases]
        return self._vectors[np.asarray(rows, dtype=np.intp)]

    def _row(self, phrase: str) -> int:
        key = label_key(phrase)
        if key in self._rows:
            return self._rows[key]
        near = difflib.get_close_matches(key, self._rows, 1)
        guess = f" (do you mean {self.labels[self._rows[near[0]]]!r}?)" if near else ""
        more = f" and {len(self.labels) - LISTED} others" if len(self.labels) > LISTED else ""
        raise ShapeError(
            f"{phrase!r} is no label of this classifier{guess}, which knows no other words: "
            f"{', '.join(self.labels[:LISTED])}{more}"
        )


def label_key(label: str) -> str:
    """What two spellings of one label share."""
    return " ".join(label.replace("_", " ").replace("-", " ").casefold().split())
