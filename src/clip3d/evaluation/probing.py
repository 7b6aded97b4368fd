"""Linear probes: how well do frozen features tell classes apart, with no more learning than a logistic regression?

Features are brought to mean 0 and deviation 1 over the training clouds. The strength of the regularisation is
chosen on a stratified part of the training clouds, then the regression is fitted on all of them. The test clouds
are seen once, at the end. Beside it stands the share of test clouds whose class most of their nearest training
clouds have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.labelled_clouds import LabelledClouds
from clip3d.data.subsets import stratified_fraction, stratified_split
from clip3d.errors import DataError, MissingExtra, ShapeError
from clip3d.evaluation.features import KINDS, Kind, cloud_features, protocol, space_of
from clip3d.evaluation.metrics import class_accuracies, confusion_matrix, mean_of_classes, nearest_classes
from clip3d.models.model import Model

Array = NDArray[np.float32]
Labels = NDArray[np.intp]

STRENGTHS = (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)  # C of scikit-learn, the inverse of the penalty
VALIDATION = 0.2
ITERATIONS = 1000
NEIGHBORS = 5


@dataclass(frozen=True)
class Spread:
    """One figure over several seeds: its mean, its standard deviation (n - 1; 0 of one seed), and the figures."""

    mean: float
    deviation: float
    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of one figure a seed."""
        deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        return cls(float(np.mean(values)), deviation, tuple(map(float, values)))


@dataclass(frozen=True)
class ProbeRow:
    """What one kind of features gives, learned from one share of the training clouds.

    Attributes:
        features: "vectors", "features" or "levels", see `clip3d.evaluation.features.KINDS`.
        fraction: of each class's training clouds.
        n_train: clouds that were learned from.
        strengths: the inverse penalties that were chosen, a seed each.
        linear: share of right answers of the regression over all test clouds.
        class_mean: mean of its classes' accuracies.
        neighbors: share of right answers by nearest neighbours.
        linear_apart: as `linear`, over the test clouds that are no near-duplicates; None where none are listed.
        neighbors_apart: as `neighbors`, over the same.
    """

    features: Kind
    fraction: float
    n_train: int
    strengths: tuple[float, ...]
    linear: Spread
    class_mean: Spread
    neighbors: Spread
    linear_apart: Spread | None = None
    neighbors_apart: Spread | None = None


