"""ModelNet40 as PointNet's authors sampled it: `modelnet40_ply_hdf5_2048`, 2,048 points a shape, y up.

`shape_names.txt` has the classes in the order of the labels; `train_files.txt` and `test_files.txt` name files, in
folders of the authors' machine, which are passed over; `ply_data_test_0_id2file.json` names the rows of
`ply_data_test0.h5`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from clip3d.data.labelled_clouds import LabelledClouds, Wanted, unknown_split
from clip3d.data.published.listings import class_names, lines
from clip3d.data.published.packed_arrays import PackedFile, read_packed
from clip3d.errors import DataError

FORMAT = "modelnet40_ply_hdf5_2048"

NAMES = "shape_names.txt"
LISTS = {"train": "train_files.txt", "test": "test_files.txt"}


def recognises(path: Path) -> bool:
    """Whether the folder has the names of the classes and a list of files."""
    return (path / NAMES).is_file() and any((path / name).is_file() for name in LISTS.values())


def read(wanted: Wanted) -> LabelledClouds:
    """Read the folder as this module describes."""
    wanted.no_variant()
    there = {split: wanted.path / name for split, name in LISTS.items() if (wanted.path / name).is_file()}
    if wanted.split is not None and wanted.split not in there:
        raise unknown_split(wanted.path, wanted.split, list(there))
    lists = list(there.values()) if wanted.split is None else [there[wanted.split]]
    named = [Path(line).name for file in lists for line in lines(file)]
    if not named:
        raise DataError(lists[0], "it names no file")
    files = [PackedFile(wanted.path / name, _names(wanted.path / name)) for name in named]
    return read_packed(wanted, files, classes=class_names(wanted.path / NAMES), up="y", format=FORMAT)


def _names(file: Path) -> list[str]:
    """Names of a file's shapes from the list beside it; none where it is missing or of another form."""
    path = file.with_name(re.sub(r"(\d+)$", r"_\1_id2file.json", file.stem))
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [Path(name).stem for name in found] if isinstance(found, list) and all(map(_is_text, found)) else []


def _is_text(value: object) -> bool:
    return isinstance(value, str)
