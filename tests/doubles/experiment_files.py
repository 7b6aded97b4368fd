"""Miniatures of what experiments need: labelled clouds, a tiny SLIP, and a published encoder beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_clip
import torch
from published_encoders import linear, transformer
from tiny_clip import DIM, TinyClip, write_slip
from tiny_vocabulary import learn_merges, vocabulary, write_json

WIDTH = 24
SHAPES = {"tall": (1, 1, 6), "flat": (4, 4, 0.3), "middling": (2, 2, 2)}


def box_cloud(size: tuple[float, float, float], points: int, rng: np.random.Generator) -> np.ndarray:
    return (rng.uniform(-0.5, 0.5, size=(points, 3)) * size).astype(np.float32)


def labelled(path: Path, shapes: list[str], labels: list[str], splits: list[str], points: int = 160) -> Path:
    """Clouds of boxes of the given shapes; the labels need not be the shapes."""
    rng = np.random.default_rng(0)
    classes = sorted(set(labels))
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        points=np.stack([box_cloud(SHAPES[shape], points, rng) for shape in shapes]),
        labels=np.array([classes.index(label) for label in labels]),
        classes=np.array(classes),
        up="z",
        split=np.array(splits),
    )
    return path


def slip_checkpoint(folder: Path) -> Path:
    """SLIP's checkpoint in small, with its tokenizer beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    merges = learn_merges()
    write_json(folder / "tokenizer.json", merges)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_clip, "VOCABULARY", len(vocabulary(merges)))
        path = write_slip(TinyClip(slip=True), folder)
    (folder / "new.pt").unlink()
    return path.rename(folder / "slip_base_100ep.pt")


def cg3d_checkpoint(path: Path) -> Path:
    """CG3D's PointTransformer in small, into the space of the tiny SLIP."""
    torch.save({"base_model": transformer() | linear("projection", DIM, 2 * WIDTH)}, path)
    return path
