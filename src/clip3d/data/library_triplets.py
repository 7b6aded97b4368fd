"""Triplets of a library: its clouds and captions, with the pictures that were drawn of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.data.foldered_triplets import FolderedTriplets
from clip3d.data.library import Library, read_library
from clip3d.data.picture_folders import PictureFolders
from clip3d.errors import DataError
from clip3d.models.weights import sha256_of

SPLITS = ("train", "test", "all")


def open_library(path: Path, split: str, pictures: Path | None, captions: Path | None) -> LibraryTriplets:
    """The objects of one library file: "train" those that are not held out, "test" those that are, or "all".

    Raises:
        DataError: if the file is missing or damaged, has no object of the split, or other captions are named.
    """
    if captions is not None:
        raise DataError(captions, "a library has captions of its own", "leave `captions` out")
    if split not in SPLITS:
        raise DataError(path, f"a library has no split {split!r}", f"use {', '.join(SPLITS)}")
    library = read_library(path)
    wanted = {"train": ~library.held_out, "test": library.held_out}.get(split, np.ones(len(library), np.bool_))
    if not wanted.any():
        held_out = int(library.held_out.sum())
        raise DataError(path, f"no object is in its {split} split", f"{held_out} of {len(library)} are held out")
    return LibraryTriplets(path, split, library, np.flatnonzero(wanted), pictures)


class LibraryTriplets(FolderedTriplets):
    """Some objects of a library in memory, as `clip3d.data.triplets.Triplets`; their class is their first caption.

    Args:
        path: the library's file.
        split: name of the part.
        library: all objects.
        rows: (n,) of the objects that count.
        pictures: folder that `clip3d data render` wrote, or None.
    """

    def __init__(
        self, path: Path, split: str, library: Library, rows: NDArray[np.intp], pictures: Path | None
    ) -> None:
        self.path, self.split = path, split
        self._library, self._rows = library, rows
        keys = unique_names([str(name) for name in library.name])
        self._keys = [keys[int(row)] for row in rows]
        self._pictures = PictureFolders(pictures)
        self.classes, self.labels = label([library.phrases(row)[0] for row in rows])

    def __len__(self) -> int:
        return len(self._rows)

    def key(self, index: int) -> str:
        """The object's name in the library; of equal names the second and further with a number."""
        return self._keys[index]

    def phrases(self, index: int) -> tuple[str, ...]:
        """The captions, the most specific first."""
        return tuple(self._library.phrases(int(self._rows[index])))

    def cloud(self, index: int) -> PointCloud:
        """All points, z up, with colours where the object has some."""
        return self._library.cloud(int(self._rows[index]))

    def protocol(self) -> dict[str, Any]:
        """Format, file, split, counts, and the digest of the library's file."""
        return {
            "format": "library",
            "file": self.path.name,
            "split": self.split,
            "n": len(self),
            "classes": len(self.classes),
            "data_sha256": self._sha256,
            **self._pictures.protocol(),
        }

    @cached_property
    def _sha256(self) -> str:
        return str(sha256_of(self.path))


def label(names: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The c different names in the order of the alphabet, and the number (n,) of each."""
    classes = sorted(set(names))
    number = {name: i for i, name in enumerate(classes)}
    return tuple(classes), np.array([number[name] for name in names], dtype=np.int64)


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, those that come again with #2, #3, ... behind them, so that no two are alike."""
    times: Counter[str] = Counter()
    found: dict[str, None] = {}
    for name in names:
        unique = name
        while unique in found:
            times[name] += 1
            unique = f"{name}#{times[name] + 1}"
        found[unique] = None
    return list(found)
