"""ScanNet's scans with their annotations, as its download script lays them out (Dai et al. 2017).

Of a scene `scene0000_00` the folder holds `scene0000_00_vh_clean_2.ply` (the mesh whose vertices are labelled),
`scene0000_00_vh_clean_2.0.010000.segs.json` (the small segment that each vertex lies in),
`scene0000_00.aggregation.json` (which segments each object has) and `scene0000_00.txt` (with the rotation that lays
walls along the axes). `scannetv2-labels.combined.tsv` lies above and says what NYU40 calls each of the words.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.data.published.listings import lines
from clip3d.data.rooms.files import AGAIN, read_object, read_text, read_vertices
from clip3d.data.rooms.labelled_scene import LabelledScene, SceneThing
from clip3d.data.rooms.scannet_classes import NYU40, SPELLINGS
from clip3d.errors import DataError

SCENE = re.compile(r"scene\d{4,6}_\d{2}")
MESH, SEGMENTS = "_vh_clean_2.ply", "_vh_clean_2.0.010000.segs.json"
AGGREGATIONS = (".aggregation.json", "_vh_clean.aggregation.json")
LABELS = "scannetv2-labels.combined.tsv"
LISTS = {"train": "scannetv2_train.txt", "val": "scannetv2_val.txt", "test": "scannetv2_test.txt"}
MOST_GROUPS = 100_000


def is_scannet(path: Path) -> bool:
    """Whether a folder is one of ScanNet's scenes."""
    return bool(SCENE.fullmatch(path.name)) and (path / f"{path.name}{MESH}").is_file()


def list_scannet(path: Path, split: str | None = None) -> list[Path]:
    """The folders of the scenes below ScanNet's folder, or of one split: "train", "val" or "test".

    Raises:
        DataError: if there is none, or no list of the split.
    """
    roots = [path, *(path / name for name in ("scans", "scannet", "scans_test"))]
    folders = [folder for root in reversed(roots) if root.is_dir() for folder in sorted(root.iterdir())]
    there = {folder.name: folder for folder in folders if is_scannet(folder)}
    if split is not None:
        places = [root / folder / LISTS.get(split, "") for root in (path, path.parent)
                  for folder in ("", "Tasks/Benchmark", "meta_data", "splits")]  # fmt: skip
        found = next((place for place in places if split in LISTS and place.is_file()), None)
        if found is None:
            remedy = "put ScanNet's list there, which lies in Tasks/Benchmark of its repository"
            raise DataError(path, f"there is no list {LISTS.get(split, split)}", remedy)
        there = {name: there[name] for name in lines(found) if name in there}
    if not there:
        remedy = f"each is a folder sceneNNNN_NN with a file {MESH[1:]}"
        raise DataError(path, "there is no scene of ScanNet in it", remedy)
    return [there[name] for name in sorted(there)]


def read_scannet(path: Path) -> LabelledScene:
    """A scene of ScanNet, its walls laid along the axes.

    Things have their class of NYU40 and, before it, the annotators' own words. Vertices of no object have -1.

    Raises:
        DataError: if a file is missing, damaged, or does not fit the mesh.
    """
    name = path.name
    points, colors, _ = read_vertices(path / f"{name}{MESH}")
    owner, words = _objects(path, name, len(points))
    nyu40 = _nyu40(path)
    things = tuple(_thing(word, nyu40) for word in words)
    turned = _aligned(points, path / f"{name}.txt")
    cloud = PointCloud(turned, colors, up="z", unit="m", frame_source="file", path=path / f"{name}{MESH}")
    return LabelledScene(name, cloud, owner, things, path)


