"""A classifier of random weights in the true format, and clouds of three kinds that can be told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from clip3d.models.classifiers import Classifier, pack_classifier
from clip3d.models.model import Model
from clip3d.models.packing import TowerFacts, golden_clouds, pack
from clip3d.models.weights import write_arrays

BACKBONE: dict[str, Any] = {
    "width": 16,
    "layers": 1,
    "heads": 2,
    "stem": [8, 16],
    "centers": [16, 8],
    "neighbors": [4, 4],
}
LABELS = ["chair", "dining table", "lamp"]


def make_classifier(folder: Path, labels: list[str] = LABELS) -> tuple[Model, Any]:
    """The model in a new folder, and the tower that it was made of, in eval mode."""
    import torch

    from clip3d.towers.classifier import ClassifierTower

    torch.manual_seed(0)
    config = {"architecture": "set-abstraction", "backbone": BACKBONE, "classes": len(labels), "scale": 100.0}
    tower = ClassifierTower(**config).eval()
    with torch.no_grad():
        tower.head[-1].weight.mul_(20)  # decided answers
    folder.mkdir()
    state = {name: tensor.numpy() for name, tensor in tower.state_dict().items()}
    facts = {"name": "tiny", "version": "1", "licence": "CC0-1.0"}
    return pack_classifier(folder, Classifier(labels, config, state, {"points": 64}), facts), tower


def make_encoder(
    folder: Path, seed: int = 0, architecture: str = "set-abstraction", config: dict[str, Any] = BACKBONE
) -> Model:
    """A model whose cloud tower is a small one of random weights."""
    import torch

    from clip3d.towers.catalogue import resolve

    torch.manual_seed(seed)
    folder.mkdir(parents=True)
    state = resolve(architecture)(dim=8, **config).state_dict()
    write_arrays({name: tensor.numpy() for name, tensor in state.items()}, folder / "cloud.safetensors")
    write_arrays({"mean": np.zeros(8, np.float32)}, folder / "space.safetensors")
    facts = {"name": "encoder", "version": "1", "licence": "CC0-1.0", "templates": ["a {}"]}
    space = {"id": "s", "dim": 8, "scale": 1.0, "stored": "unit", "weights": "space.safetensors"}
    tower = TowerFacts(architecture, "cloud.safetensors", {"dim": 8, **config}, {"points": 64})
    return pack(folder, facts, space, {"cloud": tower}, golden_clouds(2, 80))


def shapes(kind: int, n: int, p: int, seed: int) -> np.ndarray:
    """Clouds (n, p, 3): 0 rods, 1 plates, 2 balls, each a little different."""
    rng = np.random.default_rng([kind, seed])
    axes = np.array([[0.15, 0.15, 1], [1, 1, 0.15], [0.7, 0.7, 0.7]])[kind]
    directions = rng.normal(size=(n, p, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    return (directions * axes * rng.uniform(0.8, 1.25, size=(n, 1, 3))).astype(np.float32)


def write_shapes(path: Path, *, order: tuple[int, ...] = (0, 1, 2), train: int = 12, test: int = 4) -> Path:
    """An npz of rods, plates and balls with the splits train and test; `order` is that of the classes."""
    names = np.array(["rod", "flat_plate", "ball"])
    kinds = np.repeat([0, 1, 2] * 2, [train] * 3 + [test] * 3)
    parts = [shapes(kind, train, 80, 0) for kind in range(3)] + [shapes(kind, test, 80, 1) for kind in range(3)]
    np.savez(
        path,
        points=np.concatenate(parts),
        labels=np.argsort(order)[kinds],
        classes=names[list(order)],
        up="z",
        split=np.repeat(["train", "test"], [3 * train, 3 * test]),
        names=np.array([f"{names[kind]}_{i}" for i, kind in enumerate(kinds)]),
    )
    return path
