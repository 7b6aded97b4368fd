"""P@K of driving scenes, with near frames folded, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.errors import ShapeError
from clip3d.evaluation.driving_ranking import Found, When, by_family, fold, judge, overall


def when(*places: tuple[str, float], apart: float = 10.0) -> When:
    return When([drive for drive, _ in places], np.array([time for _, time in places]), apart)


def test_near_frames_of_one_drive_are_one_hit():
    scenes = when(("a", 0), ("a", 10), ("a", 10.5), ("b", 3), ("a", 21))
    assert fold(np.array([0, 1, 2, 3, 4]), scenes).tolist() == [0, 2, 3, 4]
    assert fold(np.array([1, 0, 2, 3, 4]), scenes).tolist() == [1, 3, 4], "the best stands for those around it"
    assert fold(np.array([0, 1, 2, 3, 4]), scenes, 2).tolist() == [0, 2]


def test_precision_is_over_what_could_be_there():
    scenes = when(("a", 0), ("a", 1), ("a", 2), ("b", 0), ("c", 0))
    truth = np.array([True, True, False, True, False])
    found = judge("car", np.array([0.9, 0.8, 0.7, 0.1, 0.5]), truth, scenes)
    assert found.precision == {1: 1.0, 10: 1.0, 100: 1.0}
    # folded the order is a, c, b, of which two of two are positive
    assert found.top == (0, 4, 3)
    assert found.folded == {1: 1.0, 10: 1.0, 100: 1.0}
    assert (found.positives, found.chance, found.family) == (3, 0.6, "object")
    worse = judge("car", np.array([0.1, 0.2, 0.7, 0.3, 0.5]), truth, scenes)
    assert (worse.precision[1], worse.folded[1]) == (0.0, 0.0)
    assert worse.folded[10] == 0.5, "drive a is stood for by a scene of which it is not true"


def test_folding_agrees_with_a_slow_twin():
    rng = np.random.default_rng(3)
    drives, times = [f"{i}" for i in rng.integers(0, 4, 60)], rng.uniform(0, 60, 60)
    order = rng.permutation(60)
    kept: list[int] = []
    for place in order:
        if not any(drives[k] == drives[place] and abs(times[k] - times[place]) <= 7 for k in kept):
            kept.append(int(place))
    assert fold(order, When(drives, times, 7.0)).tolist() == kept


def test_means_are_over_terms_not_over_families():
    def one(term: str, family: str, value: float) -> Found:
        every = dict.fromkeys((1, 10, 100), value)
        return Found(term, family, 10, 5, every, dict.fromkeys(every, 0.0), value)

    found = [one("car", "object", 1.0), one("bus", "object", 0.5), one("busy street", "busy", 0.0)]
    found.append(one("empty street", "empty", 0.5))
    assert overall(found)["P@10"] == 0.5
    assert {name: means["P@100"] for name, means in by_family(found).items()} == {"objects": 0.75, "crowded": 0.25}
    assert overall([]) == {}


def test_scenes_need_a_drive_and_a_time_each():
    with pytest.raises(ShapeError):
        When(["a"], np.zeros(2))
