"""A trained sweep tower comes into a bundle, is recorded, and stays when something else changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from sweep_bundles import TINY

import clip3d
from clip3d.models.checking import check_model
from clip3d.models.loading import EMBEDDED, embedded_models
from clip3d.models.weights import write_arrays, write_json
from clip3d.towers.pillar_pyramid import PillarPyramidTower

pytestmark = pytest.mark.skipif("mini" not in embedded_models(), reason="this checkout holds no weights of mini")


def test_a_sweep_tower_joins_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "scripts"))
    import assemble_mini

    folder, run = tmp_path / "mini", tmp_path / "run"
    shutil.copytree(EMBEDDED / "mini", folder)
    before = clip3d.load(folder)
    state = PillarPyramidTower(**TINY).state_dict()
    write_arrays({name: tensor.numpy() for name, tensor in state.items()}, run / "sweep.safetensors")
    write_json({"kind": "sweep", "architecture": "pillar-pyramid", "tower": TINY}, run / "result.json")
    assemble_mini.assemble(folder, {"sweep": run})
    model = clip3d.load(folder)
    assert model.card.towers["sweep"].config == TINY
    assert model.space.scale == before.space.scale
    assert all(check.passed for check in check_model(model))
    assemble_mini.assemble(folder, {})
    assert clip3d.load(folder).card.towers["sweep"] == model.card.towers["sweep"]
    assert torch.equal(torch.from_numpy(model.tower("sweep").rows.detach().numpy()), state["rows"])
