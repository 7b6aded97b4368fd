import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from clip3d.clouds.neighbors import group, nearest_neighbors
from clip3d.errors import ShapeError


def cloud(p, seed=0):
    return np.random.default_rng(seed).normal(size=(p, 3)).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 120), st.integers(1, 20), st.integers(1, 12))
def test_neighbours_are_those_of_the_full_distance_matrix(seed, p, q, k):
    points, queries = cloud(p, seed), cloud(q, seed + 1)
    index, distance = nearest_neighbors(points, queries, k)
    full = cdist(queries, points)
    m = min(k, p)
    np.testing.assert_array_equal(index[:, :m], np.argsort(full, axis=1)[:, :m])
    np.testing.assert_allclose(distance[:, :m], np.sort(full, axis=1)[:, :m], rtol=1e-5, atol=1e-6)


def test_equal_distances_come_in_the_order_of_the_points():
    points = np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32)
    index, distance = nearest_neighbors(points, np.zeros((1, 3), np.float32), 6)
    np.testing.assert_array_equal(index, [[0, 1, 2, 3, 4, 5]])
    np.testing.assert_array_equal(distance, np.ones((1, 6)))


def test_more_neighbours_than_points_repeat_the_points_in_order():
    index, distance = nearest_neighbors(cloud(3), cloud(4, seed=1), 8)
    np.testing.assert_array_equal(index[:, 3:6], index[:, :3])
    np.testing.assert_array_equal(index[:, 6:], index[:, :2])
    np.testing.assert_array_equal(distance[:, 3:6], distance[:, :3])


def test_approximate_neighbours_stay_within_their_promise():
    points, queries = cloud(3000), cloud(50, seed=1)
    near = nearest_neighbors(points, queries, 16, approximate=0.5)[1]
    assert (near <= 1.5 * nearest_neighbors(points, queries, 16)[1] + 1e-6).all()


def test_every_centre_heads_its_own_group():
    index = group(cloud(200), np.array([5, 17, 199]), 9)
    assert index.shape == (3, 9)
    np.testing.assert_array_equal(index[:, 0], [5, 17, 199])


@pytest.mark.parametrize("points", [np.zeros((1, 3)), np.zeros((30, 3))])
def test_points_in_one_place_are_all_at_distance_zero(points):
    index, distance = nearest_neighbors(points, points[:1], 5)
    assert (distance == 0).all()
    assert index.max() < len(points)


def test_senseless_requests_say_what_is_wrong():
    with pytest.raises(ShapeError, match="at least one point"):
        nearest_neighbors(np.zeros((0, 3)), cloud(2), 1)
    with pytest.raises(ShapeError, match="queries"):
        nearest_neighbors(cloud(2), np.zeros(3), 1)
