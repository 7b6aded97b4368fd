import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clip3d.clouds.normalizing import normalize_unit_sphere
from clip3d.errors import ShapeError


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 100), st.floats(1e-3, 1e4), st.floats(-1e3, 1e3))
def test_result_is_centred_in_the_unit_sphere_and_leads_back(seed, p, size, offset):
    points = (np.random.default_rng(seed).normal(size=(p, 3)) * size + offset * size).astype(np.float32)
    normal, centroid, scale = normalize_unit_sphere(points)
    np.testing.assert_allclose(normal.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(normal, axis=1).max(), 1, rtol=1e-5)
    np.testing.assert_allclose(normal * scale + centroid, points, rtol=1e-5, atol=1e-5 * scale)


def test_position_and_size_do_not_matter():
    points = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    moved = normalize_unit_sphere(points * 8 + np.array([16, -2, 4], np.float32)).points
    np.testing.assert_allclose(moved, normalize_unit_sphere(points).points, atol=1e-5)


@pytest.mark.parametrize("p", [1, 3, 1000])
def test_points_in_one_place_come_to_the_origin(p):
    normal, centroid, scale = normalize_unit_sphere(np.full((p, 3), 0.1, dtype=np.float32))
    assert (normal == 0).all()
    assert scale == 1
    np.testing.assert_allclose(centroid, 0.1, rtol=1e-6)


def test_an_empty_cloud_is_refused():
    with pytest.raises(ShapeError, match="at least one point"):
        normalize_unit_sphere(np.zeros((0, 3)))
