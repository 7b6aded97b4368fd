"""S3DIS as it is handed out (Armeni et al. 2016): `Area_1/office_3/Annotations/chair_2.txt`, lines `x y z r g b`.

A thing is a file; its name begins with its class. The points of a room are those of all its things.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.formats.contents import Malformed, rows_finite
from clip3d.clouds.formats.text import numbers
from clip3d.data.rooms.files import AGAIN, read_bytes
from clip3d.data.rooms.labelled_scene import LabelledScene, SceneThing
from clip3d.data.rooms.scannet_classes import S3DIS13
from clip3d.errors import DataError

AREAS = (1, 2, 3, 4, 5, 6)
THING = re.compile(r"([A-Za-z]+)_\d+\.txt")
NOTES = "Annotations"
WORDS = {"board": ("board", "whiteboard"), "bookcase": ("bookcase", "bookshelf"), "clutter": ("clutter", "thing"),
         "sofa": ("sofa", "couch"), "column": ("column", "pillar")}  # fmt: skip
# Bytes that stand where a space should, as in Area_5/hallway_6 of the published files.
STRAY = bytes(range(1, 9)) + bytes(range(14, 32))


def is_s3dis(path: Path) -> bool:
    """Whether a folder is a room of S3DIS."""
    return (path / NOTES).is_dir()


def list_s3dis(path: Path, areas: Sequence[int] = AREAS) -> list[Path]:
    """The folders of the rooms below S3DIS's folder, of some of its six areas.

    Raises:
        DataError: if there is none.
    """
    found = [
        room
        for area in areas
        for room in (sorted((path / f"Area_{area}").iterdir()) if (path / f"Area_{area}").is_dir() else [])
        if is_s3dis(room)
    ]
    if not found:
        raise DataError(path, "there is no room of S3DIS in it", "name the folder that holds Area_1 to Area_6")
    return found


def folds(rooms: Sequence[Path], test: int | None = None) -> list[tuple[list[Path], list[Path]]]:
    """Rooms to train on and to test on: one pair for each area, or Area `test` alone, such as 5."""
    chosen = AREAS if test is None else (test,)
    area_of = {room: room.parent.name for room in rooms}
    return [
        ([r for r in rooms if area_of[r] != f"Area_{area}"], [r for r in rooms if area_of[r] == f"Area_{area}"])
        for area in chosen
    ]


def read_s3dis(path: Path) -> LabelledScene:
    """A room of S3DIS, metres, z up; classes that are none of the 13, such as stairs, are clutter, as usual.

    Raises:
        DataError: if a file is damaged, or there is none.
    """
    files = sorted(p for p in (path / NOTES).iterdir() if THING.fullmatch(p.name) and p.is_file())
    if not files:
        raise DataError(path / NOTES, "it holds no files CLASS_NUMBER.txt", "unpack the room again")
    tables = [_table(file) for file in files]
    things = []
    for file in files:
        match = THING.fullmatch(file.name)
        word = match[1].lower() if match else "clutter"
        label = word if word in S3DIS13 else "clutter"
        things.append(SceneThing(label, tuple(dict.fromkeys((word, *WORDS.get(label, (label,)))))))
    rows = np.concatenate(tables)
    owner = np.repeat(np.arange(len(files), dtype=np.int32), [len(t) for t in tables])
    colors = np.clip(rows[:, 3:] / 255, 0, 1).astype(np.float32)
    cloud = PointCloud(rows[:, :3].astype(np.float32), colors, up="z", unit="m", frame_source="default", path=path)
    return LabelledScene(f"{path.parent.name}/{path.name}", cloud, owner, tuple(things), path,
                         {"use": path.name.rpartition("_")[0]})  # fmt: skip


def _table(path: Path) -> NDArray[np.float64]:
    try:
        values = numbers(read_bytes(path).translate(bytes.maketrans(STRAY, b" " * len(STRAY))))
    except Malformed as error:
        raise DataError(path, str(error), AGAIN) from error
    if not len(values) or len(values) % 6:
        raise DataError(path, f"it holds {len(values)} numbers, which are no rows of x y z r g b", AGAIN)
    rows = values.reshape(-1, 6)
    if not rows_finite(rows).all():
        raise DataError(path, "it holds numbers that are not finite", AGAIN)
    return rows
