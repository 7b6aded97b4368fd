"""Rays against triangles."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.simulation.driving.rays import RayCaster

pytest.importorskip("embreex")


def wall(x: float) -> np.ndarray:
    return np.array([[[x, -1, -1], [x, 1, -1], [x, 0, 2]]], np.float32)


def test_the_nearest_surface_is_hit_and_its_normal_looks_back() -> None:
    caster = RayCaster(np.concatenate([wall(7), wall(4)]))
    hits = caster.cast(np.zeros(3), np.array([[2.0, 0, 0], [-1.0, 0, 0]]))
    assert np.allclose(hits.distance[0], 2)
    assert hits.face.tolist() == [1, -1]
    assert np.isinf(hits.distance[1])
    assert np.allclose(hits.normal, [[-1, 0, 0], [0, 0, 0]])


def test_weights_of_corners_give_the_place_that_is_hit() -> None:
    triangle = wall(4)[0]
    hits = RayCaster(triangle[None]).cast(np.zeros(3), np.array([[4.0, 0.2, 0.3]]))
    u, v = hits.u[0], hits.v[0]
    assert np.allclose((1 - u - v) * triangle[0] + u * triangle[1] + v * triangle[2], [4, 0.2, 0.3], atol=1e-5)


def test_blocked_only_by_what_lies_between() -> None:
    caster = RayCaster(wall(4))
    ahead = np.array([[1.0, 0, 0], [1.0, 0, 0], [0, 0, 1.0]])
    assert caster.blocked(np.zeros(3), ahead).tolist() == [True, True, False]
    assert caster.blocked(np.zeros(3), ahead, np.array([3.0, 5.0, 5.0])).tolist() == [False, True, False]


def test_nothing_to_hit_and_no_rays() -> None:
    assert RayCaster(np.zeros((0, 3, 3))).cast(np.zeros(3), np.ones((2, 3))).face.tolist() == [-1, -1]
    assert len(RayCaster(wall(1)).cast(np.zeros(3), np.zeros((0, 3))).face) == 0


def thrown(rng: np.random.Generator, n: int) -> np.ndarray:
    """Triangles (n, 3, 3) anywhere within a box of 20 m."""
    return (rng.uniform(-10, 10, (n, 1, 3)) + rng.normal(0, 1.5, (n, 3, 3))).astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("still", "moving"), [(300, 200), (0, 50), (50, 0)])
def test_what_stands_still_may_have_a_tree_of_its_own(seed: int, still: int, moving: int) -> None:
    rng = np.random.default_rng(seed)
    corners = thrown(rng, still + moving)
    one, split = RayCaster(corners), RayCaster(corners[still:], RayCaster(corners[:still]))
    assert len(one) == len(split) == still + moving
    origins = rng.uniform(-12, 12, (3000, 3)).astype(np.float32)
    rays = rng.normal(0, 1, (3000, 3)).astype(np.float32)
    expected, found = one.cast(origins, rays), split.cast(origins, rays)
    assert (expected.face >= 0).any()
    for name, values in vars(expected).items():
        assert np.array_equal(getattr(found, name), values), name
    farthest = rng.uniform(0, 6, 3000).astype(np.float32)
    assert np.array_equal(split.blocked(origins, rays), expected.face >= 0)
    assert np.array_equal(split.blocked(origins, rays, farthest), one.blocked(origins, rays, farthest))
