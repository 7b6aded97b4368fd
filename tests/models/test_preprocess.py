"""Pictures made ready for a tower, against the steps written out one by one, and against torchvision's."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from clip3d.models.preprocess import ImagePreprocess

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
