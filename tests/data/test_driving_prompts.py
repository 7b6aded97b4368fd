"""The paper's prompts for driving scenes."""

from __future__ import annotations

import pytest

from clip3d.data.driving_prompts import FAMILIES, OBJECTS, phrasings_of, published_prompts, templates_named
from clip3d.data.driving_truth import LENS, terms_of
from clip3d.errors import ShapeError

RUSH = "during rush hour with a large number of nearby vehicles."


def test_families_are_as_large_as_published_and_hold_nothing_twice() -> None:
    sizes = {name: len(set(prompts)) for name, prompts in FAMILIES.items()}
    assert sizes == {"object": 85, "nearby": 85, "period": 192, "weather": 132, "busy": 18, "empty": 90}


@pytest.mark.parametrize(
    ("term", "prompt"),
    [
        ("car", "a black and white photo of the car."),
        ("bus", "this is one bus in the scene."),
        ("truck", "graffiti of a truck."),
        ("nearby cyclist", "a photo of a nearby cyclist."),
        ("night", "a dirty photo of many things in a road captured at night."),
        ("rainy", "a close-up photo taken on a rainy day."),
        ("busy street", f"a bad photo of extremely full traffic {RUSH}"),
        ("empty street", "a good photo of a completely deserted intersection with no vehicles in sight."),
    ],
)  # fmt: skip
def test_terms_are_asked_as_the_paper_asks(term: str, prompt: str) -> None:
    assert prompt in published_prompts(term)


def test_a_term_is_asked_in_as_many_ways_as_any_other() -> None:
    terms = [*terms_of((), {"period": "day", "weather": "rainy"}), *LENS]
    for term in terms:
        short, longer, typed = phrasings_of(term)
        assert short
        assert longer
        assert not any("{}" in prompt for prompt in (*short, *longer, *typed))
    assert "a car close by" in phrasings_of("nearby car")[2]
    assert "rain" in phrasings_of("rainy")[2]
    assert "sun glare" in phrasings_of("sun glare")[2]
    assert phrasings_of("night")[1] == published_prompts("night")


def test_templates_are_named_or_given() -> None:
    assert templates_named(["objects"]) == OBJECTS
    assert templates_named(["a {} at dawn", "a {} at dawn"]) == ("a {} at dawn",)
    with pytest.raises(ShapeError, match="objects, weather, period"):
        templates_named(["cars"])
