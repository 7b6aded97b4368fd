"""Galleries for retrieval."""

from __future__ import annotations

import numpy as np

from clip3d.data.galleries import draw_galleries

GROUP = np.array([0, 0, 0, 1, 2, 2, 3, 4])


def test_no_gallery_holds_two_near_copies() -> None:
    for chosen in draw_galleries(GROUP, 4, 30, seed=0):
        assert len(chosen) == 4
        assert len(set(GROUP[chosen].tolist())) == 4


def test_a_gallery_is_no_larger_than_there_are_groups() -> None:
    assert [len(chosen) for chosen in draw_galleries(GROUP, 100, 2, seed=0)] == [5, 5]


def test_galleries_follow_from_the_seed_and_differ() -> None:
    first, again, other = (list(draw_galleries(GROUP, 5, 3, seed)) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert len({tuple(chosen) for chosen in (*first, *other)}) > 3