def _objects(path: Path, name: str, count: int) -> tuple[NDArray[np.int32], list[str]]:
    """The object (p,) of each vertex, -1 for none, and each object's word."""
    place = path / f"{name}{SEGMENTS}"
    segments = _whole(read_object(place).get("segIndices"), place)
    if len(segments) != count:
        raise DataError(place, f"it has {len(segments)} vertices, the mesh {count}", "take both of one download")
    table = next((path / f"{name}{end}" for end in AGGREGATIONS if (path / f"{name}{end}").is_file()), None)
    if table is None:
        raise DataError(path / f"{name}{AGGREGATIONS[0]}", "there is no such file", "copy the scene again")
    groups = read_object(table).get("segGroups")
    if not isinstance(groups, list) or len(groups) > MOST_GROUPS:
        raise DataError(table, "it has no list of segGroups", AGAIN)
    # Numbers of segments need not be small: they are looked up, not counted up to.
    known, segment_of = np.unique(segments, return_inverse=True)
    owner_of = np.full(len(known), -1, np.int32)
    words = []
    for number, group in enumerate(groups):
        if not isinstance(group, dict) or not isinstance(group.get("label"), str):
            raise DataError(table, f"its group {number} has no label", AGAIN)
        held = _whole(group.get("segments"), table)
        owner_of[np.isin(known, held)] = number
        words.append(group["label"][:100])
    return owner_of[segment_of.reshape(-1)], words


def _whole(values: Any, path: Path) -> NDArray[np.int64]:
    try:
        found = np.asarray(values)
        whole = found.ndim == 1 and (not len(found) or found.dtype.kind in "iu")
        if not whole or (len(found) and not 0 <= found.min() <= found.max() < 2**31):
            raise ValueError("no list of small whole numbers")
        return found.astype(np.int64)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(path, f"its segments cannot be used: {error}", AGAIN) from error


def _aligned(points: NDArray[np.float32], path: Path) -> NDArray[np.float32]:
    """Points turned by the file's axisAlignment; as they are where there is no such file or line, as for tests."""
    if not path.is_file():
        return points
    for line in read_text(path).splitlines():
        key, _, value = line.partition("=")
        if key.strip() != "axisAlignment":
            continue
        try:
            matrix = np.array([float(word) for word in value.split()]).reshape(4, 4)
        except ValueError as error:
            raise DataError(path, "its axisAlignment is no matrix of 16 numbers", AGAIN) from error
        turn = matrix[:3, :3]
        rigid = np.isfinite(matrix).all() and np.allclose(turn @ turn.T, np.eye(3), atol=1e-3)
        if not rigid or np.linalg.det(turn) < 0:
            raise DataError(path, "its axisAlignment is no rotation", AGAIN)
        turned: NDArray[np.float32] = (points @ turn.T + matrix[:3, 3]).astype(np.float32)
        return turned
    return points


def _thing(word: str, nyu40: Mapping[str, str]) -> SceneThing:
    word = " ".join(word.split())
    label = nyu40.get(word) or (word if word in NYU40 else "otherprop")
    spellings = SPELLINGS.get(label, (label,))
    return SceneThing(label, tuple(dict.fromkeys((word, label, *(spellings if word in spellings else ())))))


def _nyu40(path: Path) -> Mapping[str, str]:
    """What NYU40 calls each word, from the table above the scene; none without one, and then words are classes."""
    for folder in (path, path.parent, path.parent.parent):
        if (folder / LABELS).is_file():
            return _table(folder / LABELS)
    return {}


@lru_cache(maxsize=4)
def _table(path: Path) -> Mapping[str, str]:
    try:
        rows = list(csv.DictReader(read_text(path).splitlines(), delimiter="\t"))
    except csv.Error as error:
        raise DataError(path, f"it is no table: {error}", AGAIN) from error
    if not rows or "raw_category" not in rows[0] or "nyu40id" not in rows[0]:
        raise DataError(path, "it has no columns raw_category and nyu40id", "take ScanNet's own")
    found = {}
    for row in rows:
        number = (row["nyu40id"] or "").strip()
        if number.isdecimal() and len(number) < 4 and 1 <= int(number) <= len(NYU40):
            found[" ".join((row["raw_category"] or "").split())] = NYU40[int(number) - 1]
    return found
