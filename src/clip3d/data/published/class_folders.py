"""A folder with a folder of cloud or mesh files for each class.

Folders named as splits may lie above the class folders (`train/chair/1.ply`) or in them, as ModelNet10 and
ModelNet40 are unpacked (`chair/train/chair_0001.off`). The classes are those of all splits, sorted, with spaces for
underscores. Clouds are turned z up from the axis that their files or formats declare; z is ModelNet's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.discovery import find_clouds
from clip3d.clouds.reading import read as read_cloud
from clip3d.data.labelled_clouds import LabelledClouds, Wanted, unknown_split
from clip3d.data.published.gathering import POINTS, LabelledFile, gather
from clip3d.errors import DataError

log = logging.getLogger(__name__)

FORMAT = "class folders"

SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "val",
    "valid": "val",
    "validation": "val",
}


def recognises(path: Path) -> bool:
    """Whether this is a folder with folders in it."""
    return path.is_dir() and bool(_folders(path))


def read(wanted: Wanted) -> LabelledClouds:
    """Read the folder as this module describes."""
    wanted.no_variant()
    found = list(_files(wanted.path))
    if not found:
        remedy = "make a folder for each class, with cloud or mesh files in it"
        raise DataError(wanted.path, "no cloud file in its class folders", remedy)
    classes = sorted({name for _, name, _ in found})
    known = sorted({split for _, _, split in found if split})
    split = None if wanted.split is None else SPLITS.get(wanted.split, wanted.split)
    files = [
        LabelledFile(file, classes.index(name), file.relative_to(wanted.path).as_posix())
        for file, name, part in found
        if split in (None, part)
    ]
    if not files:
        raise unknown_split(wanted.path, wanted.split, known)

    def upright(path: Path) -> PointCloud:
        cloud = read_cloud(path, points=wanted.points or POINTS, seed=wanted.seed, up=wanted.up)
        return cloud if wanted.up else cloud.z_up()

    return gather(wanted, files, upright, classes=classes, up="z", format=FORMAT)


def _files(root: Path) -> Iterator[tuple[Path, str, str | None]]:
    """Every cloud file with the name of its class and its split."""
    folders = _folders(root)
    if all(folder.name.lower() in SPLITS for folder in folders):
        for part in folders:
            for folder in _folders(part):
                yield from _of_class(folder, SPLITS[part.name.lower()])
        return
    for folder in folders:
        parts = [part for part in _folders(folder) if part.name.lower() in SPLITS]
        if parts:
            for part in parts:
                for file, _, split in _of_class(part, SPLITS[part.name.lower()]):
                    yield file, _class_name(folder), split
        else:
            yield from _of_class(folder, None)


def _of_class(folder: Path, split: str | None) -> Iterator[tuple[Path, str, str | None]]:
    files = find_clouds(folder).files
    if not files:
        log.warning("%s: no cloud file in it, so that it is no class", folder)
    for file in files:
        yield file, _class_name(folder), split


def _class_name(folder: Path) -> str:
    return folder.name.replace("_", " ")


def _folders(path: Path) -> list[Path]:
    return sorted(f for f in path.iterdir() if f.is_dir() and not f.name.startswith((".", "__MACOSX")))
