"""The size of CG3D's smaller encoder, layer by layer, and its laws; tests of its checkpoints test its numbers."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from clip3d.errors import ShapeError
from clip3d.towers.point_mlp import PointMLPTower

TINY = {"dim": 8, "stem": 6, "channels": (8, 12), "anchors": (10, 5), "neighbors": 4}


def tower(**changes: object) -> PointMLPTower:
    torch.manual_seed(0)
    return PointMLPTower(**{**TINY, **changes}).eval()


def clouds(b: int, p: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(b, p, 3, generator=generator), torch.rand(b, p, 3, generator=generator)


def size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_published_size_layer_by_layer() -> None:
    with torch.device("meta"):
        net = PointMLPTower()
    assert size(net.embed) + size(net.embed_norm) == 3 * 64 + 2 * 64
    for stage, inner, outer in zip(net.stages, (64, 128, 256, 512), (128, 256, 512, 1024), strict=True):
        assert stage.scale.shape == stage.shift.shape == (inner,)
        assert size(stage.transfer) + size(stage.transfer_norm) == 2 * inner * outer + 2 * outer
        assert [size(block) for block in [*stage.local, *stage.regional]] == 4 * [2 * outer * outer + 4 * outer]
    assert [(stage.anchors, stage.neighbors) for stage in net.stages] == [(512, 24), (256, 24), (128, 24), (64, 24)]
    assert size(net.project) == 1024 * 512 + 512
    assert size(net) == 13_095_360


def test_the_size_with_the_head_of_ulip() -> None:
    with torch.device("meta"):
        features, ulip = PointMLPTower(dim=None), PointMLPTower(head=(512, 256))
    hidden = 1024 * 512 + 3 * 512 + 512 * 256 + 3 * 256
    assert size(features) == 13_095_360 - 1024 * 512 - 512
    assert size(ulip) == size(features) + hidden + 256 * 512 + 512


@torch.no_grad()
@pytest.mark.parametrize("head", [(), (7, 9)])
def test_a_batch_equals_its_clouds_one_by_one(head: tuple[int, ...]) -> None:
    net, (points, colors) = tower(head=head), clouds(5, 70)
    single = torch.cat([net(points[i : i + 1], colors[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(net(points, colors), single, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("p", [1, 2, 5, 300])
@pytest.mark.parametrize("head", [(), (7, 9)])
def test_any_number_of_points_gives_a_finite_vector(p: int, head: tuple[int, ...]) -> None:
    vectors = tower(head=head)(*clouds(1, p))
    assert vectors.shape == (1, 8)
    assert torch.isfinite(vectors).all()


@torch.no_grad()
def test_the_order_of_points_after_the_first_does_not_matter() -> None:
    net, (points, colors) = tower(), clouds(1, 60)
    order = torch.cat([torch.zeros(1, dtype=torch.long), 1 + torch.randperm(59)])
    torch.testing.assert_close(net(points, colors), net(points[:, order], colors[:, order]), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_colors_are_ignored() -> None:
    points, colors = clouds(1, 60)
    assert torch.equal(tower()(points, colors), tower()(points, 1 - colors))


@pytest.mark.parametrize("head", [(), (7, 9)])
def test_gradients_reach_every_parameter(head: tuple[int, ...]) -> None:
    net = tower(head=head).train()
    net(*clouds(4, 70)).square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() and p.grad.any() for p in net.parameters())


def test_a_cloud_of_equal_points_spoils_no_gradient() -> None:
    net, (points, colors) = tower().train(), clouds(3, 40)
    points[1] = points[1, :1]
    net(points, colors).square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)


@torch.no_grad()
def test_neighbourhoods_are_made_alike_cloud_by_cloud() -> None:
    stage = tower().stages[0]
    offsets = torch.randn(2, 10, 4, 6) * torch.tensor([0.1, 10.0]).view(2, 1, 1, 1)
    alike = stage._made_alike(offsets)
    torch.testing.assert_close(alike.flatten(1).std(1), torch.ones(2), atol=1e-3, rtol=0.0)
    torch.testing.assert_close(alike[1], offsets[1] / (offsets[1].std() + 1e-5))


@torch.no_grad()
def test_autocast_gives_about_the_same_vectors() -> None:
    net, inputs = tower(), clouds(1, 60)
    with torch.autocast("cpu", torch.bfloat16):
        low = net(*inputs)
    cosine = torch.cosine_similarity(low.float(), net(*inputs))
    assert low.dtype == torch.bfloat16
    assert cosine > 0.99


def test_gradients_reach_every_parameter_under_autocast() -> None:
    net = tower().train()
    with torch.autocast("cpu", torch.bfloat16):
        loss = net(*clouds(4, 70)).float().square().sum()
    loss.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())


@pytest.mark.slow
@torch.no_grad()
def test_a_compiled_tower_gives_the_same_vectors() -> None:
    net, inputs = tower(anchors=(256, 128)), clouds(2, 300)
    torch.testing.assert_close(torch.compile(net)(*inputs), net(*inputs), atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_a_recorded_graph_is_whole_and_has_the_same_gradients() -> None:
    net, (points, colors) = tower().train(), clouds(3, 60)
    twin = deepcopy(net)
    recorded = torch.compile(twin, backend="aot_eager", fullgraph=True)
    gradients = []
    for run, module in ((net, net), (recorded, twin)):
        inputs = points.clone().requires_grad_()
        run(inputs, colors).square().sum().backward()
        gradients.append([inputs.grad, *(p.grad for p in module.parameters())])
    torch.testing.assert_close(gradients[1], gradients[0], atol=1e-4, rtol=1e-3)


def test_only_upright_clouds_are_taken() -> None:
    net, inputs = tower(), clouds(2, 30)
    assert net(*inputs, torch.tensor([True, True])).shape == (2, 8)
    with pytest.raises(ShapeError, match="no pose-free mode"):
        net(*inputs, torch.tensor([True, False]))


def test_each_stage_needs_its_anchors() -> None:
    with pytest.raises(ValueError, match="zip"):
        tower(anchors=(10, 5, 2))
