"""Sectors of a sweep."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.errors import ShapeError
from clip3d.lidar.sweep import Sweep
from clip3d.lidar.wedge import wedge


def around(n: int = 500) -> Sweep:
    rng = np.random.default_rng(0)
    return Sweep(rng.uniform(-30, 30, (n, 3)).astype(np.float32), rng.random(n).astype(np.float32))


def test_quarters_share_no_point_and_lose_none() -> None:
    sweep = around()
    quarters = [wedge(sweep, heading) for heading in np.arange(4) * np.pi / 2]
    index = np.concatenate([quarter.index for quarter in quarters])
    assert sorted(index) == list(range(500))


def test_the_heading_becomes_forward_and_the_motion_says_how() -> None:
    sweep = Sweep(np.array([[0, 10, 1], [0, -10, 1]], np.float32), np.array([0.2, 0.9], np.float32))
    left = wedge(sweep, np.pi / 2)
    np.testing.assert_allclose(left.points, [[10, 0, 1, 0.2]], atol=1e-6)
    moved = sweep.points[left.index] @ left.frustum_from_lidar[:3, :3].T
    np.testing.assert_allclose(left.points[:, :3], moved, atol=1e-6)


def test_half_an_angle_of_pi_keeps_all_and_more_is_refused() -> None:
    assert len(wedge(around(), half_angle=np.pi)) == 500
    with pytest.raises(ShapeError, match="above 0"):
        wedge(around(), half_angle=4)
