"""Pictures drawn for training."""

import numpy as np
import pytest

from clip3d.training.views import Surface, draw, random_background, random_picture


@pytest.fixture
def surface() -> Surface:
    """A sphere: red at its top, green at x > 0, blue elsewhere."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(6000, 3))
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    colors = np.tile(np.float32([0, 0, 1]), (len(points), 1))
    colors[points[:, 0] > 0.3] = [0, 1, 0]
    colors[points[:, 2] > 0.6] = [1, 0, 0]
    return Surface(points, colors, points)


def test_convention_up_is_up_and_the_camera_at_azimuth_0_looks_along_y(surface):
    image, cover = draw(surface, azimuth=0, elevation=0, ambient=1.0, size=100)
    assert image[12, 50].argmax() == 0
    assert image[60, 85].argmax() == 1
    assert image[60, 20].argmax() == 2
    assert cover[50, 50] == pytest.approx(1, abs=0.05)
    assert cover[2, 2] == 0


def test_what_is_behind_is_hidden(surface):
    image, _ = draw(surface, azimuth=90, elevation=0, ambient=1.0, size=100)  # from x > 0: green faces us
    assert image[60, 50].argmax() == 1
    assert image[60, 50, 2] < 0.05


def test_fill_sets_the_object_s_share_of_the_picture(surface):
    _, cover = draw(surface, azimuth=0, elevation=0, fill=0.5, size=200)
    columns = np.flatnonzero(cover[..., 0].max(0) > 0.5)
    assert np.ptp(columns) == pytest.approx(100, abs=8)


def test_pictures_depend_on_the_seed_alone(surface):
    one, again, other = (random_picture(surface, np.random.default_rng(seed), 64) for seed in (1, 1, 2))
    assert one.shape == (64, 64, 3)
    assert one.dtype == np.uint8
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_backgrounds_stay_in_range():
    rng = np.random.default_rng(0)
    for _ in range(30):
        background = random_background(rng, 32)
        assert background.shape == (32, 32, 3)
        assert background.min() >= 0
        assert background.max() <= 1
