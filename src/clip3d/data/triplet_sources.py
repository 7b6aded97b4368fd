"""Sources of triplets by name: which format, where it lies, which part of it, and which pictures go with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from clip3d.clouds.remote import RemotePath, as_path
from clip3d.data.shapenet_triplets import is_shapenet
from clip3d.data.triplets import Joined, Triplets
from clip3d.errors import DataError

# Each opener takes (path, split, pictures, captions) with places that exist or are None.
FORMATS: dict[str, str] = {
    "library": "clip3d.data.library_triplets:open_library",
    "meshes": "clip3d.data.mesh_triplets:open_meshes",
    "shapenet55": "clip3d.data.shapenet_triplets:open_shapenet",
    "shards": "clip3d.data.shard_triplets:open_shards",
}


@dataclass(frozen=True)
class TripletSource:
    """One set of triplets, as a recipe's `[[data]]` table names it.

    Attributes:
        format: "library" (a file of `clip3d data build`), "meshes" (a folder of meshes or clouds with a table of
            captions), "shapenet55" (ShapeNet as Point-BERT, ULIP and CG3D lay it out), or "shards" (tar files as
            `clip3d data shard` and WebDataset write them).
        path: the file or folder, relative to the data folder; of shards it may be a URI.
        split: "train", "test", another that the format knows, or "all".
        pictures: folder that `clip3d data render` wrote, relative to the data folder; empty where there are no
            pictures, or where the format has its own.
        captions: file of captions, relative to the data folder; empty for what the format has beside it.
    """

    format: str
    path: str
    split: str = "train"
    pictures: str = ""
    captions: str = ""


def open_triplets(source: TripletSource, data: Path) -> Triplets:
    """The triplets that a source names.

    Args:
        source: what is wanted.
        data: the folder that relative places are looked for in.

    Raises:
        DataError: if the format is not known, a place does not exist, or its content is of another form.
    """
    target = FORMATS.get(source.format)
    if target is None:
        reason = f"no format of triplets is named {source.format!r}"
        raise DataError(source.path, reason, f"use {', '.join(FORMATS)}")
    module, _, name = target.partition(":")
    opened: Triplets = getattr(import_module(module), name)(
        _place(source.path, data, "path"),
        source.split,
        _place(source.pictures, data, "pictures") if source.pictures else None,
        _place(source.captions, data, "captions") if source.captions else None,
    )
    return opened


def open_joined(sources: Sequence[TripletSource], data: Path) -> Triplets:
    """The triplets of one source as they are, of several as one set; errors as of `open_triplets`.

    Args:
        sources: one or more.
        data: the folder that relative places are looked for in.
    """
    opened = [open_triplets(source, data) for source in sources]
    return opened[0] if len(opened) == 1 else Joined(opened)


def format_of(path: Path) -> str:
    """The format that a place most likely has, by a file's suffix and by what a folder holds.

    Raises:
        DataError: if it is a file, but neither a library nor a shard.
    """
    if isinstance(path, RemotePath) or path.suffix.lower() == ".tar" or any(path.glob("*.tar")):
        return "shards"
    if path.is_file():
        if path.suffix.lower() != ".npz":
            remedy = "name the folder that it lies in, or a library, which is an npz file"
            raise DataError(path, "a single file is no set of triplets", remedy)
        return "library"
    return "shapenet55" if is_shapenet(path) else "meshes"


def _place(name: str, data: Path, field: str) -> Path:
    path = as_path(name)
    if isinstance(path, RemotePath):
        return path
    place = data / path
    if not name or not place.exists():
        remedy = f"`{field}` is relative to the data folder {data}"
        raise DataError(place, "there is no such file or folder", remedy)
    return place
