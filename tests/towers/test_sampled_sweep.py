"""Cloud towers that look at sweeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from streets import street

from clip3d.towers.sampled_sweep import SampledSweepTower

CLOUDS: dict[str, dict[str, Any]] = {
    "set-abstraction": {"dim": 16, "width": 32, "layers": 1, "heads": 2},
    "point-transformer": {"dim": 16, "width": 32, "layers": 1, "heads": 2, "centers": 8, "neighbors": 4},
    "point-mlp": {"dim": 16},
}


@pytest.mark.parametrize("architecture", CLOUDS)
@torch.no_grad()
def test_any_cloud_tower_sees_sweeps_of_any_length(architecture: str) -> None:
    torch.manual_seed(0)
    tower = SampledSweepTower(architecture, CLOUDS[architecture], points=512).eval()
    sweeps = [street(1, 3000), np.zeros((0, 4), np.float32), street(2, 20)]
    points, counts = torch.from_numpy(np.concatenate(sweeps)), torch.tensor([len(s) for s in sweeps])
    vectors = tower(points, counts)
    assert vectors.shape == (3, 16)
    assert torch.isfinite(vectors).all()
    torch.testing.assert_close(vectors[2:], tower(torch.from_numpy(sweeps[2]), counts[2:]), atol=1e-5, rtol=1e-5)


def test_what_it_shows_lies_within_the_cube_and_keeps_what_is_far() -> None:
    tower = SampledSweepTower("set-abstraction", CLOUDS["set-abstraction"], points=256)
    shown = tower._shown(torch.from_numpy(street(1, 3000)))
    assert shown.shape == (256, 4)
    assert shown[:, :3].abs().max() <= 1
    assert shown[:, 0].max() > 0.7  # beyond 34 m, where few points are
