"""The test sets of CG3D's tables, and classification of them without training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clip3d.data.labelled_clouds import LabelledClouds, read_labelled
from clip3d.data.near_duplicates import near_duplicates
from clip3d.evaluation.scoring import count
from clip3d.evaluation.zero_shot import protocol
from clip3d.experiments.experiment import Bench, Measured
from clip3d.experiments.given_models import Candidate
from clip3d.experiments.needs import NEEDS

Array = NDArray[np.float32]
Protocol = Literal["ours", "published code", "card"]

PREFIX = "This is a {}"
LISTED = "modelnet10_shape_names.txt"
# Names of ShapeNet55 among the classes of the test sets, after CG3D's renames: they were seen in pre-training.
SEEN = frozenset([
    "airplane", "bag", "bathtub", "bed", "bench", "bookshelf", "bottle", "bowl", "cabinet", "car", "chair",
    "guitar", "lamp", "laptop", "monitor", "piano", "pillow", "sofa", "table",
])  # fmt: skip


@dataclass(frozen=True)
class LabelledSet:
    """A set of labelled clouds.

    Attributes:
        name: in names of rows.
        need: in the table `NEEDS`.
        title: in tables.
        variant: of the set, as `read_labelled` takes it.
    """

    name: str
    need: str
    title: str
    variant: str | None = None

    def read(self, bench: Bench, split: str = "test") -> LabelledClouds:
        """One split of the set, read once for all rows."""
        path, variant = bench.path(self.need), self.variant
        if self.need == "modelnet10" and (path / LISTED).is_file():
            variant = "ModelNet10"  # its lists lie among ModelNet40's files
        key = f"labelled:{self.need}:{variant}:{split}"
        return bench.once(key, lambda: read_labelled(path, split, variant))


MODELNET10 = LabelledSet("modelnet10", "modelnet10", "ModelNet10")
MODELNET40 = LabelledSet("modelnet40", "modelnet40", "ModelNet40")
SCANOBJECTNN = LabelledSet("scanobjectnn", "scanobjectnn", "ScanObjectNN PB_T50_RS", "PB_T50_RS")
OBJ_ONLY = LabelledSet("scanobjectnn-obj-only", "scanobjectnn", "ScanObjectNN OBJ_ONLY", "OBJ_ONLY")


def cloud_vectors(bench: Bench, candidate: Candidate, tests: LabelledSet, split: str = "test") -> Array:
    """Unit vectors (n, d) that a model gives of a split, encoded once for all rows."""
    key = f"vectors:{candidate.name}:{tests.need}:{tests.variant}:{split}"
    return bench.once(key, lambda: candidate.load(bench).encode_clouds(tests.read(bench, split).clouds()))


def near_test_clouds(bench: Bench, tests: LabelledSet, test: LabelledClouds) -> NDArray[np.bool_] | None:
    """Which test clouds (n,) nearly equal a training cloud, from the list beside the data; None without one."""
    file = NEEDS[tests.need].found_beside(bench.path(tests.need))
    return near_duplicates(file, test) if file else None


def name_clouds(bench: Bench, candidate: Candidate, tests: LabelledSet, how: Protocol) -> Measured:
    """Zero-shot accuracy of a model on a test set.

    "ours" puts the class name, with spaces, into CG3D's prefix and compares unit vectors. "published code" does as
    `eval.py` of CG3D's repository: names keep their underscores, and text vectors their lengths, so that classes
    with long ones win more often. "card" takes the prompts of the card.
    """
    data = tests.read(bench)
    known, vectors = candidate.load(bench), cloud_vectors(bench, candidate, tests)
    templates = list(known.card.templates) if how == "card" else [PREFIX]
    if how == "published code":
        names = [PREFIX.replace("{}", label.replace(" ", "_")) for label in data.classes]
        scores = vectors @ known.encode_texts(names, normalize=False).T
    else:
        names = [label.replace("_", " ") for label in data.classes]
        scores = known.space.similarity(vectors, known.label_vectors(names, templates))
    counts = count(np.asarray(scores, np.float32), data.labels, data.classes)
    told: dict[str, Any] = {**protocol(known, data, templates), "model": known.id, "device": bench.device}
    if how == "published code":
        told |= {"score": "unit cloud vector times text vector of its own length", "names": "with underscores"}
    return Measured(100 * counts.accuracy, len(data), told, also=_by_familiarity(counts.per_class, data) | {
        "class mean": 100 * counts.class_mean
    })  # fmt: skip


def _by_familiarity(per_class: dict[str, float | None], data: LabelledClouds) -> dict[str, float]:
    """Accuracy on the objects of classes whose names ShapeNet55 has, and on the others."""
    sizes = np.bincount(data.labels, minlength=len(data.classes))
    found = {}
    for heading, seen in (("seen names", True), ("unseen names", False)):
        parts = [
            (value, size)
            for (name, value), size in zip(per_class.items(), sizes, strict=True)
            if value is not None and (name.replace("_", " ") in SEEN) == seen
        ]
        if parts:
            found[heading] = 100 * float(np.average([v for v, _ in parts], weights=[s for _, s in parts]))
    return found
