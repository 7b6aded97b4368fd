"""Vectors on disk: one npz file that says which space and model they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.data.npz import read_npz
from clip3d.errors import DataError
from clip3d.models.model import Model
from clip3d.spaces import Space

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class VectorFile:
    """Vectors with their names and origin.

    Attributes:
        paths: n names, as they were given.
        vectors: (n, d) float32.
        space: id of the space.
        model: id of the model.
        weights: hex SHA-256 that names the model's weights.
    """

    paths: list[str]
    vectors: Array
    space: str
    model: str
    weights: str


def save_vectors(
    path: str | PathLike[str], paths: Sequence[str | PathLike[str]], vectors: Array, model: Model
) -> Path:
    """Write vectors (n, d) of n files to an npz file, whole or not at all.

    The arrays are `paths` (n,) unicode, `vectors` (n, d) float32, and `space`, `model` and `weights`, unicode of no
    dimension.

    Raises:
        DataError: if the file cannot be written.
    """
    target = Path(path)
    names = np.array([str(p) for p in paths], dtype=np.str_)
    try:
        with replacing(target) as temporary, temporary.open("xb") as stream:
            np.savez(
                stream,
                paths=names,
                vectors=np.asarray(vectors, np.float32),
                space=np.array(model.space.id),
                model=np.array(model.id),
                weights=np.array(model.card.weights_hash),
            )
    except OSError as error:
        raise DataError(target, f"it cannot be written: {error.strerror or error}") from error
    return target


def load_vectors(path: str | PathLike[str], space: Space | None = None) -> VectorFile:
    """Read what `save_vectors` wrote.

    Args:
        path: the npz file.
        space: the space that the vectors are to be compared in, if any.

    Raises:
        DataError: if the file is missing, damaged, or lacks an array.
        SpaceMismatch: if the vectors lie in another space.
    """
    arrays = read_npz(path, required=("paths", "vectors", "space", "model", "weights"))
    names, vectors = arrays["paths"], arrays["vectors"]
    if vectors.ndim != 2 or not np.issubdtype(vectors.dtype, np.floating):
        raise DataError(path, f"vectors must be floats of shape (n, d), got {vectors.dtype} {vectors.shape}")
    if names.dtype.kind != "U" or names.shape != vectors.shape[:1]:
        raise DataError(path, f"paths must be text of shape ({len(vectors)},), got {names.dtype} {names.shape}")
    if space is not None:
        space.check(str(arrays["space"]), f"the file {path}")
    return VectorFile(
        paths=[str(name) for name in names],
        vectors=vectors.astype(np.float32),
        space=str(arrays["space"]),
        model=str(arrays["model"]),
        weights=str(arrays["weights"]),
    )
