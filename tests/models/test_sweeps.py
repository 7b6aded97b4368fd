"""Sweeps through a model: vectors, cells, the quarter ahead of a whole sweep, and a bundle that checks itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_files import make_bundle
from streets import street
from sweep_bundles import TINY, sweep_bundle

import clip3d
from clip3d.errors import ModelError
from clip3d.lidar.cell_features import SweepFeatures
from clip3d.lidar.frustum import Frustum
from clip3d.lidar.sweep import Sweep
from clip3d.lidar.wedge import wedge
from clip3d.models.checking import check_model
from clip3d.models.exporting import export_tower
from clip3d.models.model import Model
from clip3d.models.preprocess import SweepPreprocess


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return sweep_bundle(tmp_path_factory.mktemp("sweeps"), **TINY)


def test_vectors_come_in_order_whatever_the_batch(model: Model) -> None:
    frusta = [Frustum(street(i, 50 * i)) for i in range(5)]
    vectors = model.encode_sweeps(iter(frusta))
    assert (vectors.shape, vectors.dtype) == ((5, model.space.dim), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(model.encode_sweeps(frusta, batch_size=2), vectors, atol=1e-5)
    raw = model.encode_sweeps(frusta, normalize=False)
    assert np.abs(np.linalg.norm(raw, axis=1) - 1).min() > 1e-3
    assert model.encode_sweeps([]).shape == (0, model.space.dim)


def test_dense_gives_the_cells_too(model: Model) -> None:
    frusta = [Frustum(street(1)), Frustum(np.zeros((0, 4))), Frustum(street(2))]
    dense = model.encode_sweeps(frusta, dense=True, batch_size=2)
    assert isinstance(dense, SweepFeatures)
    np.testing.assert_allclose(dense.vectors, model.encode_sweeps(frusta), atol=1e-5)
    assert [len(cells.features) > 0 for cells in dense.cells] == [True, False, True]
    for frustum, cells in zip(frusta, dense.cells, strict=True):
        found = cells.grid.cell_of(frustum.points[:, :3])
        assert sorted(set(found) - {-1}) == cells.cells.tolist()
        np.testing.assert_allclose(np.linalg.norm(cells.features, axis=1), 1, rtol=1e-5)
    assert dense.cells[0].map().shape == (80, 80, model.space.dim)


def test_of_a_whole_sweep_the_quarter_ahead_is_seen(model: Model) -> None:
    rng = np.random.default_rng(0)
    sweep = Sweep(rng.uniform([-30, -30, -2], [30, 30, 2], (4000, 3)), rng.random(4000))
    np.testing.assert_allclose(model.encode_sweeps([sweep]), model.encode_sweeps([wedge(sweep)]), atol=1e-6)


def test_preparation_cuts_scales_and_bounds() -> None:
    points = street(1, 3000)
    prepare = SweepPreprocess(points=500, intensity=255)
    shown = prepare(Frustum(points))
    assert shown.shape == (500, 4)
    assert (shown[:, 2] < 4).all()
    assert shown[:, 3].max() > 100
    np.testing.assert_array_equal(shown, prepare(Frustum(points)))
    all_points = SweepPreprocess()(Frustum(points))
    inside = (points[:, 0] < 40) & (points[:, 2] < 4) & (abs(points[:, 1]) < 20)
    np.testing.assert_array_equal(all_points, points[inside])
    with pytest.raises(ValueError, match="extent"):
        SweepPreprocess(extent=(0, 0, 0, 1, 1))
    with pytest.raises(TypeError):
        SweepPreprocess.from_card({"range": 3})


def test_its_card_is_checked_and_a_changed_tower_is_seen(model: Model, tmp_path: Path) -> None:
    assert {check.name for check in check_model(model)} >= {"sweep vectors", "sweep.safetensors"}
    assert all(check.passed for check in check_model(model))
    assert clip3d.load(model.folder).card.towers["sweep"].architecture == "pillar-pyramid"


def test_a_model_without_a_sweep_tower_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no sweep tower"):
        Model(make_bundle(tmp_path / "m")).encode_sweeps([])


def test_a_tower_without_cells_says_so(tmp_path: Path) -> None:
    dim = Model(make_bundle(tmp_path / "m")).space.dim
    cloud = {"dim": dim, "width": 32, "layers": 1, "heads": 2}
    model = sweep_bundle(tmp_path, "sampled-sweep", architecture="set-abstraction", cloud=cloud)
    assert model.encode_sweeps([Frustum(street(1))]).shape == (1, dim)
    with pytest.raises(ModelError, match="no vectors of cells"):
        model.encode_sweeps([], dense=True)


def test_a_sweep_tower_is_not_exported(model: Model, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="works on the cells that have points"):
        export_tower(model, "sweep", tmp_path / "sweep.pt2", file_format="torch")
