"""A checkpoint in the layout of LidarCLIP's training loads whole and gives what its own modules would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import published_lidarclip as published
import pytest
import torch
from published_encoders import State
from streets import street

from clip3d.errors import ModelError
from clip3d.models.encoder_checkpoints import load_encoder


def write(path: Path, state: State, **beside: Any) -> Path:
    notes = {"epoch": 0, "pytorch-lightning_version": "1.6.3", "callbacks": {}, "lr_schedulers": []}
    torch.save({"state_dict": state, "optimizer_states": [], **notes, **beside}, path)
    return path


@torch.no_grad()
def test_the_loaded_tower_gives_the_published_vectors(tmp_path: Path) -> None:
    state = published.checkpoint()
    loaded = load_encoder(write(tmp_path / "last.ckpt", state))
    assert loaded.layout == "LidarCLIP SST"
    assert loaded.config == {
        "dim": 32, "width": 16, "point_width": 8, "blocks": 2, "hidden": 24, "query": "all"
    }  # fmt: skip
    assert all(key.startswith(("clip.", "lidar_encoder._sst.bbox_head.")) for key in loaded.dropped)
    sweeps = [street(1, 250), street(2, 40)]
    vectors, cells, full = published.vectors(state, sweeps)
    points, counts = torch.from_numpy(np.concatenate(sweeps)), torch.tensor([len(s) for s in sweeps])
    dense = loaded.tower.dense(points, counts)  # type: ignore[operator]
    torch.testing.assert_close(dense.vectors.double(), vectors, atol=1e-4, rtol=1e-4)
    assert [(dense.sample == i).sum().item() for i in (0, 1)] == full.sum(1).tolist()
    torch.testing.assert_close(dense.cells.double(), cells[full], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(loaded.tower(points, counts), dense.vectors)


@torch.no_grad()
def test_a_full_window_is_attended_whole(tmp_path: Path) -> None:
    """All 144 pillars of a window, and its neighbours: the fullest bucket and the emptiest."""
    state = published.checkpoint(blocks=1)
    steps = np.arange(13) * 0.5 + 6.25
    x, y = np.meshgrid(steps, steps - 6)
    sweep = np.stack([x.ravel(), y.ravel(), np.sin(x.ravel() * 3), np.full(x.size, 0.4)], 1).astype(np.float32)
    loaded = load_encoder(write(tmp_path / "last.ckpt", state))
    vectors, _, _ = published.vectors(state, [sweep])
    found = loaded.tower(torch.from_numpy(sweep), torch.tensor([len(sweep)]))
    torch.testing.assert_close(found.double(), vectors, atol=1e-4, rtol=1e-4)


def test_callbacks_of_an_old_trainer_are_passed_over(tmp_path: Path) -> None:
    """Older trainers key the notes of their callbacks by the callbacks' classes, which need not be installed."""
    path = tmp_path / "old.ckpt"
    kind = type("ModelCheckpoint", (), {"__module__": "pytorch_lightning.callbacks.model_checkpoint"})
    with pytest.MonkeyPatch.context() as patch:
        module = type(torch)("pytorch_lightning.callbacks.model_checkpoint")
        module.ModelCheckpoint = kind  # type: ignore[attr-defined]
        for name in ("pytorch_lightning", "pytorch_lightning.callbacks"):
            patch.setitem(__import__("sys").modules, name, type(torch)(name))
        patch.setitem(__import__("sys").modules, module.__name__, module)
        write(path, published.checkpoint(), callbacks={kind: {"best_model_score": torch.tensor(0.1)}})
    assert load_encoder(path).layout == "LidarCLIP SST"


def test_a_key_that_is_lacking_or_unknown_is_named(tmp_path: Path) -> None:
    state = published.checkpoint()
    lacking = {key: t for key, t in state.items() if key != "lidar_encoder._pooler.c_proj.bias"}
    with pytest.raises(ModelError, match=r"lacks 'lidar_encoder\._pooler\.c_proj\.bias'"):
        load_encoder(write(tmp_path / "a.ckpt", lacking))
    with pytest.raises(ModelError, match=r"holds 'lidar_encoder\._sst\.neck\.weight', which is no part"):
        load_encoder(write(tmp_path / "b.ckpt", {**state, "lidar_encoder._sst.neck.weight": torch.zeros(2)}))
    grid = {**state, "lidar_encoder._pooler.positional_embedding": torch.zeros(50, 32)}
    with pytest.raises(ModelError, match="positional_embedding"):
        load_encoder(write(tmp_path / "c.ckpt", grid))
