"""What probes see of a tower's earlier levels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from cloud_bundles import write_cloud_bundle

from clip3d.clouds.cloud import PointCloud
from clip3d.spaces import Space
from clip3d.towers.ensemble import EnsembleTower
from clip3d.towers.point_mlp import PointMLPTower
from clip3d.towers.point_transformer import PointTransformerTower
from clip3d.towers.set_abstraction import SetAbstractionTower

SMALL = {"width": 16, "layers": 1, "heads": 2, "stem": (8, 8), "centers": (16, 4)}
TOWERS = {
    "ensemble": lambda: EnsembleTower([SMALL, SMALL], 8),
    "set-abstraction": lambda: SetAbstractionTower(8, **SMALL),
    "point-transformer": lambda: PointTransformerTower(8, width=12, layers=7, heads=2, centers=8, neighbors=4),
    "pointmlp": lambda: PointMLPTower(8, stem=8, channels=(8, 16, 16), anchors=(16, 8, 4), neighbors=4, blocks=1),
}


@pytest.mark.parametrize("name", TOWERS)
def test_levels_give_features_of_parts_of_each_cloud(name: str) -> None:
    tower = TOWERS[name]().eval()
    seen = []
    assert len(tower.levels) >= 2
    for level in tower.levels:
        level.register_forward_hook(lambda module, arguments, given: seen.append(given))
    with torch.inference_mode():
        tower(torch.rand(2, 40, 3), torch.rand(2, 40, 3))
    assert len(seen) == len(tower.levels)
    for given in seen:
        features = given[-1] if isinstance(given, tuple) else given
        assert features.ndim == 3
        assert features.shape[0] == 2
        assert features.shape[1] > 1


def test_features_of_levels_stand_before_those_of_the_head(tmp_path: Path) -> None:
    model = write_cloud_bundle(tmp_path / "tiny", Space("s", 8, np.zeros(8, np.float32)))
    rng = np.random.default_rng(0)
    clouds = [PointCloud(rng.normal(size=(90, 3)).astype(np.float32)) for _ in range(3)]
    head, levels = model.cloud_features(clouds), model.cloud_features(clouds, levels=True)
    assert levels.shape[1] > head.shape[1]
    np.testing.assert_allclose(levels[:, -head.shape[1] :], head, rtol=1e-5)
    with_others = model.cloud_features(clouds[:1], levels=True)
    np.testing.assert_allclose(with_others, levels[:1], rtol=1e-4, atol=1e-5)
