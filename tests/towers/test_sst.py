"""LidarCLIP's tower: its size, its order of axes, and that no order, batch or emptiness changes what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from streets import street
from torch import Tensor

from clip3d.errors import ShapeError
from clip3d.towers.sst import SparseTransformerTower

SMALL = {"dim": 32, "width": 16, "point_width": 8, "hidden": 24, "blocks": 2}


@pytest.fixture(scope="module")
def tower() -> SparseTransformerTower:
    torch.manual_seed(0)
    return SparseTransformerTower(**SMALL).eval()


def together(*sweeps: np.ndarray) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(np.concatenate(sweeps)), torch.tensor([len(s) for s in sweeps])


def nothing() -> np.ndarray:
    return np.zeros((0, 4), np.float32)


def count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(("dim", "total", "pooling"), [(768, 8_454_656, 7_377_408), (512, 5_471_232, 4_393_984)])
def test_it_has_the_published_number_of_parameters(dim: int, total: int, pooling: int) -> None:
    tower = SparseTransformerTower(dim)
    assert count(tower) == total
    assert (count(tower.features), count(tower.blocks)) == (17_408, 1_059_840)
    assert (count(tower.pool), tower.pool.positions.shape) == (pooling, (6401, dim))


@torch.no_grad()
def test_a_point_ahead_and_left_lies_in_a_low_column_and_a_high_row(tower: SparseTransformerTower) -> None:
    points, counts = together(np.array([[3.2, 12.1, 0, 0.5]], np.float32))
    view = tower.bird_view(points, counts)
    assert view.shape == (1, 16, 80, 80)
    assert (view != 0).any(1).nonzero().tolist() == [[0, 64, 6]]  # row (12.1 + 20) / .5, column 3.2 / .5
    dense = tower.dense(points, counts)
    assert dense.cell.tolist() == [64 * 80 + 6]
    np.testing.assert_allclose(tower.grid.centers(dense.cell.numpy()), [[3.25, 12.25]])


@torch.no_grad()
def test_the_order_of_points_and_what_lies_outside_change_nothing(tower: SparseTransformerTower) -> None:
    sweep = street(1)
    rng = np.random.default_rng(0)
    outside = np.float32([[-0.01, 0, 0, 1], [40, 0, 0, 1], [5, 20, 0, 1], [5, 0, 4, 1], [np.nan, 0, 0, 1]])
    other = rng.permutation(np.concatenate([sweep, outside]))
    first, second = tower(*together(sweep)), tower(*together(other))
    torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_vector_does_not_depend_on_the_batch(tower: SparseTransformerTower) -> None:
    sweeps = [street(1), street(2, 37), nothing(), street(3, 1500), np.full((4, 4), 99, np.float32), nothing()]
    alone = torch.cat([tower(*together(sweep)) for sweep in sweeps])
    batch = tower(*together(*sweeps))
    assert batch.shape == (6, 32)
    assert torch.isfinite(batch).all()
    torch.testing.assert_close(batch, alone, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(tower(*together(*sweeps[::-1])), alone.flip(0), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_sweeps_filled_up_to_one_length_equal_those_one_after_the_other(tower: SparseTransformerTower) -> None:
    sweeps = [street(1, 60), nothing(), street(2, 90)]
    filled = torch.full((3, 100, 4), 7.0)  # inside the extent: only the counts tell that it is no point
    for row, sweep in zip(filled, sweeps, strict=True):
        row[: len(sweep)] = torch.from_numpy(sweep)
    points, counts = together(*sweeps)
    torch.testing.assert_close(tower(filled, counts), tower(points, counts), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_an_empty_sweep_has_a_vector_of_its_own_and_no_cells(tower: SparseTransformerTower) -> None:
    points, counts = together(nothing(), nothing())
    dense = tower.dense(points, counts)
    assert dense.cells.shape == (0, 32)
    assert torch.isfinite(dense.vectors).all()
    assert dense.vectors.norm(dim=1).min() > 1e-3
    torch.testing.assert_close(dense.vectors[0], tower(*together(np.full((3, 4), 99, np.float32)))[0])


def test_training_with_empty_sweeps_gives_every_weight_a_finite_gradient() -> None:
    torch.manual_seed(0)
    tower = SparseTransformerTower(**SMALL)
    tower(*together(street(1), nothing(), street(2))).square().sum().backward()
    for name, parameter in tower.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
    tower(*together(nothing())).sum().backward()
    tower(*together(street(1, 1)[:, [0, 1, 3, 3]])).sum().backward()


@torch.no_grad()
def test_the_mean_that_asks_is_taken_over_all_cells_or_the_occupied_ones() -> None:
    torch.manual_seed(0)
    published = SparseTransformerTower(**SMALL).eval()
    ours = SparseTransformerTower(**SMALL, query="occupied").eval()
    ours.load_state_dict(published.state_dict())
    sweep = together(street(1))
    assert not torch.allclose(published(*sweep), ours(*sweep), atol=1e-4)
    torch.testing.assert_close(published.dense(*sweep).cells, ours.dense(*sweep).cells)
    with pytest.raises(ValueError, match="query must be one of all, occupied"):
        SparseTransformerTower(**SMALL, query="some")  # type: ignore[arg-type]


@torch.no_grad()
def test_a_cell_alone_speaks_for_its_sweep(tower: SparseTransformerTower) -> None:
    """Attention over one cell is that cell: the pooled vector and the dense one are the same."""
    dense = tower.dense(*together(np.array([[5, 1, 0, 0.2], [5.1, 1.1, 0.4, 0.9]], np.float32)))
    torch.testing.assert_close(dense.cells, dense.vectors, atol=1e-5, rtol=1e-5)


def test_counts_that_do_not_fit_are_refused(tower: SparseTransformerTower) -> None:
    with pytest.raises(ShapeError, match="counts add up to 3, and there are 2 points"):
        tower(torch.zeros(2, 4), torch.tensor([3]))
    with pytest.raises(ShapeError, match="takes points"):
        tower(torch.zeros(2, 3), torch.tensor([2]))
    with pytest.raises(ShapeError, match="counts do not fit"):
        tower(torch.zeros(1, 2, 4), torch.tensor([3]))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@torch.no_grad()
def test_a_gpu_says_the_same(tower: SparseTransformerTower) -> None:
    points, counts = together(street(1, 3000), nothing(), street(2))
    there = SparseTransformerTower(**SMALL).eval().cuda()
    there.load_state_dict(tower.state_dict())
    found = there(points.cuda(), counts.cuda()).cpu()
    torch.testing.assert_close(found, tower(points, counts), atol=1e-4, rtol=1e-4)
