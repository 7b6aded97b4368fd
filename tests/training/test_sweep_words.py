"""Which words and terms a training from labels may hear."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from clip3d.training.sweep_recipe import LabelRecipe
from clip3d.training.sweep_words import is_heard, vocabulary_of

TOLD = {"rainy": True, "sunny": False, "bus": True, "nearby bus": False, "busy street": True}
VIEWS = [
    SimpleNamespace(words=[], labels=[], terms=[TOLD, {term: not true for term, true in TOLD.items()}]),
    SimpleNamespace(words=[], labels=[], terms=[{"day": True}, {"day": True}]),
]


@pytest.mark.parametrize(
    ("withheld", "lost"),
    [((), set()), (("bus",), {"bus", "nearby bus"}), (("rain",), {"rainy"}), (("vehicles",), {"busy street"})],
)
def test_a_term_is_not_taught_where_a_phrase_for_it_is_withheld(withheld: tuple[str, ...], lost: set[str]):
    taught = vocabulary_of(VIEWS, LabelRecipe(withheld=withheld)).terms
    assert set(taught) == set(TOLD) - lost  # "day" is always true and tells nothing


def test_a_withheld_word_is_found_at_the_end_of_a_sentence_and_not_within_another_word():
    recipe = LabelRecipe(withheld=("bus",))
    assert not is_heard("A photo of a bus.", recipe)
    assert is_heard("a busy street", recipe)
