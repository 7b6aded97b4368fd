"""The small sweep tower: its size, its cells, and what must not change its vectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from streets import street
from torch import Tensor

from clip3d.lidar.bev_grid import BevGrid
from clip3d.towers.pillar_pyramid import PillarFeatures, PillarPyramidTower
from clip3d.towers.pillars import group_points

SMALL = {"dim": 16, "widths": (8, 8, 16), "hidden": 16}


@pytest.fixture(scope="module", params=[0, 8], ids=["attention", "peaks"])
def tower(request: pytest.FixtureRequest) -> PillarPyramidTower:
    torch.manual_seed(0)
    tower = PillarPyramidTower(**SMALL, peaks=request.param)
    for _ in range(3):  # statistics of the batch norms that are not those of an untrained net
        tower(*together(street(7), street(8)))
    return tower.eval()


def together(*sweeps: np.ndarray) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(np.concatenate(sweeps)), torch.tensor([len(s) for s in sweeps])


def nothing() -> np.ndarray:
    return np.zeros((0, 4), np.float32)


def test_it_is_small() -> None:
    assert sum(p.numel() for p in PillarPyramidTower().parameters()) == 910_528


@torch.no_grad()
def test_peaks_tell_of_one_thing_among_much_and_not_how_often_it_is_there() -> None:
    torch.manual_seed(0)
    tower = PillarPyramidTower(**SMALL, peaks=8).eval()
    cells = tower.settle(torch.randn(40, 16))
    pillars = group_points(*together(street(7)), tower.grid)
    several = replace(pillars, sample=torch.zeros(40, dtype=torch.long), batch=2)
    with_peaks = tower._pooled(cells, several)
    twice = replace(several, sample=torch.zeros(80, dtype=torch.long))
    assert torch.allclose(tower._pooled(cells.repeat(2, 1), twice)[0], with_peaks[0], atol=1e-5)
    plain = PillarPyramidTower(**SMALL).eval()
    plain.load_state_dict(tower.state_dict(), strict=False)
    # nothing is seen in the second sweep, and nothing is added to it
    assert torch.allclose(plain._pooled(cells, several)[1], with_peaks[1])
    assert not torch.allclose(plain._pooled(cells, several)[0], with_peaks[0])


@torch.no_grad()
def test_order_batch_and_filling_change_nothing(tower: PillarPyramidTower) -> None:
    sweeps = [street(1), nothing(), street(2, 37), street(3, 900), nothing()]
    rng = np.random.default_rng(0)
    alone = torch.cat([tower(*together(rng.permutation(sweep))) for sweep in sweeps])
    batch = tower(*together(*sweeps))
    assert torch.isfinite(batch).all()
    torch.testing.assert_close(batch, alone, atol=1e-5, rtol=1e-5)
    filled = torch.full((5, 1000, 4), 5.0)
    for row, sweep in zip(filled, sweeps, strict=True):
        row[: len(sweep)] = torch.from_numpy(sweep)
    torch.testing.assert_close(tower(filled, together(*sweeps)[1]), batch, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_cells_are_where_the_points_are_and_in_the_space_of_the_vectors(tower: PillarPyramidTower) -> None:
    one = together(np.array([[3.2, 12.1, 0, 0.5]], np.float32))
    dense = tower.dense(*one)
    assert dense.cell.tolist() == [64 * 80 + 6]
    alike = torch.allclose(dense.cells, dense.vectors, atol=1e-5)
    assert alike == (tower.peak is None)  # peaks are of a sweep, not of a cell
    several = tower.dense(*together(street(1), nothing(), street(2)))
    assert several.sample.unique().tolist() == [0, 2]
    torch.testing.assert_close(several.vectors, tower(*together(street(1), nothing(), street(2))))


@torch.no_grad()
def test_no_cell_speaks_far_louder_than_the_others(tower: PillarPyramidTower) -> None:
    """A wall seen edge on fills one cell with hundreds of points, far above all others."""
    wall = np.random.default_rng(0).uniform(0, 0.4, (3000, 4)).astype(np.float32)
    wall[:, 0] += 20
    wall[:, 2] = np.linspace(-2.9, 0.9, 3000)
    wall[::2, 3] = 5000.0  # and its paint is brighter than any before
    lengths = tower.dense(*together(np.concatenate([street(1), wall]))).cells.norm(dim=1)
    assert lengths.max() < 5 * lengths.median()


@torch.no_grad()
def test_half_precision_says_nearly_the_same(tower: PillarPyramidTower) -> None:
    sweeps = together(street(1), street(2))
    single = tower.dense(*sweeps)
    with torch.autocast("cpu", torch.bfloat16):
        half = tower.dense(*sweeps)
    assert half.vectors.dtype == half.cells.dtype == torch.float32
    for given, wanted in ((half.vectors, single.vectors), (half.cells, single.cells)):
        assert torch.nn.functional.cosine_similarity(given, wanted).min() > 0.99


@torch.no_grad()
def test_height_is_told_from_the_ground_nearby_not_from_the_sensor() -> None:
    """A sweep on a road that lies a metre lower differs only where z itself is read."""
    grid = BevGrid()
    features = PillarFeatures(grid, 8).eval()
    features.lift.weight[:, [2]] = 0
    sweep = street(1)
    lower = sweep - np.array([0, 0, 0.3, 0], np.float32)
    kept = (sweep[:, 2] < 3.9) & (lower[:, 2] >= -1.99)
    high, low = (group_points(*together(points[kept]), grid) for points in (sweep, lower))
    torch.testing.assert_close(features(high), features(low), atol=1e-4, rtol=1e-4)
    ground = features._ground(high)
    heights = high.points[:, 2:3] - ground[high.pillar]
    assert heights.min() == pytest.approx(0, abs=1e-6)
    assert float((heights > 1).float().mean()) > 0.05


@pytest.mark.parametrize("peaks", [0, 8])
def test_training_gives_every_weight_a_finite_gradient(peaks: int) -> None:
    torch.manual_seed(0)
    tower = PillarPyramidTower(**SMALL, peaks=peaks)
    tower(*together(street(1), nothing(), street(2))).square().sum().backward()
    for name, parameter in tower.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_a_grid_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(ValueError, match="3 levels need a grid that 4 divides"):
        PillarPyramidTower(extent=(0, -20, -2, 41, 20, 4))
