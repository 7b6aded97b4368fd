"""Templates of captions: families, grammar, and drawing."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.data.caption_templates import FAMILIES, PREFIX, TEMPLATES, draw_caption, fill, templates_of


def test_every_template_has_one_place_and_none_comes_twice() -> None:
    assert all(template.count("{}") == 1 for template in TEMPLATES)
    assert len(set(TEMPLATES)) == len(TEMPLATES) > 63


@pytest.mark.parametrize(
    "published",
    ["itap of my {}", "a jpeg corrupted photo of the {}", "an embroidered {}", "a painting of a {}", "the toy {}"],
)
def test_the_published_families_are_there(published: str) -> None:
    assert published in TEMPLATES


def test_there_are_some_for_3d_shapes() -> None:
    assert {"a point cloud of a {}", "a CAD model of a {}", "a depth map of the {}"} <= set(FAMILIES["shapes"])


def test_articles_fit_the_caption() -> None:
    assert fill("a photo of a {}", "airplane") == "a photo of an airplane"
    assert fill("a photo of a {}", "chair") == "a photo of a chair"
    assert fill("the {}", "airplane") == "the airplane"
    assert fill("a plastic {}", "apple") == "a plastic apple"
    assert fill("{}", "") == ""


def test_the_papers_prefix_has_a_name() -> None:
    assert templates_of(["prefix"]) == (PREFIX,)
    assert PREFIX.replace("{}", "chair") == "This is a chair"
    with pytest.raises(KeyError):
        templates_of(["poems"])


def test_all_are_drawn_by_chance_that_can_be_repeated() -> None:
    drawn = {draw_caption("chair", np.random.default_rng(seed), FAMILIES["scenes"]) for seed in range(60)}
    assert drawn == {template.replace("{}", "chair") for template in FAMILIES["scenes"]}
    assert draw_caption("x", np.random.default_rng(5)) == draw_caption("x", np.random.default_rng(5))
