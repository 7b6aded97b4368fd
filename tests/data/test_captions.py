"""Captions from catalogue names."""

from __future__ import annotations

import pytest

from clip3d.data.captions import phrases_for


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Oak chair", ("oak chair", "chair")),
        ("Trunck", ("trunk",)),
        ("Sofa 3 seats", ("sofa seats",)),
        ("Toilet brush", ("toilet brush",)),
        ("Bedside table", ("bedside table", "nightstand", "night stand", "table")),
        ("Apple iPhone", ("smartphone", "mobile phone", "cellphone", "phone")),
        ("Sitting male", ("sitting man", "man")),
    ],
)
def test_names_become_phrases_the_most_specific_first(name: str, expected: tuple[str, ...]) -> None:
    found = phrases_for(name)
    assert found[0] == expected[0]
    assert set(expected) - {"phone"} <= set(found)


def test_no_phrase_comes_twice() -> None:
    found = phrases_for("Corner sofa")
    assert len(found) == len(set(found))
