"""The doubles' model with an untrained sweep tower beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from small_files import make_bundle

from clip3d.models.model import Model
from clip3d.models.packing import golden_sweeps
from clip3d.models.replacing import NewTower, with_towers
from clip3d.towers.catalogue import resolve

TINY: dict[str, Any] = {"widths": [8, 8, 16], "hidden": 16}


def sweep_bundle(folder: Path, kind: str = "pillar-pyramid", **config: Any) -> Model:
    """A model in `folder`/model; its sweep tower is shown half of an intensity."""
    base = Model(make_bundle(folder / "base"))
    config = config if "cloud" in config else {"dim": base.space.dim, **config}
    torch.manual_seed(0)
    state = {name: t.numpy() for name, t in resolve(kind)(**config).state_dict().items()}
    tower = NewTower(kind, state, golden_sweeps(), config, {"intensity": 0.5})
    return with_towers(base, {"sweep": tower}, folder / "model")
