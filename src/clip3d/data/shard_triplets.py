"""Triplets in shards: sets beyond memory, read at their bytes from local files, or a shard at a time from afar."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.reading import read_bytes
from clip3d.clouds.remote import RemotePath, local_copy
from clip3d.data.library_triplets import label
from clip3d.data.picture_folders import Picture, decode_picture
from clip3d.data.shard_index import INDEX, ShardIndex, index_of, read_index, scan
from clip3d.errors import CloudError, DataError, FileProblem, ImageError

WINDOW = 4  # shards whose objects are mixed
KEPT_COPIES = 2 * WINDOW  # of shards from afar


def open_shards(path: Path, split: str, pictures: Path | None, captions: Path | None) -> ShardTriplets:
    """The objects of a folder of shards, or of a URI, with the index that `clip3d data shard` writes.

    A local folder without an index is gone through once. Objects of which the shards name no split are in all.

    Raises:
        DataError: if there is no shard, one is damaged or hostile, or pictures or captions are named.
        CloudError: if a URI cannot be reached.
    """
    if pictures is not None or captions is not None:
        raise DataError(path, "shards hold their own pictures and captions", "leave `pictures` and `captions` out")
    index = _read_index(path)
    rows = np.arange(len(index))
    if split != "all":
        rows = np.array([row for row in rows if index.text(int(row), 2) in ("", split)], dtype=np.intp)
    if not len(rows):
        raise DataError(path, f"no object is in the split {split!r}", "use `all`, or one that the shards name")
    return ShardTriplets(path, split, index, rows)


def _read_index(path: Path) -> ShardIndex:
    if isinstance(path, RemotePath):
        with local_copy(_beside(path, INDEX)) as copy:
            return read_index(copy)
    if (path / INDEX).is_file():
        return read_index(path / INDEX)
    files = sorted(path.glob("*.tar")) if path.is_dir() else [path]
    if not files:
        raise DataError(path, "there is no tar file in this folder", "make shards with `clip3d data shard`")
    index = index_of((file.name, file.stat().st_size, scan(file)) for file in files)
    if not len(index):
        raise DataError(path, "no object of its tar files has a cloud and captions", "see docs/formats.md")
    return index


class ShardTriplets:
    """Objects in shards as `clip3d.data.triplets.Triplets`; each is read when it is asked for.

    Args:
        path: folder of the shards, or its URI, or one tar file.
        split: name of the part.
        index: where everything lies.
        rows: (n,) of the index that count.
    """

    def __init__(self, path: Path, split: str, index: ShardIndex, rows: NDArray[np.intp]) -> None:
        self.path, self.split = path, split
        self._index, self._rows = index, rows
        self._copies: OrderedDict[int, tuple[Path, ExitStack]] = OrderedDict()
        names = [index.text(int(row), 1) or index.text(int(row), 3).split("|")[0] for row in rows]
        self.classes, self.labels = label(names)

    def __len__(self) -> int:
        return len(self._rows)

    def key(self, index: int) -> str:
        """The name in the shard."""
        return self._index.text(int(self._rows[index]), 0)

    def phrases(self, index: int) -> tuple[str, ...]:
        """The captions."""
        return tuple(self._index.text(int(self._rows[index]), 3).split("|"))

    def cloud(self, index: int) -> PointCloud:
        """All points that are stored, in their declared frame.

        Raises:
            CloudError: if the shard cannot be read, or the cloud is damaged.
        """
        row = int(self._rows[index])
        try:
            data = self._bytes(row, self._index.cloud[row])
        except FileProblem as error:
            raise CloudError(self._name(index), error.reason, error.remedy) from error
        return read_bytes(data, Path(self._name(index) + (".npy" if self._index.npy[row] else ".npz")))

    def views(self, index: int) -> int:
        """How many pictures there are."""
        row = int(self._rows[index])
        return int(self._index.first[row + 1] - self._index.first[row])

    def picture(self, index: int, view: int) -> Picture:
        """One picture (h, w, 3) sRGB.

        Raises:
            ImageError: if the shard cannot be read, or the picture is missing or damaged.
        """
        return decode_picture(self.picture_bytes(index, view), Path(self._name(index)))

    def picture_bytes(self, index: int, view: int) -> bytes:
        """The content of one picture's file; errors as for `picture`."""
        if not 0 <= view < self.views(index):
            raise ImageError(self._name(index), f"it has {self.views(index)} pictures, so none of number {view}")
        row = int(self._rows[index])
        try:
            return self._bytes(row, self._index.pictures[self._index.first[row] + view])
        except FileProblem as error:
            raise ImageError(self._name(index), error.reason, error.remedy) from error

    def order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """All objects: the shards in even disorder, and the objects of each four that follow one another mixed."""
        shard = self._index.shard[self._rows]
        place = rng.permutation(len(self._index.shards))[shard] // WINDOW
        return np.lexsort((rng.random(len(self)), place)).astype(np.int64)

    def protocol(self) -> dict[str, Any]:
        """Format, place, split, counts, and a digest of the index, which holds places and sizes but not content."""
        return {
            "format": "shards",
            "file": self.path.name,
            "split": self.split,
            "n": len(self),
            "classes": len(self.classes),
            "shards": len(self._index.shards),
            "data_sha256": self._sha256,
        }

    def __getstate__(self) -> dict[str, Any]:
        """Without copies of shards, which belong to the process that made them."""
        return {**self.__dict__, "_copies": OrderedDict()}

    @cached_property
    def _sha256(self) -> str:
        digest = hashlib.sha256()
        for name, value in vars(self._index).items():
            digest.update(f"{name} {value.dtype.str} {value.shape}".encode() + value.tobytes())
        return digest.hexdigest()

    def _name(self, index: int) -> str:
        shard = self._index.shards[self._index.shard[self._rows[index]]]
        return f"{self.path}/{shard}: {self.key(index)}"

    def _bytes(self, row: int, place: NDArray[np.int64]) -> bytes:
        """A part of the shard of a row."""
        file = self._shard(int(self._index.shard[row]))
        try:
            with file.open("rb") as stream:
                stream.seek(int(place[0]))
                data = stream.read(int(place[1]))
        except OSError as error:
            raise DataError(file, f"it cannot be read: {error.strerror or error}") from error
        if len(data) < place[1]:
            raise DataError(file, "it is shorter than its index says", "copy it again")
        return data

    def _shard(self, number: int) -> Path:
        """The file of a shard; of one from afar a copy, of which the last few are kept."""
        name = str(self._index.shards[number])
        if not isinstance(self.path, RemotePath):
            return self.path if self.path.is_file() else self.path / name
        if number not in self._copies:
            while len(self._copies) >= KEPT_COPIES:
                self._copies.popitem(last=False)[1][1].close()
            stack = ExitStack()
            self._copies[number] = (stack.enter_context(local_copy(_beside(self.path, name))), stack)
        self._copies.move_to_end(number)
        return self._copies[number][0]


def _beside(path: RemotePath, name: str) -> RemotePath:
    return RemotePath(f"{str(path).rstrip('/')}/{name}")
