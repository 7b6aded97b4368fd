"""Batches of a sweep tower's training: what a step is shown is decided by the seed and the step's number alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from clip3d.lidar.augmenting import mirrored
from clip3d.lidar.bev_grid import BevGrid
from clip3d.training.sweep_recipe import SweepRecipe
from clip3d.training.sweep_regions import Region, members, pixels_of, turned_to
from clip3d.training.sweep_views import View
from clip3d.training.sweep_words import Vocabulary, kind_of

Array = NDArray[np.float32]
DRAWS = 2  # a stream of random numbers beside that of the loop
LEAST_OF_SPOT = 3  # points with which a spot teaches


@dataclass(frozen=True, eq=False)
class Source:
    """The views of one folder of logs with what the teacher says of their regions.

    Attributes:
        share: of the frusta that is drawn from here.
        views: n of them.
        first: (n,) the row of each view's first region in `vectors`.
        vectors: (r, 1 or 2, d) raw, the second those of mirror images; NaN where nothing is known.
    """

    share: float
    views: Sequence[View]
    first: NDArray[np.intp]
    vectors: Array


@dataclass
class SweepBatch:
    """Frusta of one batch, and what is known of them.

    Attributes:
        points: (p, 4) float32 of all n frusta one after the other.
        counts: (n,) points of each.
        wanted: (n, d) the teacher's raw vectors; NaN where it says nothing.
        spot_cell: (k,) for each point of a spot its cell, numbered frustum * cells + cell, ascending by spot.
        spot: (k,) which of the s spots it belongs to.
        spot_wanted: (s, d) the teacher's raw vectors of these.
        object_cell: (m,) likewise of points in boxes.
        object: (m,) which of the o boxes.
        words: (o,) row of each box's words in the vocabulary.
        shares: (o,) how much each counts.
        truths: (n, t) 1 or 0, NaN where it is not known whether a term is true.
    """

    points: Tensor
    counts: Tensor
    wanted: Tensor
    spot_cell: Tensor
    spot: Tensor
    spot_wanted: Tensor
    object_cell: Tensor
    object: Tensor
    words: Tensor
    shares: Tensor
    truths: Tensor

    def to(self, device: torch.device) -> SweepBatch:
        """The batch on a device."""
        return SweepBatch(**{one.name: getattr(self, one.name).to(device) for one in fields(self)})


class SweepBatches(Dataset[SweepBatch]):
    """All batches of a run by their number.

    Args:
        sources: where frusta are drawn from.
        recipe: the set-up.
        grid: of the tower.
        vocabulary: of labels; None where they do not teach.
        steps: of the run.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        recipe: SweepRecipe,
        grid: BevGrid,
        vocabulary: Vocabulary | None,
        steps: int,
    ) -> None:
        self.sources, self.recipe, self.grid, self.vocabulary, self.steps = sources, recipe, grid, vocabulary, steps
        total = sum(source.share for source in sources)
        self.chance = np.array([source.share / total for source in sources])

    def __len__(self) -> int:
        return self.steps * self.recipe.run.accumulate

    def __getitem__(self, number: int) -> SweepBatch:
        shown = []
        for row in range(self.recipe.batch):
            rng = np.random.default_rng([self.recipe.seed, DRAWS, number, row])
            source = self.sources[int(rng.choice(len(self.sources), p=self.chance))]
            shown.append(self._show(source, int(rng.integers(len(source.views))), rng))
        return _together(shown, self.grid.cells)

    def _show(self, source: Source, index: int, rng: np.random.Generator) -> _Shown:
        recipe, view = self.recipe, source.views[index]
        flip = bool(rng.random() < recipe.mirror)
        said = source.vectors[source.first[index] :][: len(view.regions), int(flip and source.vectors.shape[1] > 1)]
        points = view.points
        pixels = pixels_of(points, view.intrinsics)
        place, kept = _chosen(view, points, pixels, rng.random() < recipe.zoom, rng)
        points, pixels = points[kept], pixels[kept]
        owner = view.rows["owner"][kept]
        spots = [] if not recipe.region_weight else _spots(view, points, pixels, said, besides=place)
        faced = points if place == 0 else turned_to(points, view.regions[place], view.intrinsics)
        changed, left = recipe.change(mirrored(faced) if flip else faced, view.rows["ring"][kept], rng)
        cell = self.grid.cell_of(changed[:, :3])
        new = np.full(len(points), -1, np.intp)  # a point's place among those that are left; -1 for a dropped one
        new[left] = np.arange(len(left))
        shown = _Shown(changed, said[place])
        for region, own in spots:
            cells = _cells_of(cell, new[own])
            if len(cells) >= LEAST_OF_SPOT:
                shown.spots.append((cells, said[region]))
        if self.vocabulary is not None:
            self._name(shown, view, self.vocabulary, owner[left], cell)
            told = view.terms[place] if place < view.squares else {}
            shown.truths = self.vocabulary.truths(dict(told))
        return shown

    def _name(
        self, shown: _Shown, view: View, vocabulary: Vocabulary, owner: NDArray[np.int16], cell: NDArray[np.intp]
    ) -> None:
        """Add the boxes that lie in the frustum, with their words."""
        labels = self.recipe.labels
        for box in np.unique(owner[owner >= 0]):
            cells = _cells_of(cell, np.flatnonzero(owner == box))
            row = vocabulary.row(view.words[box])
            if row >= 0 and len(cells) >= labels.least:
                share = float(vocabulary.counts[kind_of(view.labels[box])] ** -labels.power)
                shown.objects.append((cells, row, share))


