"""The small cloud tower: its laws, its size, and its lazy first layer."""

from __future__ import annotations

import pytest
import torch

from clip3d.errors import ShapeError
from clip3d.towers.grouping import farthest_points, gather, nearest
from clip3d.towers.set_abstraction import SetAbstraction, SetAbstractionTower

TINY = {"dim": 8, "width": 16, "layers": 2, "heads": 2, "stem": (8, 16), "centers": (16, 8), "neighbors": (4, 4)}


def tower() -> SetAbstractionTower:
    torch.manual_seed(0)
    return SetAbstractionTower(**TINY).eval()


def clouds(b: int, p: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(b, p, 3, generator=generator), torch.rand(b, p, 3, generator=generator)


@torch.no_grad()
def test_a_batch_equals_its_clouds_one_by_one() -> None:
    net, (points, colors) = tower(), clouds(5, 70)
    single = torch.cat([net(points[i : i + 1], colors[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(net(points, colors), single, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("p", [1, 2, 5, 300])
def test_any_number_of_points_gives_a_finite_vector(p: int) -> None:
    points, colors = clouds(2, p)
    vectors = tower()(points, colors)
    assert vectors.shape == (2, 8)
    assert torch.isfinite(vectors).all()


@torch.no_grad()
def test_the_order_of_points_after_the_first_does_not_matter() -> None:
    net, (points, colors) = tower(), clouds(1, 60)
    order = torch.cat([torch.zeros(1, dtype=torch.long), 1 + torch.randperm(59)])
    torch.testing.assert_close(net(points, colors), net(points[:, order], colors[:, order]), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_the_lazy_first_layer_equals_the_plain_one() -> None:
    torch.manual_seed(1)
    layer = SetAbstraction(5, 8, 12, centers=6, neighbors=4).eval()
    xyz, features = torch.randn(2, 30, 3), torch.randn(2, 30, 5)
    centers, summary = layer(xyz, features)
    chosen = gather(xyz, farthest_points(xyz, 6))
    index = nearest(xyz, chosen, 4)
    offsets = gather(xyz, index) - chosen[:, :, None]
    hidden = layer.position(offsets) + layer.feature(gather(features, index))
    hidden = torch.relu(layer.norm(hidden.reshape(-1, 8)).reshape(2, 6, 4, 8))
    expected = layer.mix(hidden).max(2).values
    expected = torch.relu(layer.out_norm(expected.reshape(-1, 12)).reshape(2, 6, 12))
    torch.testing.assert_close(centers, chosen)
    torch.testing.assert_close(summary, expected, atol=1e-5, rtol=1e-4)


def test_gradients_reach_every_parameter() -> None:
    net = tower().train()
    net(*clouds(4, 70)).square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())


def test_the_default_tower_is_small() -> None:
    assert sum(p.numel() for p in SetAbstractionTower().parameters()) < 2.3e6


@torch.no_grad()
def test_a_tower_is_told_which_clouds_stand_upright() -> None:
    torch.manual_seed(0)
    net, (points, colors) = SetAbstractionTower(**TINY, pose_free=True).eval(), clouds(2, 70)
    upright, either = net(points, colors), net(points, colors, torch.tensor([True, False]))
    torch.testing.assert_close(either[0], upright[0])
    assert not torch.allclose(either[1], upright[1])
    with pytest.raises(ShapeError, match="no pose-free mode"):
        tower()(points, colors, torch.tensor([True, False]))


@torch.no_grad()
def test_a_tower_tells_how_a_cloud_stands_beside_its_vector() -> None:
    torch.manual_seed(0)
    net, (points, colors) = SetAbstractionTower(**TINY, pose_free=True).eval(), clouds(2, 70)
    unknown = torch.tensor([False, False])
    vectors, logits = net.with_stance(points, colors, unknown)
    torch.testing.assert_close(vectors, net(points, colors, unknown))
    assert logits.shape == (2,)
    with pytest.raises(ShapeError, match="no pose-free mode"):
        tower().with_stance(points, colors, unknown)


@torch.no_grad()
def test_neighbourhoods_cover_the_same_part_at_any_density() -> None:
    torch.manual_seed(1)
    layer = SetAbstraction(1, 8, 12, centers=16, neighbors=16, density=256).eval()
    plane = torch.zeros(1, 1024, 3)
    plane[..., :2] = torch.rand(1, 1024, 2, generator=torch.Generator().manual_seed(0))

    def reach(p: int, density: int) -> float:
        layer.density = density
        centers = gather(plane[:, :p], farthest_points(plane[:, :p], 16))
        index = nearest(plane[:, :p], centers, layer.neighborhood(p))
        return float((gather(plane[:, :p], index) - centers[:, :, None]).norm(dim=-1).amax(2).mean())

    assert reach(1024, 256) == pytest.approx(reach(256, 256), rel=0.1)
    assert reach(1024, 0) < 0.7 * reach(256, 0)
    features = torch.zeros(1, 1024, 1)
    summaries = []
    for density in (0, 256):
        layer.density = density
        summaries.append(layer(plane, features)[1])
    assert not torch.allclose(*summaries)
    layer.density = 256
    assert layer.neighborhood(8) == 4
    assert layer.neighborhood(2) == 2
