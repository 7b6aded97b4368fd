import numpy as np
import pytest

from clip3d.clouds.normalizing import normalize_unit_sphere
from clip3d.render.depth import DIRECTIONS, DISTANCE, camera_rotation, depth_maps


def plain_depth_maps(points, views, size):
    points = normalize_unit_sphere(points).points.astype(float)
    maps = np.zeros((views, size, size))
    for view, direction in enumerate(DIRECTIONS[views]):
        found = {}
        for point in points:
            right, up, near = camera_rotation(*direction) @ point
            depth = DISTANCE[views] - near
            column = int(np.floor((right / depth + 1) / 2 * size))
            row = int(np.floor((1 - up / depth) / 2 * size))
            if 0 <= column < size and 0 <= row < size:
                found.setdefault((row, column), []).append(depth)
        for place, depths in found.items():
            maps[(view, *place)] = np.average(depths, weights=[1 / d for d in depths])
    return maps


@pytest.mark.parametrize("views", [6, 10])
def test_maps_are_those_of_a_plain_loop_with_shared_pixels(views):
    points = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
    maps = depth_maps(points, views=views, size=24)
    assert maps.dtype == np.float32
    np.testing.assert_allclose(maps, plain_depth_maps(points, views, 24), atol=1e-5)


def test_convention_up_is_the_first_row_and_the_right_hand_the_last_column():
    points = np.zeros((400, 3), np.float32)
    points[0], points[1] = [0, 0, 1], [0, 0.5, 0]  # one above, one to the right of an eye on the x axis
    front = depth_maps(points, views=6, size=101)[0]
    rows, columns = np.nonzero(front)
    assert rows.min() < 30
    assert columns[rows == 50].max() > 60
    assert columns[rows < 30].max() == 50


def test_convention_depth_is_measured_from_the_eye_in_radii():
    maps = depth_maps(np.array([[1, 0, 0], [-1, 0, 0]], np.float32), views=6, size=64)
    np.testing.assert_allclose(sorted(set(maps[1][maps[1] > 0])), [1.6], atol=1e-5)  # seen from the side
    assert 0.6 < maps[0].max() < 2.6  # one behind the other: their weighted mean
    np.testing.assert_allclose(maps[0].max(), 2 / (1 / 0.6 + 1 / 2.6), rtol=1e-5)


@pytest.mark.parametrize("points", [np.zeros((1, 3)), np.full((50, 3), 7.0)])
def test_a_cloud_of_one_place_is_one_pixel_in_every_view(points):
    maps = depth_maps(points, size=32)
    np.testing.assert_array_equal((maps > 0).sum(axis=(1, 2)), np.ones(10))
    np.testing.assert_allclose(maps.max(axis=(1, 2)), 1.4, rtol=1e-6)


def rotation(x, y, z):
    """Rotations about z, then y, then x, by radians."""
    turns = []
    for angle, (i, j) in ((x, (1, 2)), (y, (2, 0)), (z, (0, 1))):
        turn = np.eye(3)
        turn[[i, i, j, j], [i, j, i, j]] = [np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)]
        turns.append(turn)
    return turns[0] @ turns[1] @ turns[2]


def test_directions_are_the_published_rotations_but_for_a_turn_about_the_vertical_and_a_mirror():
    h, q = np.pi / 2, np.pi / 4
    sides, ends = [(i * h, 0, h) for i in range(4)], [(0, -h, h), (0, h, h)]
    corners = [(5 * q, -q, h), (5 * q, q, h), (7 * q, -q, h), (7 * q, q, h)]
    turned = np.array([[0, 0, -1], [-1, 0, 0], [0, 1, 0]])  # a world with y up to ours
    ours = [camera_rotation(*direction) @ turned for direction in DIRECTIONS[10]]
    for expected, found in zip([*sides, *ends, *corners], ours, strict=True):
        down, across, away = rotation(*expected)  # rows, columns and depth of the published picture
        np.testing.assert_allclose(found, [-across, -down, -away], atol=1e-12)


@pytest.mark.parametrize("direction", [(0, 0), (30, 40), (200, -90)])
def test_cameras_are_proper_rotations_that_look_from_their_direction(direction):
    rotation = camera_rotation(*direction)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotation), 1)
    assert rotation[1, 2] >= -1e-12


def test_a_camera_turned_clockwise_has_what_was_right_of_it_above():
    np.testing.assert_allclose(camera_rotation(20, 10, 90)[1], camera_rotation(20, 10)[0], atol=1e-12)
