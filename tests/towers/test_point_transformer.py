"""The size of CG3D's larger encoder, layer by layer, and its laws; tests of its checkpoints test its numbers."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from clip3d.errors import ShapeError
from clip3d.towers.point_transformer import Block, PointTransformerTower

TINY = {"dim": 8, "width": 16, "layers": 3, "heads": 2, "centers": 8, "neighbors": 4, "group_width": 12}


def tower(**changes: object) -> PointTransformerTower:
    torch.manual_seed(0)
    net = PointTransformerTower(**{**TINY, **changes}).eval()
    nn.init.normal_(net.cls_token)
    return net


def clouds(b: int, p: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(b, p, 3, generator=generator), torch.rand(b, p, 3, generator=generator)


def size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_published_size_layer_by_layer() -> None:
    with torch.device("meta"):
        net = PointTransformerTower()
    group = net.group
    assert size(group.lift) == 3 * 128 + 128
    assert size(group.widen) == 128 * 256 + 256
    assert size(group.mix) == 512 * 512 + 512
    assert size(group.summary) == 512 * 256 + 256
    assert size(group.lift_norm) + size(group.mix_norm) == 2 * (128 + 512)
    assert size(net.token) == 256 * 384 + 384
    assert net.cls_token.shape == net.cls_place.shape == (384,)
    assert size(net.place) == 3 * 128 + 128 + 128 * 384 + 384
    attention, perceptron = 4 * 384 * 384 + 384, 8 * 384 * 384 + 5 * 384
    assert [size(block) for block in net.blocks] == 12 * [attention + perceptron + 4 * 384]
    assert size(net.norm) == 2 * 384
    assert size(net.project) == 768 * 512 + 512
    assert size(net) - size(net.project) == 21_858_816


def test_the_sizes_of_the_other_published_configurations() -> None:
    with torch.device("meta"):
        features = PointTransformerTower(dim=None)
        mae = PointTransformerTower(dim=None, group_width=None)
        colored = PointTransformerTower(dim=1280, layers=18, centers=512, colored=True)
    assert size(features) == 21_858_816
    assert size(features) - size(mae) == 256 * 384 + 384 - 128 * 513, "no reduction, a wider last layer of a group"
    # two projections, six more blocks, three more channels a point
    assert size(colored) == 21_858_816 + 768 * 1280 + 1280 + 6 * size(features.blocks[0]) + 3 * 128


@torch.no_grad()
def test_the_first_token_starts_at_zero_and_its_place_is_drawn() -> None:
    torch.manual_seed(0)
    net = PointTransformerTower(**TINY)
    assert not net.cls_token.any()
    assert net.cls_place.all()


@torch.no_grad()
@pytest.mark.parametrize("colored", [False, True])
def test_a_batch_equals_its_clouds_one_by_one(colored: bool) -> None:
    net, (points, colors) = tower(colored=colored), clouds(5, 70)
    single = torch.cat([net(points[i : i + 1], colors[i : i + 1]) for i in range(5)])
    torch.testing.assert_close(net(points, colors), single, atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("p", [1, 2, 5, 300])
def test_any_number_of_points_gives_a_finite_vector(p: int) -> None:
    vectors = tower()(*clouds(1, p))
    assert vectors.shape == (1, 8)
    assert torch.isfinite(vectors).all()


@torch.no_grad()
def test_equal_points_give_a_finite_vector() -> None:
    assert torch.isfinite(tower()(torch.ones(1, 40, 3), torch.ones(1, 40, 3))).all()


@torch.no_grad()
@pytest.mark.parametrize("colored", [False, True])
def test_the_order_of_points_after_the_first_does_not_matter(colored: bool) -> None:
    net, (points, colors) = tower(colored=colored), clouds(1, 60)
    order = torch.cat([torch.zeros(1, dtype=torch.long), 1 + torch.randperm(59)])
    torch.testing.assert_close(net(points, colors), net(points[:, order], colors[:, order]), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_colors_count_only_for_a_colored_tower() -> None:
    points, colors = clouds(1, 60)
    plain, colored = tower(), tower(colored=True)
    assert torch.equal(plain(points, colors), plain(points, 1 - colors))
    assert not torch.allclose(colored(points, colors), colored(points, 1 - colors))


@torch.no_grad()
def test_places_are_added_in_every_block() -> None:
    net, (points, colors) = tower(), clouds(1, 60)
    seen: list[torch.Tensor] = []
    for block in net.blocks:
        block.register_forward_hook(lambda _, inputs, output: seen.extend([inputs[0], output]))
    net(points, colors)
    added = [seen[2] - seen[1], seen[4] - seen[3]]
    torch.testing.assert_close(added[0], added[1])
    torch.testing.assert_close(added[0][0, 0], net.cls_place.data)


def test_gradients_reach_every_parameter() -> None:
    net = tower(skip=0.0, colored=True).train()
    net(*clouds(4, 70)).square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() and p.grad.any() for p in net.parameters())


@torch.no_grad()
def test_autocast_gives_about_the_same_vectors() -> None:
    net, inputs = tower(), clouds(1, 60)
    with torch.autocast("cpu", torch.bfloat16):
        low = net(*inputs)
    cosine = torch.cosine_similarity(low.float(), net(*inputs))
    assert low.dtype == torch.bfloat16
    assert cosine > 0.99


def test_gradients_reach_every_parameter_under_autocast() -> None:
    net = tower(skip=0.0).train()
    with torch.autocast("cpu", torch.bfloat16):
        loss = net(*clouds(4, 70)).float().square().sum()
    loss.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())


@pytest.mark.slow
@torch.no_grad()
def test_a_compiled_tower_gives_the_same_vectors() -> None:
    net, inputs = tower(layers=1), clouds(2, 60)
    torch.testing.assert_close(torch.compile(net)(*inputs), net(*inputs), atol=1e-5, rtol=1e-4)


def test_stochastic_depth_leaves_out_branches_of_whole_clouds_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    block, tokens = Block(8, 2, skip=0.5).train(), torch.randn(1, 5, 8).expand(4000, -1, -1)
    out = block(tokens)
    untouched = (out == tokens).flatten(1).all(1).float().mean()
    assert 0.2 < untouched < 0.3, "both branches are left out in a quarter of the clouds"
    block.contract.weight.data.zero_()
    block.contract.bias.data.zero_()
    torch.testing.assert_close(block(tokens).mean(0), block.eval()(tokens)[0], atol=0.05, rtol=0.0)


def test_stochastic_depth_grows_from_block_to_block() -> None:
    with torch.device("meta"):
        skips = [block.skip for block in PointTransformerTower().blocks]
    assert skips == pytest.approx([0.1 * i / 11 for i in range(12)])


@pytest.mark.slow
def test_a_recorded_graph_is_whole_and_has_the_same_gradients() -> None:
    net, (points, colors) = tower(skip=0.0, layers=1).train(), clouds(3, 60)
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


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="5 heads do not divide a width of 16"):
        tower(heads=5)
