"""Fit what answers in scenes weigh (src/clip3d/scenes/weights.json) to rooms whose things are known.

    clip3d data simulate-rooms rooms/ --rooms 26 --seed 101
    python scripts/fit_scene_answers.py rooms/ --out src/clip3d/scenes/weights.json

Of each question the parts with an intersection over union of 0.25 with a thing of the class are right. The loss is
that of the softmax over the parts of a room, for the first answer, and a share of the logistic one, for the score.
What is printed was measured by three folds of whole rooms; the weights come from all of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import clip3d
from clip3d.data.rooms.labelled_scene import LabelledScene
from clip3d.data.rooms.reading import list_scenes, read_scene
from clip3d.data.rooms.scannet_classes import ROOM_QUERIES
from clip3d.evaluation.scene_queries import LEAST_POINTS, LOOSE
from clip3d.models.model import Model
from clip3d.models.refusal import NEAR
from clip3d.models.vector_cache import VectorCache
from clip3d.scenes.answering import Seen, shares_of, whole_terms
from clip3d.scenes.opening import open_scene
from clip3d.scenes.structure import FLOOR, NAMES
from clip3d.scenes.vocabulary import INDOORS, size_terms
from clip3d.simulation.interiors.furnishings import ROOM_CLASSES

LABELS = [label for label in dict.fromkeys((*ROOM_QUERIES, *ROOM_CLASSES)) if label not in NAMES[FLOOR:]]
FOLDS, STEPS, ROOMS_A_STEP, LEARNING_RATE, DECAY = 3, 300, 3, 0.02, 1e-3
SCORES = 0.1  # share of the logistic loss
HIDDEN = 10
ALMOST = 0.15  # intersection over union from which on a part is not wholly wrong
START = (1.0, 0.5, 0.3, 0.1, 1.5, 1.0, 0.1, 0.1, 1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Example:
    """A room: of its p parts the terms, likenesses to nouns and labels, and whether each label is right of each."""

    size: torch.Tensor
    whole: torch.Tensor
    nouns: torch.Tensor
    labels: torch.Tensor
    overlap: torch.Tensor
    asked: torch.Tensor


class Words:
    """The labels and the nouns that they are weighed against."""

    def __init__(self, model: Model) -> None:
        space = model.space
        self.labels, self.nouns = model.label_vectors(LABELS), model.label_vectors(INDOORS)
        near = space.similarity(self.labels, self.nouns).astype(np.float64)
        shares = [shares_of(name, space.scale * row, row > NEAR) for name, row in zip(LABELS, near, strict=True)]
        self.shares = torch.tensor(np.stack(shares), dtype=torch.float32)
        self.others = torch.tensor(near <= NEAR, dtype=torch.float32)


def example_of(model: Model, words: Words, seen: Seen, vectors: NDArray[np.float32], overlap: NDArray[np.float64],
               asked: NDArray[np.bool_]) -> Example:  # fmt: skip
    """A room as tensors.

    Args:
        model, words: for likenesses.
        seen, vectors: of its p parts.
        overlap: (p, m) highest intersection over union of each part with a thing of each label.
        asked: (m,) whether the label can be asked for.
    """
    space = model.space
    size = size_terms(seen.sizes, seen.on_wall, seen.to_wall)
    found = (size, whole_terms(seen), space.scale * space.similarity(vectors, words.nouns),
             space.scale * space.similarity(vectors, words.labels), overlap)  # fmt: skip
    return Example(*(torch.tensor(np.asarray(one, np.float32)) for one in found), torch.tensor(asked))


def read_example(model: Model, words: Words, path: Path, cache: VectorCache) -> Example:
    """A room of a folder, parted."""
    room = read_scene(path)
    scene = open_scene(path / "scan.ply", model, cache=cache)
    parts = scene.indices(range(len(scene.parted.parts)))
    both = np.stack([_counts(room, index) for index in parts])
    held = np.array([len(index) for index in parts])
    iou = both / np.maximum(room.counts + held[:, None] - both, 1)
    mine = [np.array([thing.label == label or label in thing.words for thing in room.things]) for label in LABELS]
    overlap = np.stack([iou[:, some].max(axis=1, initial=0.0) for some in mine], axis=1)
    seen = [room.counts[some] for some in mine]
    asked = np.array([not some.any() or bool((some >= LEAST_POINTS).any()) for some in seen])
    return example_of(model, words, scene.parted.seen(), scene.parted.vectors, overlap, asked)


def _counts(room: LabelledScene, index: NDArray[np.intp]) -> NDArray[np.intp]:
    owners = room.instances[index]
    return np.bincount(owners[owners >= 0], minlength=len(room.things))


class Weights(torch.nn.Module):
    """What is fitted; `forward` says of an example what `clip3d.scenes.answering.scores_of` says."""

    def __init__(self, words: Words, mean: torch.Tensor, spread: torch.Tensor) -> None:
        super().__init__()
        self.words, self.mean, self.spread = words, mean, spread
        self.size = torch.nn.Parameter(torch.tensor(START))
        self.likeness, self.slope = torch.nn.Parameter(torch.tensor(0.8)), torch.nn.Parameter(torch.tensor(0.6))
        self.offset, self.doubt = torch.nn.Parameter(torch.tensor(-1.5)), torch.nn.Parameter(torch.tensor(0.0))
        self.whole = torch.nn.Sequential(
            torch.nn.Linear(len(mean), HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, 1, bias=False)
        )

    def forward(self, room: Example) -> torch.Tensor:
        """Log-odds (p, m)."""
        fit = -(room.size @ torch.relu(self.size))
        rivals = self.likeness * room.nouns + fit
        own = self.likeness * room.labels + torch.log(torch.exp(fit) @ self.words.shares.T + 1e-30)
        most = rivals.max(dim=1, keepdim=True).values.detach()
        odds = torch.exp(rivals - most)
        against = most + torch.log(odds @ self.words.others.T + 1e-12)
        chance = odds / odds.sum(dim=1, keepdim=True)
        doubt = -(chance * torch.log(chance + 1e-12)).sum(dim=1)
        whole = self.whole((room.whole - self.mean) / self.spread)[:, 0] + self.doubt * doubt
        return self.slope * (own - against) + whole[:, None] + self.offset

    def written(self) -> dict[str, Any]:
        """As `clip3d.scenes.answering` reads them."""
        first, last = self.whole[0], self.whole[2]
        matrix = first.weight / self.spread
        found = {
            "likeness": self.likeness,
            "size": torch.relu(self.size),
            "whole": matrix,
            "whole_offset": first.bias - matrix @ self.mean,
            "whole_out": last.weight[0],
            "doubt": self.doubt,
            "slope": self.slope,
            "offset": self.offset,
        }
        arrays = {name: value.detach().numpy().astype(np.float64) for name, value in found.items()}
        return {name: np.round(array, 4).tolist() for name, array in arrays.items()}


def loss_of(odds: torch.Tensor, room: Example) -> torch.Tensor:
    """Of the first answer, and of the scores."""
    right = room.overlap >= LOOSE
    there = right.any(dim=0) & room.asked
    first = torch.log_softmax(odds[:, there], dim=0).masked_fill(~right[:, there], -1e4).logsumexp(dim=0)
    aim = torch.where(right, 1.0, torch.where(room.overlap > ALMOST, 0.3, 0.0))
    scores = torch.nn.functional.binary_cross_entropy_with_logits(odds, aim, reduction="none")
    return -first.sum() + SCORES * scores[:, room.asked].sum() / 3


def fit(rooms: Sequence[Example], words: Words, seed: int = 0) -> Weights:
    """Weights of rooms."""
    every = torch.cat([room.whole for room in rooms])
    net = Weights(words, every.mean(dim=0), every.std(dim=0) + 1e-6)
    optimiser = torch.optim.AdamW(net.parameters(), lr=LEARNING_RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    rng = np.random.default_rng(seed)
    for _ in range(STEPS):
        some = rng.choice(len(rooms), min(ROOMS_A_STEP, len(rooms)), replace=False)
        loss = torch.stack([loss_of(net(rooms[i]), rooms[i]) for i in some]).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net


def first_right(net: Weights, rooms: Sequence[Example]) -> list[bool]:
    """Of each question that has an answer, of the experiments' classes, whether the first is right."""
    found = []
    for room in rooms:
        with torch.no_grad():
            best = net(room).argmax(dim=0)
        for label in range(len(ROOM_QUERIES)):
            if room.asked[label] and room.overlap[:, label].max() > 0:
                found.append(bool(room.overlap[best[label], label] >= LOOSE))
    return found


def main() -> None:
    """Measure by folds, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", type=Path)
    parser.add_argument("--model", default="mini")
    parser.add_argument("--out", type=Path, default=Path("weights.json"))
    arguments = parser.parse_args()
    model = clip3d.load(arguments.model)
    words = Words(model)
    with VectorCache() as cache:
        rooms = [read_example(model, words, path, cache) for path in list_scenes(arguments.rooms)]
    right: list[bool] = []
    for fold in range(FOLDS):
        others = [room for i, room in enumerate(rooms) if i % FOLDS != fold]
        right += first_right(fit(others, words), rooms[fold::FOLDS])
    print(f"precision at 1, {FOLDS} folds: {100 * np.mean(right):.1f} % of {len(right)}")
    fitted = fit(rooms, words).written()
    arguments.out.write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
