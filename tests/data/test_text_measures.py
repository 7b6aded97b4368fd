"""Measures of a text tower: by hand, and chance against drawn orders."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.data.descriptions import CHOOSING, DESCRIPTIONS
from clip3d.data.text_measures import chance, describing, nearest, paraphrasing, ranking


def test_another_form_of_a_concept_counts_as_right() -> None:
    truth = np.eye(3, 4, dtype=np.float32)
    numbers = ranking(truth[[1, 0, 2]], truth, ["bat", "bat", "cup"])
    assert (numbers["recall@1"], numbers["recall@5"]) == (1, 1)
    assert numbers["cosine"] == pytest.approx(1 / 3)


def test_the_first_five_are_five() -> None:
    truth = np.eye(7, dtype=np.float32)
    found = np.tile(np.arange(7, 0, -1, dtype=np.float32), (7, 1))
    numbers = ranking(found, truth, list("abcdefg"))
    assert (numbers["recall@1"], numbers["recall@5"]) == (pytest.approx(1 / 7), pytest.approx(5 / 7))


@pytest.mark.parametrize("concepts", [list("aaabbcdefg"), list("abcdefghij"), ["a"] * 4, ["a", "b"], list("aaab")])
def test_chance_is_what_orders_drawn_by_lot_give_on_average(concepts: list[str]) -> None:
    rng = np.random.default_rng(0)
    truth = np.eye(len(concepts), dtype=np.float32)
    rolls = [ranking(rng.random(truth.shape, np.float32), truth, concepts) for _ in range(2000)]
    expected = chance(concepts)
    for name in ("recall@1", "recall@5"):
        assert np.mean([roll[name] for roll in rolls]) == pytest.approx(expected[name], abs=0.02)
    assert expected["recall@1"] == pytest.approx(np.mean([concepts.count(c) for c in concepts]) / len(concepts))


def test_the_answer_of_the_nearest_is_taken() -> None:
    theirs, answers = np.eye(2, dtype=np.float32), np.array([[1, 0, 0], [0, 0, 1]], np.float32)
    np.testing.assert_array_equal(nearest(np.array([[0.1, 0.9]], np.float32), theirs, answers), answers[1:])


def test_descriptions_and_paraphrases_are_counted() -> None:
    nouns = [noun for _, noun in DESCRIPTIONS]
    place = {f"a {noun}": i for i, noun in enumerate(nouns)} | {text: nouns.index(n) for text, n in DESCRIPTIONS}

    def encode(phrases):
        return np.eye(len(nouns), dtype=np.float32)[[place[phrase] for phrase in phrases]]

    assert describing(encode, CHOOSING) == {"n": len(CHOOSING), "recall@1": 1.0, "recall@5": 1.0}
    right = paraphrasing(lambda row: np.stack([np.ones(3)] * 2 + [-np.ones(3)] * (len(row) - 2)))
    assert right["right"] == 1.0
    wrong = paraphrasing(lambda row: np.stack([np.ones(3), -np.ones(3)] + [np.ones(3)] * (len(row) - 2)))
    assert wrong["right"] == 0.0
