import numpy as np
import pytest

from clip3d.render.splat import splat, splat_cutout, splat_views


def sphere(p=3000, seed=0):
    points = np.random.default_rng(seed).normal(size=(p, 3))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def drawn(picture):
    return (picture < 255).any(axis=-1)


def test_a_sphere_is_a_whole_disc_in_the_middle_of_white():
    picture = splat(sphere(), size=128)
    assert picture.shape == (128, 128, 3)
    assert picture.dtype == np.uint8
    rows, columns = np.mgrid[:128, :128] - 63.5
    distance = np.hypot(rows, columns)
    assert drawn(picture)[distance < 50].all()
    assert not drawn(picture)[distance > 62].any()


def test_light_comes_from_above():
    picture = splat(sphere(), size=64, view=(0, 0)).astype(float).mean(axis=-1)
    assert picture[14:20, 28:36].mean() > 1.3 * picture[44:50, 28:36].mean()


def test_convention_z_is_up_and_y_lies_to_the_right_of_an_eye_on_x():
    arrow = np.concatenate([sphere() * 0.2 + [0, 0, 1], sphere() * 0.2 + [0, 1, -1]])
    colors = np.repeat([[1, 0, 0], [0, 0, 1]], 3000, axis=0).astype(np.float32)
    picture = splat(arrow, colors, view=(0, 0), size=64).astype(int)
    red = np.argwhere(picture[..., 0] > picture[..., 2] + 60).mean(axis=0)
    blue = np.argwhere(picture[..., 2] > picture[..., 0] + 60).mean(axis=0)
    assert red[0] < blue[0]
    assert red[1] < blue[1]


def test_what_is_in_front_hides_what_is_behind():
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 60), np.linspace(-1, 1, 60)), axis=-1).reshape(-1, 2)
    wall = [np.column_stack([np.full(len(grid), x), grid]) for x in (0.5, -0.5)]
    colors = np.repeat([[1, 0, 0], [0, 0, 1]], len(grid), axis=0).astype(np.float32)
    for view, front, back in (((0, 0), 0, 2), ((180, 0), 2, 0)):
        middle = splat(np.concatenate(wall), colors, view=view, size=64)[20:44, 20:44].astype(int)
        assert (middle[..., front] > middle[..., back] + 60).all()


def test_the_sign_of_given_normals_does_not_matter_and_rows_may_come_in_any_order():
    points = sphere(800)
    picture = splat(points, None, points, size=48)
    np.testing.assert_array_equal(splat(points, None, -points, size=48), picture)
    mixed = np.random.default_rng(1).permutation(800)
    again = splat(points[mixed], None, points[mixed], size=48).astype(int)
    assert np.abs(again - picture).max() <= 2


def test_estimated_normals_shade_like_the_true_ones():
    points = sphere()
    difference = splat(points, size=64).astype(int) - splat(points, None, points, size=64)
    assert np.abs(difference).mean() < 3


def test_views_are_the_single_pictures():
    points = sphere(500) * [1, 0.5, 0.2]
    views = [(0, 0), (90, 45)]
    pictures = splat_views(points, views=views, size=40)
    np.testing.assert_array_equal(pictures, [splat(points, view=view, size=40) for view in views])
    assert (pictures[0] != pictures[1]).any()


def test_a_cutout_laid_on_a_background_is_the_picture():
    points = sphere(500)
    cut = splat_cutout(points, size=40).astype(float)
    assert set(cut[0, 0]) == {0}
    alpha = cut[..., 3:] / 255
    on_grey = cut[..., :3] * alpha + 0.5 * 255 * (1 - alpha)
    np.testing.assert_allclose(splat(points, size=40, background=(0.5, 0.5, 0.5)), on_grey, atol=2)


@pytest.mark.parametrize("points", [np.zeros((1, 3)), np.zeros((40, 3)), np.arange(30.0).reshape(10, 3), np.eye(3)])
@pytest.mark.parametrize("size", [16, 100])
def test_degenerate_clouds_still_show(points, size):
    picture = splat(points, size=size)
    assert picture.shape == (size, size, 3)
    assert drawn(picture).any()
