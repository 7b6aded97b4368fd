"""Points of sweeps in boxes, and boxes in other frames."""

import numpy as np
import pytest

from clip3d.errors import ShapeError
from clip3d.lidar.boxes import corners, moved, owners, to_sweep
from clip3d.lidar.frame import Box
from clip3d.lidar.frustum import Frustum


def box(center=(0, 0, 0), size=(4, 2, 1), yaw=0.0) -> Box:
    return Box("car", np.array(center, float), size, yaw)


def test_a_point_belongs_to_the_smallest_box_around_it():
    boxes = [box(size=(10, 10, 10)), box(size=(1, 1, 1)), box(center=(30, 0, 0))]
    points = np.array([[0, 0, 0], [3, 3, 3], [30, 0.9, 0], [50, 0, 0]])
    assert owners(points, boxes).tolist() == [1, 0, 2, -1]
    assert owners(points, []).tolist() == [-1] * 4


def test_a_margin_takes_in_what_lies_just_outside():
    points = np.array([[2.04, 0, 0]])
    assert owners(points, [box()]).tolist() == [-1]
    assert owners(points, [box()], margin=0.05).tolist() == [0]


@pytest.mark.parametrize("yaw", [0.0, 0.7, -2.0])
def test_corners_lie_half_a_size_from_the_middle_along_the_heading(yaw):
    found = corners(box(center=(5, -3, 1), yaw=yaw)) - [5, -3, 1]
    heading, across = np.array([np.cos(yaw), np.sin(yaw), 0]), np.array([-np.sin(yaw), np.cos(yaw), 0])
    np.testing.assert_allclose(np.abs(found @ heading), 2)
    np.testing.assert_allclose(np.abs(found @ across), 1)
    np.testing.assert_allclose(np.abs(found[:, 2]), 0.5)


def test_points_keep_their_owners_when_boxes_move_with_them():
    rng = np.random.default_rng(0)
    motion, angle = np.eye(4), 0.6
    motion[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    motion[:3, 3] = 3, -1, 0.5
    boxes = [box(center=(2, 1, 0), yaw=0.3), box(center=(-4, 0, 0), yaw=-1.2)]
    points = rng.uniform(-6, 6, (500, 3))
    turned = points @ motion[:3, :3].T + motion[:3, 3]
    there = owners(turned, [moved(one, motion) for one in boxes])
    np.testing.assert_array_equal(there, owners(points, boxes))
    assert (there >= 0).any()
    crop = Frustum(np.c_[turned, np.zeros(500)], motion)
    np.testing.assert_allclose(to_sweep(crop), points, atol=1e-5)


def test_boxes_without_end_are_refused():
    with pytest.raises(ShapeError, match="32,768 boxes"):
        owners(np.zeros((1, 3)), [box()] * 32_768)
