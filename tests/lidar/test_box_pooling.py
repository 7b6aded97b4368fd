"""Cells of a grid and the boxes that are pooled from them: rows, columns, turns, and what stands in for nothing."""

from __future__ import annotations

import numpy as np
import pytest

from clip3d.errors import ShapeError
from clip3d.lidar.bev_grid import BevGrid
from clip3d.lidar.box_pooling import points_in_box, pool_box, pool_boxes
from clip3d.lidar.cell_features import CellFeatures
from clip3d.lidar.frame import Box

GRID = BevGrid()


def box(x: float, y: float, size: tuple[float, float, float] = (4.0, 2.0, 1.5), yaw: float = 0.0) -> Box:
    return Box("car", np.array([x, y, 0.0]), size, yaw)


def cells_at(*places: tuple[float, float]) -> CellFeatures:
    """Each non-empty cell has its own number as its feature."""
    cells = np.sort(GRID.cell_of(np.array([[x, y, 0] for x, y in places], np.float32).reshape(-1, 3)))
    return CellFeatures(np.stack([cells, np.ones(len(cells))], 1).astype(np.float32), cells, GRID)


def test_a_point_ahead_and_left_lies_in_a_low_column_and_a_high_row() -> None:
    assert (GRID.rows, GRID.columns, GRID.cells) == (80, 80, 6400)
    cell = GRID.cell_of(np.array([[3.2, 12.1, 0]], np.float32))
    assert cell.tolist() == [64 * 80 + 6]
    np.testing.assert_allclose(GRID.centers(cell), [[3.25, 12.25]])
    features = cells_at((3.2, 12.1))
    assert np.argwhere(features.occupied).tolist() == [[64, 6]]
    assert features.map()[64, 6].tolist() == [64 * 80 + 6, 1]


def test_what_is_outside_has_no_cell() -> None:
    outside = [[-0.1, 0, 0], [40, 0, 0], [1, 20, 0], [1, -20.1, 0], [1, 0, 4], [1, 0, -2.1], [np.nan, 0, 0]]
    assert GRID.cell_of(np.array([*outside, [0, -20, -2]], np.float32)).tolist() == [-1] * 7 + [0]


def test_a_turned_box_takes_the_cells_under_it_and_no_others() -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform([1, -19], [39, 19], (900, 2))
    features = cells_at(*places)
    turned = box(20, 3, (8, 3, 2), yaw=0.6)
    pooled = pool_box(features, turned)
    heading, left = np.array([np.cos(0.6), np.sin(0.6)]), np.array([-np.sin(0.6), np.cos(0.6)])
    away = features.centers - [20, 3]
    under = (np.abs(away @ heading) <= 4) & (np.abs(away @ left) <= 1.5)
    assert (pooled.how, pooled.cells) == ("footprint", under.sum())
    np.testing.assert_allclose(pooled.vector, features.features[under].mean(0), rtol=1e-5)


def test_points_in_the_box_weigh_the_cells() -> None:
    features = cells_at((10.2, 0.2), (10.8, 0.2))
    inside = np.array([[10.2, 0.2, 0.0]] * 3 + [[10.8, 0.2, 0.5]], np.float32)
    above = np.array([[10.8, 0.2, 3.0]] * 50, np.float32)  # over the box, in its footprint
    assert points_in_box(np.concatenate([inside, above]), box(10.5, 0)).sum() == 4
    pooled = pool_box(features, box(10.5, 0), np.concatenate([inside, above]))
    assert (pooled.how, pooled.cells) == ("points", 2)
    first, second = features.features
    np.testing.assert_allclose(pooled.vector, 0.75 * first + 0.25 * second, rtol=1e-6)


def test_a_box_between_the_middles_of_cells_takes_the_nearest_and_a_lonely_one_nothing() -> None:
    features = cells_at((10.2, 0.2), (12.2, 0.2))
    pole = box(10.02, 0.02, (0.1, 0.1, 2))
    assert pool_box(features, pole).how == "nearest"
    assert pool_box(features, pole).vector[0] == features.cells[0]
    lonely, beyond = pool_boxes(features, [box(30, 10), box(50, 0)])
    assert (lonely.how, beyond.how) == ("none", "none")
    assert not lonely.vector.any()
    assert pool_box(features, box(10, 0), np.zeros((0, 4), np.float32)).how == "nearest"
    assert pool_box(cells_at(), box(10, 0)).how == "none"


def test_grids_and_boxes_that_are_none_are_refused() -> None:
    with pytest.raises(ShapeError, match="whole cells"):
        BevGrid((0, 0, 0, 1.3, 1, 1), 0.5)
    with pytest.raises(ShapeError, match="may have 1048576 cells"):
        BevGrid((0, 0, 0, 1e4, 1e4, 1), 0.5)
    with pytest.raises(ShapeError, match="finite centre"):
        pool_box(cells_at((1, 1)), box(np.nan, 0))
