"""Image vectors of the pictures of library objects, made once by an image tower, to train a cloud tower against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.data.npz import read_npz, write_npz
from clip3d.errors import DataError

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Pictures:
    """Vectors of several pictures of each object.

    Attributes:
        name: (n,) unicode, the objects as their libraries name them.
        vectors: (n, v, d) float16, raw image vectors of v pictures.
    """

    name: NDArray[np.str_]
    vectors: NDArray[np.float16]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_row", {str(name): i for i, name in enumerate(self.name)})

    def draw(self, name: str, rng: np.random.Generator) -> Array:
        """The vector (d,) of one of an object's pictures; zeros if there is none of that object."""
        row: int | None = self._row.get(name)  # type: ignore[attr-defined]
        if row is None:
            return np.zeros(self.vectors.shape[2], np.float32)
        return np.asarray(self.vectors[row, rng.integers(self.vectors.shape[1])], np.float32)

    def save(self, path: Path) -> None:
        """Write the file whole or not at all."""
        write_npz(path, {"name": self.name, "vectors": self.vectors})


def read_pictures(path: Path) -> Pictures:
    """Read a file that `Pictures.save` wrote.

    Raises:
        DataError: if it is missing, damaged or of another form.
    """
    arrays = read_npz(path, required=("name", "vectors"))
    name, vectors = arrays["name"], arrays["vectors"]
    if vectors.ndim != 3 or len(name) != len(vectors):
        raise DataError(path, f"holds vectors of shape {vectors.shape} for {len(name)} names, not (n, v, d)")
    return Pictures(name, vectors)
