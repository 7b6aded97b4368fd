"""Search among files without an index: words, a picture or another shape against every cloud."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import FileProblem, ShapeError
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search.embedding import (
    Embedded,
    Progress,
    Reading,
    embed_file,
    embed_files,
    find_items,
    searched_modality,
)
from clip3d.search.pictures import open_image
from clip3d.spaces import rank

Array = NDArray[np.float32]
PathName = str | PathLike[str]


@dataclass(frozen=True)
class Hit:
    """One answer: its place from 1, the file, and its centred cosine with the query in [-1, 1]."""

    rank: int
    path: Path
    score: float


@dataclass(frozen=True)
class SearchResult:
    """What was found.

    Attributes:
        hits: best first.
        problems: files and paths that could not be searched, and why.
        query: the query in words: the prompts, and the names of the files in it.
        prompts: phrases given to the text tower, as they are.
        model: id of the model that answered.
        searched: number of files that were compared.
        computed: how many of them were not in the cache.
    """

    hits: list[Hit]
    problems: list[FileProblem]
    query: str
    prompts: list[str]
    model: str
    searched: int
    computed: int


def search_files(
    model: Model,
    paths: PathName | Iterable[PathName],
    *,
    text: str | Sequence[str] | None = None,
    image: PathName | None = None,
    like: PathName | None = None,
    negative: str | Sequence[str] | None = None,
    k: int = 10,
    threshold: float | None = None,
    reading: Reading | None = None,
    cache: VectorCache | None = None,
    progress: Progress | None = None,
) -> SearchResult:
    """Rank the cloud files in `paths`, or the pictures for a model without a cloud tower, by likeness to a query.

    Several parts of a query (phrases, a picture, a cloud) are averaged after centring; what is in `negative` is
    subtracted. Phrases are taken as they are. Files whose content equals the cloud in `like` are not listed: they
    would only say that the query resembles itself.

    Args:
        model: with a cloud or an image tower, and a tower for each part of the query.
        paths: files, and folders that are searched through; or one of these.
        text: one phrase or several.
        image: a picture's file.
        like: a file of the kind that is searched.
        negative: phrases to move away from.
        k: at most so many hits.
        threshold: least score of a hit.
        reading: how cloud files are read.
        cache: of vectors; None opens the user's, `VectorCache.disabled()` does without.
        progress: called with the number of files done and of all files.

    Raises:
        ShapeError: if there is no query, or k is less than 1.
        ModelError: if the model lacks a tower that is needed.
        ImageError, CloudError: if a file of the query cannot be read.
    """
    texts, negatives = _phrases(text), _phrases(negative)
    if not texts and image is None and like is None:
        raise ShapeError("a search needs a query: words, an image or a cloud")
    if k < 1:
        raise ShapeError(f"k must be at least 1, got {k}")
    # a lacking tower is told before the others, which may be large, are loaded
    searched_modality(model)
    store = VectorCache() if cache is None else cache
    try:
        same = None if like is None else embed_file(model, like, cache=store, reading=reading)
        direction = query_direction(model, texts, image, same, negatives)
        found = find_items(model, paths)
        embedded = embed_files(model, found.files, cache=store, reading=reading, progress=progress)
    finally:
        if cache is None:
            store.close()
    return SearchResult(
        hits=_hits(model, direction, embedded, same, k, threshold),
        problems=[*found.problems, *embedded.problems],
        query=describe(texts, image, like, negatives),
        prompts=[*texts, *negatives],
        model=model.id,
        searched=len(embedded.paths),
        computed=embedded.computed,
    )


def query_direction(
    model: Model,
    texts: Sequence[str],
    image: PathName | None,
    like: Embedded | None,
    negatives: Sequence[str],
) -> Array:
    """The centred direction (d,) of a query's parts."""
    positives = [model.encode_texts(texts)] if texts else []
    if image is not None:
        positives.append(model.encode_images([open_image(image)]))
    if like is not None:
        positives.append(like.vectors)
    away = model.encode_texts(negatives) if negatives else None
    return model.space.query(np.concatenate(positives), away)


def describe(
    texts: Sequence[str], image: PathName | None, like: PathName | None, negatives: Sequence[str]
) -> str:
    """A query in words, such as `a chair, not an armchair` or `image photo.jpg`."""
    parts = list(texts)
    parts += [f"image {image}"] if image is not None else []
    parts += [f"like {like}"] if like is not None else []
    return ", ".join(parts + [f"not {phrase}" for phrase in negatives])


def _phrases(value: str | Sequence[str] | None) -> list[str]:
    phrases = [value] if isinstance(value, str) else list(value or [])
    if any(not phrase.strip() for phrase in phrases):
        raise ShapeError("a phrase of the query is empty")
    return phrases


def _hits(
    model: Model, direction: Array, embedded: Embedded, same: Embedded | None, k: int, threshold: float | None
) -> list[Hit]:
    scores = model.space.scores(direction, embedded.vectors)
    least = -np.inf if threshold is None else threshold
    itself = set() if same is None else set(same.contents)
    order = [i for i in rank(scores) if scores[i] >= least and embedded.contents[i] not in itself]
    return [Hit(place, embedded.paths[i], float(scores[i])) for place, i in enumerate(order[:k], start=1)]
