"""From a frustum to its picture and back: recall among pairs that are apart in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from clip3d.errors import DataError
from clip3d.evaluation.driving_frames import Scene, Seen
from clip3d.evaluation.metrics import recall_at_k
from clip3d.models.model import Model

GALLERY, DRAWS = 200, 20


@dataclass(frozen=True)
class Match:
    """Recall of partners.

    Attributes:
        recall: direction to k to share.
        chance: k to share, by guessing.
        gallery: pairs among which is searched.
        pairs: of which galleries are drawn.
        draws: galleries that the recall is averaged over.
    """

    recall: dict[str, dict[int, float]]
    chance: dict[int, float]
    gallery: int
    pairs: int
    draws: int

    def as_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON."""
        return dict(vars(self))


def match(model: Model, seen: Seen, *, gallery: int = GALLERY, draws: int = DRAWS, seed: int = 0) -> Match:
    """Look for each frustum's picture, and for each picture's frustum, by centred cosine.

    Args:
        model: that they were seen with.
        seen: scenes with pictures.
        gallery: pairs among which is searched; all where there are fewer.
        draws: galleries drawn at random; one of all pairs where these are no more.
        seed: of the draws.

    Raises:
        DataError: if there are fewer than two pairs.
    """
    paired = [scene for scene in seen.scenes if scene.picture is not None]
    if len(paired) < 2:
        reason = "fewer than two frusta have a picture that was encoded"
        raise DataError("the logs", reason, "the model must have an image tower, and the logs pictures")
    similarity = model.space.similarity(_sweeps(paired), _pictures(paired))
    size = min(gallery, len(paired))
    count = draws if size < len(paired) else 1
    chosen = [np.random.default_rng([seed, i]).permutation(len(paired))[:size] for i in range(count)]
    tables = [similarity[np.ix_(rows, rows)] for rows in chosen]
    ks = [k for k in (1, 10) if k < size] or [1]
    return Match(
        recall={
            "lidar to image": {k: float(np.mean([recall_at_k(table, k) for table in tables])) for k in ks},
            "image to lidar": {k: float(np.mean([recall_at_k(table.T, k) for table in tables])) for k in ks},
        },
        chance={k: k / size for k in ks},
        gallery=size,
        pairs=len(paired),
        draws=count,
    )


def _sweeps(scenes: list[Scene]) -> Any:
    return np.stack([scene.sweep for scene in scenes])


def _pictures(scenes: list[Scene]) -> Any:
    return np.stack([scene.picture for scene in scenes if scene.picture is not None])
