"""Things as scans see them, one by one, as a library: partial, noisy clouds to train on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.data.captions import with_synonyms
from clip3d.data.library import Entry, Library, make_library
from clip3d.data.rooms.labelled_scene import LabelledScene
from clip3d.data.rooms.reading import read_scene
from clip3d.errors import DataError

LEAST = 150  # points of a thing that is kept
DENSE = 8192
LEFT_OUT = frozenset(("wall", "floor", "ceiling", "column", "beam", "ceiling light", "clutter", "otherprop",
                      "otherstructure", "otherfurniture"))  # fmt: skip
# Real segments are not cut as the truth is: some lack a piece, some have a piece of what is beside them.
ROUGH, REACH, CUT = 0.5, 0.12, 0.35


def segments_of(scene: LabelledScene, rng: np.random.Generator, least: int = LEAST) -> list[Entry]:
    """The things of a scene as entries of a library, half of them cut as roughly as segmentation does.

    Args:
        scene: with labels.
        rng: of the cutting.
        least: points of a thing below which it is left out.
    """
    points, found = scene.cloud.points, []
    for number, thing in enumerate(scene.things):
        index = scene.points_of(number)
        if thing.label in LEFT_OUT or len(index) < least:
            continue
        kept = _rough(points, index, rng) if rng.random() < ROUGH else index
        if len(kept) > DENSE:
            kept = np.sort(rng.choice(kept, DENSE, replace=False))
        cloud = scene.cloud.select(kept)
        found.append(Entry(PointCloud(cloud.points, cloud.colors, up="z", unit="m"), with_synonyms(thing.words),
                           f"{scene.name}/{number}", "clip3d simulated rooms", "Apache-2.0"))  # fmt: skip
    return found


def _rough(points: NDArray[np.float32], index: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """The points of a thing with those of others within reach, or without a piece at one side."""
    mine = points[index]
    if rng.random() < 0.5:
        low, high = mine.min(0) - REACH * rng.random(), mine.max(0) + REACH * rng.random()
        # floors are found and taken away, and with them the foot of what is not as flat as a rug
        low[2] = low[2] + REACH / 2 if np.ptp(mine[:, 2]) > REACH else mine[:, 2].min()
        return np.flatnonzero(((points >= low) & (points <= high)).all(1))
    way = rng.normal(size=3) * [1, 1, 0.6]
    along = mine @ way
    return np.asarray(index[along >= np.quantile(along, CUT * rng.random())])


def make_segments(
    paths: Sequence[Path], out: Path, *, seed: int = 0, held_out_share: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Library, list[DataError]]:  # fmt: skip
    """The things of many scenes as one library file; scenes that cannot be read are passed over.

    Raises:
        DataError: if no scene gives a thing.
    """
    entries: list[Entry] = []
    problems: list[DataError] = []
    for number, path in enumerate(paths):
        try:
            scene = read_scene(path)
        except DataError as problem:
            problems.append(problem)
            continue
        entries += segments_of(scene, np.random.default_rng([seed, number, 13]))
        if progress:
            progress(number + 1, len(paths))
    if not entries:
        raise DataError(out, "no scene gave a thing of enough points", "make or name more scenes")
    library = make_library(entries, held_out_share=held_out_share)
    library.save(out)
    return library, problems
