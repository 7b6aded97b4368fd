"""Triplets of a plain folder: meshes or clouds in any format, and a table of captions."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.discovery import find_clouds
from clip3d.clouds.reading import SUFFIXES, read
from clip3d.data.caption_tables import Row, read_captions
from clip3d.data.foldered_triplets import FolderedTriplets
from clip3d.data.library_triplets import label
from clip3d.data.picture_folders import PictureFolders, folder_of
from clip3d.errors import DataError

log = logging.getLogger(__name__)

TABLES = ("captions.csv", "captions.json")
POINTS = 8192


@dataclass(frozen=True)
class MeshFile:
    """One object: its file below the folder, with the table's words for it."""

    path: str
    captions: tuple[str, ...]
    label: str


def open_meshes(path: Path, split: str, pictures: Path | None, captions: Path | None) -> MeshTriplets:
    """The objects of a folder that its table of captions names and whose files are there.

    Rows without a split are in every split; files that are missing are left out and counted.

    Raises:
        DataError: if there is no table, it is of another form, a row leads out of the folder, or nothing is left.
    """
    table = captions or next((path / name for name in TABLES if (path / name).is_file()), None)
    if table is None:
        raise DataError(path, f"it holds none of {', '.join(TABLES)}", "name the file of captions with `captions`")
    rows = [row for row in read_captions(table) if split == "all" or row.split in ("", split)]
    if not rows:
        raise DataError(table, f"no row is in the split {split!r}", "use `all`, or one that the column split names")
    files, missing = _located(path, table, rows)
    if not files:
        raise DataError(table, f"none of its {len(rows)} files is in {path}", "paths are relative to the folder")
    if missing:
        log.warning("%s: %d of %d files are missing, the first %s", table, len(missing), len(rows), missing[0])
    return MeshTriplets(path, split, files, pictures, missing=len(missing))


def list_meshes(path: Path) -> MeshTriplets:
    """All meshes and clouds in a folder and below it, without a table; named by their files' names.

    Raises:
        DataError: if there is none.
    """
    found = find_clouds(path)
    if not found.files:
        reason = found.problems[0].reason if found.problems else "no cloud file in this folder"
        raise DataError(path, reason)
    names = [file.relative_to(path).as_posix() for file in found.files]
    stems = [PurePosixPath(name).stem.replace("_", " ") for name in names]
    files = [MeshFile(name, (stem,), stem) for name, stem in zip(names, stems, strict=True)]
    return MeshTriplets(path, "all", files, None)


class MeshTriplets(FolderedTriplets):
    """Files of a folder as `clip3d.data.triplets.Triplets`; each is read when it is asked for.

    Args:
        path: the folder.
        split: name of the part.
        files: n objects.
        pictures: folder with a folder of pictures for each object, named by `clip3d data render` or as the object's
            path without its suffix; None if there are none.
        missing: objects that were left out, because their files are missing.
        points: drawn on a mesh.
    """

    def __init__(
        self,
        path: Path,
        split: str,
        files: Sequence[MeshFile],
        pictures: Path | None,
        *,
        missing: int = 0,
        points: int = POINTS,
    ) -> None:
        self.path, self.split = path, split
        self._files, self._missing, self._points = files, missing, points
        self._pictures = PictureFolders(pictures, _picture_places)
        self.classes, self.labels = label([file.label for file in files])

    def __len__(self) -> int:
        return len(self._files)

    def key(self, index: int) -> str:
        """The file's path below the folder."""
        return self._files[index].path

    def phrases(self, index: int) -> tuple[str, ...]:
        """The captions of the table."""
        return self._files[index].captions

    def drawn_file(self, index: int, kind: str) -> Path:
        """The file that pictures of any kind are drawn from."""
        return self._file(index)

    def cloud(self, index: int) -> PointCloud:
        """Points drawn on the mesh, or all of a point file, in the file's frame; always the same."""
        return read(self._file(index), points=self._points)

    def protocol(self) -> dict[str, Any]:
        """Format, folder, split, counts, and a digest of captions, names and sizes of files, not their content."""
        return {
            "format": "meshes",
            "file": self.path.name,
            "split": self.split,
            "n": len(self),
            "missing": self._missing,
            "classes": len(self.classes),
            "points": self._points,
            "data_sha256": self._sha256,
            **self._pictures.protocol(),
        }

    def _file(self, index: int) -> Path:
        return self.path / self._files[index].path

    @cached_property
    def _sha256(self) -> str:
        digest = hashlib.sha256()
        for index, file in enumerate(self._files):
            try:
                size = self._file(index).stat().st_size
            except OSError:
                size = -1
            digest.update(repr((file.path, file.captions, file.label, size)).encode())
        return digest.hexdigest()


def _picture_places(key: str) -> tuple[str, ...]:
    return folder_of(key), str(PurePosixPath(key).with_suffix(""))


def _located(folder: Path, table: Path, rows: Iterable[Row]) -> tuple[list[MeshFile], list[str]]:
    """The rows whose files are there, and the names of the others."""
    files, missing = [], []
    by_stem: dict[str, str] | None = None
    root = folder.resolve()
    for row in rows:
        name = row.name.replace("\\", "/")
        if PurePosixPath(name).suffix.lower() not in SUFFIXES:
            by_stem = _by_stem(folder) if by_stem is None else by_stem
            name = by_stem.get(name, "")
        place = (folder / name).resolve()
        if not place.is_relative_to(root):
            raise DataError(table, f"{row.name!r} leads out of the folder {folder}", "name files inside it")
        if not name or not place.is_file():
            missing.append(row.name)
            continue
        files.append(MeshFile(PurePosixPath(name).as_posix(), row.captions, row.label or row.captions[0]))
    return files, missing


def _by_stem(folder: Path) -> dict[str, str]:
    """Files of the folder by their names without suffix; of equal ones the first."""
    found: dict[str, str] = {}
    for file in find_clouds(folder).files:
        found.setdefault(file.stem, file.relative_to(folder).as_posix())
    return found
