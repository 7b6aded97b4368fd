from __future__ import annotations

import numpy as np
import pytest

from clip3d.clouds.mesh import sample_surface
from clip3d.simulation import FAMILIES, make

FURNITURE = (
    "bathtub",
    "bed",
    "chair",
    "desk",
    "dresser",
    "monitor",
    "night stand",
    "sofa",
    "table",
    "toilet",
)


def _shape(family: str, seed: int) -> np.ndarray:
    """The share of the surface in each of 4 x 4 x 4 cells of the box around it: stretching changes nothing."""
    points = sample_surface(make(family, seed).meshes, 3000, seed=0).points
    unit = (points - points.min(axis=0)) / np.ptp(points, axis=0)
    cells = np.minimum((unit * 4).astype(int), 3) @ [16, 4, 1]
    return np.bincount(cells, minlength=64) / len(points)


@pytest.mark.parametrize("family", FURNITURE)
def test_designs_of_furniture_differ_by_more_than_their_proportions(family):
    shapes = np.array([_shape(family, seed) for seed in range(40)])
    apart = np.abs(shapes[:, None] - shapes[None]).sum(axis=2) / 2
    assert np.median(apart[np.triu_indices(40, 1)]) > 0.25


@pytest.mark.parametrize("family", FURNITURE)
def test_furniture_has_many_designs_with_names_of_their_own(family):
    named = {make(family, seed).captions[0] for seed in range(120)}
    assert len(named) >= 8


@pytest.mark.parametrize("family", FAMILIES)
def test_equal_seeds_give_equal_objects_with_two_words_or_more(family):
    first, second = make(family, 11), make(family, 11)
    assert np.array_equal(first.meshes[0].vertices, second.meshes[0].vertices)
    assert first.captions == second.captions
    assert len(first.captions) >= 2


def test_words_for_many_kinds_come_last():
    general_words = {"dog": "animal", "wrench": "tool", "barbell": "exercise equipment", "bus": "vehicle"}
    for family, general in general_words.items():
        for seed in range(5):
            captions = make(family, seed).captions
            assert captions[-1] == general
            assert captions.index(family) < captions.index(general)


def test_families_cover_what_people_look_for():
    assert len(FAMILIES) >= 320
    wanted = {"laptop", "kettle", "violin", "dinosaur", "crane", "wheelchair", "crib", "treadmill", "satellite"}
    assert wanted <= set(FAMILIES)
