"""Pictures made ready for a tower, against the steps written out one by one, and against torchvision's."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from clip3d.clouds.cloud import PointCloud
from clip3d.models.preprocess import CloudPreprocess, ImagePreprocess

MEAN, STD = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
# (width, height): the long side and the margin of most are no whole numbers of pixels
SIZES = [(61, 40), (40, 77), (33, 33), (31, 20), (100, 39)]


def picture(size):
    return Image.effect_mandelbrot(size, (-2, -1, 1, 1), 50).convert("RGB")


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_picture_is_resized_cut_and_scaled_as_published_clips_do(size, interpolation):
    width, height = size
    long = int(32 * max(size) / min(size))
    whole = picture(size).resize((long, 32) if width > height else (32, long), FILTERS[interpolation])
    pixels = np.asarray(whole, np.float32) / 255
    before = int(np.rint((long - 32) / 2))
    square = pixels[:, before : before + 32] if width > height else pixels[before : before + 32]
    expected = ((square - np.float32(MEAN)) / np.float32(STD)).transpose(2, 0, 1)
    prepare = ImagePreprocess(32, MEAN, STD, interpolation=interpolation, rounding="torchvision")
    np.testing.assert_allclose(prepare(picture(size)), expected, atol=1e-6)


@pytest.mark.parametrize("interpolation", FILTERS)
def test_it_is_torchvisions_preparation(interpolation):
    transforms = pytest.importorskip("torchvision.transforms")
    steps = [
        transforms.Resize(32, getattr(transforms.InterpolationMode, interpolation.upper())),
        transforms.CenterCrop(32),
        transforms.ToTensor(),
        transforms.Normalize(MEAN, STD),
    ]
    prepare = ImagePreprocess(32, MEAN, STD, interpolation=interpolation, rounding="torchvision")
    for size in SIZES:
        expected = transforms.Compose(steps)(picture(size)).numpy()
        np.testing.assert_allclose(prepare(picture(size)), expected, atol=1e-6)


@pytest.mark.parametrize("values", [{"interpolation": "lanczos"}, {"rounding": "up"}])
def test_a_card_that_asks_for_another_preparation_is_refused(values):
    with pytest.raises(ValueError, match="must be one of"):
        ImagePreprocess.from_card(values)


def test_of_a_very_long_picture_the_middle_is_seen_without_resizing_all_of_it():
    line = np.zeros((1, 2_000_000, 3), np.uint8)
    line[:, 999_000:1_001_000] = 255
    prepare = ImagePreprocess(32, MEAN, STD, rounding="torchvision")
    white = ((1 - np.float32(MEAN)) / np.float32(STD))[:, None, None]
    for long in (line, line.transpose(1, 0, 2)):
        np.testing.assert_allclose(prepare(long), np.broadcast_to(white, (3, 32, 32)), atol=1e-6)


def test_a_long_picture_is_still_resized_whole():
    whole = picture((3900, 40))
    resized = whole.resize((int(32 * 3900 / 40), 32), Image.Resampling.BICUBIC)
    before = round((resized.width - 32) / 2)
    expected = np.asarray(resized.crop((before, 0, before + 32, 32)), np.float32).transpose(2, 0, 1) / 255
    prepare = ImagePreprocess(32, (0, 0, 0), (1, 1, 1), rounding="torchvision")
    np.testing.assert_allclose(prepare(whole), expected, atol=1e-6)


def test_a_tower_that_sees_many_points_is_given_that_many():
    # CG3D's and ULIP's encoders were trained on up to 8,192
    points = np.random.default_rng(0).normal(size=(9000, 3)).astype(np.float32)
    prepare = CloudPreprocess(points=8192)
    xyz, colors = prepare(PointCloud(points))
    assert xyz.shape == colors.shape == (8192, 3)
    assert len(np.unique(xyz, axis=0)) == 8192
    assert prepare.seen(9000) == 8192
    assert CloudPreprocess(points=512).candidates() == 4096
