"""Rotations for clouds in any pose: boxes, the sides they may stand on, quaternions."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.clouds.augmenting import random_rotation
from clip3d.clouds.posing import SIDES, box_axes, check_pose, quaternion_rotation, stances
from clip3d.errors import ShapeError


def block(seed: int = 0, n: int = 600) -> np.ndarray:
    """Points on the surface of a 3 x 2 x 1 block, its corners included."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, size=(n, 3))
    points[np.arange(n), rng.integers(3, size=n)] = rng.choice([-1, 1], size=n)
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    return (np.concatenate([corners, points]) * [1.5, 1.0, 0.5]).astype(np.float32)


def degrees_from_an_axis(rows: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(np.clip(np.abs(rows).max(axis=-1), 0, 1)))


def test_each_side_is_turned_up_once() -> None:
    np.testing.assert_allclose(SIDES @ SIDES.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (6, 3, 3)))
    np.testing.assert_allclose(np.linalg.det(SIDES), 1)
    assert {tuple(side[2]) for side in SIDES} == {tuple(s * row) for s in (1.0, -1.0) for row in np.eye(3)}
    np.testing.assert_array_equal(SIDES[0], np.eye(3))


@pytest.mark.parametrize("seed", range(6))
def test_a_block_in_any_pose_is_laid_along_the_axes(seed: int) -> None:
    rotation = random_rotation(np.random.default_rng(seed))
    turned = (block(seed) @ rotation.T).astype(np.float32)
    axes = box_axes(turned)
    assert np.linalg.det(axes) == pytest.approx(1)
    assert degrees_from_an_axis(axes @ rotation).max() < 1
    extents = np.ptp(turned @ axes.T, axis=0)
    np.testing.assert_allclose(extents, [3, 2, 1], atol=0.02)


@pytest.mark.parametrize("seed", range(4))
def test_one_of_the_stances_is_upright(seed: int) -> None:
    rotation = random_rotation(np.random.default_rng(seed))
    ups = stances((block(seed) @ rotation.T).astype(np.float32)) @ rotation[:, 2]
    assert (ups[:, 2] > 0.999).sum() == 1


def test_noise_moves_the_box_a_little() -> None:
    rotation = random_rotation(np.random.default_rng(3))
    noisy = block(1) + np.random.default_rng(2).normal(0, 0.01, size=(608, 3))
    assert degrees_from_an_axis(box_axes((noisy @ rotation.T).astype(np.float32)) @ rotation).max() < 8


PLANE = np.random.default_rng(0).normal(size=(9, 3)) * [1, 2, 0]
FLAT = [np.zeros((1, 3)), np.zeros((5, 3)), np.eye(3)[:2], PLANE, PLANE * [1e-6, 1, 0], PLANE + np.full(3, 1e-9)]


@pytest.mark.parametrize("points", FLAT)
@pytest.mark.parametrize("seed", [None, 1])
def test_flat_clouds_have_a_box_too(points: np.ndarray, seed: int | None) -> None:
    rotation = np.eye(3) if seed is None else random_rotation(np.random.default_rng(seed))
    axes = box_axes((points @ rotation.T).astype(np.float32))
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(axes) == pytest.approx(1)


def test_wrong_requests() -> None:
    with pytest.raises(ShapeError, match="upright or any"):
        check_pose("lying")


def test_a_quaternion_turns_about_its_axis_by_twice_its_angle() -> None:
    from scipy.spatial.transform import Rotation

    quaternions = np.random.default_rng(0).normal(size=(5, 4))
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    w, x, y, z = quaternions.T
    expected = Rotation.from_quat(np.stack([x, y, z, w], axis=1)).as_matrix()
    np.testing.assert_allclose(quaternion_rotation(w, x, y, z), expected, atol=1e-12)
    np.testing.assert_allclose(quaternion_rotation(*quaternions[0]), expected[0], atol=1e-12)
