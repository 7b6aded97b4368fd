"""Maps of features: UMAP (McInnes et al. 2018) of a labelled set, with figures that do not depend on how it looks.

A map shows what lies near what; it proves nothing. Beside it stand two measures of the features themselves: the
silhouette of the classes (Rousseeuw 1987) and the share of clouds whose class most of their nearest others have.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.labelled_clouds import LabelledClouds
from clip3d.errors import MissingExtra, ShapeError
from clip3d.evaluation.features import KINDS, Kind, protocol, space_of
from clip3d.evaluation.metrics import nearest_classes
from clip3d.models.model import Model

Array = NDArray[np.float32]

NEIGHBORS = 5
# What UMAP looks at and how closely it packs; its authors' defaults.
UMAP_NEIGHBORS, UMAP_DISTANCE = 15, 0.1
FEWEST = 8
CHUNK = 512  # of the features that are compared with all at once
# The silhouette compares all pairs: of larger sets a part that follows from the seed.
SILHOUETTE_MOST = 5000


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """One model's map.

    Attributes:
        title: model and kind of features.
        places: (n, 2) float32 in [0, 1].
        silhouette: mean over the clouds, in [-1, 1], of how much nearer a cloud's own class is than the next, by
            cosine after the mean of the features is subtracted.
        neighbors: share of clouds whose class most of their 5 nearest others have, by the same cosine.
        protocol: everything needed to recompute it.
    """

    title: str
    places: Array = field(repr=False)
    silhouette: float
    neighbors: float
    protocol: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """The figures and the protocol, ready for JSON."""
        figures = {"silhouette": self.silhouette, "neighbors": self.neighbors}
        return {"title": self.title, **figures, "protocol": self.protocol}


def feature_map(
    model: Model,
    data: LabelledClouds,
    features: Array,
    *,
    kind: Kind = "vectors",
    votes: int = 1,
    points: int | None = None,
    seed: int = 0,
) -> FeatureMap:
    """Lay out features (n, d), as `features.cloud_features` gives them for these arguments, in the plane.

    The same features and seed give the same map on the same machine and versions.

    Raises:
        ShapeError: if there are fewer than 8 clouds, or fewer than two classes among them.
        MissingExtra: without umap-learn and scikit-learn.
    """
    labels = data.labels
    if len(data) < FEWEST or len(np.unique(labels)) < 2:
        raise ShapeError(f"a map needs {FEWEST} clouds of two classes at least, got {len(data)}")
    centred = space_of(features).centre(features)
    return FeatureMap(
        title=f"{model.id}, {kind}",
        places=laid_out(centred, seed),
        silhouette=silhouette(centred, labels, seed),
        neighbors=neighbors_right(centred, labels),
        protocol={
            "task": "map of features",
            **data.protocol(),
            **protocol(model, data, votes, points),
            "features": KINDS[kind],
            "layout": f"UMAP, {UMAP_NEIGHBORS} neighbours, least distance {UMAP_DISTANCE:g}, cosine",
            "neighbors": f"{NEIGHBORS} nearest others by cosine after the mean of the features is subtracted",
            "silhouette_of": min(len(data), SILHOUETTE_MOST),
            "seed": seed,
            "model": model.id,
        },
    )


def neighbors_right(centred: Array, labels: NDArray[np.intp]) -> float:
    """Share of centred features (n, d) whose class most of their 5 nearest others have, by cosine."""
    right = 0
    for start in range(0, len(centred), CHUNK):
        similarity = centred[start : start + CHUNK] @ centred.T
        rows = np.arange(len(similarity))
        similarity[rows, start + rows] = -2  # below any cosine: none is its own neighbour
        right += int((nearest_classes(similarity, labels, NEIGHBORS) == labels[start + rows]).sum())
    return right / len(centred)


def silhouette(centred: Array, labels: NDArray[np.intp], seed: int = 0) -> float:
    """Mean silhouette of classes among centred features (n, d), by cosine; of 5,000 at most that the seed draws.

    Raises:
        ShapeError: if those have fewer than two classes, or a class each.
        MissingExtra: without scikit-learn.
    """
    try:
        from sklearn.metrics import silhouette_score
    except ImportError as error:
        raise MissingExtra("the silhouette", "scikit-learn", "research") from error
    chosen = np.random.default_rng(seed).permutation(len(centred))[:SILHOUETTE_MOST]
    if not 2 <= len(np.unique(labels[chosen])) < len(chosen):
        raise ShapeError("a silhouette needs two classes, and one of them with two clouds")
    return float(silhouette_score(centred[chosen], labels[chosen], metric="cosine"))


def laid_out(centred: Array, seed: int) -> Array:
    """Places (n, 2) float32 in [0, 1] that UMAP gives centred features (n, d).

    Raises:
        MissingExtra: without umap-learn.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from umap import UMAP
    except ImportError as error:
        raise MissingExtra("a map", "umap-learn", "research") from error
    neighbors = min(UMAP_NEIGHBORS, len(centred) - 1)
    # One thread: only then does the seed decide.
    layout = UMAP(
        n_neighbors=neighbors, min_dist=UMAP_DISTANCE, metric="cosine", random_state=seed, n_jobs=1, init="pca"
    )
    with warnings.catch_warnings(), _torchs_threads_kept():
        warnings.simplefilter("ignore")
        places = np.asarray(layout.fit_transform(centred), dtype=np.float64)
    low, high = places.min(0), places.max(0)
    return np.asarray((places - low) / np.maximum(high - low, 1e-12).max(), dtype=np.float32)


@contextmanager
def _torchs_threads_kept() -> Iterator[None]:
    """Give torch its number of threads again afterwards: numba sets that of the OpenMP which both share.

    Left at a number of threads that the processors cannot run at once, small products of torch become hundreds of
    times slower.
    """
    import torch

    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def colors_of(classes: int) -> list[tuple[float, float, float]]:
    """A colour (r, g, b) in [0, 1] for each class: hues by the golden angle, in three lightnesses by turns."""
    import colorsys

    golden = (5**0.5 - 1) / 2
    return [colorsys.hls_to_rgb(i * golden % 1, (0.45, 0.6, 0.35)[i % 3], 0.65) for i in range(classes)]


def present(labels: NDArray[np.intp], classes: Sequence[str]) -> list[tuple[int, str]]:
    """The classes that have clouds, as indices and names."""
    return [(int(c), classes[c]) for c in np.unique(labels)]
