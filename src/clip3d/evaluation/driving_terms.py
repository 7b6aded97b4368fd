"""Scenes found by terms: objects, what is near, time of day, weather, crowding (LidarCLIP, section 4.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.driving_truth import family_of, prompts_of
from clip3d.evaluation.driving_frames import Scene, Seen
from clip3d.evaluation.metrics import average_precision, precision_at_k
from clip3d.models.model import Model

Array = NDArray[np.float32]
KS = (10, 100)
USUAL = (0.02, 0.3)  # a term that is rarer or commoner says little


@dataclass(frozen=True)
class TermRow:
    """How well one term is found by one kind of vector.

    Attributes:
        term: see `clip3d.data.driving_truth.terms_of`.
        family: of its prompts.
        by: "lidar", "image" or "joint": the sum of both raw vectors.
        n: scenes of which it is known whether it is true.
        positives: where it is.
        prevalence: positives over n, which is also the precision of chance.
        precision: at 10 and 100, over the most that could be there.
        average_precision: area under precision and recall.
        usual: whether the prevalence lies between 2 and 30 %.
    """

    term: str
    family: str
    by: str
    n: int
    positives: int
    prevalence: float
    precision: dict[int, float]
    average_precision: float
    usual: bool

    def as_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON."""
        return dict(vars(self))


def find_terms(model: Model, seen: Seen) -> list[TermRow]:
    """Rank all scenes for each term that is true of some and not of all.

    Args:
        model: that they were seen with.
        seen: scenes; where some have a picture those without one, which could not be read, do not count, so that
            all ways rank the same scenes.
    """
    rows = []
    scenes = [scene for scene in seen.scenes if scene.picture is not None] or seen.scenes
    for term in sorted({term for scene in scenes for term in scene.terms}):
        known = [scene for scene in scenes if term in scene.terms]
        truth = np.array([scene.terms[term] for scene in known])
        if truth.any() and not truth.all():
            query = model.space.ensemble(model.encode_texts(prompts_of(term)))
            rows += [_row(model, term, by, known, each, query) for by, each in _kinds(known)]
    return rows


def means(rows: Iterable[TermRow], by: str) -> dict[str, float]:
    """Means over the families of the means over their terms, as in LidarCLIP's table 2, and the prevalence's."""
    own = [row for row in rows if row.by == by]
    families = sorted({row.family for row in own})
    if not own:
        return {}
    told = [
        {
            **{f"P@{k}": row.precision[k] for k in KS},
            "AP": row.average_precision,
            "chance": row.prevalence,
        }
        for row in own
    ]
    groups = [[told[i] for i, row in enumerate(own) if row.family == family] for family in families]
    return {name: float(np.mean([np.mean([row[name] for row in group]) for group in groups])) for name in told[0]}


def _kinds(scenes: list[Scene]) -> list[tuple[str, Array]]:
    sweeps = np.stack([scene.sweep for scene in scenes])
    pictures = [scene.picture for scene in scenes if scene.picture is not None]
    if len(pictures) < len(scenes):
        return [("lidar", sweeps)]
    return [("lidar", sweeps), ("image", np.stack(pictures)), ("joint", sweeps + np.stack(pictures))]


def _row(model: Model, term: str, by: str, known: list[Scene], vectors: Array, query: Array) -> TermRow:
    truth = np.array([scene.terms[term] for scene in known])
    scores = model.space.similarity(vectors, query[None])[:, 0]
    share = float(truth.mean())
    return TermRow(
        term=term,
        family=family_of(term),
        by=by,
        n=len(known),
        positives=int(truth.sum()),
        prevalence=share,
        precision={k: precision_at_k(scores, truth, k) for k in KS},
        average_precision=average_precision(scores, truth),
        usual=USUAL[0] <= share <= USUAL[1],
    )
