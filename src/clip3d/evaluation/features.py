"""Frozen features of labelled clouds, for probes, maps and retrieval."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from clip3d.data.labelled_clouds import LabelledClouds
from clip3d.errors import ShapeError
from clip3d.evaluation.scoring import CHUNK, points_seen, turned
from clip3d.models.batching import in_batches
from clip3d.models.model import Model
from clip3d.spaces import Space, unit

Array = NDArray[np.float32]
Kind = Literal["vectors", "features", "levels"]

KINDS: dict[Kind, str] = {
    "vectors": "the unit vectors in the model's space",
    "features": "what the cloud tower's head or projection sees",
    "levels": "the same behind the maximum and mean of what each level of the tower gives",
}


def cloud_features(
    model: Model,
    data: LabelledClouds,
    kind: Kind = "vectors",
    *,
    votes: int = 1,
    points: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Array:
    """Features (n, d) float32 of the clouds; nothing is drawn at random.

    Args:
        model: with a cloud tower.
        data: n clouds.
        kind: "vectors" of unit length, "features" of the tower's body, or those of its "levels" too.
        votes: views of each cloud, turned by equal steps about the up axis; their features are averaged.
        points: points the tower sees, if not the card's number.
        progress: called with the number of clouds done.

    Raises:
        ShapeError: if kind is none of these, or votes is less than 1.
        ModelError: if the tower has no head to take features before, or no levels.
    """
    if kind not in get_args(Kind) or votes < 1:
        raise ShapeError(f"features are {', '.join(KINDS)} of at least one vote, got {kind!r}, {votes}")
    features = partial(model.cloud_features, levels=kind == "levels")
    encode: Callable[..., Array] = model.encode_clouds if kind == "vectors" else features
    rows: list[Array] = []
    for chunk in in_batches(data.clouds(), CHUNK):
        views = [[turned(cloud, vote / votes) for cloud in chunk] if vote else chunk for vote in range(votes)]
        mean = np.stack([encode(view, points=points) for view in views]).mean(0, dtype=np.float32)
        rows.append(unit(mean) if kind == "vectors" else mean)
        if progress:
            progress(sum(map(len, rows)))
    return np.concatenate(rows)


def space_of(features: Array) -> Space:
    """A space for comparing features (n, d) with each other: the mean of their unit vectors is subtracted."""
    return Space("features", features.shape[1], unit(features).mean(0, dtype=np.float32), stored="raw")


def protocol(model: Model, data: LabelledClouds, votes: int, points: int | None) -> dict[str, Any]:
    """What a report says of the features' origin."""
    return {
        **points_seen(model, data.points.shape[1], points),
        "normalizing": "centred, largest radius 1",
        "votes": votes,
        "weights": model.card.weights_hash,
    }
