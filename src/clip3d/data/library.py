"""A library: captioned, coloured clouds of many objects in one file, ready for training.

A library is an uncompressed npz with, for n objects of p points:
`points` (n, p, 3) float16, z up, in the unit sphere, in farthest-point order, so that the first m points of an
object cover it evenly for every m; `colors` (n, p, 3) uint8; `colored` (n,) bool; `captions` (n,) unicode, phrases
joined by "|", the most specific first; `source`, `licence`, `name` (n,) unicode; `held_out` (n,) bool;
`group` (n,) int64, equal for near copies, which never lie on both sides of the held-out line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.normalizing import normalize_unit_sphere
from clip3d.clouds.sampling import farthest_point_sample
from clip3d.data.npz import read_npz, write_npz

POINTS = 2048
KEYS = ("points", "colors", "colored", "captions", "source", "licence", "name", "held_out", "group")


@dataclass(frozen=True)
class Entry:
    """One object on its way into a library: a dense cloud with its captions and origin."""

    cloud: PointCloud
    captions: tuple[str, ...]
    name: str
    source: str
    licence: str


@dataclass(frozen=True, eq=False)
class Library:
    """Objects in memory; the arrays are as the module's text says."""

    points: NDArray[np.float16]
    colors: NDArray[np.uint8]
    colored: NDArray[np.bool_]
    captions: NDArray[np.str_]
    source: NDArray[np.str_]
    licence: NDArray[np.str_]
    name: NDArray[np.str_]
    held_out: NDArray[np.bool_]
    group: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.points)

    def phrases(self, index: int) -> list[str]:
        """The captions of one object, the most specific first."""
        return str(self.captions[index]).split("|")

    def cloud(self, index: int, points: int | None = None) -> PointCloud:
        """The cloud of one object, z up, with colours where it has some; its first `points` points, or all."""
        xyz = self.points[index, :points].astype(np.float32)
        if not self.colored[index]:
            return PointCloud(xyz, up="z")
        rgb: NDArray[np.float32] = self.colors[index, :points].astype(np.float32) / np.float32(255)
        return PointCloud(xyz, rgb, up="z")

    def select(self, index: NDArray[Any]) -> Library:
        """The objects that `index` (integers or a mask) names."""
        return Library(**{key: getattr(self, key)[index] for key in KEYS})

    def save(self, path: Path) -> None:
        """Write the library whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_npz(path, {key: getattr(self, key) for key in KEYS})


def read_library(path: Path) -> Library:
    """Read one library file.

    Raises:
        DataError: if the file is missing, damaged or of another form.
    """
    return Library(**read_npz(path, required=KEYS))


def join(libraries: Sequence[Library]) -> Library:
    """One library of several; groups of different libraries stay apart."""
    shift = 0
    groups = []
    for library in libraries:
        groups.append(library.group + shift)
        shift += int(library.group.max(initial=-1)) + 1
    columns = {k: np.concatenate([getattr(x, k) for x in libraries]) for k in KEYS if k != "group"}
    return Library(**columns, group=np.concatenate(groups))


def make_library(entries: Sequence[Entry], *, held_out_share: float, points: int = POINTS) -> Library:
    """Bring entries into library form and set a share of them aside, near copies together.

    Args:
        entries: dense clouds (several times `points`) in their own frames.
        held_out_share: about this share of the groups is held out, chosen by a hash of the group's first name,
            so that the choice does not depend on order or on what else is in the library.
        points: p of the library.
    """
    rows = [_row(entry.cloud, points) for entry in entries]
    xyz = np.stack([row[0] for row in rows])
    group = near_copies(xyz, [entry.captions[0] for entry in entries])
    names = [entry.name for entry in entries]
    first = {int(g): min(n for n, h in zip(names, group, strict=True) if h == g) for g in np.unique(group)}
    held = {g for g, name in first.items() if _fraction(name) < held_out_share}
    return Library(
        points=xyz.astype(np.float16),
        colors=np.stack([row[1] for row in rows]),
        colored=np.array([entry.cloud.colors is not None for entry in entries]),
        captions=np.array(["|".join(entry.captions) for entry in entries]),
        source=np.array([entry.source for entry in entries]),
        licence=np.array([entry.licence for entry in entries]),
        name=np.array(names),
        held_out=np.array([int(g) in held for g in group]),
        group=group,
    )


def near_copies(
    points: NDArray[np.floating[Any]], captions: Sequence[str], limit: float = 0.96
) -> NDArray[np.int64]:
    """Group number (n,) of each object: objects of one caption whose smoothed occupancy agrees are one group.

    Args:
        points: (n, p, 3) in the unit sphere.
        captions: one a object; objects of different captions are never grouped.
        limit: cosine of the occupancies, 10 cells a side, at or above which two objects are near copies.
    """
    occupancy = np.stack([_occupancy(p) for p in points])
    group = np.arange(len(points), dtype=np.int64)
    for caption in set(captions):
        members = np.flatnonzero([c == caption for c in captions])
        alike = occupancy[members] @ occupancy[members].T >= limit
        for i, j in zip(*np.nonzero(np.triu(alike, 1)), strict=True):
            group[group == group[members[j]]] = group[members[i]]
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def _row(cloud: PointCloud, points: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    cloud = cloud.z_up()
    cloud = cloud.select(farthest_point_sample(cloud.points, points, exact=False))
    colors = cloud.colors if cloud.colors is not None else np.full_like(cloud.points, 0.5)
    return normalize_unit_sphere(cloud.points)[0], (colors * 255).round().astype(np.uint8)


def _occupancy(points: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    cells = np.clip(((points.astype(np.float32) + 1) * 5).astype(np.intp), 0, 9)
    flat = np.bincount(cells @ np.array([100, 10, 1]), minlength=1000).astype(np.float32)
    return np.asarray(flat / np.linalg.norm(flat))


def _fraction(name: str) -> float:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32
