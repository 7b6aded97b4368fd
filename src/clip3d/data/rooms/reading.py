"""Labelled scenes from wherever they lie: which layout a folder has, and the scenes in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clip3d.clouds.cloud import PointCloud
from clip3d.data.npz import read_npz
from clip3d.data.rooms.labelled_scene import LabelledScene, SceneThing
from clip3d.data.rooms.s3dis import AREAS, is_s3dis, list_s3dis, read_s3dis
from clip3d.data.rooms.scannet import is_scannet, list_scannet, read_scannet
from clip3d.data.rooms.scannet_classes import NYU40
from clip3d.data.rooms.written_room import is_room, read_room
from clip3d.errors import DataError

EXPORTED = ("xyz", "rgb", "semantic_nyu40", "instance")


def read_scene(path: Path) -> LabelledScene:
    """A scene of ScanNet, a room of S3DIS, a simulated room, or a scene of ScanNet as an npz file.

    The npz holds `xyz` (p, 3) metres z up, `rgb` (p, 3) uint8, `semantic_nyu40` (p,), 0 for none, and
    `instance` (p,), 0 for none: what the exporters of detection models keep of a scene.

    Raises:
        DataError: if it is none of them, or a file is damaged.
    """
    if is_room(path):
        return read_room(path)
    if is_scannet(path):
        return read_scannet(path)
    if is_s3dis(path):
        return read_s3dis(path)
    if path.suffix.lower() == ".npz" and path.is_file():
        return _exported(path)
    raise DataError(path, "it is no labelled scene of a known layout",
                    "name a folder of ScanNet, S3DIS or clip3d data simulate-rooms")  # fmt: skip


def list_scenes(path: Path, split: str | None = None) -> list[Path]:
    """The labelled scenes in a folder, in the order of their names.

    Args:
        path: a folder of simulated rooms, of ScanNet, of S3DIS, or of npz files; or one scene.
        split: of ScanNet "train", "val" or "test"; of S3DIS "area-5" or another area; None for all.

    Raises:
        DataError: if there is none.
    """
    if is_room(path) or is_scannet(path) or is_s3dis(path) or path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(path, "there is no such file or folder", "check the spelling of the path")
    if any((path / f"Area_{area}").is_dir() for area in AREAS):
        number = (split or "").removeprefix("area-")
        return list_s3dis(path, (int(number),) if number.isdecimal() else AREAS)
    rooms = sorted(p for p in path.iterdir() if p.is_dir() and is_room(p))
    files = sorted(p for p in path.iterdir() if p.suffix.lower() == ".npz" and p.name != "segments.npz")
    return rooms or files or list_scannet(path, split)


def _exported(path: Path) -> LabelledScene:
    arrays = read_npz(path, required=EXPORTED)
    xyz, rgb, nyu, owner = (arrays[name] for name in EXPORTED)
    count = len(xyz)
    if xyz.shape != (count, 3) or rgb.shape != (count, 3) or nyu.shape != (count,) or owner.shape != (count,):
        raise DataError(path, "its arrays do not fit each other", "write them of one scene")
    if nyu.max(initial=0) > len(NYU40) or rgb.dtype != np.uint8:
        raise DataError(path, "its classes are no ids of NYU40, or its colours no bytes", "write it anew")
    numbers, places = np.unique(owner, return_inverse=True)
    labels = ["" for _ in numbers]
    for place in range(len(numbers)):
        ids = nyu[places == place]
        best = int(np.bincount(ids).argmax())
        labels[place] = NYU40[best - 1] if best else ""
    known = np.array([number > 0 and label != "" for number, label in zip(numbers, labels, strict=True)])
    renumbered = np.where(known, np.cumsum(known) - 1, -1).astype(np.int32)
    things = tuple(SceneThing(label, (label,)) for label, keep in zip(labels, known, strict=True) if keep)
    cloud = PointCloud(xyz.astype(np.float32), rgb.astype(np.float32) / np.float32(255), up="z", unit="m",
                       frame_source="default", path=path)  # fmt: skip
    return LabelledScene(path.stem, cloud, renumbered[places.reshape(-1)], things, path)
