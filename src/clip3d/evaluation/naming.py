"""How well objects of a library are named by their own captions, among all captions of that library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.library import Library
from clip3d.spaces import Space, rank

Array = NDArray[np.float32]
EncodeTexts = Callable[[Sequence[str]], Array]


def naming_accuracy(vectors: Array, library: Library, encode_texts: EncodeTexts, space: Space) -> dict[str, float]:
    """Share of objects one of whose captions comes first (`top1`) or among the first five (`top5`).

    Args:
        vectors: (n, d) of the library's n objects.
        library: the objects with their captions.
        encode_texts: phrases to vectors, prompts included.
        space: of both.
    """
    own = [library.phrases(i) for i in range(len(library))]
    names = sorted({phrase for phrases in own for phrase in phrases})
    similarity = space.similarity(vectors, encode_texts(names))
    best = [[names[j] for j in rank(row, 5)] for row in similarity]
    return {
        "top1": float(np.mean([b[0] in o for b, o in zip(best, own, strict=True)])),
        "top5": float(np.mean([bool(set(b) & set(o)) for b, o in zip(best, own, strict=True)])),
    }


def tower_vectors(tower: Any, library: Library, *, points: int = 1024) -> Array:
    """Vectors (n, d) of a library's objects by a cloud tower in eval mode, on the first `points` of each.

    Args:
        tower: module from points (b, p, 3) and colours (b, p, 3) to vectors (b, d).
        library: objects in farthest-point order, z up, in the unit sphere.
        points: seen by the tower.
    """
    import torch

    rows = []
    with torch.inference_mode():
        for start in range(0, len(library), 32):
            xyz = library.points[start : start + 32, :points].astype(np.float32)
            rgb = library.colors[start : start + 32, :points].astype(np.float32) / 255
            rows.append(tower(torch.from_numpy(xyz), torch.from_numpy(rgb)).float().numpy())
    return np.concatenate(rows)
