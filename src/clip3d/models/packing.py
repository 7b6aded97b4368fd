"""Putting towers together into a bundle: hashes, golden vectors and the card are written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from clip3d.models.card import FORMAT, Modality
from clip3d.models.checking import Inputs, record_golden
from clip3d.models.model import Model
from clip3d.models.weights import sha256_of, write_json

GOLDEN = "golden.safetensors"


@dataclass(frozen=True)
class TowerFacts:
    """What a card says of a tower, less the hashes: see `TowerCard`. The weights lie in the bundle's folder."""

    architecture: str
    weights: str
    config: dict[str, Any] = field(default_factory=dict)
    preprocess: dict[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()


def pack(
    folder: Path,
    facts: Mapping[str, Any],
    space: Mapping[str, Any],
    towers: Mapping[Modality, TowerFacts],
    golden: Inputs,
) -> Model:
    """Write `card.json` and the golden vectors of a bundle whose weight files lie in `folder`.

    Args:
        folder: of the bundle.
        facts: name, version, licence, templates, data, measured, limits, as in `Card`.
        space: id, dim, scale, stored and weights of the space, as in `Card`.
        towers: by modality.
        golden: inputs in the form that `clip3d.models.checking` describes.

    Returns:
        The finished model, loaded from the folder.
    """
    card = {
        "format": FORMAT,
        **facts,
        "space": {**space, "sha256": sha256_of(folder / space["weights"])},
        "towers": {modality: _tower(folder, tower) for modality, tower in towers.items()},
        "golden": {},
    }
    write_json(card, folder / "card.json")
    record_golden(Model(folder), golden, folder / GOLDEN)
    card["golden"] = {GOLDEN: sha256_of(folder / GOLDEN)}
    write_json(card, folder / "card.json")
    return Model(folder)


def golden_clouds(count: int = 3, points: int = 512, seed: int = 0) -> dict[str, Any]:
    """Golden inputs of a cloud tower: coloured ellipsoids of different proportions, (count, points, 3) each."""
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(count, points, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    axes = rng.uniform(0.2, 1, size=(count, 1, 3))
    return {
        "cloud.points": (directions * axes).astype(np.float32),
        "cloud.colors": rng.uniform(size=(count, points, 3)).astype(np.float32),
    }


def golden_images(pictures: Sequence[np.ndarray]) -> dict[str, Any]:
    """Golden inputs of an image tower: equally large pictures (h, w, 3) uint8."""
    return {"image.pixels": np.stack(pictures)}


def golden_sweeps(count: int = 3, points: int = 2000, seed: int = 0) -> dict[str, Any]:
    """Golden inputs of a sweep tower: a street with boxes upon it, with more and more of its points, then none."""
    rng = np.random.default_rng(seed)
    azimuth, distance = rng.uniform(-0.7, 0.7, (count, points)), rng.uniform(3, 38, (count, points))
    x, y = distance * np.cos(azimuth), distance * np.sin(azimuth)
    standing = (np.sin(x) > 0.5) & (np.cos(0.7 * y) > 0.3)
    z = np.where(standing, rng.uniform(-1.6, 0.4, (count, points)), -1.6 + rng.normal(0, 0.02, (count, points)))
    sweeps = np.stack([x, y, z, rng.uniform(size=(count, points))], axis=-1)
    counts = np.linspace(points, 0, count).astype(np.int64)
    return {"sweep.points": sweeps.astype(np.float32), "sweep.counts": counts}


def _tower(folder: Path, tower: TowerFacts) -> dict[str, Any]:
    return {
        "architecture": tower.architecture,
        "config": tower.config,
        "weights": tower.weights,
        "sha256": sha256_of(folder / tower.weights),
        "preprocess": tower.preprocess,
        "files": {name: sha256_of(folder / name) for name in tower.files},
    }
