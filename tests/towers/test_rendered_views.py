"""A model that sees pictures sees clouds through pictures drawn of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from clip3d.models.preprocess import ImagePreprocess
from clip3d.models.weights import load_strict
from clip3d.render.splat import splat
from clip3d.towers.clip_vit import ClipViT
from clip3d.towers.rendered_views import RenderedViewsTower

SHAPE = {"size": 32, "patch": 8, "width": 64, "layers": 1, "heads": 1, "dim": 16}
MEAN, STD = (0.48, 0.46, 0.41), (0.27, 0.26, 0.28)
VIEWS = [(20.0, 10.0), (140.0, 30.0)]


@pytest.fixture(scope="module")
def image_tower():
    torch.manual_seed(0)
    tower = ClipViT(**SHAPE).eval().requires_grad_(False)
    for parameter in tower.parameters():
        parameter += 0.1 * torch.randn(parameter.shape)
    return tower


@pytest.fixture(scope="module")
def tower(image_tower, tmp_path_factory):
    made = RenderedViewsTower("clip-vit", SHAPE, size=32, mean=MEAN, std=STD, views=VIEWS)
    return load_strict(made, image_tower.state_dict(), tmp_path_factory.mktemp("bundle") / "image.safetensors")


def clouds(seed=0, count=3, p=300):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, p, 3)) * rng.uniform(0.2, 1, size=(count, 1, 3))
    return torch.from_numpy(points.astype(np.float32)), torch.from_numpy(rng.random((count, p, 3), np.float32))


def test_the_vector_is_the_mean_of_what_the_image_tower_sees_in_each_picture(tower, image_tower):
    points, colors = clouds()
    prepare = ImagePreprocess(32, MEAN, STD)
    for xyz, rgb, found in zip(points.numpy(), colors.numpy(), tower(points, colors), strict=True):
        pictures = [splat(xyz, rgb, view=view, size=32) for view in VIEWS]
        seen = image_tower(torch.from_numpy(np.stack([prepare(picture) for picture in pictures])))
        torch.testing.assert_close(found, normalize(normalize(seen, dim=-1).mean(0), dim=-1), atol=1e-5, rtol=0)


def test_clouds_do_not_change_each_other_and_colours_are_seen(tower):
    points, colors = clouds()
    together = tower(points, colors)
    torch.testing.assert_close(together[1:2], tower(points[1:2], colors[1:2]), atol=1e-5, rtol=0)
    assert not torch.allclose(together, tower(points, torch.full_like(colors, 0.7)), atol=1e-3)


def test_one_file_of_weights_serves_the_image_tower_and_this_one(tower, image_tower):
    own = tower.state_dict()
    assert own.keys() == image_tower.state_dict().keys()
    assert all(torch.equal(own[name], value) for name, value in image_tower.state_dict().items())


@pytest.mark.parametrize("views", [[], [(0.0, 0.0)] * 65])
def test_no_view_and_too_many_are_refused(views):
    with pytest.raises(ValueError, match="views must be 1 to 64"):
        RenderedViewsTower("clip-vit", SHAPE, size=32, views=views)


@pytest.mark.parametrize("size", [0, 10**6])
def test_pictures_that_would_fill_the_memory_are_refused(size):
    with pytest.raises(ValueError, match="size must be 1 to 1024"):
        RenderedViewsTower("clip-vit", SHAPE, size=size)
