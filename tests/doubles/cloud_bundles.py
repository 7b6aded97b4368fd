"""A bundle that holds nothing but a tiny cloud tower of random weights, in any space."""

from __future__ import annotations

from pathlib import Path

import torch

from clip3d.models.model import Model
from clip3d.models.packing import TowerFacts, golden_clouds, pack
from clip3d.models.weights import write_arrays
from clip3d.spaces import Space
from clip3d.towers.set_abstraction import SetAbstractionTower

CONFIG = {"width": 16, "layers": 1, "heads": 2, "stem": [8, 16], "centers": [16, 8], "neighbors": [4, 4]}


def write_cloud_bundle(folder: Path, space: Space, *, seed: int = 0) -> Model:
    torch.manual_seed(seed)
    config = {"dim": space.dim, **CONFIG}
    state = SetAbstractionTower(**config).state_dict()
    write_arrays({name: tensor.numpy() for name, tensor in state.items()}, folder / "cloud.safetensors")
    write_arrays({"mean": space.mean}, folder / "space.safetensors")
    told = {"name": "clouds", "version": "1", "licence": "CC0-1.0", "templates": ["a {}"]}
    told |= {"measured": [{"test": "none", "value": 0.5}], "limits": ["It saw nothing."]}
    facts = {"id": space.id, "dim": space.dim, "scale": 2.0, "stored": space.stored, "weights": "space.safetensors"}
    tower = TowerFacts("set-abstraction", "cloud.safetensors", config, {"points": 64})
    return pack(folder, told, facts, {"cloud": tower}, golden_clouds(2, 80))
