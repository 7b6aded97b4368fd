"""Zero-shot classes of labelled objects on the road, from the cells of whole frusta (LidarCLIP, section 5.3).

The frustum is encoded once; an object's vector is the mean of its cells. Beside it stand two plain answers: the
nearest typical size, which looks at the box alone, and the commonest class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clip3d.data.driving_logs import read_logs
from clip3d.data.driving_truth import CLASSES, class_of
from clip3d.errors import DataError, FileProblem
from clip3d.evaluation.driving_frames import Seen, SeenObject, classes_of
from clip3d.evaluation.intervals import bootstrap, wilson
from clip3d.evaluation.metrics import class_accuracies, confusion_matrix, mean_of_classes
from clip3d.models.model import Model
from clip3d.spaces import unit

Array = NDArray[np.float32]
Sizes = Mapping[str, tuple[float, float, float]]

# What each class is asked as: words that a training may hear, and others that one may hold back.
HEARD = {kind: (kind,) for kind in CLASSES}
UNHEARD: dict[str, tuple[str, ...]] = {
    "car": ("automobile", "motorcar"),
    "van": ("minivan", "panel van"),
    "truck": ("lorry", "heavy goods vehicle"),
    "bus": ("trolleybus", "public transport vehicle"),
    "pedestrian": ("person walking", "passer-by"),
    "cyclist": ("bicyclist", "person riding a bicycle"),
}
TEMPLATES = ("a {}", "a photo of a {}", "a photo of a {} on a street", "a {} in the scene")

# Length, width, height in metres: common road vehicles of Europe and North America, and people.
TYPICAL: Sizes = {
    "car": (4.4, 1.8, 1.5),
    "van": (5.3, 2.0, 2.2),
    "truck": (8.0, 2.5, 3.2),
    "bus": (11.5, 2.5, 3.2),
    "pedestrian": (0.7, 0.6, 1.7),
    "cyclist": (1.8, 0.6, 1.7),
}


@dataclass(frozen=True, eq=False)
class Answers:
    """One way to name the objects.

    Attributes:
        way: which.
        answers: (n,) places in `CLASSES`; -1 where there is no answer, which is wrong.
        accuracy: share of right answers.
        interval: Wilson's, of that share, as if objects were independent.
        class_mean: mean of the classes' accuracies; classes without objects are left out.
        class_mean_interval: the middle 95 % over logs drawn with replacement.
        per_class: accuracy, None for a class without objects.
        confusion: (c, c + 1) counts: row the right class, column the answer, the last one none.
    """

    way: str
    answers: NDArray[np.intp]
    accuracy: float
    interval: tuple[float, float]
    class_mean: float
    class_mean_interval: tuple[float, float]
    per_class: dict[str, float | None]
    confusion: list[list[int]]

    def as_dict(self) -> dict[str, Any]:
        """All but the single answers, ready for JSON."""
        return {key: value for key, value in vars(self).items() if key != "answers"}


def name_objects(
    model: Model,
    seen: Seen,
    *,
    sizes: Sizes = TYPICAL,
    words: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
    templates: Sequence[str] = TEMPLATES,
    seed: int = 0,
) -> list[Answers]:
    """All ways to name the objects that were seen, the plain ones last.

    Args:
        model: that they were seen with.
        seen: at least one object.
        sizes: typical length, width and height of the classes.
        words: by the name of each list, what each class is asked as; by default `HEARD` and `UNHEARD`.
        templates: prompts with {} for the word.
        seed: of the intervals.

    Raises:
        DataError: if there is no object.
    """
    if not seen.objects:
        raise DataError("the logs", "hold no object that counts", "look at labelled logs, or farther with --within")
    asked = words or {"heard": HEARD, "unheard": UNHEARD}
    found = []
    for name, phrases in asked.items():
        vectors = class_vectors(model, phrases, templates)
        for way, each in _ways(seen.objects):
            found.append(_counted(f"{way}, {name} words", _nearest(model, each, vectors), seen, seed))
    found.append(_counted("box size alone", nearest_sizes(seen.objects, sizes), seen, seed))
    truth = classes_of(seen)
    commonest = int(np.bincount(truth, minlength=len(CLASSES)).argmax())
    found.append(_counted("commonest class", np.full(len(truth), commonest), seen, seed))
    return found


def class_vectors(model: Model, phrases: Mapping[str, Sequence[str]], templates: Sequence[str]) -> Array:
    """One vector (c, d) a class: the mean of the unit vectors of its words in all prompts."""
    rows = [model.label_vectors(list(phrases[kind]), list(templates)) for kind in CLASSES]
    return np.stack([model.space.ensemble(row) for row in rows])


class Sized(Protocol):
    """Whatever has a box."""

    @property
    def size(self) -> tuple[float, float, float]:
        """Length, width and height in metres."""


def nearest_sizes(objects: Sequence[Sized], sizes: Sizes) -> NDArray[np.intp]:
    """The class (n,) whose typical size is nearest in the logarithms of length, width and height."""
    known = [kind for kind in CLASSES if kind in sizes]
    typical = np.log(np.array([sizes[kind] for kind in known]))
    own = np.log(np.maximum([one.size for one in objects], 0.05))
    nearest = ((own[:, None] - typical) ** 2).sum(-1).argmin(1)
    return np.array([CLASSES.index(known[i]) for i in nearest], np.intp)


def mean_sizes(paths: Sequence[Path], problems: list[FileProblem], every: int = 5) -> Sizes:
    """Mean of the logarithms of the sizes of each class's boxes, in logs that are given to learn from.

    Raises:
        DataError: if there is no labelled object.
    """
    rows: dict[str, list[Any]] = {}
    for log in (log for path in paths for log in read_logs(path, problems.append)):
        for frame in log.frames[::every]:
            for box in frame.boxes or ():
                if kind := class_of(box.label):
                    rows.setdefault(kind, []).append(np.log(np.maximum(box.size, 0.05)))
    if not rows:
        raise DataError(paths[0], "holds no labelled object of the classes to learn sizes from")
    means = {kind: np.exp(np.mean(own, axis=0)) for kind, own in rows.items()}
    return {kind: (float(m[0]), float(m[1]), float(m[2])) for kind, m in means.items()}


def _ways(objects: Sequence[SeenObject]) -> list[tuple[str, Array]]:
    """Vectors (n, d) of objects, by how they came about; rows of zeros where there is none."""
    ways = [
        ("cells by points", np.stack([one.pooled for one in objects])),
        ("cells under the box", np.stack([one.under for one in objects])),
    ]
    if any(one.crop is not None for one in objects):
        none = np.zeros_like(objects[0].pooled)
        crops = np.stack([none if one.crop is None else one.crop for one in objects])
        ways += [("picture crops", crops), ("cells and crops together", unit(ways[0][1]) + unit(crops))]
    return ways


def _nearest(model: Model, vectors: Array, classes: Array) -> NDArray[np.intp]:
    best = np.asarray(model.space.similarity(vectors, classes).argmax(1), np.intp)
    return np.where((vectors != 0).any(1), best, -1)


def _counted(way: str, answers: NDArray[np.intp], seen: Seen, seed: int) -> Answers:
    truth, kinds = classes_of(seen), len(CLASSES)
    answered = np.where(answers < 0, kinds, answers)
    confusion = confusion_matrix(truth, answered, kinds + 1)[:kinds]
    each = class_accuracies(confusion)
    right = int((answers == truth).sum())
    return Answers(
        way=way,
        answers=np.asarray(answers, np.intp),
        accuracy=right / len(truth),
        interval=wilson(right, len(truth)),
        class_mean=mean_of_classes(each),
        class_mean_interval=bootstrap(
            [one.log for one in seen.objects], lambda rows: _class_mean(truth[rows], answers[rows]), seed
        ),
        per_class=dict(zip(CLASSES, each, strict=True)),
        confusion=confusion.tolist(),
    )


def _class_mean(truth: NDArray[np.intp], answers: NDArray[np.intp]) -> float:
    totals = np.bincount(truth, minlength=len(CLASSES))
    right = np.bincount(truth[answers == truth], minlength=len(CLASSES))
    return float((right[totals > 0] / totals[totals > 0]).mean())
