"""Parts of a scene that may be an answer: taken from all scales, each once, no more than a tower can look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.scenes.boxes import Box, upright_box
from clip3d.scenes.surface import Surface
from clip3d.scenes.voxels import Labels, Voxels

MOST_PARTS = 300
LEAST_VOXELS = 12
SMALLEST, LARGEST = 0.08, 4.5  # metres of the longest side of a part
LARGEST_ON_WALL = 2.6  # the same of one that is part of a wall: what is longer is the wall
ON_WALL = 1.0  # what stands for the border of a part of a wall
USUAL = 0.4  # metres from which on a part's size speaks no more for it
# Parts are one whose intersection over union reaches this.
SAME = 0.85
# Points of a part that a tower chooses among.
SHOWN = 1024


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a scene.

    Attributes:
        voxels: (v,) int32, ascending.
        scale: the finest of the scales that it was found at.
        scales: at how many it was found.
        touching: how much of its border lies against other things: voxels at which it does, over the root of all.
        box: in the surface's axes, metres.
    """

    voxels: Labels
    scale: int
    scales: int
    touching: float
    box: Box


@dataclass(frozen=True)
class _Found:
    """A part that is the same at one scale or several, each given with its label there."""

    places: list[tuple[int, int]]
    size: int

    @property
    def times(self) -> int:
        return len(self.places)


def choose_parts(
    surface: Surface, standing: NDArray[np.bool_], scales: Sequence[Labels], most: int = MOST_PARTS
) -> list[Part]:
    """The parts of all scales, each once, the best founded first: those that stay the same over many scales.

    Args:
        surface: of the scan.
        standing: (m,) which of its voxels are neither floor nor ceiling nor wall.
        scales: parts (m,) of its voxels, fine to coarse, -1 for none.
        most: parts.
    """
    members = [_Members(labels) for labels in scales]
    usual = []
    for found in _found(members, len(surface)):
        scale, label = found.places[0]
        index = members[scale].of(label)
        longest = float(np.ptp(surface.points[index], axis=0).max())
        if SMALLEST <= longest <= (LARGEST if standing[index[0]] else LARGEST_ON_WALL):
            usual.append((-found.times * min(1.0, longest / USUAL), -found.size, found))
    usual.sort(key=lambda item: item[:2])
    kept: list[Part] = []
    taken: set[tuple[int, int]] = set()
    for _, _, found in usual:
        scale, label = found.places[0]
        index = members[scale].of(label)
        if len(kept) == most:
            break
        if not _is_near_copy(index, members, taken):
            taken.update(found.places)
            touching = _touching(surface, standing, index)
            kept.append(Part(index, scale, found.times, touching, upright_box(surface.points[index])))
    return kept


def _touching(surface: Surface, standing: NDArray[np.bool_], index: Labels) -> float:
    """Voxels of a part (v,) with a neighbour that stands in the room but is none of it, over the root of v.

    What is on a wall touches nothing but the wall: it has what a thing of its kind has that stands before one.
    """
    if not standing[index[0]]:
        return ON_WALL
    other = np.append(standing, False)
    other[index] = False
    return float(other[surface.neighbours[index]].any(axis=1).sum() / np.sqrt(len(index)))


class _Members:
    """The voxels of each part at one scale."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.order = np.argsort(labels, kind="stable").astype(np.int32)
        count = int(labels.max(initial=-1)) + 1
        self.starts = np.searchsorted(labels[self.order], np.arange(count + 1))
        self.sizes = np.diff(self.starts)

    def of(self, label: int) -> Labels:
        """The voxels (v,) of a part, ascending."""
        return self.order[self.starts[label] : self.starts[label + 1]]


def _found(members: Sequence[_Members], n: int) -> list[_Found]:
    """The parts of all scales that are large enough; those that hold the same voxels are one."""
    signature = np.random.default_rng(0).integers(1, 2**62, n, dtype=np.int64)
    found: dict[tuple[int, int], _Found] = {}
    for scale, parts in enumerate(members):
        sums = np.concatenate([[0], np.cumsum(signature[parts.order])])  # wraps round, as differences do
        held = sums[parts.starts[1:]] - sums[parts.starts[:-1]]
        for label in np.flatnonzero(parts.sizes >= LEAST_VOXELS).tolist():
            size = int(parts.sizes[label])
            found.setdefault((int(held[label]), size), _Found([], size)).places.append((scale, label))
    return list(found.values())


def _is_near_copy(index: Labels, members: Sequence[_Members], taken: set[tuple[int, int]]) -> bool:
    """Whether a part that was taken holds nearly the same voxels (v,)."""
    for scale, parts in enumerate(members):
        there = parts.labels[index]
        there = there[there >= 0]
        if not len(there):
            continue
        names, counts = np.unique(there, return_counts=True)
        best = int(counts.argmax())
        label, both = int(names[best]), int(counts[best])
        if (scale, label) in taken and both >= SAME * (len(index) + parts.sizes[label] - both):
            return True
    return False


def part_clouds(
    cloud: PointCloud, voxels: Voxels, surface: Surface, turn: NDArray[np.float64], parts: Sequence[Part]
) -> list[PointCloud]:
    """What a tower is shown of each part: its voxels, or, where these are few, the points of the scan in them.

    Args:
        cloud, voxels: the scan.
        surface: of the voxels, turned to gravity.
        turn: (3, 3) that turned it.
        parts: of the surface.
    """
    clouds = [_of_voxels(surface, part.voxels) for part in parts]
    few = [i for i, part in enumerate(parts) if len(part.voxels) < SHOWN // 2]
    rows = points_of(voxels.owner, len(voxels), [parts[i].voxels for i in few])
    for i, mine in zip(few, rows, strict=True):
        if len(mine) <= len(parts[i].voxels):
            continue
        mine = mine[:: max(1, len(mine) // SHOWN)]
        own = voxels.grid.to_metres(cloud.points[mine]) @ turn.T
        colors = None if cloud.colors is None else cloud.colors[mine]
        clouds[i] = PointCloud(own.astype(np.float32), colors, up="z", unit="m")
    return clouds


def _of_voxels(surface: Surface, index: Labels) -> PointCloud:
    index = index[:: max(1, len(index) // SHOWN)]
    colors = None if surface.colors is None else surface.colors[index]
    return PointCloud(surface.points[index], colors, up="z", unit="m")


def points_of(owner: Labels, voxels: int, sets: Sequence[Labels]) -> list[NDArray[np.intp]]:
    """The points of a scan in each of several sets of voxels, ascending.

    Args:
        owner: (n,) voxel of each point.
        voxels: how many there are.
        sets: of voxels (v,); they may overlap.
    """
    wanted = np.zeros(voxels, np.bool_)
    for index in sets:
        wanted[index] = True
    rows = np.flatnonzero(wanted[owner])
    order = np.argsort(owner[rows], kind="stable")
    rows, mine = rows[order], owner[rows][order]
    starts = np.searchsorted(mine, np.arange(voxels + 1))
    found = []
    for index in sets:
        lengths = starts[index + 1] - starts[index]
        first = np.repeat(starts[index] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
        found.append(np.sort(rows[first + np.arange(len(first))]) if len(index) else np.zeros(0, np.intp))
    return found
