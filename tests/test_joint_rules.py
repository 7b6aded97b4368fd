"""Rules that rank views by lidar and camera together."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.errors import ShapeError
from clip3d.joint_rules import (
    OF_FEATURES,
    RULES,
    check_rule,
    joint_scores,
    mean_ranks,
    proposals,
    rerank,
    standard_shares,
    sum_standard_scores,
)
from clip3d.spaces import Space, rank, unit

rng = np.random.default_rng(0)
SPACE = Space("plain", 6, np.zeros(6, np.float32))
LIDAR, CAMERA = rng.normal(size=(2, 50, 6)).astype(np.float32)
LIDAR *= rng.uniform(0.5, 3, (50, 1)).astype(np.float32)
WORDS = unit(rng.normal(size=(1, 6)).astype(np.float32))[0]


def cosine(vectors: np.ndarray, query: np.ndarray = WORDS) -> np.ndarray:
    return vectors @ query / np.linalg.norm(vectors, axis=1)


def test_features_are_added_as_they_are_or_at_unit_length() -> None:
    np.testing.assert_allclose(
        joint_scores("features", SPACE, LIDAR, CAMERA, WORDS), cosine(LIDAR + CAMERA), atol=1e-6
    )
    even = unit(LIDAR) + unit(CAMERA)
    np.testing.assert_allclose(
        joint_scores("unit-features", SPACE, LIDAR, CAMERA, WORDS), cosine(even), atol=1e-6
    )
    longer = joint_scores("features", SPACE, 100 * LIDAR, CAMERA, WORDS)
    np.testing.assert_allclose(longer, cosine(LIDAR), atol=0.1)


def test_sums_of_scores_rank_as_the_paper_s_sum_and_each_sensor_may_be_asked_its_own() -> None:
    other = unit(rng.normal(size=(1, 6)).astype(np.float32))[0]
    found = joint_scores("scores", SPACE, LIDAR, CAMERA, WORDS, other)
    np.testing.assert_array_equal(rank(found), rank(cosine(LIDAR) + cosine(CAMERA, other)))
    np.testing.assert_allclose(found, (cosine(LIDAR) + cosine(CAMERA, other)) / 2, atol=1e-6)


def test_a_sensor_of_small_spread_counts_as_much_as_another() -> None:
    a, b = cosine(LIDAR), 0.01 * cosine(CAMERA)
    np.testing.assert_array_equal(
        rank(sum_standard_scores(a, b)), rank(a / a.std() + b / b.std())
    )
    assert standard_shares((1.0, 3.0), (1.0, 1.0)) == (0.25, 0.75)


def test_ranks_are_averaged_and_equal_scores_share_theirs() -> None:
    lidar, camera = np.array([0.9, 0.5, 0.5, 0.1]), np.array([0.2, 0.9, 0.1, 0.3])
    # ranks 1, 2.5, 2.5, 4 and 3, 1, 4, 2
    np.testing.assert_allclose(mean_ranks(lidar, camera), 1 - (np.array([2, 1.75, 3.25, 3]) - 1) / 4)
    assert mean_ranks(np.array([2.0, 1.0]), np.array([1.0, 0.5]))[0] == 1


def test_one_sensor_proposes_and_the_other_orders() -> None:
    lidar, camera = np.array([0.9, 0.8, 0.7, 0.1, 0.2]), np.array([-0.9, 0.1, 0.5, 1.0, 0.9])
    assert rank(rerank(lidar, camera, 3)).tolist() == [2, 1, 0, 4, 3]
    assert rerank(lidar, camera, 3)[2] == np.float32(0.5)
    assert rank(joint_scores("lidar-first", SPACE, LIDAR, CAMERA, WORDS, proposed=50)).tolist() == rank(
        cosine(CAMERA)
    ).tolist()
    first = rank(joint_scores("camera-first", SPACE, LIDAR, CAMERA, WORDS, proposed=5))
    assert set(first[:5]) == set(rank(cosine(CAMERA), 5))
    assert [proposals(n) for n in (3, 100, 4000, 10**6)] == [3, 20, 200, 500]


def test_no_views_have_no_scores() -> None:
    none = np.zeros((0, 6), np.float32)
    for rule in RULES:
        assert joint_scores(rule, SPACE, none, none, WORDS).shape == (0,)


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(ShapeError, match="no joint rule 'sum'; there are: features, "):
        check_rule("sum")
    for rule in OF_FEATURES:
        with pytest.raises(ShapeError, match="takes one query"):
            joint_scores(rule, SPACE, LIDAR, CAMERA, WORDS, WORDS)
    with pytest.raises(ShapeError, match="a vector a view each"):
        joint_scores("scores", SPACE, LIDAR, CAMERA[:3], WORDS)
