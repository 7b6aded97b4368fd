"""The objects of library files that a protocol looks at: those held out from training, or all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clip3d.clouds.cloud import PointCloud
from clip3d.data.library import Library, join, read_library
from clip3d.errors import DataError
from clip3d.models.weights import sha256_of


@dataclass(frozen=True, eq=False)
class LibraryPart:
    """Objects of one or more libraries.

    Attributes:
        library: the objects.
        captions: all distinct phrases of the files, those of objects outside the part among them.
        files: name, sha256, and n objects of the part, of each file.
        held_out: whether these are the held-out objects alone.
    """

    library: Library
    captions: list[str]
    files: list[dict[str, Any]]
    held_out: bool

    def __len__(self) -> int:
        return len(self.library)

    def clouds(self) -> Iterator[PointCloud]:
        """The objects' clouds one by one, z up, with colours where there are some."""
        return (self.library.cloud(i) for i in range(len(self)))

    def protocol(self) -> dict[str, Any]:
        """What a report says of its data."""
        return {"libraries": self.files, "part": "held out" if self.held_out else "all"}


def read_part(paths: Sequence[Path], *, everything: bool = False) -> LibraryPart:
    """Read library files, and all library files of folders.

    Args:
        paths: npz files as `clip3d data build` makes them, or folders of such.
        everything: take all objects, not the held-out ones alone.

    Raises:
        DataError: if a file is no library, their objects have different numbers of points, or none is held out.
    """
    libraries, files, captions = [], [], set()
    for path in _files(paths):
        library = read_library(path)
        captions |= {phrase for row in library.captions.tolist() for phrase in row.split("|")}
        library = library if everything else library.select(library.held_out)
        if len(library):
            libraries.append(library)
            files.append({"file": path.name, "sha256": sha256_of(path), "n": len(library)})
    if not libraries:
        raise DataError(paths[0], "holds out no objects", "take all objects with --all")
    if len({library.points.shape[1:] for library in libraries}) > 1:
        raise DataError(paths[0], "the libraries have different numbers of points a cloud", "build them alike")
    return LibraryPart(join(libraries), sorted(captions), files, not everything)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        found = sorted(path.glob("*.npz")) if path.is_dir() else [path]
        if not found:
            raise DataError(path, "holds no npz file", "make libraries with clip3d data build")
        yield from found
