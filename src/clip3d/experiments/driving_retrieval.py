"""Driving scenes found by terms: what the rows of LidarCLIP's tables of retrieval have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clip3d.data.driving_prompts import published_prompts
from clip3d.data.driving_shots import Shot, terms_of_shot
from clip3d.errors import DataError, ModelError
from clip3d.evaluation.driving_facets import Clouds, Depths, Facet, Named, Pictures, Quarters, Sweeps
from clip3d.evaluation.driving_ranking import APART, Found, When, by_family, judge, overall
from clip3d.evaluation.driving_vectors import stacked, vectors_of
from clip3d.experiments.driving_sets import DrivingSet
from clip3d.experiments.experiment import Bench, Measured
from clip3d.experiments.given_models import Candidate
from clip3d.joint_rules import ONE_QUERY, Rule, joint_scores
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache

Array = NDArray[np.float32]
By = Literal["lidar", "image", "joint", "cloud", "depth"]
FACETS: dict[str, Callable[[Model], Facet]] = {
    "lidar": Sweeps,
    "image": Pictures,
    "quarters": Quarters,
    "crops": lambda model: Pictures(model, crops=True),
    "cloud": lambda model: Clouds(model, things=False),
    "boxes": lambda model: Clouds(model, scenes=False),
    "depth": Depths,
}
TOWERS = {"lidar": "sweep", "quarters": "sweep", "image": "image", "crops": "image"} | dict.fromkeys(
    ("cloud", "boxes", "depth"), "cloud"
)
SEEN: dict[By, str] = {
    "lidar": "the frustum, by the sweep tower",
    "image": "the picture's central square, by the image tower",
    "joint": "both",
    "cloud": "the frustum as a cloud, in six depth maps",
    "depth": "the frustum as one depth map through the camera's lens",
}


@dataclass(frozen=True, eq=False)
class Scenes:
    """The shots of a data set that a model could see.

    Attributes:
        shots: n of them.
        lidar: (n, d) raw vectors of points, where they are asked for.
        image: (n, d) raw vectors of pictures, where they are asked for.
        left_out: shots that could not be read.
    """

    shots: list[Shot]
    lidar: Array | None
    image: Array | None
    left_out: int

    @property
    def when(self) -> When:
        """Drives and times."""
        return When([shot.drive for shot in self.shots], np.array([shot.time for shot in self.shots]))


def facet_vectors(bench: Bench, on: DrivingSet, candidate: Candidate, facet: str) -> list[Named]:
    """What a model says of a facet of all shots of a data set, encoded once for all experiments.

    Raises:
        ModelError: if the model has no tower for it.
    """

    def get() -> list[Named]:
        model = candidate.load(bench)
        check_towers(model, TOWERS[facet])
        with VectorCache() as cache:
            shots = on.shots(bench)
            return vectors_of(shots, FACETS[facet](model), cache, model.space.id, bench.tell)

    return bench.once(f"facet:{facet}:{on.name}:{candidate.name}", get)


def check_towers(model: Model, *wanted: Any) -> None:
    """Refuse a model that lacks a tower, in words that say so."""
    for modality in (*wanted, "text"):
        if modality not in model.card.towers:
            reason = f"the model {model.name} has no {modality} tower, so this row cannot be measured with it"
            raise ModelError(model.folder, reason, "measure one that has, with --model NAME=FOLDER")


def scenes(bench: Bench, on: DrivingSet, candidate: Candidate, by: By) -> Scenes:
    """The shots that a model could see, with their vectors."""
    shots = on.shots(bench)
    sides: dict[str, Array] = {}
    if by != "image":
        facet = "lidar" if by == "joint" else by
        sides["lidar"] = stacked(facet_vectors(bench, on, candidate, facet))
    if by in ("image", "joint"):
        sides["image"] = stacked(facet_vectors(bench, on, candidate, "image"))
    seen = np.ones(len(shots), bool)
    for vectors in sides.values():
        seen &= np.isfinite(vectors).all(1) if vectors.shape[1] else False
    if not seen.any():
        raise DataError(bench.path(on.need), "none of its frames can be read")
    kept = {side: vectors[seen] for side, vectors in sides.items()}
    rows = np.flatnonzero(seen).tolist()
    lacking = len(shots) - len(rows)
    return Scenes([shots[row] for row in rows], kept.get("lidar"), kept.get("image"), lacking)


def direction(bench: Bench, candidate: Candidate, prompts: Sequence[str]) -> Array:
    """The centred direction (d,) of several prompts of one thing."""

    def get() -> Array:
        model = candidate.load(bench)
        ensemble = model.space.ensemble(model.encode_texts(list(prompts)))
        return np.asarray(model.space.centre(ensemble[None])[0])

    return bench.once(f"direction:{candidate.name}:{hash(tuple(prompts))}", get)


def scores_of(model: Model, seen: Scenes, by: By, query: Array, rule: Rule = ONE_QUERY) -> Array:
    """Scores (n,) of all scenes for a query (d,)."""
    if by == "joint":
        assert seen.lidar is not None
        assert seen.image is not None
        return joint_scores(rule, model.space, seen.lidar, seen.image, query)
    vectors = seen.image if by == "image" else seen.lidar
    assert vectors is not None
    return model.space.scores(query, vectors)


def find_terms(
    bench: Bench, on: DrivingSet, candidate: Candidate, by: By, rule: Rule = ONE_QUERY, near: float | None = None
) -> list[Found]:
    """How well each term is found that is true of some scene."""

    def get() -> list[Found]:
        model, seen = candidate.load(bench), scenes(bench, on, candidate, by)
        truths = [terms_of_shot(shot, on.definition, near) for shot in seen.shots]
        found = []
        for term in on.definition.terms():
            rows = np.array([i for i, truth in enumerate(truths) if term in truth], np.intp)
            truth = np.array([truths[i][term] for i in rows], bool)
            if not truth.any():
                continue
            query = direction(bench, candidate, published_prompts(term))
            # ranks are those among the scenes of which it is known
            own = Scenes(
                [seen.shots[i] for i in rows],
                None if seen.lidar is None else seen.lidar[rows],
                None if seen.image is None else seen.image[rows],
                seen.left_out,
            )
            found.append(judge(term, scores_of(model, own, by, query, rule), truth, own.when))
        return found

    return bench.once(f"terms:{on.name}:{candidate.name}:{by}:{rule}:{near}", get)


def measured(
    bench: Bench,
    on: DrivingSet,
    candidate: Candidate,
    by: By,
    found: Sequence[Found],
    terms: Sequence[str] | None = None,
    **told: Any,
) -> Measured:
    """P@10 over all terms, and beside it everything else.

    Args:
        bench: of the run.
        on: what was searched.
        candidate: by which model.
        by: what of it.
        found: of each term that is true of some scene.
        terms: that were asked; None for all of the data set.
        **told: what else the protocol says.

    Raises:
        DataError: if no term is true of any scene.
    """
    if not found:
        raise DataError(bench.path(on.need), "no term is true of any of its frames", "bring labelled logs")
    whole = overall(found)
    also = {name: 100 * whole[name] for name in ("P@100", "P@10 folded", "P@100 folded", "AP", "chance")}
    for family, means in by_family(found).items():
        also |= {f"{family} P@{k}": 100 * means[f"P@{k}"] for k in (10, 100)}
    asked = [one.term for one in found]
    lacking = [term for term in (on.definition.terms() if terms is None else terms) if term not in asked]
    protocol = {
        **protocol_of(bench, on, candidate, by),
        "measured": "P@10, positives among the 10 best over min(10, positives), mean over the terms",
        "folded": f"of hits of one drive within {APART:g} s the best alone counts",
        "terms": asked,
        "terms without a positive": lacking or None,
        "prompts": "the paper's, see clip3d.data.driving_prompts; the mean of their unit vectors",
        **told,
    }
    return Measured(100 * whole["P@10"], max(one.n for one in found), protocol, also=also)


def protocol_of(bench: Bench, on: DrivingSet, candidate: Candidate, by: By) -> Mapping[str, Any]:
    """Data, model, and what is looked at."""
    model = candidate.load(bench)
    return {
        **on.protocol(bench),
        "model": model.id,
        "weights": model.card.weights_hash,
        "seen": SEEN[by],
        "could not be read": scenes(bench, on, candidate, by).left_out or None,
        "score": "cosine after the mean of the space is subtracted",
    }
