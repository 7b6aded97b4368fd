"""ModelNet40 as PointNet++'s authors sampled it: `modelnet40_normal_resampled`, 10,000 points a shape, y up.

`modelnet40_shape_names.txt` has the classes, `modelnet40_train.txt` and `modelnet40_test.txt` the shapes, each in
`<class>/<shape>.txt` with lines `x,y,z,nx,ny,nz`; normals are passed over. The lists of ModelNet10 beside them are
the variant "ModelNet10"; Point-BERT and what follows it read the same files.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.reading import read as read_cloud
from clip3d.data.labelled_clouds import LabelledClouds, Wanted, unknown_split
from clip3d.data.published.gathering import LabelledFile, gather
from clip3d.data.published.listings import class_names, lines
from clip3d.errors import DataError

FORMAT = "modelnet40_normal_resampled"

POINTS = 10_000
VARIANTS = ("ModelNet40", "ModelNet10")
SPLITS = ("train", "test")


def recognises(path: Path) -> bool:
    """Whether the folder has the names of the classes of one of the variants."""
    return any(_names(path, variant).is_file() for variant in VARIANTS)


def read(wanted: Wanted) -> LabelledClouds:
    """Read the folder as this module describes; without a variant ModelNet40, or what is there."""
    there = [variant for variant in VARIANTS if _names(wanted.path, variant).is_file()]
    variant = wanted.variant or there[0]
    if variant not in there:
        raise DataError(wanted.path, f"it has no variant {variant!r}", f"its variants: {', '.join(there)}")
    if wanted.split not in (None, *SPLITS):
        raise unknown_split(wanted.path, wanted.split, SPLITS)
    classes = class_names(_names(wanted.path, variant))
    splits = SPLITS if wanted.split is None else (wanted.split,)
    files = [
        _file(wanted.path, shape, classes)
        for split in splits
        for shape in lines(wanted.path / f"{variant.lower()}_{split}.txt")
    ]
    if not files:
        raise unknown_split(wanted.path, wanted.split, SPLITS)
    wanted = replace(wanted, variant=variant)
    return gather(wanted, files, _points, classes=classes, up="y", format=FORMAT, points=POINTS)


def _names(path: Path, variant: str) -> Path:
    return path / f"{variant.lower()}_shape_names.txt"


def _file(root: Path, shape: str, classes: list[str]) -> LabelledFile:
    folder = shape.rpartition("_")[0]
    name = folder.replace("_", " ")
    if name not in classes or Path(shape).name != shape:
        raise DataError(root, f"its lists name the shape {shape[:80]!r}, which is of none of its classes")
    return LabelledFile(root / folder / f"{shape}.txt", classes.index(name), shape)


def _points(path: Path) -> PointCloud:
    """The points alone: the reader of tables cannot know that the other columns are normals."""
    return PointCloud(read_cloud(path).points, up="y")
