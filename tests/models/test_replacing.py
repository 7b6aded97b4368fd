"""A tower that was trained, put beside those of a model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clip3d.clouds.cloud import PointCloud
from clip3d.errors import ModelError
from clip3d.models.checking import check_model
from clip3d.models.loading import load
from clip3d.models.packing import golden_clouds
from clip3d.models.replacing import NewTower, with_towers
from clip3d.towers.point_transformer import PointTransformerTower

CONFIG = {"width": 24, "layers": 2, "heads": 2, "centers": 8, "neighbors": 4, "group_width": 12}


@pytest.fixture
def new(model):
    torch.manual_seed(0)
    tower = PointTransformerTower(dim=model.space.dim, **CONFIG).eval()
    state = {name: tensor.detach().numpy() for name, tensor in tower.state_dict().items()}
    config = {"dim": model.space.dim, **CONFIG}
    return tower, NewTower("point-transformer", state, golden_clouds(points=64), config, {"points": 64})


def test_the_new_tower_answers_and_the_others_stay(model, new, tmp_path):
    tower, parts = new
    made = with_towers(model, {"cloud": parts}, tmp_path / "made", limits=["a test"])
    again = load(str(tmp_path / "made"))
    assert all(check.passed for check in check_model(again))
    points = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
    xyz, rgb = again.cloud_preparation()(PointCloud(points, up="z"))
    expected = tower(torch.from_numpy(xyz)[None], torch.from_numpy(rgb)[None])[0].detach().numpy()
    found = again.encode_clouds([PointCloud(points, up="z")], normalize=False)[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(again.encode_texts(["a chair"]), model.encode_texts(["a chair"]))
    assert made.space.id == model.space.id
    assert "a test" in again.card.limits


def test_it_can_have_prompts_of_its_own(model, new, tmp_path):
    made = with_towers(model, {"cloud": new[1]}, tmp_path / "made", templates=["depth map of a {}"])
    assert made.card.templates == ("depth map of a {}",)
    kept = with_towers(model, {"cloud": new[1]}, tmp_path / "kept")
    assert kept.card.templates == model.card.templates


def test_nothing_is_written_where_something_is(model, new, tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "mine.txt").write_text("mine")
    with pytest.raises(ModelError, match="empty"):
        with_towers(model, {"cloud": new[1]}, tmp_path / "made")
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["mine.txt"]
