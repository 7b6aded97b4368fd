"""Sets of labelled pictures of objects, and what an image tower alone makes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.drawing import Picture, Rendering, draw
from clip3d.data.labelled_clouds import LabelledClouds
from clip3d.data.triplets import Triplets
from clip3d.errors import DataError
from clip3d.evaluation.probing import STRENGTHS, VALIDATION, fit_and_predict
from clip3d.evaluation.scoring import count
from clip3d.experiments.experiment import Bench, Measured
from clip3d.experiments.given_models import Candidate
from clip3d.experiments.labelled_sets import PREFIX

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Pictures:
    """One picture of each of n objects.

    Attributes:
        show: gives the pictures one after another, (h, w, 3) uint8.
        labels: (n,) indices into classes.
        classes: c names.
        told: of them in the protocol.
    """

    show: Callable[[], Iterator[Picture]]
    labels: NDArray[np.intp]
    classes: tuple[str, ...]
    told: dict[str, Any]


@dataclass(frozen=True)
class PictureSet:
    """Labelled pictures in two splits.

    Attributes:
        name: in names of rows.
        title: in tables.
        needs: names in the table `NEEDS`.
        read: gives the split "train" or "test".
        uses: names in the table `NEEDS` of what it does without where it is not there.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    read: Callable[[Bench, str], Pictures]
    uses: tuple[str, ...] = ()


def views_of(triplets: Triplets) -> Pictures:
    """The first picture of every object that has one.

    Raises:
        DataError: if none has.
    """
    rows = [i for i in range(len(triplets)) if triplets.views(i)]
    if not rows:
        raise DataError("the pictures", "no object has one", "make them with `clip3d data render`")
    told = {**triplets.protocol(), "pictures": f"the first of each object; {len(triplets) - len(rows)} have none"}
    labels = triplets.labels[rows].astype(np.intp)
    return Pictures(lambda: (triplets.picture(i, 0) for i in rows), labels, triplets.classes, told)


def depth_maps_of(data: LabelledClouds, size: int = 224) -> Pictures:
    """A depth map of each cloud, as CG3D draws it, from the first of its sides."""
    rendering = Rendering("depth", views=1, size=size)

    def show() -> Iterator[Picture]:
        for name, cloud in zip(data.names, data.clouds(), strict=True):
            yield np.repeat(draw(cloud, name, rendering)[0][:, :, None], 3, axis=2)

    told = {**data.protocol(), "pictures": "a depth map of each cloud, CG3D's first view"}
    return Pictures(show, data.labels, tuple(data.classes), told)


def picture_vectors(bench: Bench, candidate: Candidate, pictures: PictureSet, split: str) -> tuple[Pictures, Array]:
    """The pictures of a split and their unit vectors (n, d), encoded once for all rows."""
    seen = bench.once(f"pictures:{pictures.name}:{split}", lambda: pictures.read(bench, split))
    key = f"vectors:{candidate.name}:{pictures.name}:{split}"
    return seen, bench.once(key, lambda: candidate.load(bench).encode_images(seen.show()))


def name_pictures(bench: Bench, candidate: Candidate, pictures: PictureSet, prompt: str = PREFIX) -> Measured:
    """Zero-shot accuracy of an image tower on the test split, a single view an object."""
    model = candidate.load(bench)
    seen, vectors = picture_vectors(bench, candidate, pictures, "test")
    scores = model.space.similarity(vectors, model.label_vectors(seen.classes, [prompt]))
    counts = count(scores, seen.labels, seen.classes)
    told = {
        "task": "zero-shot classification of pictures, single view",
        **seen.told,
        "prompts": [prompt],
        "score": "cosine after the mean of the space is subtracted",
        "model": model.id,
        "weights": model.card.weights_hash,
    }
    also = {"class mean": 100 * counts.class_mean, "top 5": 100 * counts.top5}
    return Measured(100 * counts.accuracy, len(seen.labels), told, also=also)


def probe_pictures(bench: Bench, candidate: Candidate, pictures: PictureSet, seed: int) -> Measured:
    """Accuracy of a logistic regression on an image tower's vectors, learned on the training split."""
    model = candidate.load(bench)
    train, known = picture_vectors(bench, candidate, pictures, "train")
    test, asked = picture_vectors(bench, candidate, pictures, "test")
    shared = {name: i for i, name in enumerate(train.classes)}
    right = np.array([shared.get(test.classes[label], -1) for label in test.labels])
    strength, answers = fit_and_predict(known, train.labels, asked, seed)
    told = {
        "task": "linear probe of pictures, single view",
        **test.told,
        "learned_from": f"{len(known)} pictures of the split train, {_digest(train)}",
        "regression": f"logistic, L2, C = {strength:g} of {STRENGTHS[0]:g} to {STRENGTHS[-1]:g}, chosen on "
        f"{VALIDATION:.0%} of these, then fitted on all",
        "features": "the unit vectors in the model's space",
        "of a class that is not learned": int((right < 0).sum()),
        "model": model.id,
        "weights": model.card.weights_hash,
    }
    return Measured(100 * float((answers == right).mean()), len(right), told)


def _digest(pictures: Pictures) -> str:
    """Short digest of what a split says of itself."""
    return hashlib.sha256(repr(sorted(pictures.told.items())).encode()).hexdigest()[:12]
