"""The adapters against plain arithmetic, and the tower that holds one."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize

from clip3d.towers.adapted_views import AdaptedViewsTower
from clip3d.towers.clip_vit import ClipViT
from clip3d.towers.depth_drawing import DepthDrawing
from clip3d.towers.inter_view import DualPathAdapter, InterViewAdapter, SimplifiedAdapter

SHAPE = {"size": 32, "patch": 8, "width": 64, "layers": 1, "heads": 1, "dim": 5}
B, V, D = 4, 6, 5


def filled(module, seed=0):
    """Every number of the module drawn at random, norms among them."""
    torch.manual_seed(seed)
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape) + 0.1 * torch.randn(tensor.shape).abs())
    return module.eval().requires_grad_(False)


def plain_norm(x, norm):
    return (x - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias


def plain_whole(seen, whole):
    """One cloud (v, d) to its global vector (d,), channel by channel."""
    linear, norm = whole.layers[2], whole.layers[3]
    flat = torch.cat([plain_norm(whole.fusion[v] * seen[v], whole.norm) for v in range(V)])
    return plain_norm(linear.weight @ flat + linear.bias, norm).clamp(min=0)


def test_the_inter_view_adapter_gives_the_published_logits():
    adapter, labels = filled(InterViewAdapter(V, D)), normalize(torch.randn(3, D), dim=-1)
    seen = torch.randn(B, V, D)
    first, second = adapter.spread[0], adapter.spread[2]
    for cloud, vector in zip(seen, adapter(seen), strict=True):
        hidden = (first.weight @ plain_whole(cloud, adapter.whole) + first.bias).clamp(min=0)
        views = 0.6 * (second.weight @ hidden + second.bias).clamp(min=0) + 0.4 * cloud.flatten()
        repeated = normalize(labels.repeat(1, V), dim=-1)
        torch.testing.assert_close(labels @ vector, repeated @ normalize(views, dim=0), atol=1e-5, rtol=0)
        assert vector.norm() <= 1 + 1e-6


def test_two_paths_are_the_mean_of_two_simplified_adapters():
    adapter, seen = filled(DualPathAdapter(V, D)), torch.randn(B, 2, V, D)
    for cloud, vector in zip(seen, adapter(seen), strict=True):
        each = [
            path.out.weight @ plain_whole(own, path.whole) + path.out.bias
            for own, path in zip(cloud, adapter.paths, strict=True)
        ]
        torch.testing.assert_close(vector, normalize((each[0] + each[1]) / 2, dim=0), atol=1e-5, rtol=0)


def test_adapters_have_the_published_numbers_of_parameters_and_start_with_half_of_each_view():
    count = sum(p.numel() for p in InterViewAdapter(10, 512).parameters())
    linear = 10 * 512 * 512 + 512 + (512 * 512 + 512) + (512 * 10 * 512 + 10 * 512)
    assert count == 10 + 2 * 2 * 512 + linear
    assert torch.equal(SimplifiedAdapter(10, 512).whole.fusion, torch.full((10,), 0.5))


@pytest.mark.parametrize(("adapter", "towers"), [("inter-view", 1), ("dual-path", 2)])
def test_the_tower_adapts_what_its_image_towers_say_of_the_depth_maps(adapter, towers):
    drawing = {"style": "clip2point", "views": 6, "size": 32}
    tower = filled(AdaptedViewsTower("clip-vit", SHAPE, drawing, adapter=adapter, dim=5))
    points = torch.randn(2, 100, 3)
    points = points / points.norm(dim=-1).amax(1)[:, None, None]
    pixels = DepthDrawing(**drawing)(points)
    seen = [torch.stack([image(p) for p in pixels]) for image in tower.images]
    assert len(seen) == towers
    expected = tower.adapter(torch.stack(seen, 1) if towers == 2 else seen[0])
    torch.testing.assert_close(tower(points, torch.zeros_like(points)), expected, atol=1e-5, rtol=1e-4)
    again = AdaptedViewsTower("clip-vit", SHAPE, drawing, adapter=adapter, dim=5)
    again.load_state_dict(tower.state_dict())
    assert isinstance(again.images[0], ClipViT)


def test_an_unknown_adapter_is_refused():
    with pytest.raises(ValueError, match="adapter must be one of inter-view, dual-path"):
        AdaptedViewsTower("clip-vit", SHAPE, {"size": 32}, adapter="plug", dim=5)
