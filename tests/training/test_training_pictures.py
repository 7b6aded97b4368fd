"""Pictures made for training."""

import numpy as np
import pytest

from clip3d.training.pictures import random_background, random_picture


@pytest.fixture
def cutout() -> np.ndarray:
    """A red bar, twice as tall as wide, in the corner of a clear picture."""
    picture = np.zeros((90, 120, 4), np.uint8)
    picture[10:50, 20:40] = [255, 0, 0, 255]
    return picture


def test_pictures_depend_on_the_seed_alone(cutout):
    one, again, other = (random_picture(cutout, np.random.default_rng(seed), 64) for seed in (1, 1, 2))
    assert one.shape == (64, 64, 3)
    assert one.dtype == np.uint8
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_the_object_is_brought_to_the_middle_and_fills_much_of_the_frame(cutout):
    for seed in range(20):
        picture = random_picture(cutout, np.random.default_rng(seed), 64).astype(int)
        middle, corner = picture[28:36, 30:34].reshape(-1, 3).mean(0), picture[:4, :4].reshape(-1, 3).mean(0)
        assert np.abs(middle - corner).max() > 20


def test_a_clear_cutout_gives_a_background_only():
    picture = random_picture(np.zeros((8, 8, 4), np.uint8), np.random.default_rng(0), 32)
    assert picture.shape == (32, 32, 3)


def test_backgrounds_stay_in_range():
    rng = np.random.default_rng(0)
    for _ in range(30):
        background = random_background(rng, 32)
        assert background.shape == (32, 32, 3)
        assert background.min() >= 0
        assert background.max() <= 1
