"""What an image tower says of the places of a picture, in the space of its vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from clip3d.models.preprocess import as_rgb

if TYPE_CHECKING:
    from clip3d.models.model import Model

Array = NDArray[np.float32]
How = Literal["cells", "crops"]

# A tower of any size is shown more pixels than for one vector, so that its cells are smaller.
ENLARGED = 2
# Of other towers' pictures overlapping crops are encoded: so many cells a side, each crop so many of them wide.
SIDE, WIDTH = 6, 2


@dataclass(frozen=True, eq=False)
class PictureCells:
    """Vectors of the cells of a square picture.

    Attributes:
        features: (r, c, d) float32, rows from the top.
        how: "cells" from the tower's own map of features, "crops" from overlapping crops of the picture.
    """

    features: Array
    how: How


def picture_cells(model: Model, images: Sequence[Any]) -> list[PictureCells]:
    """The cells of square pictures: the tower's own where it has them, else from crops.

    Args:
        model: with an image tower.
        images: PIL images, square; of others the central square is seen.

    Raises:
        ModelError: if the model has no image tower.
    """
    tower = model.tower("image")
    if hasattr(tower, "dense"):
        return [PictureCells(_dense(model, tower, image), "cells") for image in images]
    return [PictureCells(_of_crops(model, image), "crops") for image in images]


def _dense(model: Model, tower: Any, image: Any) -> Array:
    import torch

    prepare = model.image_preparation()
    if getattr(tower, "any_size", False):
        prepare = replace(prepare, size=ENLARGED * prepare.size)
    with torch.inference_mode():
        pixels = torch.from_numpy(prepare(image)[None]).to(model.device)
        return np.asarray(tower.dense(pixels)[0].float().cpu().numpy(), np.float32)


def _of_crops(model: Model, image: Any) -> Array:
    """Each cell has the mean of the crops that cover it."""
    picture = as_rgb(image, 1.0)
    side = min(picture.size)
    left, top = (picture.width - side) / 2, (picture.height - side) / 2
    step = side / SIDE
    starts = [(row, column) for row in range(SIDE - WIDTH + 1) for column in range(SIDE - WIDTH + 1)]
    boxes = [
        (left + column * step, top + row * step, left + (column + WIDTH) * step, top + (row + WIDTH) * step)
        for row, column in starts
    ]
    vectors = model.encode_images([picture.crop(tuple(round(edge) for edge in box)) for box in boxes])
    sums = np.zeros((SIDE, SIDE, vectors.shape[1]), np.float32)
    counts = np.zeros((SIDE, SIDE, 1), np.float32)
    for (row, column), vector in zip(starts, vectors, strict=True):
        sums[row : row + WIDTH, column : column + WIDTH] += vector
        counts[row : row + WIDTH, column : column + WIDTH] += 1
    return sums / counts
