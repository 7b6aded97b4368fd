"""What is in a collection: each vector's best word of a vocabulary, or none of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import DataError
from clip3d.models.model import Model

Array = NDArray[np.float32]

NOUNS = Path(__file__).with_name("vocabulary.txt")
MOST_WORDS = 5000
MOST_BYTES = 1_000_000
BLOCK = 4096
EXAMPLES = 3


@dataclass(frozen=True)
class Covered:
    """What a word covers.

    Attributes:
        label: the word.
        count: how many vectors it names best.
        examples: ids of the items that it names most surely, best first.
    """

    label: str
    count: int
    examples: tuple[int, ...]


@dataclass(frozen=True)
class Coverage:
    """What a vocabulary says of n vectors.

    Attributes:
        labels: words that name something, most frequent first.
        none: how many vectors no word fits; None if the model cannot tell, and every vector was given a word.
        unfit: ids of some of them.
        total: n.
        words: number of words in the vocabulary.
    """

    labels: tuple[Covered, ...]
    none: int | None
    unfit: tuple[int, ...]
    total: int
    words: int


def read_vocabulary(path: str | PathLike[str] | None = None) -> list[str]:
    """Words of a file, one a line, each once; None for common nouns.

    Raises:
        DataError: if it cannot be read, or holds none or too many.
    """
    source = NOUNS if path is None else Path(path)
    try:
        if source.stat().st_size > MOST_BYTES:
            raise DataError(source, f"it is larger than {MOST_BYTES // 1_000_000} MB", "give one word a line")
        lines = source.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(source, f"it cannot be read: {error}") from error
    words = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not 1 <= len(words) <= MOST_WORDS:
        raise DataError(source, f"a vocabulary has 1 to {MOST_WORDS} words, one a line, it has {len(words)}")
    return words


def cover(model: Model, words: Sequence[str], vectors: Array, ids: NDArray[np.int64]) -> Coverage:
    """Give each vector its best word, in the model's own prompts, if one fits.

    Whether it fits is told as for `clip3d classify`: against a background of nouns, and the more words there are to
    choose from, the surer it must be.

    Args:
        model: of the vectors' space, with a text tower.
        words: labels.
        vectors: (n, d) as the model's towers give them.
        ids: (n,) of the items that they are of.

    Raises:
        ModelError: if the model has no text tower.
    """
    labels = model.label_vectors(words)
    best = np.zeros(len(vectors), np.int64)
    sure = np.zeros(len(vectors), np.float32)
    tells = bool(model.card.refusal)
    for start in range(0, len(vectors), BLOCK):
        part = slice(start, start + BLOCK)
        similarity = model.space.similarity(vectors[part], labels)
        best[part] = similarity.argmax(1)
        sure[part] = model.fits(vectors[part], labels).score if tells else similarity.max(1)
    fit = sure >= model.refusal.threshold if tells else np.ones(len(vectors), bool)
    counts = np.bincount(best[fit], minlength=len(words))
    order = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i]]
    covered = (Covered(words[i], int(counts[i]), _examples(ids, sure, fit & (best == i))) for i in order)
    none = int(np.count_nonzero(~fit)) if tells else None
    return Coverage(tuple(covered), none, _examples(ids, -sure, ~fit), len(vectors), len(words))


def _examples(ids: NDArray[np.int64], sure: Array, among: NDArray[np.bool_]) -> tuple[int, ...]:
    places = np.flatnonzero(among)
    return tuple(int(ids[i]) for i in places[np.argsort(-sure[places], kind="stable")][:EXAMPLES])
