"""Rotations for clouds in any pose."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.clouds.posing import check_pose, quaternion_rotation, spread_rotations
from clip3d.errors import ShapeError


@pytest.mark.parametrize("n", [1, 2, 8, 24])
def test_they_are_rotations(n: int) -> None:
    rotations = spread_rotations(n)
    products = rotations @ rotations.transpose(0, 2, 1)
    np.testing.assert_allclose(products, np.broadcast_to(np.eye(3), (n, 3, 3)), atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-6)


def test_they_lie_far_from_each_other() -> None:
    rotations = spread_rotations(12)
    traces = np.trace(rotations[:, None] @ rotations[None].transpose(0, 1, 3, 2), axis1=2, axis2=3)
    angles = np.degrees(np.arccos(np.clip((traces - 1) / 2, -1, 1)))
    assert angles[~np.eye(12, dtype=bool)].min() > 45


def test_no_direction_is_left_out() -> None:
    up = spread_rotations(24)[:, :, 2]
    directions = np.random.default_rng(0).normal(size=(500, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    assert np.degrees(np.arccos((directions @ up.T).max(1))).max() < 60


def test_wrong_requests() -> None:
    with pytest.raises(ShapeError, match="at least one"):
        spread_rotations(0)
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
