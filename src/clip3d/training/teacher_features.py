"""Vectors of a frozen teacher, each worked out once: they lie in the cache of vectors by what was encoded."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import clip3d
from clip3d.data.triplets import Triplets
from clip3d.errors import FileProblem
from clip3d.models.batching import in_batches
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache, vector_key
from clip3d.training.run_log import Progress

Array = NDArray[np.float32]
AT_ONCE, TOLD_EVERY = 64, 10.0
# Beyond this the captions in memory are let go: all are in the cache, and there may be very many.
MOST_TEXTS = 100_000


class FrozenTexts:
    """Unit vectors of captions, looked up where they were met before.

    Args:
        teacher: whose text tower does not change.
        cache: where vectors are kept.
    """

    def __init__(self, teacher: Model, cache: VectorCache) -> None:
        self.teacher, self.cache = teacher, cache
        self.tower = teacher.tower_card("text").id
        self.known: dict[str, Array] = {}

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Vectors (n, d) float32 of n captions."""
        new = list(dict.fromkeys(text for text in texts if text not in self.known))
        if new and len(self.known) + len(new) > MOST_TEXTS:
            self.known.clear()
            new = list(dict.fromkeys(texts))
        if new:
            self._learn(new)
        return torch.from_numpy(np.stack([self.known[text] for text in texts]))

    def _learn(self, texts: list[str]) -> None:
        keys = {text: vector_key(_digest(text.encode()), self.tower, _options("text")) for text in texts}
        found = self.cache.get_many(keys.values())
        missing = [text for text in texts if keys[text] not in found]
        made = dict(zip(missing, self.teacher.encode_texts(missing), strict=True)) if missing else {}
        _keep(self.cache, self.teacher, {keys[text]: vector for text, vector in made.items()})
        self.known |= {text: made[text] if text in made else found[keys[text]] for text in texts}


class FrozenPictures:
    """Unit vectors of all pictures of some objects, for an image tower that does not change.

    Args:
        teacher: the model.
        triplets: the objects.
        cache: where vectors are kept.

    Attributes:
        damaged: key and reason of objects with a picture that cannot be read; they have no vector.
        seconds: that one picture took that was not in the cache; 0 if all were.
    """

    def __init__(self, teacher: Model, triplets: Triplets, cache: VectorCache) -> None:
        self.teacher, self.triplets, self.cache = teacher, triplets, cache
        self.tower = teacher.tower_card("image").id
        views = max((triplets.views(i) for i in range(len(triplets))), default=0)
        self.vectors = np.zeros((len(triplets), views, teacher.space.dim), np.float32)
        self.damaged: list[tuple[str, str]] = []
        self.seconds = 0.0

    def make(self, objects: Iterable[int], progress: Progress) -> list[int]:
        """Work out the vectors of objects; gives those of which all pictures were read."""
        wanted, whole = list(objects), []
        told = time.monotonic()
        for number, part in enumerate(in_batches(wanted, AT_ONCE)):
            whole += self._make(part)
            if time.monotonic() - told > TOLD_EVERY:
                progress(f"vectors of the pictures of {number * AT_ONCE + len(part)}/{len(wanted)} objects")
                told = time.monotonic()
        return whole

    def __call__(self, objects: Tensor, views: Tensor) -> Tensor:
        """Vectors (n, d) float32 of one picture of each of n objects."""
        return torch.from_numpy(self.vectors[objects.numpy(), views.numpy()])

    def _make(self, objects: list[int]) -> list[int]:
        pictures: dict[tuple[int, int], NDArray[np.uint8]] = {}
        whole = []
        for index in objects:
            try:
                read = {(index, v): self.triplets.picture(index, v) for v in range(self.triplets.views(index))}
            except FileProblem as problem:
                self.damaged.append((self.triplets.key(index), str(problem)))
                continue
            pictures |= read
            whole.append(index)
        keys = {place: self._key(picture) for place, picture in pictures.items()}
        found = self.cache.get_many(keys.values())
        missing = [place for place, key in keys.items() if key not in found]
        if missing:
            began = time.monotonic()
            made = self.teacher.encode_images([pictures[place] for place in missing], batch_size=32)
            self.seconds = (time.monotonic() - began) / len(missing)
            fresh = {keys[place]: vector for place, vector in zip(missing, made, strict=True)}
            _keep(self.cache, self.teacher, fresh)
            found |= fresh
        for place, key in keys.items():
            self.vectors[place] = found[key]
        return whole

    def _key(self, picture: NDArray[np.uint8]) -> str:
        content = _digest(f"{picture.shape}".encode() + np.ascontiguousarray(picture).tobytes())
        return vector_key(content, self.tower, _options("pixels"))


def _options(kind: str) -> dict[str, object]:
    """What decides a vector beside content and tower: another version may prepare the same otherwise."""
    return {"input": kind, "version": clip3d.__version__}


def _keep(cache: VectorCache, teacher: Model, vectors: dict[str, Array]) -> None:
    cache.put_many(vectors, space=teacher.space.id, model=teacher.id)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
