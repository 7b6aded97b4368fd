"""Several sets of triplets as one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.data.triplets import Triplets
from clip3d.errors import ShapeError


class JoinedTriplets:
    """The objects of several sets, in their order; classes of one name are one class.

    Args:
        sets: one or more.

    Raises:
        ShapeError: if there is no set.
    """

    def __init__(self, sets: Sequence[Triplets]) -> None:
        if not sets:
            raise ShapeError("joining triplets takes one set or more, got none")
        self.sets = tuple(sets)
        self.classes = tuple(dict.fromkeys(name for one in sets for name in one.classes))
        number = {name: i for i, name in enumerate(self.classes)}
        labels = [np.array([number[name] for name in one.classes], np.int64)[one.labels] for one in sets]
        self.labels = np.concatenate(labels)
        self._ends = np.cumsum([len(one) for one in sets])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def key(self, index: int) -> str:
        """The object's key in its set, with the set's number before it if there are several."""
        number, own = self._find(index)
        key = self.sets[number].key(own)
        return key if len(self.sets) == 1 else f"{number}/{key}"

    def phrases(self, index: int) -> tuple[str, ...]:
        """As its set's."""
        number, own = self._find(index)
        return self.sets[number].phrases(own)

    def cloud(self, index: int) -> PointCloud:
        """As its set's."""
        number, own = self._find(index)
        return self.sets[number].cloud(own)

    def views(self, index: int) -> int:
        """As its set's."""
        number, own = self._find(index)
        return self.sets[number].views(own)

    def picture(self, index: int, view: int) -> NDArray[np.uint8]:
        """As its set's."""
        number, own = self._find(index)
        return self.sets[number].picture(own, view)

    def order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """The sets' own orders, mixed evenly."""
        sizes = [len(one) for one in self.sets]
        turn = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
        mixed = np.zeros(len(self), np.int64)
        for number, one in enumerate(self.sets):
            mixed[turn == number] = one.order(rng) + (self._ends[number] - sizes[number])
        return mixed

    def protocol(self) -> dict[str, Any]:
        """Those of the sets, with one digest over all."""
        told = [one.protocol() for one in self.sets]
        digest = hashlib.sha256("".join(str(sorted(one.items())) for one in told).encode()).hexdigest()
        return {"n": len(self), "classes": len(self.classes), "sets": told, "data_sha256": digest}

    def _find(self, index: int) -> tuple[int, int]:
        number = int(np.searchsorted(self._ends, index, side="right"))
        return number, index - int(self._ends[number] - len(self.sets[number]))
