"""Small real files for tests: a model in the true format, boxes as OFF and as OBJ with material."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
from tower_doubles import DIM

from clip3d.models.fingerprint import CLOCK_LAG
from clip3d.models.weights import sha256_of, write_arrays, write_json

BOX_FACES = [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1)]
BOX_FACES += [(2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)]


def make_bundle(folder: Path, *, name: str = "double", space: str = "test-space") -> Path:
    """A model folder with double towers; its space has a mean that is not zero."""
    folder.mkdir(parents=True, exist_ok=True)
    write_arrays({"gain": np.ones(DIM, np.float32)}, folder / "tower.safetensors")
    write_arrays({"mean": np.full(DIM, 0.02, np.float32)}, folder / "space.safetensors")
    sha256 = sha256_of(folder / "tower.safetensors")
    tower = {"config": {}, "weights": "tower.safetensors", "sha256": sha256}
    card = {
        "format": 1,
        "name": name,
        "version": "1",
        "licence": "CC0-1.0",
        "space": {
            "id": space,
            "dim": DIM,
            "scale": 8.0,
            "stored": "unit",
            "weights": "space.safetensors",
            "sha256": sha256_of(folder / "space.safetensors"),
        },
        "templates": ["a {} thing"],
        "towers": {
            "text": {**tower, "architecture": "double-text"},
            "image": {**tower, "architecture": "double-image", "preprocess": {"size": 16}},
            "cloud": {**tower, "architecture": "double-cloud", "preprocess": {"points": 128}},
        },
        "limits": ["It knows five words."],
    }
    write_json(card, folder / "card.json")
    return folder


def settle() -> None:
    """Wait until files that were just written are old enough for the cache to trust their times."""
    time.sleep(2 * CLOCK_LAG / 1e9)


def box(width: float, depth: float, height: float) -> list[tuple[float, float, float]]:
    """Corners of a box that stands on z = 0."""
    return [(x * width, y * depth, z * height) for x in (0, 1) for y in (0, 1) for z in (0, 1)]


def write_off(path: Path, corners: list[tuple[float, float, float]]) -> Path:
    lines = ["OFF", f"{len(corners)} {len(BOX_FACES)} 0"]
    lines += [" ".join(map(str, corner)) for corner in corners]
    lines += [f"3 {a} {b} {c}" for a, b, c in BOX_FACES]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_obj(path: Path, corners: list[tuple[float, float, float]], color: tuple[float, float, float]) -> Path:
    """An OBJ, y up, with its colour in an MTL of the same name."""
    lines = [f"mtllib {path.stem}.mtl", "usemtl paint"]
    lines += [f"v {x} {z} {-y}" for x, y, z in corners]
    lines += [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in BOX_FACES]
    path.write_text("\n".join(lines) + "\n")
    write_mtl(path.with_suffix(".mtl"), color)
    return path


def write_mtl(path: Path, color: tuple[float, float, float]) -> Path:
    path.write_text("newmtl paint\nKd {} {} {}\n".format(*color))
    return path


def json_lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]
