import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from clip3d.clouds import sampling
from clip3d.clouds.sampling import (
    farthest_point_sample,
    farthest_point_samples,
    random_sample,
    resample,
    voxel_sample,
    without_outliers,
)
from clip3d.errors import ShapeError


def plain_farthest(points, n, start=0):
    nearest = np.full(len(points), np.inf, dtype=np.float32)
    chosen = [start]
    while len(chosen) < n:
        d = points - points[chosen[-1]]
        nearest = np.minimum(nearest, d[:, 0] ** 2 + d[:, 1] ** 2 + d[:, 2] ** 2)
        chosen.append(int(nearest.argmax()))
    return np.array(chosen)


def coverage(points, chosen):
    return cdist(points, points[chosen]).min(axis=1).max()


def sphere(p, seed=0):
    points = np.random.default_rng(seed).normal(size=(p, 3))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 150), st.booleans(), st.data())
def test_exact_order_is_that_of_the_plain_loop_ties_included(seed, p, grid, data):
    rng = np.random.default_rng(seed)
    points = (rng.integers(0, 4, size=(p, 3)) if grid else 100 * rng.normal(size=(p, 3))).astype(np.float32)
    n, start = data.draw(st.integers(1, p)), data.draw(st.integers(0, p - 1))
    np.testing.assert_array_equal(farthest_point_sample(points, n, start=start), plain_farthest(points, n, start))


def test_a_batch_gives_what_each_cloud_gives_alone_across_blocks(monkeypatch):
    monkeypatch.setattr(sampling, "BLOCK_POINTS", 250)
    clouds = np.stack([sphere(100, seed) for seed in range(5)])
    expected = [farthest_point_sample(cloud, 30) for cloud in clouds]
    np.testing.assert_array_equal(farthest_point_samples(clouds, 30), expected)


@pytest.mark.parametrize("installed", [True, False])
def test_fast_sample_covers_like_the_exact_one(installed, monkeypatch):
    if not installed:
        monkeypatch.setitem(sys.modules, "fpsample", None)
    points = sphere(6000) * np.array([1, 0.3, 0.6], dtype=np.float32)
    fast = farthest_point_sample(points, 200, exact=False)
    assert len(set(fast)) == 200
    assert coverage(points, fast) < 1.15 * coverage(points, farthest_point_sample(points, 200))


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize("points", [np.zeros((1, 3)), np.zeros((40, 3)), np.repeat(np.eye(3), 20, axis=0)])
def test_fast_sample_bears_degenerate_clouds(points, installed, monkeypatch):
    if not installed:
        monkeypatch.setitem(sys.modules, "fpsample", None)
    chosen = farthest_point_sample(points, 30, exact=False)
    assert chosen.shape == (30,)
    assert set(map(tuple, points[chosen])) == set(map(tuple, points))


def test_more_than_all_points_start_again():
    points = sphere(7)
    chosen = farthest_point_sample(points, 17)
    np.testing.assert_array_equal(chosen[:7], plain_farthest(points, 7))
    np.testing.assert_array_equal(chosen[7:], np.concatenate([chosen[:7], chosen[:3]]))


@pytest.mark.parametrize("n", [1, 20, 50, 51, 120])
def test_resample_gives_n_indices_and_uses_points_evenly(n):
    counts = np.bincount(resample(sphere(50), n), minlength=50)
    assert counts.sum() == n
    assert counts.max() - counts.min() <= 1


def test_resample_keeps_the_order_of_a_cloud_that_fits():
    np.testing.assert_array_equal(resample(sphere(50), 50), np.arange(50))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 200), st.sampled_from([0.3, 1.0, 2.5]))
def test_voxel_sample_is_the_point_nearest_each_mean_in_any_row_order(seed, p, size):
    rng = np.random.default_rng(seed)
    points = (rng.normal(size=(p, 3)) * 2).astype(np.float32)
    chosen = voxel_sample(points, size)
    cells = [tuple(cell) for cell in np.floor(points.astype(float) / size).astype(int)]
    assert len({cells[i] for i in chosen}) == len(chosen) == len(set(cells))
    for i in chosen:
        members = points[[j for j in range(p) if cells[j] == cells[i]]].astype(float)
        distances = np.linalg.norm(members - members.mean(axis=0), axis=1)
        np.testing.assert_allclose(np.linalg.norm(points[i] - members.mean(axis=0)), distances.min(), atol=1e-9)
    mixed = rng.permutation(p)
    assert set(map(tuple, points[mixed][voxel_sample(points[mixed], size)])) == set(map(tuple, points[chosen]))


def test_voxel_sample_takes_tiny_voxels_over_a_vast_extent():
    points = np.array([[0, 0, 0], [1e6, 1e6, 1e6], [1e6, 1e6, 1e6]], dtype=np.float32)
    assert len(voxel_sample(points, 1e-4)) == 2


def test_random_sample_follows_its_seed_and_repeats_only_when_it_must():
    points = sphere(60)
    np.testing.assert_array_equal(random_sample(points, 40, seed=3), random_sample(points, 40, seed=3))
    assert set(random_sample(points, 40, seed=3)) != set(random_sample(points, 40, seed=4))
    assert len(set(random_sample(points, 40, seed=3))) == 40
    counts = np.bincount(random_sample(points, 150, seed=3))
    assert (counts.sum(), counts.min(), counts.max()) == (150, 2, 3)


def test_senseless_requests_say_what_is_wrong():
    with pytest.raises(ShapeError, match="at least one point"):
        farthest_point_sample(np.zeros((0, 3)), 1)
    with pytest.raises(ShapeError, match="asked for"):
        farthest_point_sample(sphere(5), 0)
    with pytest.raises(ShapeError, match="start"):
        farthest_point_sample(sphere(5), 2, start=5)
    with pytest.raises(ShapeError, match="voxel"):
        voxel_sample(sphere(5), 0)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("share", [0.01, 0.1])
def test_points_far_from_all_others_are_left_out_at_any_scale(size: float, share: float) -> None:
    surface = sphere(1000)
    thrown = np.random.default_rng(1).uniform(-3, 3, size=(int(1000 * share), 3)).astype(np.float32)
    kept = without_outliers(np.concatenate([surface, thrown]) * np.float32(size), 4.0)
    assert (kept < 1000).sum() >= 990
    assert (kept >= 1000).sum() <= 0.15 * len(thrown) + 1


@pytest.mark.parametrize("points", [sphere(2000), sphere(60), np.zeros((500, 3), np.float32), sphere(7)])
def test_what_has_no_outliers_loses_next_to_nothing(points: np.ndarray) -> None:
    assert len(without_outliers(points, 4.0)) >= 0.97 * len(points)


def test_a_factor_that_would_leave_out_usual_points_is_refused() -> None:
    with pytest.raises(ShapeError, match="above 1"):
        without_outliers(sphere(10), 1.0)
