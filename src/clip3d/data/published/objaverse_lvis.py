"""Objaverse-LVIS: 46,832 objects of 1,156 categories, in the layout of OpenShape (Liu et al. 2023).

A JSON file lists the objects, `[{"uid": …, "category": …, "data_path": …}, …]`, or the categories,
`{category: [uid, …]}`. Clouds are NPY or NPZ files, y up, `xyz` (p, 3) and `rgb` (p, 3) in [0, 1]: OpenShape's
pickled tables, which are read without unpickling, plain arrays (p, 3 or 6), or any other format that clip3d reads,
in the axes that it declares. The front folders of a `data_path` are those of the authors' machine: its longest end
that is there counts. Categories are named with spaces for underscores, and are sorted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.discovery import find_clouds
from clip3d.clouds.reading import MAX_FILE_BYTES
from clip3d.clouds.reading import read as read_cloud
from clip3d.data.labelled_clouds import LabelledClouds, Wanted
from clip3d.data.published.gathering import POINTS, LabelledFile, gather
from clip3d.data.published.pickled_table import is_pickled, read_pickled
from clip3d.errors import CloudError, DataError, ShapeError

FORMAT = "Objaverse-LVIS"

STORED = 10_000
MAX_LIST_BYTES = 2**28
LISTS = ("lvis.json", "split/lvis.json", "meta_data/split/lvis.json", "lvis-annotations.json")


def recognises(path: Path) -> bool:
    """Whether one of the lists is there."""
    return _list(path) is not None


def read(wanted: Wanted) -> LabelledClouds:
    """Read the folder as this module describes; the set has one part, "test"."""
    wanted.no_variant()
    if wanted.split not in (None, "test"):
        raise DataError(wanted.path, f"there is no split {wanted.split!r}", "the set is one, for testing alone")
    listed = list(_listed(_list(wanted.path) or wanted.path))
    classes = sorted({category for _, category, _ in listed})
    number = {name: i for i, name in enumerate(classes)}
    find = _finder(wanted.path, any(place is None for _, _, place in listed))
    files = [LabelledFile(find(uid, place), number[category], uid) for uid, category, place in listed]
    return gather(wanted, files, partial(_cloud, wanted), classes=classes, up="z", format=FORMAT, points=STORED)


def _list(path: Path) -> Path | None:
    return next((path / name for name in LISTS if (path / name).is_file()), None)


def _listed(path: Path) -> Iterator[tuple[str, str, str | None]]:
    """Each object's id, category and place, where one is given."""
    try:
        if path.stat().st_size > MAX_LIST_BYTES:
            raise DataError(path, f"it holds more than {MAX_LIST_BYTES:,} bytes, too many for a list")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(path, f"it cannot be read as JSON: {error}") from error
    if isinstance(found, dict):
        found = [{"uid": uid, "category": name} for name, uids in found.items() for uid in _items(uids)]
    for entry in _items(found):
        fields = entry if isinstance(entry, dict) else {}
        uid, category, place = (fields.get(key) for key in ("uid", "category", "data_path"))
        if not (isinstance(uid, str) and isinstance(category, str) and isinstance(place, str | None)):
            raise DataError(path, f"an entry names no uid and category: {str(entry)[:80]}")
        yield uid, category.replace("_", " "), place
    if not found:
        raise DataError(path, "it lists no object")


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _finder(root: Path, by_name: bool) -> Any:
    """From an id and its stated place to a file below the folder; a path that is not there where there is none."""
    stems = {file.stem: file for file in find_clouds(root).files} if by_name else {}
    inside = root.resolve()

    def find(uid: str, place: str | None) -> Path:
        if place is None:
            return stems.get(uid, root / f"{PurePosixPath(uid).name}.npy")
        parts = [part for part in PurePosixPath(place.replace("\\", "/")).parts if part not in ("/", ".", "..")]
        for start in range(len(parts)):
            for suffix in (PurePosixPath(place).suffix, ".npy", ".npz"):
                file = root.joinpath(*parts[start:]).with_suffix(suffix or ".npy")
                if _is_file(file) and file.resolve().is_relative_to(inside):
                    return file
        return root.joinpath(*parts[-3:])

    return find


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False


def _cloud(wanted: Wanted, path: Path) -> PointCloud:
    if not path.resolve().is_relative_to(wanted.path.resolve()):
        raise CloudError(path, "it leads out of the folder of the set", "put the file itself there")
    pickled = _pickled(path)
    if pickled is not None:
        cloud = pickled
    else:
        cloud = read_cloud(path, points=wanted.points or POINTS, seed=wanted.seed)
        if cloud.frame_source == "default":
            cloud = replace(cloud, up="y")
    return cloud if wanted.up else cloud.z_up()


def _pickled(path: Path) -> PointCloud | None:
    """The cloud of a table that NumPy pickled; None if the file is none."""
    if path.suffix.lower() != ".npy" or not _is_file(path):
        return None
    if path.stat().st_size > MAX_FILE_BYTES:
        raise CloudError(path, "it holds more than 1 GiB")
    data = path.read_bytes()
    if not is_pickled(data):
        return None
    try:
        arrays = read_pickled(data, ("xyz", "rgb"))
        colors = arrays.get("rgb")
        scale = 255 if colors is not None and (colors.dtype.kind == "u" or colors.max(initial=0) > 1) else 1
        rgb = None if colors is None else (colors / scale).astype(np.float32)
        return PointCloud(arrays["xyz"].astype(np.float32), rgb, up="y", path=path)
    except (ShapeError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        reason = f"its table has no cloud that can be read: {str(error)[:200] or type(error).__name__}"
        raise CloudError(path, reason, "it may be cut short: unpack or download it again") from error
