"""Every part of a scene named: among labels that are given, or as an inventory of what is usually found indoors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError
from clip3d.scenes.answering import THRESHOLD, distinct
from clip3d.scenes.scene import Instance, Scene
from clip3d.scenes.structure import NAMES, NOTHING
from clip3d.scenes.vocabulary import INDOORS
from clip3d.spaces import rank

# Labels that mean what the structure of a room tells without a model.
STRUCTURAL = {"floor": ("floor", "ground"), "ceiling": ("ceiling",), "wall": ("wall", "walls")}


@dataclass(frozen=True, eq=False)
class LabelledInstance:
    """A part of a scene with its label."""

    label: str
    instance: Instance


@dataclass(frozen=True, eq=False)
class LabelledScene:
    """A scene whose parts are named.

    Attributes:
        labels: those that were chosen among.
        instances: with their labels, the surest first; they share few points.
        voxels: (m,) int32, for each voxel which of the labels, -1 for none.
        scene: that was labelled.
        threshold: least score of an instance.
    """

    labels: tuple[str, ...]
    instances: tuple[LabelledInstance, ...]
    voxels: NDArray[np.int32]
    scene: Scene
    threshold: float

    def points(self) -> NDArray[np.int32]:
        """For each point of the scan (n,) which of the labels, -1 for none."""
        return self.voxels[self.scene.owner]


@dataclass(frozen=True)
class Kind:
    """How many of a kind there are in a scene, and how large they are.

    Attributes:
        label: the kind.
        count: how many.
        size: medians of width, depth and height in metres.
        score: of the surest.
    """

    label: str
    count: int
    size: tuple[float, float, float]
    score: float


@dataclass(frozen=True)
class Inventory:
    """What a scene holds.

    Attributes:
        floor_area: square metres of the floor plan that something was scanned over.
        height: metres from floor to ceiling; None where no ceiling was scanned.
        walls: how many.
        kinds: the most frequent first.
        labelled: that it was counted from.
    """

    floor_area: float
    height: float | None
    walls: int
    kinds: tuple[Kind, ...]
    labelled: LabelledScene


def label_scene(
    scene: Scene,
    labels: Sequence[str],
    *,
    threshold: float = THRESHOLD,
    templates: Sequence[str] | None = None,
) -> LabelledScene:
    """Name the parts of a scene, each with one of some labels or none.

    Floor, ceiling and walls are told by the structure of the room, and are named where a label says so.

    Args:
        scene: to be labelled.
        labels: names to choose between; one that is given twice counts once.
        threshold: least score of a part that is named.
        templates: prompts with {} for the label; None for those of the model's card.

    Raises:
        ShapeError: if there is no label.
    """
    names = tuple(dict.fromkeys(label.strip() for label in labels if label.strip()))
    if not names:
        raise ShapeError("there are no labels to choose between")
    parted = scene.parted
    things = [i for i, name in enumerate(names) if structural(name) is None]
    voxels = np.full(len(parted.points), -1, np.int32)
    found: list[LabelledInstance] = []
    if things and parted.parts:
        chances = scene.scores([names[i] for i in things], templates)
        best = chances.argmax(axis=1)
        scores = chances[np.arange(len(best)), best]
        order = [int(i) for i in rank(scores) if scores[i] >= threshold]
        for part in distinct(parted.parts, order):
            mine = parted.parts[part].voxels
            voxels[mine[voxels[mine] < 0]] = things[best[part]]
            label = names[things[best[part]]]
            found.append(LabelledInstance(label, scene.instance(part, float(scores[part]))))
    for i, name in enumerate(names):  # what is part of no thing: a door in a wall is a door
        kind = structural(name)
        if kind is not None:
            voxels[(parted.structure.labels == kind) & (voxels < 0)] = i
    return LabelledScene(names, tuple(found), voxels, scene, threshold)


def describe_scene(
    scene: Scene,
    labels: Sequence[str] = INDOORS,
    *,
    threshold: float = THRESHOLD,
    templates: Sequence[str] | None = None,
) -> Inventory:
    """Count what a scene holds and say how large it is; arguments as of `label_scene`."""
    labelled = label_scene(scene, labels, threshold=threshold, templates=templates)
    parted = scene.parted
    kinds = []
    for label in dict.fromkeys(item.label for item in labelled.instances):
        mine = [item.instance for item in labelled.instances if item.label == label]
        width, depth, height = np.median([i.box.size * parted.grid.metres for i in mine], axis=0).tolist()
        kinds.append(Kind(label, len(mine), (width, depth, height), max(i.score for i in mine)))
    kinds.sort(key=lambda kind: (-kind.count, -kind.score))
    structure = parted.structure
    cells = np.unique(np.floor(parted.points[:, :2] / PLAN).astype(np.int64), axis=0)
    height = None if structure.ceiling is None else structure.ceiling - structure.floor
    return Inventory(len(cells) * PLAN**2, height, len(structure.walls), tuple(kinds), labelled)


PLAN = 0.25  # metres: cells of the floor plan


def structural(label: str) -> int | None:
    """Which of `structure.NAMES` a label means, or None for a thing."""
    word = label.lower().removeprefix("the ").removeprefix("a ")
    for kind, name in enumerate(NAMES):
        if kind != NOTHING and word in STRUCTURAL[name]:
            return kind
    return None
