"""Zero-shot classification of pictures: a folder with a sub-folder a label, or a table of paths and labels."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import DataError, FileProblem, ImageError, ModelError
from clip3d.evaluation.scoring import Progress, count
from clip3d.evaluation.zero_shot import ZeroShotReport
from clip3d.models.batching import in_batches
from clip3d.models.model import Model
from clip3d.models.weights import sha256_of
from clip3d.search.pictures import open_image

Array = NDArray[np.float32]

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tga", ".tif", ".tiff"})
CHUNK = 32


@dataclass(frozen=True)
class LabelledImages:
    """Picture files with their labels.

    Attributes:
        files: n picture files.
        labels: n indices into classes.
        classes: c labels, sorted; underscores in folders' names are spaces here.
        path: folder or table that they come from.
    """

    files: tuple[Path, ...]
    labels: tuple[int, ...]
    classes: list[str]
    path: Path

    def __len__(self) -> int:
        return len(self.files)


def find_labelled_images(path: str | PathLike[str]) -> LabelledImages:
    """Pictures of a folder with a sub-folder for each label, or of a CSV file with rows `path,label`.

    Paths in a table are relative to it; a first row that says `path,label` is passed over.

    Raises:
        DataError: if there is no such folder or table, it holds no picture, or a row is not a path and a label.
    """
    path = Path(path)
    try:
        pairs = list(_of_folder(path) if path.is_dir() else _of_table(path))
    except OSError as error:
        raise DataError(path, f"it cannot be read: {error.strerror or error}", "check the path") from error
    if not pairs:
        raise DataError(path, "holds no pictures", "make a folder with a sub-folder of pictures for each label")
    classes = sorted({label for _, label in pairs})
    return LabelledImages(
        files=tuple(file for file, _ in pairs),
        labels=tuple(classes.index(label) for _, label in pairs),
        classes=classes,
        path=path,
    )


def zero_shot_images(
    model: Model,
    data: LabelledImages,
    *,
    templates: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> tuple[ZeroShotReport, list[FileProblem]]:
    """Classify every picture by the nearest label and count; pictures that cannot be read are told, not counted.

    Args:
        model: with an image and a text tower.
        data: pictures with their labels.
        templates: prompts with {} for the label; None for those of the model's card.
        progress: called with the number of pictures done and of all pictures.

    Raises:
        DataError: if no picture can be read.
    """
    prompts = list(templates or model.card.templates)
    label_vectors = model.label_vectors(data.classes, prompts)
    problems: list[FileProblem] = []
    read: list[int] = []
    rows: list[Array] = [np.zeros((0, len(data.classes)), np.float32)]
    for chunk in in_batches(_read(data, problems), CHUNK):
        rows.append(model.space.similarity(model.encode_images(picture for _, picture in chunk), label_vectors))
        read += [i for i, _ in chunk]
        if progress:
            progress(len(read) + len(problems), len(data))
    if not read:
        raise DataError(data.path, f"none of its {len(data)} pictures can be read", "use PNG, JPEG or WebP")
    scores = np.concatenate(rows)
    counts = count(scores, np.array(data.labels)[read], data.classes)
    report = ZeroShotReport(
        accuracy=counts.accuracy,
        top5=counts.top5,
        class_mean=counts.class_mean,
        per_class=counts.per_class,
        confusion=counts.confusion.tolist(),
        n=len(read),
        view_accuracies=(),
        protocol=_protocol(model, data, prompts, len(problems)),
        model=model.id,
        scores=scores,
        rows=np.array(read),
    )
    return report, problems


def _read(data: LabelledImages, problems: list[FileProblem]) -> Iterator[tuple[int, Any]]:
    for i, file in enumerate(data.files):
        try:
            yield i, open_image(file)
        except ImageError as error:
            problems.append(error)


def _of_folder(path: Path) -> Iterator[tuple[Path, str]]:
    for folder in sorted(path.iterdir()):
        if folder.is_dir() and not folder.name.startswith("."):
            for file in sorted(folder.iterdir()):
                if file.suffix.lower() in SUFFIXES and not file.name.startswith("."):
                    yield file, folder.name.replace("_", " ")


def _of_table(path: Path) -> Iterator[tuple[Path, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [[cell.strip() for cell in row] for row in csv.reader(stream) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        remedy = "give a folder, or a CSV file with rows path,label"
        raise DataError(path, f"it is no table of text: {error}", remedy) from error
    for number, row in enumerate(rows, 1):
        if len(row) != 2 or not all(row):
            raise DataError(path, f"row {number} is not a path and a label: {','.join(row)[:80]!r}")
        if number > 1 or [cell.lower() for cell in row] != ["path", "label"]:
            yield path.parent / row[0], row[1]


def contents_hash(data: LabelledImages) -> str:
    """Hex SHA-256 over the paths below the folder or table, the labels and what the files hold, in any order.

    A file that is not there or cannot be opened counts as such.
    """
    root = data.path if data.path.is_dir() else data.path.parent
    rows = []
    for file, label in zip(data.files, data.labels, strict=True):
        place = file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix()
        try:
            content = sha256_of(file)
        except ModelError:
            content = "unreadable"
        rows.append(json.dumps([place, data.classes[label], content]))
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()


def _protocol(model: Model, data: LabelledImages, prompts: list[str], unreadable: int) -> dict[str, Any]:
    return {
        "task": "zero-shot classification of pictures",
        "data": data.path.name,
        "data_sha256": contents_hash(data),
        "pictures": len(data),
        "unreadable": unreadable,
        "classes": len(data.classes),
        "prompts": prompts,
        "score": "cosine after the mean of the space is subtracted",
        "weights": model.card.weights_hash,
    }
