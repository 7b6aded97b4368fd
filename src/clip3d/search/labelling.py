"""Labels for files: each cloud among the names given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from clip3d.errors import FileProblem, ShapeError
from clip3d.models.model import Label, Model
from clip3d.models.refusal import Fits
from clip3d.models.vector_cache import VectorCache
from clip3d.search.embedding import Progress, Reading, embed_files, find_items


@dataclass(frozen=True)
class LabelledFiles:
    """Labels of the files that could be read.

    Attributes:
        answers: for each file all labels, best first.
        fits: for each file whether the best label fits or none does; None if that was not asked or cannot be told.
        problems: files and paths that could not be labelled, and why.
        templates: prompts that the labels were put into.
        model: id of the model that answered.
    """

    answers: list[tuple[Path, list[Label]]]
    fits: Fits | None
    problems: list[FileProblem]
    templates: list[str]
    model: str


def classify_files(
    model: Model,
    paths: str | PathLike[str] | Iterable[str | PathLike[str]],
    labels: Sequence[str] | None = None,
    *,
    templates: Sequence[str] | None = None,
    refuse: bool = True,
    threshold: float | None = None,
    reading: Reading | None = None,
    cache: VectorCache,
    progress: Progress | None = None,
) -> LabelledFiles:
    """Choose among labels for every cloud file in `paths`, or every picture for a model without a cloud tower.

    Args:
        model: with a text tower, and a cloud or an image tower.
        paths: files, and folders that are searched through; or one of these.
        labels: at least two names; one that is given twice counts once. None for a classifier's own.
        templates: prompts with {} for the label; None for those of the model's card.
        refuse: tell whether any label fits, if the model can.
        threshold: least score of a label that fits, if not the card's.
        reading: how cloud files are read.
        cache: of vectors; `VectorCache.disabled()` for none.
        progress: called with the number of files done and of all files.

    Raises:
        ShapeError: if there are not two labels to choose between, a template lacks its {}, or a label is none of
            a classifier's.
        ModelError: if a threshold is given and the model cannot tell whether a label fits.
    """
    given = model.own_labels() if labels is None else labels
    names = list(dict.fromkeys(label.strip() for label in given if label.strip()))
    if len(names) < 2:
        raise ShapeError(f"give at least two labels to choose between, got {len(names)}")
    prompts = list(templates or model.card.templates)
    label_vectors = model.label_vectors(names, prompts)
    found = find_items(model, paths)
    embedded = embed_files(model, found.files, cache=cache, reading=reading, progress=progress)
    told = refuse and (threshold is not None or bool(model.card.refusal))
    fits = model.fits(embedded.vectors, label_vectors, threshold) if told else None
    ranked = model.rank_labels(embedded.vectors, names, label_vectors)
    return LabelledFiles(
        answers=list(zip(embedded.paths, ranked, strict=True)),
        fits=fits,
        problems=[*found.problems, *embedded.problems],
        templates=prompts,
        model=model.id,
    )
