import numpy as np
import pytest
import torch

from clip3d.clouds.sampling import farthest_point_sample
from clip3d.errors import ShapeError
from clip3d.towers import grouping
from clip3d.towers.grouping import farthest_points, gather, nearest


@pytest.fixture(params=["numpy", "torch"])
def path(request, monkeypatch):
    """Run the CPU's way, and on the CPU the way of other devices."""
    if request.param == "torch":
        monkeypatch.setattr(grouping, "_in_numpy", lambda xyz: False)
    return request.param


def clouds(b, p, seed=0):
    return torch.randn(b, p, 3, generator=torch.Generator().manual_seed(seed))


def test_farthest_points_of_a_batch_are_those_of_each_cloud_ties_included(path):
    xyz = torch.stack([clouds(1, 90)[0], torch.zeros(90, 3), (clouds(1, 90, seed=1)[0] * 2).round()])
    chosen = farthest_points(xyz, 40)
    assert chosen.dtype == torch.long
    np.testing.assert_array_equal(chosen, [farthest_point_sample(cloud.numpy(), 40) for cloud in xyz])


@pytest.mark.parametrize(("p", "n"), [(1, 1), (1, 5), (6, 15)])
def test_more_farthest_points_than_points_start_again(path, p, n):
    chosen = farthest_points(clouds(2, p), n)
    assert chosen.shape == (2, n)
    np.testing.assert_array_equal(chosen, chosen[:, torch.arange(n) % p])
    assert set(chosen[0].tolist()) == set(range(p))


@pytest.mark.parametrize("offset", [0, 1000])
@pytest.mark.parametrize("p", [20, 700])
def test_nearest_are_those_of_the_full_distance_matrix_even_far_from_the_origin(path, p, offset):
    xyz = clouds(3, p) + offset
    centers = xyz[:, :7]
    distance = (centers[:, :, None] - xyz[:, None]).double().norm(dim=-1)
    found = nearest(xyz, centers, 9)
    assert found.dtype == torch.long
    np.testing.assert_allclose(distance.gather(2, found), distance.sort(-1).values[..., :9], atol=1e-5)
    np.testing.assert_array_equal(found[..., 0], np.broadcast_to(np.arange(7), (3, 7)))


@pytest.mark.parametrize("p", [4, 300])
def test_nearest_of_a_batch_are_those_of_each_cloud(path, p):
    xyz, centers = clouds(4, p), clouds(4, 6, seed=1)
    alone = torch.cat([nearest(xyz[i : i + 1], centers[i : i + 1], 4) for i in range(4)])
    np.testing.assert_array_equal(nearest(xyz, centers, 4), alone)


def test_more_neighbours_than_points_repeat_them_in_order(path):
    found = nearest(clouds(2, 3), clouds(2, 5, seed=1), 8)
    np.testing.assert_array_equal(found, found[..., torch.arange(8) % 3])


@pytest.mark.parametrize("p", [40, 400])
def test_one_nearest_point_in_clouds_of_one_place(path, p):
    assert nearest(torch.zeros(2, p, 3), torch.zeros(2, 3, 3), 1).shape == (2, 3, 1)


def test_gathered_rows_are_those_named_and_carry_gradients():
    features = torch.randn(3, 10, 4, requires_grad=True)
    index = torch.randint(0, 10, (3, 5, 2), generator=torch.Generator().manual_seed(0))
    gathered = gather(features, index)
    for b in range(3):
        np.testing.assert_array_equal(gathered[b].detach(), features[b][index[b]].detach())
    gathered.sum().backward()
    uses = torch.stack([torch.bincount(row.reshape(-1), minlength=10) for row in index])
    np.testing.assert_array_equal(features.grad, uses[..., None].expand(3, 10, 4))


def test_geometry_of_tensors_with_gradients_gives_plain_indices(path):
    xyz = clouds(1, 300).requires_grad_()
    chosen = farthest_points(xyz, 5)
    assert not nearest(xyz, gather(xyz, chosen), 3).requires_grad


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_a_recorded_graph_works_on_other_clouds():
    def summary(xyz):
        return gather(xyz, nearest(xyz, gather(xyz, farthest_points(xyz, 6)), 4)).mean(2)

    traced = torch.jit.trace(summary, clouds(2, 300), check_trace=False)
    other = clouds(2, 300, seed=5)
    torch.testing.assert_close(traced(other), summary(other))


def test_wrong_shapes_are_named():
    with pytest.raises(ShapeError, match="xyz"):
        farthest_points(torch.zeros(5, 3), 2)
    with pytest.raises(ShapeError, match="centers"):
        nearest(clouds(1, 5), torch.zeros(1, 2, 2), 1)
