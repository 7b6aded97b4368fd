"""A classifier as a model: its labels are the text tower, its logits the vectors, and no part of `Model` knows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import making_folder
from clip3d.errors import DataError
from clip3d.models.checking import phrases_as_bytes
from clip3d.models.model import Model
from clip3d.models.packing import TowerFacts, golden_clouds, pack
from clip3d.models.weights import write_arrays
from clip3d.towers.labels import LabelTower, label_key

CLOUD, LABELS, SPACE, CARD = "cloud.safetensors", "labels.safetensors", "space.safetensors", "card.json"
MOST_LABELS = 4096
LEAST_SCALE = 100.0


@dataclass(frozen=True)
class Classifier:
    """What a classifier is made of.

    Attributes:
        labels: c names, in the order of the logits.
        config: of `clip3d.towers.classifier.ClassifierTower`.
        state: its weights.
        preprocess: how clouds are prepared, as `CloudPreprocess` takes it.
    """

    labels: Sequence[str]
    config: Mapping[str, Any]
    state: Mapping[str, NDArray[Any]]
    preprocess: Mapping[str, Any]


def scale_for(classes: int) -> float:
    """The scale of the space of so many classes: room for logits with a deviation of 10 and more."""
    return max(LEAST_SCALE, float(np.ceil(10 * np.sqrt(classes))))


def space_id(labels: Sequence[str], scale: float) -> str:
    """Name of the space of a set of labels in their order: vectors of other labels are refused."""
    digest = hashlib.sha256(json.dumps([[label_key(label) for label in labels], scale]).encode()).hexdigest()
    return f"labels-{digest[:16]}"


def ordered_labels(classes: Sequence[str], where: Path) -> list[str]:
    """The names of classes in the order of a classifier's logits, which does not depend on that of the data.

    Raises:
        DataError: if there are less than 2 or more than `MOST_LABELS`, or two read alike.
    """
    if not 2 <= len(classes) <= MOST_LABELS:
        raise DataError(where, f"has {len(classes)} classes", f"a classifier takes 2 to {MOST_LABELS}")
    if len({label_key(name) for name in classes}) < len(classes):
        raise DataError(where, "has two classes that differ in nothing but case, spaces, hyphens or underscores")
    return [name.replace("_", " ") for name in sorted(classes, key=label_key)]


def pack_classifier(folder: Path, classifier: Classifier, facts: Mapping[str, Any]) -> Model:
    """Write a classifier as a model; a `card.json` appears last, so that a folder with one is whole.

    Args:
        folder: may hold other things.
        classifier: labels, tower, preparation.
        facts: name, version, licence, data, measured and limits, as in `Card`.
    """
    labels, scale = list(classifier.labels), float(classifier.config["scale"])
    dim = len(labels) + 1
    with making_folder(folder / "packed") as new:
        write_arrays(classifier.state, new / CLOUD)
        vectors = np.eye(len(labels), dim, dtype=np.float32)
        LabelTower(labels, vectors)  # tells of labels that read alike
        write_arrays({"vectors": vectors}, new / LABELS)
        write_arrays({"mean": np.zeros(dim, np.float32)}, new / SPACE)
        towers: dict[Any, TowerFacts] = {
            "text": TowerFacts("labels", LABELS, {"labels": labels}),
            "cloud": TowerFacts("classifier", CLOUD, dict(classifier.config), dict(classifier.preprocess)),
        }
        space = {"id": space_id(labels, scale), "dim": dim, "scale": scale, "stored": "unit", "weights": SPACE}
        golden = {"text.phrases": phrases_as_bytes(labels[:8]), **golden_clouds()}
        pack(new, {"templates": ["{}"], **facts}, space, towers, golden)
    _move_up(folder / "packed", folder)
    return Model(folder)


def _move_up(source: Path, folder: Path) -> None:
    for path in sorted(source.iterdir(), key=lambda path: path.name == CARD):
        path.replace(folder / path.name)
    source.rmdir()
