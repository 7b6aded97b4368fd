"""Triplets in memory, of things that are easily told apart, and a tiny CLIP to learn them from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_clip
from tiny_vocabulary import learn_merges, vocabulary, write_json

from clip3d.clouds.cloud import PointCloud
from clip3d.errors import CloudError
from clip3d.models.clip_converting import convert_clip

MERGES = learn_merges()
KINDS = {"chair": (1, 1, 0.1), "table": (0.1, 0.1, 1), "red room": (1, 1, 1)}


class MemoryTriplets:
    """n objects of three classes; each is a box of points of its class's proportions, with two pictures."""

    def __init__(self, n: int = 24, *, damaged: tuple[int, ...] = (), views: int = 2, seed: int = 0) -> None:
        self.classes = tuple(KINDS)
        self.labels = np.arange(n, dtype=np.int64) % len(KINDS)
        self.damaged, self._views, self.seed = damaged, views, seed
        self.pictures_read = 0

    def __len__(self) -> int:
        return len(self.labels)

    def key(self, index: int) -> str:
        return f"object {index}"

    def phrases(self, index: int) -> tuple[str, ...]:
        return (self.classes[self.labels[index]], "thing")

    def cloud(self, index: int) -> PointCloud:
        self._check(index)
        rng = np.random.default_rng([self.seed, index])
        return PointCloud(rng.uniform(-1, 1, (100, 3)) * KINDS[self.classes[self.labels[index]]])

    def views(self, index: int) -> int:
        return self._views

    def picture(self, index: int, view: int) -> np.ndarray:
        self._check(index)
        self.pictures_read += 1
        rng = np.random.default_rng([self.seed, index, view])
        picture = rng.integers(0, 60, (40, 40, 3), dtype=np.uint8)
        picture[..., self.labels[index]] += 180
        return picture

    def _check(self, index: int) -> None:
        if index in self.damaged:
            raise CloudError(self.key(index), "is damaged")

    def order(self, rng: np.random.Generator) -> np.ndarray:
        return rng.permutation(len(self))

    def protocol(self) -> dict[str, object]:
        return {"format": "memory", "n": len(self), "data_sha256": f"{len(self)} {self.seed}"}


def write_teacher(folder: Path, *, mean: str = "none") -> Path:
    """The folder of a tiny CLIP with a vision transformer."""
    (folder / "published").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_clip, "VOCABULARY", len(vocabulary(MERGES)))
        tiny_clip.write_hugging_face(tiny_clip.TinyClip(), folder / "published")
    write_json(folder / "published" / "tokenizer.json", MERGES)
    return convert_clip(folder / "published", folder / "model", name="tiny", mean=mean).model.folder
