import numpy as np
import pytest

from clip3d.clouds.normalizing import normalize_unit_sphere
from clip3d.render.clip2point_depth import DIRECTIONS, disc_depth_maps
from clip3d.render.depth import camera_rotation
from clip3d.render.splat import splat


def plain_levels(points, view, size, radius, distance):
    """One pixel after another, each looking at every point."""
    seen = normalize_unit_sphere(points).points.astype(float) @ camera_rotation(*view).T / distance
    depth = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            x, y = (2 * j + 1) / size - 1, 1 - (2 * i + 1) / size
            near = [distance - z for a, b, z in seen if (a - x) ** 2 + (b - y) ** 2 < radius**2 and z < distance]
            depth[i, j] = min(near, default=-1)
    if (depth < 0).all():
        return np.ones((size, size))
    least = min(np.where(depth < 0, 1, depth).flat)
    return np.where(depth < 0, 1, (depth - least) / depth.max() * 200 / 255)


@pytest.mark.parametrize(("radius", "distance"), [(0.05, 1.0), (0.11, 0.9), (0.3, 1.1), (0.001, 1.0)])
def test_levels_are_those_of_a_plain_loop(radius, distance):
    points = np.random.default_rng(0).normal(size=(120, 3)).astype(np.float32)
    maps = disc_depth_maps(points, DIRECTIONS[10], 32, radius=radius, distance=distance)
    assert maps.shape == (10, 32, 32)
    assert maps.dtype == np.float32
    for view, found in zip(DIRECTIONS[10], maps, strict=True):
        np.testing.assert_allclose(found, plain_levels(points, view, 32, radius, distance), atol=1e-5)


def test_two_points_one_behind_the_other_show_the_nearer_at_a_level_worked_out_by_hand():
    points = np.array([[1, 0, 0], [-1, 0, 0], [0, 0, 0.5], [0, 0, -0.5]], np.float32)
    front = disc_depth_maps(points, [(0, 0)], 224)[0]
    drawn = front[front < 1]
    # depths 0 (at the eye, not seen), 2, 1, 1: the nearest seen is at 1, the farthest at 2
    np.testing.assert_allclose(sorted(set(drawn)), [0, 1 / 2 * 200 / 255], atol=1e-6)
    assert front[112, 112] == pytest.approx(1 / 2 * 200 / 255)
    assert 3 * 12 < len(drawn) < 3 * 20  # three discs of 2.24 pixels


def test_convention_up_is_the_first_row_and_the_right_hand_the_last_column():
    points = np.zeros((400, 3), np.float32)
    points[0], points[1] = [0, 0, 1], [0, 0.5, 0]
    rows, columns = np.nonzero(disc_depth_maps(points, [(0, 0)], 101)[0] < 1)
    assert rows.min() < 5
    assert columns[np.abs(rows - 50) < 2].max() > 70


def test_discs_that_hold_no_middle_of_a_pixel_leave_the_picture_empty():
    points = np.array([[1, 0, 0], [-1, 0, 0]], np.float32)
    np.testing.assert_array_equal(disc_depth_maps(points, [(0, 0)], 16, radius=1e-3), np.ones((1, 16, 16)))


@pytest.mark.parametrize("view", [*DIRECTIONS[10], (200, 35), (310, -10)])
def test_convention_sides_are_those_of_shaded_pictures(view):
    """A large ball lies in the same direction from a small one in both."""
    rng = np.random.default_rng(1)
    ball = rng.normal(size=(800, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    large, small = 0.4 * ball[:600] + [0.5, 0.3, 0.7], 0.2 * ball[600:] - [0.6, 0.4, 0.3]
    points = np.concatenate([large, small]).astype(np.float32)
    shaded = splat(points, view=view, size=64).min(axis=-1) < 250
    depth = disc_depth_maps(points, [view], 64, radius=0.06)[0] < 1
    assert direction(shaded) @ direction(depth) > 0.75  # one hides part of the other from some sides


def direction(drawn):
    """From the middle of what is drawn to where most of it is; nothing is said of one lump."""
    places = np.argwhere(drawn)
    way = places.mean(axis=0) - (places.min(axis=0) + places.max(axis=0)) / 2
    return way / np.linalg.norm(way)
