"""Lidar and camera together: the rules by which two vectors of one view, or their scores, become one ranking.

LidarCLIP, section 4.2 and table 4; `standard-scores` is this project's. A rule that adds features takes one query
for both sensors; the others take one query each, so that what the lidar saw and what the camera saw may be asked
apart. Scores are centred cosines, as everywhere (`clip3d.spaces`); where a space has no mean they are the paper's.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError
from clip3d.spaces import Space, unit

Array = NDArray[np.float32]
Rule = Literal["features", "unit-features", "scores", "standard-scores", "ranks", "lidar-first", "camera-first"]
RULES: tuple[Rule, ...] = get_args(Rule)
# Those that compare one vector of both sensors with one query.
OF_FEATURES: tuple[Rule, ...] = ("features", "unit-features")

# What is used where no rule is named. For one query the best of the paper's table 4; for a query each the paper
# adds scores, which here are first brought to one spread, since towers that were trained apart differ in it.
ONE_QUERY: Rule = "features"
TWO_QUERIES: Rule = "standard-scores"

# The paper does not say how many views one sensor proposes for the other to order: here a twentieth, within bounds.
PROPOSED_SHARE, LEAST_PROPOSED, MOST_PROPOSED = 0.05, 20, 500
LEAST_SPREAD = 1e-3


def joint_features(lidar: Array, camera: Array) -> Array:
    """Sum (n, d) of raw vectors (n, d): the longer of the two counts more."""
    return np.asarray(lidar + camera, np.float32)


def joint_unit_features(lidar: Array, camera: Array) -> Array:
    """Sum (n, d) of vectors (n, d) at unit length."""
    return unit(lidar) + unit(camera)


def sum_scores(lidar: Array, camera: Array) -> Array:
    """Mean (n,) of scores (n,), which ranks as their sum and stays within [-1, 1]."""
    return np.asarray((lidar + camera) / 2, np.float32)


def sum_standard_scores(
    lidar: Array,
    camera: Array,
    shares: tuple[float, float] = (1.0, 1.0),
    spreads: tuple[float, float] | None = None,
) -> Array:
    """Mean (n,) of scores (n,), each sensor weighed by its share over the spread of its scores.

    Args:
        lidar: scores.
        camera: scores.
        shares: what each sensor counts.
        spreads: standard deviations, where they were taken of more than these scores.
    """
    if not len(lidar):
        return np.zeros(0, np.float32)
    first, second = standard_shares(shares, spreads or (float(np.std(lidar)), float(np.std(camera))))
    return np.asarray(first * lidar + second * camera, np.float32)


def standard_shares(shares: tuple[float, ...], spreads: tuple[float, ...]) -> tuple[float, ...]:
    """Weights that add up to 1: each share over the spread of its scores."""
    weights = [share / max(spread, LEAST_SPREAD) for share, spread in zip(shares, spreads, strict=True)]
    return tuple(weight / sum(weights) for weight in weights)


def mean_ranks(lidar: Array, camera: Array) -> Array:
    """Score (n,) in (0, 1] of the mean of both ranks: 1 for what is first by both; equal scores share ranks."""
    if not len(lidar):
        return np.zeros(0, np.float32)
    return np.asarray(1 - ((_ranks(lidar) + _ranks(camera)) / 2 - 1) / len(lidar), np.float32)


def rerank(proposing: Array, ordering: Array, proposed: int | None = None) -> Array:
    """Scores (n,) by which the best of one sensor stand first, in the order of the other; the rest follow.

    Args:
        proposing: (n,) scores of the sensor that proposes.
        ordering: (n,) scores of the sensor that orders: what is proposed keeps its score of these.
        proposed: how many are proposed; by default `proposals(n)`.
    """
    n = len(proposing)
    if not n:
        return np.zeros(0, np.float32)
    count = min(proposals(n) if proposed is None else max(proposed, 1), n)
    order = np.argsort(-proposing, kind="stable")
    first, rest = order[:count], order[count:]
    found = np.zeros(n, np.float32)
    found[first] = ordering[first]
    if len(rest):
        # 2 is as far as two cosines may lie apart
        found[rest] = proposing[rest] - proposing[rest[0]] + min(float(ordering[first].min()), 1.0) - 2
    return found


def proposals(n: int) -> int:
    """How many of n views one sensor proposes in a search of two steps."""
    return min(n, max(LEAST_PROPOSED, min(round(PROPOSED_SHARE * n), MOST_PROPOSED)))


def joint_scores(
    rule: Rule,
    space: Space,
    lidar: Array,
    camera: Array,
    lidar_query: Array,
    camera_query: Array | None = None,
    *,
    proposed: int | None = None,
) -> Array:
    """Scores (n,) of n views by a rule: the larger the better.

    Args:
        rule: its name.
        space: of the vectors.
        lidar: (n, d) raw vectors of what the lidar saw, for `features`; their lengths do not matter to the others.
        camera: (n, d) of what the camera saw.
        lidar_query: (d,) centred direction, as `Space.query` gives it; for `features` and `unit-features` of both.
        camera_query: (d,) the camera's, where it is asked something else.
        proposed: see `rerank`.

    Raises:
        ShapeError: if there is no such rule, it takes one query and two are given, or the vectors do not pair.
    """
    check_rule(rule, two=camera_query is not None)
    if lidar.shape != camera.shape:
        raise ShapeError(f"lidar and camera need a vector a view each, got {lidar.shape} and {camera.shape}")
    if rule == "features":
        return space.scores(lidar_query, joint_features(lidar, camera))
    if rule == "unit-features":
        return space.scores(lidar_query, joint_unit_features(lidar, camera))
    seen = space.scores(lidar_query, lidar)
    shown = space.scores(lidar_query if camera_query is None else camera_query, camera)
    return combine(rule, seen, shown, proposed=proposed)


def combine(rule: Rule, lidar: Array, camera: Array, *, proposed: int | None = None) -> Array:
    """Scores (n,) by a rule that takes the scores (n,) of each sensor.

    Raises:
        ShapeError: if the rule adds features.
    """
    if rule == "scores":
        return sum_scores(lidar, camera)
    if rule == "standard-scores":
        return sum_standard_scores(lidar, camera)
    if rule == "ranks":
        return mean_ranks(lidar, camera)
    if rule == "lidar-first":
        return rerank(lidar, camera, proposed)
    if rule == "camera-first":
        return rerank(camera, lidar, proposed)
    raise ShapeError(f"the rule {rule} adds features, not scores")


def check_rule(rule: str, *, two: bool = False) -> Rule:
    """The rule of a name.

    Args:
        rule: its name.
        two: whether lidar and camera are asked apart.

    Raises:
        ShapeError: if there is none, or it takes one query and each sensor is asked its own.
    """
    if rule not in RULES:
        raise ShapeError(f"there is no joint rule {rule!r}; there are: {', '.join(RULES)}")
    named: Rule = rule
    if two and named in OF_FEATURES:
        others = ", ".join(name for name in RULES if name not in OF_FEATURES)
        raise ShapeError(f"the rule {rule} takes one query; to ask lidar and camera apart choose from: {others}")
    return named


def _ranks(scores: Array) -> NDArray[np.float64]:
    """Ranks (n,) from 1, the best first; equal scores have the mean of their ranks."""
    _, which, counts = np.unique(-np.asarray(scores), return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    found: NDArray[np.float64] = ((2 * ends - counts + 1) / 2)[which]
    return found
