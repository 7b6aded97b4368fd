"""ScanObjectNN (Uy et al. 2019): 15 classes of scanned objects, 2,048 points each, y up, in HDF5 files.

Each version is two files in one of two folders, `main_split` with the background of the scans and `main_split_nobg`
without. Which one a figure belongs to must be said with it, so that a folder with several asks for `variant`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from clip3d.data.labelled_clouds import LabelledClouds, Wanted, unknown_split
from clip3d.data.published.packed_arrays import PackedFile, read_packed
from clip3d.errors import DataError

FORMAT = "ScanObjectNN"

# In the order of the labels.
CLASSES = (
    "bag",
    "bin",
    "box",
    "cabinet",
    "chair",
    "desk",
    "display",
    "door",
    "shelf",
    "table",
    "bed",
    "pillow",
    "sink",
    "sofa",
    "toilet",
)
VARIANTS = {
    "OBJ_ONLY": ("main_split_nobg", "objectdataset"),
    "OBJ_BG": ("main_split", "objectdataset"),
    "PB_T25": ("main_split", "objectdataset_augmented25_norot"),
    "PB_T25_R": ("main_split", "objectdataset_augmented25rot"),
    "PB_T50_R": ("main_split", "objectdataset_augmentedrot"),
    "PB_T50_RS": ("main_split", "objectdataset_augmentedrot_scale75"),
}
SPLITS = {"train": "training", "test": "test"}


def recognises(path: Path) -> bool:
    """Whether one of the versions is there: in the folder, in `h5_files` in it, or as one of its two folders."""
    return path.is_dir() and bool(_there(path))


def read(wanted: Wanted) -> LabelledClouds:
    """Read the folder as this module describes."""
    there = _there(wanted.path)
    variant = wanted.variant or (next(iter(there)) if len(there) == 1 else None)
    if variant not in there:
        reason = "it has several variants" if variant is None else f"it has no variant {variant!r}"
        raise DataError(wanted.path, reason, f"choose one of: {', '.join(there)}")
    files = there[variant]
    if wanted.split is not None and wanted.split not in files:
        raise unknown_split(wanted.path, wanted.split, list(files))
    chosen = list(files.values()) if wanted.split is None else [files[wanted.split]]
    wanted = replace(wanted, variant=variant)
    return read_packed(wanted, [PackedFile(file) for file in chosen], classes=CLASSES, up="y", format=FORMAT)


def _there(path: Path) -> dict[str, dict[str, Path]]:
    """The files of each version by split."""
    found = {}
    for variant, (folder, stem) in VARIANTS.items():
        places = [path] if path.name == folder else [path / folder, path / "h5_files" / folder]
        for place in places:
            files = {split: place / f"{word}_{stem}.h5" for split, word in SPLITS.items()}
            files = {split: file for split, file in files.items() if file.is_file()}
            if files:
                found[variant] = files
                break
    return found
