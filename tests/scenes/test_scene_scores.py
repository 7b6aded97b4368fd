"""What size, place and wholeness of a part count in its score."""

from __future__ import annotations

import numpy as np

from clip3d.scenes.answering import Seen, scores_of
from clip3d.scenes.vocabulary import INDOORS, size_terms
from clip3d.spaces import Space


def seen(*sizes: tuple[float, float, float, float], area: float = 1.0) -> Seen:
    n = len(sizes)
    return Seen(np.full(n, 6.0), np.zeros(n), np.full(n, area), np.zeros(n, bool), np.full(n, 3.0), np.array(sizes))


def test_what_is_of_usual_size_and_stands_where_it_should_is_not_off():
    terms = size_terms(np.array([[0.55, 0.5, 0.9, 0.0]]), np.array([False]), np.array([0.0]))
    assert np.allclose(terms[0, INDOORS.index("chair")], 0)
    assert terms[0, INDOORS.index("bed")].sum() > 1


def test_a_table_without_its_legs_is_as_high_as_a_table():
    terms = size_terms(np.array([[1.3, 0.8, 0.05, 0.7]]), np.array([False]), np.array([3.0]))
    assert np.allclose(terms[0, INDOORS.index("table"), 4:6], 0, atol=0.01)


def test_of_parts_alike_to_the_tower_the_one_of_right_size_is_the_answer():
    rng = np.random.default_rng(0)
    nouns = rng.normal(size=(len(INDOORS), 32)).astype(np.float32)
    space = Space("test", 32, np.zeros(32, np.float32), scale=8.0)
    table = nouns[[INDOORS.index("table")]]
    parts = seen((1.3, 0.8, 0.75, 0.0), (0.12, 0.03, 0.05, 0.1), (0.4, 0.3, 0.3, 2.4))
    scores = scores_of(space, parts, table.repeat(3, axis=0), ["table"], table, nouns)[:, 0]
    assert scores[0] > 2 * scores[1]
    assert scores[0] > scores[2]
