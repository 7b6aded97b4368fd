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
        numbers = {f"area-{area}": (area,) for area in AREAS}
        if split is not None and split not in numbers:
            raise DataError(path, f"S3DIS has no split {split!r}", f"it is one of {', '.join(numbers)}")
        return list_s3dis(path, AREAS if split is None else numbers[split])
    rooms = sorted(p for p in path.iterdir() if p.is_dir() and is_room(p))
    files = sorted(p for p in path.iterdir() if p.suffix.lower() == ".npz" and p.name != "segments.npz")
    if split is not None and (rooms or files):
        raise DataError(path, f"its scenes are of no split, and {split!r} is asked for", "leave the split out")
    return rooms or files or list_scannet(path, split)


def _exported(path: Path) -> LabelledScene:
    arrays = read_npz(path, required=EXPORTED)
    xyz, rgb, nyu, owner = (arrays[name] for name in EXPORTED)
    count = len(xyz)
    if xyz.shape != (count, 3) or rgb.shape != (count, 3) or nyu.shape != (count,) or owner.shape != (count,):
        raise DataError(path, "its arrays do not fit each other", "write them of one scene")
    whole = nyu.dtype.kind in "iu" and owner.dtype.kind in "iu"
    if not whole or nyu.min(initial=0) < 0 or nyu.max(initial=0) > len(NYU40) or rgb.dtype != np.uint8:
        reason = "its classes are no ids of NYU40, its instances no whole numbers, or its colours no bytes"
        raise DataError(path, reason, "write it anew")
    if xyz.dtype.kind not in "fiu" or not count or not np.isfinite(xyz).all():
        raise DataError(path, "it holds no points, or some that are not finite", "write it anew")
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
