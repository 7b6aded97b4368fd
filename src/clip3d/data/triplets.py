"""Triplets of a cloud, its pictures and its captions: what CLIP for 3D learns from (Hegde et al. 2023, section 3).

Every source of triplets has the form of `Triplets`; nothing that trains or measures knows where they come from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.errors import ShapeError


class Triplets(Protocol):
    """n objects, each with a cloud, one or more captions, and any number of pictures. Any object can be asked for.

    Attributes:
        classes: c names; objects of one class are each other's positives.
        labels: (n,) int64, each object's class.
    """

    classes: tuple[str, ...]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        """How many objects there are."""

    def key(self, index: int) -> str:
        """A name of the object that no other object of the set has and that stays."""

    def phrases(self, index: int) -> tuple[str, ...]:
        """What the object is called, the most specific first; at least one."""

    def cloud(self, index: int) -> PointCloud:
        """All points that are stored, in the file's own frame.

        Raises:
            CloudError: if its file is missing or damaged.
        """

    def views(self, index: int) -> int:
        """How many pictures there are."""

    def picture(self, index: int, view: int) -> NDArray[np.uint8]:
        """One picture (h, w, 3) sRGB.

        Raises:
            ImageError: if its file is missing or damaged.
        """

    def order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """All n indices once, in the order of one epoch.

        A set in memory is shuffled evenly; one that streams keeps near what lies near on disk.
        """

    def protocol(self) -> dict[str, Any]:
        """What a report says of the data: format, split, counts, and `data_sha256` over all that decides it."""


class Subset:
    """Some objects of a set of triplets, in the given order.

    Args:
        whole: the set.
        indices: (m,) of the objects to keep, none twice.

    Raises:
        ShapeError: if an index is none of the set's or comes twice.
    """

    def __init__(self, whole: Triplets, indices: NDArray[np.int64]) -> None:
        kept = np.asarray(indices, dtype=np.int64)
        if len(kept) and not 0 <= kept.min() <= kept.max() < len(whole):
            raise ShapeError(f"indices must lie between 0 and {len(whole) - 1}, got {kept.min()} to {kept.max()}")
        if len(np.unique(kept)) != len(kept):
            raise ShapeError("an index comes twice")
        self.whole = whole
        self.indices = kept
        self.classes = whole.classes
        self.labels = whole.labels[kept]

    def __len__(self) -> int:
        return len(self.indices)

    def key(self, index: int) -> str:
        """As the whole set's."""
        return self.whole.key(int(self.indices[index]))

    def phrases(self, index: int) -> tuple[str, ...]:
        """As the whole set's."""
        return self.whole.phrases(int(self.indices[index]))

    def cloud(self, index: int) -> PointCloud:
        """As the whole set's."""
        return self.whole.cloud(int(self.indices[index]))

    def views(self, index: int) -> int:
        """As the whole set's."""
        return self.whole.views(int(self.indices[index]))

    def picture(self, index: int, view: int) -> NDArray[np.uint8]:
        """As the whole set's."""
        return self.whole.picture(int(self.indices[index]), view)

    def order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """The whole set's order with the other objects left out."""
        place = np.full(len(self.whole), -1, np.int64)
        place[self.indices] = np.arange(len(self.indices))
        order = place[self.whole.order(rng)]
        return np.asarray(order[order >= 0])

    def protocol(self) -> dict[str, Any]:
        """The whole set's, with how many objects were kept; the digest is over the set's and which those are."""
        whole = self.whole.protocol()
        digest = hashlib.sha256(str(whole["data_sha256"]).encode() + self.indices.tobytes()).hexdigest()
        return {**whole, "kept": len(self), "data_sha256": digest}


class Joined:
    """Several sets as one; classes of one name are one class.

    Args:
        parts: one set or more.

    Raises:
        ShapeError: if there is none.
    """

    def __init__(self, parts: Sequence[Triplets]) -> None:
        if not parts:
            raise ShapeError("there is no set of triplets to join")
        self.parts = tuple(parts)
        self.classes = tuple(dict.fromkeys(name for part in parts for name in part.classes))
        place = {name: i for i, name in enumerate(self.classes)}
        labels = [np.array([place[name] for name in part.classes], np.int64)[part.labels] for part in parts]
        self.labels: NDArray[np.int64] = np.concatenate(labels)
        self.starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])])

    def __len__(self) -> int:
        return len(self.labels)

    def key(self, index: int) -> str:
        """The part's number and its own key."""
        number, part, own = self._find(index)
        return f"{number}/{part.key(own)}"

    def phrases(self, index: int) -> tuple[str, ...]:
        """As the part's."""
        _, part, own = self._find(index)
        return part.phrases(own)

    def cloud(self, index: int) -> PointCloud:
        """As the part's."""
        _, part, own = self._find(index)
        return part.cloud(own)

    def views(self, index: int) -> int:
        """As the part's."""
        _, part, own = self._find(index)
        return part.views(own)

    def picture(self, index: int, view: int) -> NDArray[np.uint8]:
        """As the part's."""
        _, part, own = self._find(index)
        return part.picture(own, view)

    def order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """The parts' own orders, mixed evenly in proportion to their sizes."""
        orders = [part.order(rng) + start for part, start in zip(self.parts, self.starts[:-1], strict=True)]
        places = [np.sort(rng.random(len(order))) for order in orders]
        mixed = np.argsort(np.concatenate(places), kind="stable")
        return np.asarray(np.concatenate(orders)[mixed])

    def protocol(self) -> dict[str, Any]:
        """Those of all parts, and a digest over theirs."""
        parts = [part.protocol() for part in self.parts]
        digest = hashlib.sha256("".join(str(part["data_sha256"]) for part in parts).encode()).hexdigest()
        return {"parts": parts, "data_sha256": digest}

    def _find(self, index: int) -> tuple[int, Triplets, int]:
        number = int(np.searchsorted(self.starts, index, side="right")) - 1
        return number, self.parts[number], int(index - self.starts[number])
