"""Comparing vectors: the laws that every space keeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clip3d.errors import ShapeError, SpaceMismatch
from clip3d.spaces import Space, fill_templates, rank, unit


def space(scale: float = 5.0) -> Space:
    mean = unit(np.ones((1, 6), np.float32))[0] * np.float32(0.6)
    return Space("s", 6, mean, scale)


def vectors(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32) + 1


def test_similarity_equals_a_plain_loop() -> None:
    s, a, b = space(), vectors(4), vectors(3, 1)
    for i in range(4):
        for j in range(3):
            x = a[i] / np.linalg.norm(a[i]) - s.mean
            y = b[j] / np.linalg.norm(b[j]) - s.mean
            expected = x @ y / np.linalg.norm(x) / np.linalg.norm(y)
            assert s.similarity(a, b)[i, j] == pytest.approx(expected, abs=1e-5)


@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_lengths_of_vectors_never_matter(left: float, right: float) -> None:
    s, a, b = space(), vectors(4), vectors(3, 1)
    scaled = s.similarity(a * np.float32(left), b * np.float32(right))
    np.testing.assert_allclose(scaled, s.similarity(a, b), atol=1e-4)


def test_probabilities_add_up_and_keep_the_order() -> None:
    similarity = space().similarity(vectors(4), vectors(3, 1))
    probability = space().probabilities(similarity)
    np.testing.assert_allclose(probability.sum(-1), 1, atol=1e-5)
    assert (np.argsort(probability, -1) == np.argsort(similarity, -1)).all()


def test_one_positive_scores_as_its_similarity() -> None:
    s, query, items = space(), vectors(1), vectors(5, 1)
    np.testing.assert_allclose(s.scores(s.query(query), items), s.similarity(query, items)[0], atol=1e-5)


def test_a_negative_lowers_what_is_like_it() -> None:
    s, query, items = space(), vectors(1), vectors(5, 1)
    plain, pushed = s.scores(s.query(query), items), s.scores(s.query(query, items[2:3]), items)
    assert pushed[2] < plain[2]


def test_ensemble_is_the_mean_of_unit_vectors() -> None:
    several = vectors(3) * np.float32([[1], [10], [100]])
    np.testing.assert_allclose(space().ensemble(several), unit(unit(several).mean(0, keepdims=True))[0], atol=1e-6)


def test_other_spaces_are_refused_with_a_remedy() -> None:
    with pytest.raises(SpaceMismatch, match="embed it again"):
        space().check("another", "vectors.npz")


def test_wrong_dimension_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(n, 6\)"):
        space().centre(np.ones((2, 5), np.float32))


def test_rank_keeps_the_order_of_equals() -> None:
    assert rank(np.array([1.0, 3.0, 3.0, 2.0]), 3).tolist() == [1, 2, 3]


def test_templates_are_filled_names_outermost() -> None:
    assert fill_templates(["night_stand", "bed"], ["a {}", "{}!"]) == [
        "a night stand",
        "night stand!",
        "a bed",
        "bed!",
    ]
