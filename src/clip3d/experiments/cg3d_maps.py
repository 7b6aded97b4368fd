"""CG3D's figure of feature maps: ModelNet10's clouds before and after, its depth maps with and without prompts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from clip3d.evaluation.features import space_of
from clip3d.evaluation.map_pages import write_map
from clip3d.evaluation.maps import NEIGHBORS, FeatureMap, laid_out, neighbors_right, silhouette
from clip3d.experiments.cg3d_images import DEPTH, PLAIN, RENDER
from clip3d.experiments.experiment import Bench, Experiment, Measured, Row
from clip3d.experiments.given_models import POINT_TRANSFORMER, Candidate, blank_model, own_candidates
from clip3d.experiments.labelled_sets import MODELNET10, cloud_vectors
from clip3d.experiments.picture_sets import Pictures, PictureSet, depth_maps_of, picture_vectors

Array = NDArray[np.float32]

BEFORE = Candidate("random", "random weights", (), partial(blank_model, architecture="point-transformer"))


def _depth_maps(bench: Bench, split: str) -> Pictures:
    return depth_maps_of(MODELNET10.read(bench, split))


DEPTH_MAPS = PictureSet("modelnet10-depth", "ModelNet10 depth maps", (MODELNET10.need,), _depth_maps)


def _of_clouds(bench: Bench, candidate: Candidate) -> Array:
    return cloud_vectors(bench, candidate, MODELNET10)


def _of_pictures(bench: Bench, candidate: Candidate) -> Array:
    return picture_vectors(bench, candidate, DEPTH_MAPS, "test")[1]


@dataclass(frozen=True)
class Kind:
    """One kind of features: in names, in tables, and how a model gives them."""

    name: str
    title: str
    features: Callable[[Bench, Candidate], Array]


CLOUDS, PICTURES = Kind("clouds", "clouds", _of_clouds), Kind("depth", "depth maps", _of_pictures)


def _rows(bench: Bench) -> list[Row]:
    own = own_candidates(bench)
    pairs = [(CLOUDS, each) for each in (BEFORE, POINT_TRANSFORMER, *own)]
    pairs += [(PICTURES, each) for each in (PLAIN, RENDER, DEPTH, *own)]
    return [
        Row(
            name=f"{kind.name}/{candidate.name}",
            cells=(kind.title, candidate.title),
            needs=(*candidate.needs, MODELNET10.need),
            measure=partial(_measure, kind=kind, candidate=candidate),
            model=candidate.name if candidate.own else None,
        )
        for kind, candidate in pairs
    ]


def _measure(bench: Bench, seed: int, kind: Kind, candidate: Candidate) -> Measured:
    data, features = MODELNET10.read(bench), kind.features(bench, candidate)
    centred = space_of(features).centre(features)
    right = neighbors_right(centred, data.labels)
    apart = silhouette(centred, data.labels, seed)
    model = candidate.load(bench)
    told = {
        "task": "map of features",
        **data.protocol(),
        "measured": f"share of clouds whose class most of their {NEIGHBORS} nearest others have; 100 times the "
        "silhouette of the classes; both by cosine after the mean of the features is subtracted",
        "points": model.cloud_preparation().points if kind is CLOUDS else int(data.points.shape[1]),
        "layout": "UMAP, its authors' defaults, cosine",
        "seed": seed,
        "features": f"unit vectors of {kind.title} in the model's space",
        "model": model.id,
        "weights": model.card.weights_hash,
    }
    drawn = FeatureMap(f"{candidate.title}, {kind.title}", laid_out(centred, seed), apart, right, told)
    files = tuple(f"{kind.name}-{candidate.name}.{suffix}" for suffix in ("png", "html"))
    bench.out.mkdir(parents=True, exist_ok=True)
    for file in files:
        write_map(bench.out / file, [drawn], data)
    return Measured(100 * right, len(data), told, also={"silhouette": 100 * apart}, files=files)


MAPS = Experiment(
    name="cg3d-fig7",
    title="maps of features",
    source="CLIP goes 3D (Hegde et al. 2023), figures of UMAP; the number, 7, is taken from the order of the text",
    shows="Whether ModelNet10's classes lie apart in an encoder's features before and after CG3D, and in those of "
    "depth maps with and without visual prompts. Only pictures are published; beside them stand two measures.",
    columns=("features of", "model"),
    rows=_rows,
    notes=("A map proves nothing: compare the measures, which do not depend on how it looks.",),
)