@dataclass(frozen=True)
class ProbeReport:
    """Result of `probe`.

    Attributes:
        rows: one for each kind of features and fraction.
        n: number of test clouds.
        n_apart: those that are no near-duplicates; None where none are listed.
        protocol: everything needed to recompute the numbers.
        model: id of the model.
    """

    rows: tuple[ProbeRow, ...]
    n: int
    n_apart: int | None
    protocol: dict[str, Any]
    model: str

    def as_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON."""
        rows = [{k: vars(v) if isinstance(v, Spread) else v for k, v in vars(row).items()} for row in self.rows]
        return {**vars(self), "rows": rows}


def probe(
    model: Model,
    train: LabelledClouds,
    test: LabelledClouds,
    *,
    kinds: Sequence[Kind] = ("vectors",),
    fractions: Sequence[float] = (1.0,),
    seeds: int = 3,
    votes: int = 1,
    points: int | None = None,
    near_duplicates: NDArray[np.bool_] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ProbeReport:
    """Fit a logistic regression to frozen features of the training clouds and count on the test clouds.

    Args:
        model: with a cloud tower.
        train: what is learned from.
        test: what is counted; never looked at before.
        kinds: of features, each a probe of its own.
        fractions: shares of each class's training clouds to learn from, each a probe of its own.
        seeds: how many; seed i draws the fraction and the validation part.
        votes: views of each cloud about the up axis; their features are averaged.
        points: points the tower sees, if not the card's number.
        near_duplicates: (n,) which test clouds are near copies of training clouds.
        progress: called with the number of clouds done and of all clouds.

    Raises:
        DataError: if the two parts have different classes.
        ShapeError: if there are fewer than two classes to learn, or seeds is less than 1.
        MissingExtra: without scikit-learn.
    """
    if seeds < 1 or len(np.unique(train.labels)) < 2:
        raise ShapeError(f"a probe needs a seed and two classes at least, got {seeds} seeds")
    if train.classes != test.classes:
        raise DataError(test.path, "its parts have different classes", "give parts of one set")
    total = len(kinds) * (len(train) + len(test))
    done, rows = 0, list[ProbeRow]()
    for kind in kinds:
        found = []
        for part in (train, test):
            tell = None if progress is None else lambda n, done=done: progress(done + n, total)
            found.append(cloud_features(model, part, kind, votes=votes, points=points, progress=tell))
            done += len(part)
        task = _Task(found[0], train.labels, found[1], test.labels, len(test.classes), near_duplicates)
        rows += [_row(task, kind, fraction, seeds) for fraction in fractions]
    return ProbeReport(
        rows=tuple(rows),
        n=len(test),
        n_apart=None if near_duplicates is None else int((~near_duplicates).sum()),
        protocol=_protocol(model, train, test, kinds, seeds, votes, points),
        model=model.id,
    )


@dataclass(frozen=True, eq=False)
class _Task:
    """Features and labels of both parts."""

    train: Array
    train_labels: Labels
    test: Array
    test_labels: Labels
    classes: int
    near: NDArray[np.bool_] | None


def _row(task: _Task, kind: Kind, fraction: float, seeds: int) -> ProbeRow:
    linear, nearest, strengths, sizes = list[Labels](), list[Labels](), list[float](), list[int]()
    for seed in range(seeds):
        chosen = stratified_fraction(task.train_labels, fraction, seed)
        known, labels = task.train[chosen], task.train_labels[chosen]
        strength, predictions = fit_and_predict(known, labels, task.test, seed)
        space = space_of(known)
        nearest.append(nearest_classes(space.similarity(task.test, known), labels, NEIGHBORS))
        linear.append(predictions)
        strengths.append(strength)
        sizes.append(len(chosen))
    apart = None if task.near is None or task.near.all() else ~task.near
    return ProbeRow(
        features=kind,
        fraction=fraction,
        n_train=sizes[0],
        strengths=tuple(strengths),
        linear=_right(linear, task.test_labels),
        class_mean=Spread.of([_class_mean(found, task) for found in linear]),
        neighbors=_right(nearest, task.test_labels),
        linear_apart=None if apart is None else _right(linear, task.test_labels, apart),
        neighbors_apart=None if apart is None else _right(nearest, task.test_labels, apart),
    )


def fit_and_predict(known: Array, labels: Labels, asked: Array, seed: int) -> tuple[float, Labels]:
    """The strength that a validation part chose, and the classes (m,) of the asked features.

    Args:
        known: (n, d) features to learn from.
        labels: (n,) their classes, two at least.
        asked: (m, d) features.
        seed: of the validation part: a fifth of each class with two clouds or more. Of the strengths with the most
            right answers the middle one is chosen; of all where there is no such class.

    Raises:
        MissingExtra: without scikit-learn.
    """
    first, second = stratified_split(labels, VALIDATION, seed)
    strength = STRENGTHS[len(STRENGTHS) // 2]
    if len(second):
        answers = [_predict(known[first], labels[first], known[second], value) for value in STRENGTHS]
        right = [int((found == labels[second]).sum()) for found in answers]
        best = np.flatnonzero(np.array(right) == max(right))
        strength = STRENGTHS[best[len(best) // 2]]
    return strength, _predict(known, labels, asked, strength)


def _predict(known: Array, labels: Labels, asked: Array, strength: float) -> Labels:
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingExtra("a linear probe", "scikit-learn", "research") from error
    exact = known.astype(np.float64)
    mean, deviation = exact.mean(0), exact.std(0)
    scale = np.where(deviation > 1e-8, deviation, 1)
    regression = LogisticRegression(C=strength, max_iter=ITERATIONS)
    regression.fit((exact - mean) / scale, labels)
    return np.asarray(regression.predict((asked - mean) / scale), dtype=np.intp)


def _right(found: Sequence[Labels], labels: Labels, apart: NDArray[np.bool_] | None = None) -> Spread:
    kept = np.ones(len(labels), bool) if apart is None else apart
    return Spread.of([float((answers == labels)[kept].mean()) for answers in found])


def _class_mean(found: Labels, task: _Task) -> float:
    return mean_of_classes(class_accuracies(confusion_matrix(task.test_labels, found, task.classes)))


def _protocol(
    model: Model,
    train: LabelledClouds,
    test: LabelledClouds,
    kinds: Sequence[Kind],
    seeds: int,
    votes: int,
    points: int | None,
) -> dict[str, Any]:
    return {
        "task": "linear probe",
        **test.protocol(),
        "train": train.protocol(),
        **protocol(model, test, votes, points),
        "features": {kind: KINDS[kind] for kind in kinds},
        "regression": f"logistic, L2, features at mean 0 and deviation 1, at most {ITERATIONS} steps of L-BFGS",
        "strengths": STRENGTHS,
        "chosen_on": f"{VALIDATION:g} of the training clouds, stratified; then fitted on all",
        "neighbors": f"{NEIGHBORS} nearest by cosine after the mean of the training clouds is subtracted",
        "seeds": list(range(seeds)),
    }
