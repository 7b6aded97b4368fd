"""What is shown of answers: parts in colours, each with a title, over a scene in grey."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.scenes.labelling import LabelledScene
from clip3d.scenes.scene import Answer, Instance, Scene
from clip3d.scenes.voxels import Array

# Told apart by people who see fewer colours, too (after Okabe and Ito 2008).
PALETTE = np.array(
    [
        [0.84, 0.15, 0.12], [0.00, 0.45, 0.70], [0.00, 0.62, 0.45], [0.90, 0.60, 0.00],
        [0.80, 0.47, 0.65], [0.34, 0.71, 0.91], [0.94, 0.89, 0.26], [0.45, 0.25, 0.60],
    ],
    np.float32,
)  # fmt: skip
PAPER, PALE = 0.82, 0.35  # grey that what is no answer fades to, and what share of its colour stays


@dataclass(frozen=True, eq=False)
class Mark:
    """A part that is shown: which, its title, and its colour (3,) in [0, 1]."""

    title: str
    instance: Instance
    color: Array


def marks_of_answers(answers: Iterable[Answer]) -> list[Mark]:
    """The instances of answers, a colour for each phrase, the surest of all first."""
    found = []
    for number, answer in enumerate(answers):
        color = PALETTE[number % len(PALETTE)]
        found += [Mark(f"{answer.words} {rank}", item, color) for rank, item in enumerate(answer, start=1)]
    return sorted(found, key=lambda mark: -mark.instance.score)


def marks_of_labels(labelled: LabelledScene) -> list[Mark]:
    """The instances of a labelled scene, a colour for each label that occurs."""
    kinds = list(dict.fromkeys(item.label for item in labelled.instances))
    colors = {label: PALETTE[i % len(PALETTE)] for i, label in enumerate(kinds)}
    return [Mark(item.label, item.instance, colors[item.label]) for item in labelled.instances]


def marked_voxels(scene: Scene, marks: Iterable[Mark]) -> NDArray[np.int32]:
    """For each voxel (m,) the place of the first mark that holds it, -1 for none."""
    marked = np.full(len(scene.parted.points), -1, np.int32)
    for place, mark in enumerate(marks):
        mine = scene.parted.parts[mark.instance.part].voxels
        marked[mine[marked[mine] < 0]] = place
    return marked


def paint(colors: Array | None, marked: NDArray[np.int32], marks: list[Mark]) -> Array:
    """Colours (n, 3) of points with their own colours, or None, and the mark of each (n,), -1 for none."""
    own = np.full((len(marked), 3), PAPER, np.float32) if colors is None else colors
    pale = PAPER + PALE * (own - PAPER)
    if not marks:
        return pale.astype(np.float32)
    color = np.stack([mark.color for mark in marks])[np.maximum(marked, 0)]
    shaded = color * (0.75 + 0.25 * own.mean(axis=1, keepdims=True)) if colors is not None else color
    return np.where(marked[:, None] >= 0, shaded, pale).astype(np.float32)
