"""Corruptions: the same draw every time, and each does what its name says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from clip3d.clouds.cloud import PointCloud
from clip3d.errors import ShapeError
from clip3d.evaluation.corruptions import CORRUPTIONS, VISIBLE_AT_MOST, choose, in_unit_sphere

EVERY = [(name, level) for name, corruption in CORRUPTIONS.items() for level in corruption.levels]
MOVING = [(name, level) for name, level in EVERY if name in ("tilt", "rotation", "scale", "shift", "mirror")]


def ball(p: int = 300, *, seed: int = 0, colored: bool = True) -> PointCloud:
    """A lopsided cloud far from the unit sphere, y up."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(p, 3)) * [3, 1, 8] + [5, 6, 7]
    return PointCloud(points, rng.uniform(size=(p, 3)) if colored else None, up="y")


@pytest.mark.parametrize(("name", "level"), EVERY)
@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 2**31), index=st.integers(0, 10_000), p=st.integers(1, 60), colored=st.booleans()
)
def test_a_valid_cloud_comes_out_and_the_same_again(name, level, seed, index, p, colored):
    cloud = ball(p, seed=index, colored=colored)
    first, again = (CORRUPTIONS[name](cloud, level, seed=seed, index=index) for _ in range(2))
    np.testing.assert_array_equal(first.points, again.points)
    np.testing.assert_array_equal(first.colors, again.colors)
    assert first.up == "z"
    assert 1 <= len(first) <= p


@pytest.mark.parametrize(("name", "level"), EVERY)
def test_draws_differ_by_object_unless_they_are_shared(name, level):
    cloud, corruption = ball(), CORRUPTIONS[name]
    drawn = [corruption(cloud, level, seed=0, index=i) for i in (0, 1)]
    alike = len(drawn[0]) == len(drawn[1]) and np.array_equal(drawn[0].points, drawn[1].points)
    alike = alike and np.array_equal(drawn[0].colors, drawn[1].colors)
    without_chance = name in ("scale", "mirror") or level in ("removed", "inverted") or len(cloud) == level
    assert alike == (corruption.shared or without_chance or (name == "points" and level > len(cloud)))


@pytest.mark.parametrize(("name", "level"), MOVING)
def test_movements_keep_the_shape(name, level):
    moved = CORRUPTIONS[name](ball(), level, seed=3, index=4)
    before, after = pdist(in_unit_sphere(ball()).points), pdist(moved.points)
    factor = level if name == "scale" else 1
    np.testing.assert_allclose(after, factor * before, rtol=1e-3, atol=3e-4)


def test_doses_are_what_they_say():
    cloud = ball(1000)
    flat = in_unit_sphere(cloud)

    def corrupted(name: str, level: float | str) -> PointCloud:
        return CORRUPTIONS[name](cloud, level, seed=0, index=0)

    assert [len(corrupted("points", n)) for n in (64, 512)] == [64, 512]
    assert [len(corrupted("dropout", share)) for share in (0.5, 0.75, 0.9)] == [500, 250, 100]
    assert len(corrupted("cut", 0.5)) == 500
    assert np.std(corrupted("noise", 0.02).points - flat.points) == pytest.approx(0.02, rel=0.1)
    moved = np.any(corrupted("outliers", 0.05).points != flat.points, axis=1)
    assert moved.sum() == 50
    leaning = corrupted("tilt", 30).points
    turn = np.linalg.lstsq(flat.points, leaning, rcond=None)[0].T
    assert np.degrees(np.arccos(turn[2, 2])) == pytest.approx(30, abs=0.1)
    mirrored = np.linalg.lstsq(flat.points, corrupted("mirror", "left and right").points, rcond=None)[0]
    assert np.linalg.det(mirrored) == pytest.approx(-1, abs=1e-4)
    assert np.linalg.norm(corrupted("shift", 1000.0).points.mean(0)) == pytest.approx(1000, rel=1e-3)


def test_a_cut_goes_along_a_plane():
    flat, kept = in_unit_sphere(ball(400)), CORRUPTIONS["cut"](ball(400), 0.5, seed=1, index=2)
    inside = (flat.points[:, None] == kept.points[None]).all(-1).any(1)
    gap = flat.points[~inside].mean(0) - flat.points[inside].mean(0)
    assert inside.sum() == 200
    assert np.linalg.norm(gap) > 0.1


def test_a_partial_view_is_one_side_of_a_sphere():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(2000, 3))
    cloud = PointCloud(points / np.linalg.norm(points, axis=1, keepdims=True), up="z")
    sides = [CORRUPTIONS["occlusion"](cloud, view, seed=0, index=0).points for view in (1, 2, 3, 4, 5)]
    middles = [side.mean(0) for side in sides]
    for side, middle in zip(sides, middles, strict=True):
        assert len(side) <= VISIBLE_AT_MOST * 2000
        assert np.linalg.norm(middle) > 0.4, "the far side is gone"
        assert (side @ (middle / np.linalg.norm(middle))).min() > 0
    assert pdist(np.stack(middles)).min() > 0.1, "five different sides"


def test_colors_alone_are_changed_by_the_corruption_of_colors():
    cloud = ball()
    changed = {level: CORRUPTIONS["color"](cloud, level, seed=0, index=0) for level in CORRUPTIONS["color"].levels}
    for other in changed.values():
        np.testing.assert_array_equal(other.points, in_unit_sphere(cloud).points)
    assert changed["removed"].colors is None
    np.testing.assert_allclose(changed["inverted"].colors, 1 - cloud.colors, atol=1e-6)
    assert len(np.unique(changed["one for all"].colors, axis=0)) == 1
    assert len(np.unique(changed["random"].colors, axis=0)) == 300
    assert CORRUPTIONS["color"](ball(colored=False), "random", seed=0, index=0).colors is None


def test_unknown_names_are_answered_with_the_known_ones():
    assert [c.name for c in choose(["mirror", "points"])] == ["points", "mirror"]
    with pytest.raises(ShapeError, match="there are: points, noise"):
        choose(["fog"])
