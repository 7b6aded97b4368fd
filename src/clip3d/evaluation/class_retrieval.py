"""Finding labelled clouds by the names of their classes, by pictures and by other clouds of the class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.labelled_clouds import LabelledClouds
from clip3d.errors import DataError, FileProblem, ImageError
from clip3d.evaluation.features import cloud_features, protocol
from clip3d.evaluation.labelled_images import LabelledImages, contents_hash
from clip3d.evaluation.retrieval import RetrievalReport, RetrievalRow, row_over
from clip3d.models.model import Model
from clip3d.search.pictures import open_image

Array = NDArray[np.float32]
Labels = NDArray[np.intp]

CHUNK = 256


def class_retrieval(
    model: Model,
    data: LabelledClouds,
    *,
    images: LabelledImages | None = None,
    templates: Sequence[str] | None = None,
    votes: int = 1,
    points: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> tuple[RetrievalReport, list[FileProblem]]:
    """Ask for clouds by the names of their classes, by pictures of the classes, and by each cloud for the others.

    Args:
        model: with a cloud and a text tower; with an image tower where pictures are given.
        data: the clouds that are searched.
        images: pictures with the classes that they show; those of classes without clouds are left out.
        templates: prompts with {} for the class name; None for those of the model's card.
        votes: views of each cloud, turned by equal steps about the up axis; their vectors are averaged.
        points: points the tower sees, if not the card's number.
        progress: called with a line about each step.

    Returns:
        The report, and the pictures that could not be read.

    Raises:
        DataError: if no picture can be read or is of a class that has clouds.
        ModelError: if there are pictures and the model has no image tower.
    """
    prompts = list(templates or model.card.templates)
    if images is not None:
        model.tower_card("image")
    tell = progress or (lambda line: None)
    tell(f"embedding {len(data)} clouds")
    clouds = cloud_features(model, data, votes=votes, points=points)
    named = np.unique(data.labels)
    words = model.label_vectors([data.classes[c] for c in named], prompts)
    rows = [_row("text to cloud", model.space.similarity(words, clouds), named, data.labels)]
    problems: list[FileProblem] = []
    if images is not None:
        tell(f"embedding {len(images)} pictures")
        _, pictures, shown = pictures_of_classes(model, data, images, problems)
        rows.append(_row("image to cloud", model.space.similarity(pictures, clouds), shown, data.labels))
    rows.append(_among_themselves(model, clouds, data.labels))
    facts = _protocol(model, data, prompts, images, len(problems), votes, points)
    return RetrievalReport(tuple(rows), len(data), facts, model.id), problems


def _row(task: str, scores: Array, asked: Labels, labels: Labels) -> RetrievalRow:
    pairs = ((row, labels == c) for row, c in zip(scores, asked, strict=True))
    return row_over(task, pairs, len(labels))


def _among_themselves(model: Model, clouds: Array, labels: Labels) -> RetrievalRow:
    """Each cloud asks for the others of its class; one that is alone in its class does not ask."""

    def pairs() -> Iterator[tuple[Array, NDArray[np.bool_]]]:
        for start in range(0, len(clouds), CHUNK):
            scores = model.space.similarity(clouds[start : start + CHUNK], clouds)
            for i, row in enumerate(scores, start):
                others = np.arange(len(clouds)) != i
                positive = (labels == labels[i])[others]
                if positive.any():
                    yield row[others], positive

    return row_over("cloud to cloud", pairs(), len(labels) - 1)


def pictures_of_classes(
    model: Model, data: LabelledClouds, images: LabelledImages, problems: list[FileProblem]
) -> tuple[list[Path], Array, Labels]:
    """Pictures that can be read and whose class has clouds: files, vectors (m, d), indices of the classes (m,).

    Names of classes are the same if they differ by capitals or underscores alone.

    Raises:
        DataError: if there is none.
    """
    known = {_plain(data.classes[c]): int(c) for c in np.unique(data.labels)}
    files: list[Path] = []
    shown: list[int] = []

    def read() -> Iterator[Any]:
        for file, label in zip(images.files, images.labels, strict=True):
            name = _plain(images.classes[label])
            if name not in known:
                continue
            try:
                picture = open_image(file)
            except ImageError as error:
                problems.append(error)
                continue
            files.append(file)
            shown.append(known[name])
            yield picture

    vectors = model.encode_images(read())
    if not shown:
        remedy = f"name its folders as the classes: {', '.join(sorted(known))[:200]}"
        raise DataError(images.path, "it holds no picture that can be read of a class that has clouds", remedy)
    return files, vectors, np.array(shown, dtype=np.intp)


def _plain(name: str) -> str:
    return name.replace("_", " ").casefold()


def _protocol(
    model: Model,
    data: LabelledClouds,
    prompts: list[str],
    images: LabelledImages | None,
    unreadable: int,
    votes: int,
    points: int | None,
) -> dict[str, Any]:
    pictures = {} if images is None else {"images": images.path.name, "images_sha256": contents_hash(images)}
    return {
        "task": "retrieval by class",
        **data.protocol(),
        **protocol(model, data, votes, points),
        **pictures,
        "unreadable_images": unreadable,
        "prompts": prompts,
        "score": "cosine after the mean of the space is subtracted",
        "queries": "each class that has clouds, each picture of such a class, each cloud against the others",
        "right": "all clouds of the class",
        "precision": "right ones among the first k, over the most that could be there",
    }
