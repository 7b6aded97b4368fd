"""Patches merged bottom-up over the graph of those that touch: a tree, cut at several heights."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.scenes.patches import Patches, components
from clip3d.scenes.voxels import Labels

# Patches this alike are one at once, before the merging one by one.
SAME = 0.06
# A region of so many voxels is as hard to swallow as its borders say; smaller ones are easier.
LARGE, GROWTH = 1000.0, 0.25


@dataclass(frozen=True)
class Cues:
    """How much each cue makes two regions unlike.

    Attributes:
        bend: the angle of their normals, at the border.
        shade: the distance of their colours, at the border.
        region_shade: the distance of their mean colours.
        step: one standing on the other.
        gap: metres between them.
    """

    bend: float = 0.5
    shade: float = 1.0
    region_shade: float = 1.0
    step: float = 0.35
    gap: float = 5.0


# By shape and colour; by shape alone, which keeps together what is of many colours, as shelves full of books are.
# Several views of what belongs together find more of the things than any single one (Uijlings et al. 2013).
BOTH = Cues()
SHAPE = Cues(bend=0.7, shade=0.0, region_shade=0.0, step=0.6)
COLOR = Cues(bend=0.2, shade=1.5, region_shade=1.5, step=0.0)


def merge_tree(patches: Patches, cuts: Sequence[float], cues: Cues = BOTH) -> list[Labels]:
    """Regions of patches at several heights of the tree, from fine to coarse: for each cut (p,) int32.

    The two regions that are least unlike are merged first. Unlike is what is bent, of another colour, apart, or
    stands on the other, at the border (the mean over it) and as a whole (the mean colour); what touches with little
    of its border is more so, and what is small less.

    Args:
        patches: p of them.
        cuts: ascending.
        cues: what makes regions unlike.
    """
    border = _border(patches, cues)
    start = components(len(patches), patches.pairs[border < SAME])
    regions = _Regions(patches, start, border, cues)
    found, merged = [], list(regions.merges(cuts[-1]))
    parent = np.arange(len(regions.sizes), dtype=np.int32)
    done = 0
    for cut in cuts:
        while done < len(merged) and merged[done][0] <= cut:
            _, kept, gone = merged[done]
            parent[gone] = kept
            done += 1
        root = parent.copy()
        while (root != root[root]).any():
            root = root[root]
        found.append(np.unique(root[start], return_inverse=True)[1].astype(np.int32))
    return found


def _border(patches: Patches, cues: Cues) -> NDArray[np.float32]:
    """How unlike the two patches of each pair are where they touch (e,)."""
    surface = cues.bend * patches.bend + cues.shade * patches.shade
    return np.asarray(surface + cues.step * patches.step + cues.gap * patches.gap, np.float32)


class _Regions:
    """Regions that are being merged: sizes, sums of colour, and for each the others that it touches."""

    def __init__(self, patches: Patches, start: Labels, border: NDArray[np.float32], cues: Cues) -> None:
        self.region_shade = cues.region_shade
        n = int(start.max()) + 1 if len(start) else 0
        self.sizes = np.bincount(start, weights=patches.sizes, minlength=n)
        colors = patches.colors if patches.colors is not None else np.zeros((len(patches), 3), np.float32)
        weighted = colors * patches.sizes[:, None]
        sums = [np.bincount(start, weights=weighted[:, axis], minlength=n) for axis in range(3)]
        self.colors = np.stack(sums, axis=1) if n else np.zeros((0, 3))
        self.touching: list[dict[int, tuple[float, float]]] = [{} for _ in range(n)]
        self.border = np.zeros(n)
        a, b = start[patches.pairs[:, 0]].astype(np.int64), start[patches.pairs[:, 1]].astype(np.int64)
        low, high = np.minimum(a, b), np.maximum(a, b)
        apart = low < high
        keys, index = np.unique((low * n + high)[apart], return_inverse=True)
        contact = np.bincount(index, weights=patches.contact[apart], minlength=len(keys))
        cost = np.bincount(index, weights=(patches.contact * border)[apart], minlength=len(keys))
        for key, width, unlike in zip(keys.tolist(), contact.tolist(), cost.tolist(), strict=True):
            self._join(key // n, key % n, width, unlike)

    def _join(self, a: int, b: int, width: float, unlike: float) -> None:
        self.touching[a][b] = self.touching[b][a] = (width, unlike)
        self.border[a] += width
        self.border[b] += width

    def unlike(self, a: int, b: int) -> float:
        """How unlike two regions that touch are."""
        width, cost = self.touching[a][b]
        x, y = self.colors[a] / self.sizes[a], self.colors[b] / self.sizes[b]
        shade = abs(x[0] - y[0]) + abs(x[1] - y[1]) + abs(x[2] - y[2])
        share = width / max(min(self.border[a], self.border[b]), 1e-9)
        small = min(self.sizes[a], self.sizes[b]) / LARGE
        return float((cost / width + self.region_shade * shade / 1.7) * (1.5 - share) * min(small, 4.0) ** GROWTH)

    def merges(self, most: float) -> list[tuple[float, int, int]]:
        """Merges in turn as (height, kept, gone), heights ascending, up to a height."""
        stamp = [0] * len(self.sizes)
        heap = [(self.unlike(a, b), a, b, 0, 0) for a, others in enumerate(self.touching) for b in others if a < b]
        heapq.heapify(heap)
        done, reached = [], 0.0
        while heap:
            height, a, b, x, y = heapq.heappop(heap)
            if stamp[a] != x or stamp[b] != y:
                continue
            if height > most:
                break
            reached = max(reached, height)
            if len(self.touching[a]) < len(self.touching[b]):
                a, b = b, a
            self._swallow(a, b)
            stamp[a] += 1
            stamp[b] = -1
            done.append((reached, a, b))
            for other in self.touching[a]:
                low, high = min(a, other), max(a, other)
                heapq.heappush(heap, (self.unlike(a, other), low, high, stamp[low], stamp[high]))
        return done

    def _swallow(self, a: int, b: int) -> None:
        width, _ = self.touching[a].pop(b)
        del self.touching[b][a]
        self.border[a] += self.border[b] - 2 * width
        self.sizes[a] += self.sizes[b]
        self.colors[a] += self.colors[b]
        for other, (w, cost) in self.touching[b].items():
            del self.touching[other][b]
            before, also = self.touching[a].get(other, (0.0, 0.0))
            self.touching[a][other] = self.touching[other][a] = (before + w, also + cost)
        self.touching[b] = {}
