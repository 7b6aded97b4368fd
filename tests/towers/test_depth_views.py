"""An image tower sees clouds through depth maps: PointCLIP, and CLIP2Point before its training."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate, normalize

from clip3d.models.weights import load_strict
from clip3d.render.clip2point_depth import DIRECTIONS, disc_depth_maps
from clip3d.render.depth import depth_maps
from clip3d.towers.clip_vit import ClipViT
from clip3d.towers.depth_drawing import DepthDrawing
from clip3d.towers.depth_views import DepthViewsTower

SHAPE = {"size": 32, "patch": 8, "width": 64, "layers": 1, "heads": 1, "dim": 16}
MEAN, STD = [0.48, 0.46, 0.41], [0.27, 0.26, 0.28]


@pytest.fixture(scope="module")
def image_tower():
    torch.manual_seed(0)
    tower = ClipViT(**SHAPE).eval().requires_grad_(False)
    for parameter in tower.parameters():
        parameter += 0.1 * torch.randn(parameter.shape)
    return tower


def make(image_tower, tmp_path, weights=(), **drawing):
    tower = DepthViewsTower("clip-vit", SHAPE, {"size": 32, **drawing}, weights=weights)
    return load_strict(tower, image_tower.state_dict(), tmp_path / "image.safetensors")


def clouds(count=3, p=200):
    points = torch.randn(count, p, 3, generator=torch.Generator().manual_seed(1))
    return points / points.norm(dim=-1).amax(1)[:, None, None], torch.rand(count, p, 3)


def test_logits_are_the_sum_over_views_of_weight_times_cosine(image_tower, tmp_path):
    points, colors = clouds()
    weights = [3.0, 1.0, 0.0, 2.0, 0.5, 1.0]
    tower = make(image_tower, tmp_path, weights)
    labels = normalize(torch.randn(7, 16), dim=-1)
    for xyz, vector in zip(points, tower(points, colors), strict=True):
        maps = torch.from_numpy(depth_maps(xyz.numpy(), 6, 128))
        pixels = interpolate(maps[:, None].repeat(1, 3, 1, 1), size=(32, 32), mode="bilinear", align_corners=True)
        seen = [normalize(image_tower(picture[None]), dim=-1) for picture in pixels]
        logits = sum(weight * view @ labels.T for weight, view in zip(weights, seen, strict=True))
        torch.testing.assert_close(sum(weights) * vector @ labels.T, logits[0], atol=1e-5, rtol=0)
        assert torch.equal(logits[0].argsort(), (normalize(vector, dim=0) @ labels.T).argsort())


def test_pixels_of_clip2point_are_scaled_as_photographs_and_those_of_pointclip_are_depths():
    points, _ = clouds(count=2)
    drawn = DepthDrawing("clip2point", 10, 32, tuple(MEAN), tuple(STD))(points)
    levels = disc_depth_maps(points[1].numpy(), DIRECTIONS[10], 32)
    assert drawn.shape == (2, 10, 3, 32, 32)
    expected = (levels[:, None] - np.reshape(MEAN, (3, 1, 1))) / np.reshape(STD, (3, 1, 1))
    np.testing.assert_allclose(drawn[1], expected, atol=1e-5)
    drawn = DepthDrawing("pointclip", 10, 224)(points)
    np.testing.assert_array_equal(drawn[1, :, 2], depth_maps(points[1].numpy(), 10, 224))
    assert drawn.max() > 1.4


def test_clouds_do_not_change_each_other_and_colours_are_not_seen(image_tower, tmp_path):
    points, colors = clouds()
    tower = make(image_tower, tmp_path, style="clip2point", views=10, mean=MEAN, std=STD)
    together = tower(points, colors)
    torch.testing.assert_close(together[1:2], tower(points[1:2], 1 - colors[1:2]), atol=1e-5, rtol=0)


def test_one_file_of_weights_serves_the_image_tower_and_this_one(image_tower, tmp_path):
    own = make(image_tower, tmp_path).state_dict()
    assert own.keys() == image_tower.state_dict().keys()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"views": 7}, "views must be 6 or 10"),
        ({"style": "toon"}, "style must be one of"),
        ({"size": 10**6}, "size must be 1 to 1024"),
        ({"mean": (0.5,), "std": (0.5,)}, "three entries"),
        ({"mean": (0.5, 0.5, 0.5)}, "three entries"),
    ],
)
def test_a_drawing_that_cannot_be_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        DepthDrawing(**settings)


@pytest.mark.parametrize("weights", [[1.0] * 5, [0.0] * 6, [1.0, 1, 1, 1, 1, -1]])
def test_weights_that_fit_no_views_are_refused(weights):
    with pytest.raises(ValueError, match="weights must be 6 numbers"):
        DepthViewsTower("clip-vit", SHAPE, {"size": 32}, weights=weights)
