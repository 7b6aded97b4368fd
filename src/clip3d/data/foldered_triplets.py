"""What triplets with folders of pictures have in common: the pictures, and an order without regard to places."""

from __future__ import annotations

from collections.abc import Sized
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clip3d.data.picture_folders import Picture, PictureFolders


class _Keyed(Sized, Protocol):
    _pictures: PictureFolders

    def key(self, index: int) -> str: ...


class FolderedTriplets:
    """The part of `clip3d.data.triplets.Triplets` that follows from keys and folders of pictures.

    A set gives the rest: `__len__`, `key`, and the attribute `_pictures`.
    """

    def views(self: _Keyed, index: int) -> int:
        """How many pictures there are; 0 without a folder of pictures."""
        return len(self._pictures.files(self.key(index)))

    def picture(self: _Keyed, index: int, view: int) -> Picture:
        """One picture (h, w, 3) sRGB, on white where it is transparent."""
        return self._pictures.read(self.key(index), view)

    def picture_files(self: _Keyed, index: int) -> tuple[Path, ...]:
        """The files of the pictures."""
        return self._pictures.files(self.key(index))

    def order(self: _Keyed, rng: np.random.Generator) -> NDArray[np.int64]:
        """All objects in even disorder."""
        return rng.permutation(len(self)).astype(np.int64)