class _Shown:
    """One frustum of a batch."""

    def __init__(self, points: Array, wanted: Array) -> None:
        self.points, self.wanted = points, wanted
        self.spots: list[tuple[NDArray[np.intp], Array]] = []
        self.objects: list[tuple[NDArray[np.intp], int, float]] = []
        self.truths = np.zeros(0, np.float32)


def _chosen(
    view: View, points: Array, pixels: NDArray[np.float64], zooms: bool, rng: np.random.Generator
) -> tuple[int, NDArray[np.intp]]:
    """Which region of a view is the frustum, and which points it holds."""
    spots = [i for i, region in enumerate(view.regions) if region.kind == "spot"] if zooms else []
    place = int(rng.choice(spots)) if spots else int(rng.integers(view.squares))
    # a frustum is a cone: what lies behind a spot belongs to it
    whole = Region("square", view.regions[place].rectangle)
    return place, np.flatnonzero(members(points, pixels, whole))


def _spots(
    view: View, points: Array, pixels: NDArray[np.float64], said: Array, besides: int
) -> list[tuple[int, NDArray[np.intp]]]:
    """The spots of which the frustum holds points and the teacher says something, with their points."""
    found = []
    for i, region in enumerate(view.regions):
        if region.kind == "spot" and i != besides and np.isfinite(said[i, 0]):
            own = np.flatnonzero(members(points, pixels, region))
            if len(own) >= LEAST_OF_SPOT:
                found.append((i, own))
    return found


def _cells_of(cell: NDArray[np.intp], points: NDArray[np.intp]) -> NDArray[np.intp]:
    """Cells of points that are still there and within the grid."""
    found = cell[points[points >= 0]]
    return found[found >= 0]


def _together(shown: Sequence[_Shown], cells: int) -> SweepBatch:
    spots = [(at * cells + own, wanted) for at, one in enumerate(shown) for own, wanted in one.spots]
    objects = [(at * cells + own, row, share) for at, one in enumerate(shown) for own, row, share in one.objects]
    width = shown[0].wanted.shape[0]
    return SweepBatch(
        points=torch.from_numpy(np.concatenate([one.points for one in shown])),
        counts=torch.tensor([len(one.points) for one in shown]),
        wanted=torch.from_numpy(np.stack([one.wanted for one in shown])),
        spot_cell=_joined([own for own, _ in spots]),
        spot=_numbered([own for own, _ in spots]),
        spot_wanted=torch.from_numpy(np.array([w for _, w in spots], np.float32).reshape(-1, width)),
        object_cell=_joined([own for own, _, _ in objects]),
        object=_numbered([own for own, _, _ in objects]),
        words=torch.tensor([row for _, row, _ in objects], dtype=torch.long),
        shares=torch.tensor([share for _, _, share in objects], dtype=torch.float32),
        truths=torch.from_numpy(np.stack([one.truths for one in shown])),
    )


def _joined(parts: Sequence[NDArray[np.intp]]) -> Tensor:
    return torch.from_numpy(np.concatenate([np.zeros(0, np.int64), *parts]).astype(np.int64))


def _numbered(parts: Sequence[NDArray[np.intp]]) -> Tensor:
    return torch.from_numpy(np.repeat(np.arange(len(parts)), [len(part) for part in parts]).astype(np.int64))
