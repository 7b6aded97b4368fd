"""What a camera sees of a sweep."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.errors import ShapeError
from clip3d.lidar.camera import Camera
from clip3d.lidar.frustum import FROM_CAMERA, frustum
from clip3d.lidar.sweep import Sweep


def ahead_camera(width: int = 200, height: int = 100, focal: float = 100.0) -> Camera:
    """A camera at the lidar's origin that looks ahead."""
    pose = np.eye(4)
    pose[:3, :3] = FROM_CAMERA.T
    intrinsics = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    return Camera("front", width, height, intrinsics, pose)


def random_sweep(n: int = 5000) -> Sweep:
    rng = np.random.default_rng(0)
    return Sweep(rng.uniform(-60, 60, (n, 3)), rng.uniform(0, 1, n))


def test_a_point_is_kept_exactly_if_its_pixel_lies_in_the_region() -> None:
    sweep, camera = random_sweep(), ahead_camera()
    kept = frustum(sweep, camera)
    in_camera = camera.to_camera(sweep.points)
    u, v = camera.project(in_camera).T
    expected = (in_camera[:, 2] > 0) & (u >= 50) & (u < 150) & (v >= 0) & (v < 100)
    assert kept.index is not None
    assert set(kept.index) == set(np.flatnonzero(expected))
    assert kept.region == (50, 0, 150, 100)


def test_a_frustum_looks_along_x_with_y_to_the_left_and_keeps_the_light_that_came_back() -> None:
    sweep = Sweep(np.array([[10.0, 2.0, 1.0]]), np.array([0.25]))
    assert np.allclose(frustum(sweep, ahead_camera()).points, [[10, 2, 1, 0.25]])


def test_its_origin_is_the_camera_and_its_motion_brings_points_there() -> None:
    camera = ahead_camera()
    moved = Camera("front", 200, 100, camera.intrinsics, camera.camera_from_lidar @ shifted(-1.0, 0.5, -0.2))
    kept = frustum(random_sweep(), moved)
    points = random_sweep().points[kept.index]
    brought = points @ kept.frustum_from_lidar[:3, :3].T + kept.frustum_from_lidar[:3, 3]
    assert len(kept) > 100
    assert np.allclose(brought, kept.points[:, :3], atol=1e-4)


def shifted(x: float, y: float, z: float) -> np.ndarray:
    motion = np.eye(4)
    motion[:3, 3] = x, y, z
    return motion


def test_points_behind_and_a_sweep_of_none_give_an_empty_frustum() -> None:
    behind = Sweep(np.array([[-10.0, 0.0, 0.0]]))
    assert len(frustum(behind, ahead_camera())) == 0
    assert len(frustum(Sweep(np.zeros((0, 3))), ahead_camera())) == 0


def test_what_is_no_echo_is_left_out_and_counted() -> None:
    rows = np.array([[1.0, 2, 3], [np.nan, 0, 0], [0, 0, 0], [4, 5, np.inf]])
    sweep = Sweep.of_rows(rows, np.array([0.5, 0.5, 0.5, np.nan]))
    assert len(sweep) == 1
    assert sweep.dropped == 3
    with pytest.raises(ShapeError, match="NaN"):
        Sweep(rows)


def test_a_camera_that_mirrors_is_refused() -> None:
    with pytest.raises(ShapeError, match="proper rotation"):
        Camera("front", 10, 10, np.eye(3), np.diag([1.0, -1, 1, 1]))
