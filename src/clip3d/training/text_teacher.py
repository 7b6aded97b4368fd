"""The teacher of the text tower: it guesses where phrases lie whose vectors are not known.

A kernel ridge from what is known of a phrase to its direction. Of a noun of WordNet, that is how the sentence model
reads its name, how it reads the name with the definition, and which wider meanings it has; of any other phrase, how
the sentence model reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from clip3d.data.phrases import Noun, concept
from clip3d.spaces import unit

Array = NDArray[np.float32]
T = TypeVar("T")


@dataclass(frozen=True)
class Kernel:
    """Constants of the teacher.

    Attributes:
        layers: pooled layers that count, 0 being the embedding.
        shares: of the squared distance by name, by name with definition, and by wider meanings.
        width: factor of the squared distance in the Gaussian kernel.
        ridge: of a phrase of full weight.
    """

    layers: tuple[int, ...]
    shares: tuple[float, float, float]
    width: float
    ridge: float


@dataclass(frozen=True, eq=False)
class Reading:
    """What is known of n phrases.

    Attributes:
        names: (n, layers, width) pooled layers of the phrases.
        senses: the same of the phrases with their definitions, or None where there are none.
        meanings: the wider meanings of each, or None.
    """

    names: Array
    senses: Array | None = None
    meanings: Sequence[tuple[str, ...]] | None = None


class Teacher:
    """Kernel ridge with a Gaussian kernel on up to three squared distances, each scaled to be 2 on average.

    Args:
        known: what is known of the n phrases to learn from, in all three ways.
        directions: (n, d) unit length.
        weights: (n,) in (0, 1].
        kernel: the constants.
        full: whether definitions and meanings count; else the names alone.
    """

    def __init__(self, known: Reading, directions: Array, weights: Array, kernel: Kernel, *, full: bool) -> None:
        self._kernel, self._full = kernel, full
        self._names = _Layers(known.names, kernel.layers)
        if full:
            self._senses = _Layers(_given(known.senses), kernel.layers[-2:])
            self._meanings = _Meanings(_given(known.meanings))
        ridge = kernel.ridge * np.diag(1 / weights)
        self._factors = np.linalg.solve(self._likeness(known) + ridge, directions)

    def __call__(self, reading: Reading) -> Array:
        """Unit directions (n, d)."""
        return unit(self._likeness(reading) @ self._factors)

    def _likeness(self, reading: Reading) -> Array:
        squared = self._names(reading.names)
        if self._full:
            by_name, by_sense, by_meaning = self._kernel.shares
            squared = by_name * squared + by_sense * self._senses(_given(reading.senses))
            squared = squared + by_meaning * self._meanings(_given(reading.meanings))
        return np.asarray(np.exp(-self._kernel.width / 2 * squared), dtype=np.float32)


class _Layers:
    """Squared distances to known phrases by pooled layers, each of unit length, centred, and counting alike."""

    def __init__(self, layers: Array, chosen: Sequence[int]) -> None:
        self._chosen = list(chosen)
        lengths = unit(layers[:, self._chosen])
        self._middle = lengths.mean(0)
        self._scale = np.sqrt(np.square(lengths - self._middle).sum(2).mean(0) * len(self._chosen))[:, None]
        self._support = self._prepare(layers)

    def __call__(self, layers: Array) -> Array:
        return _squared(self._prepare(layers), self._support)

    def _prepare(self, layers: Array) -> Array:
        scaled = (unit(layers[:, self._chosen]) - self._middle) / self._scale
        return np.asarray(scaled.reshape(len(layers), -1), dtype=np.float32)


class _Meanings:
    """Squared distances to known phrases by the wider meanings that they share, the rarer ones counting more."""

    def __init__(self, meanings: Sequence[tuple[str, ...]]) -> None:
        counts: dict[str, int] = {}
        for chain in meanings:
            for meaning in chain:
                counts[meaning] = counts.get(meaning, 0) + 1
        self._columns = {meaning: i for i, meaning in enumerate(counts)}
        self._worth = np.sqrt(np.log((len(meanings) + 1) / np.array(list(counts.values())))).astype(np.float32)
        self._support = self._prepare(meanings)
        self._mean = max(float(_squared(self._support, self._support).mean()), 1e-6)

    def __call__(self, meanings: Sequence[tuple[str, ...]]) -> Array:
        return _squared(self._prepare(meanings), self._support) * np.float32(2 / self._mean)

    def _prepare(self, meanings: Sequence[tuple[str, ...]]) -> Array:
        marks = np.zeros((len(meanings), len(self._columns)), np.float32)
        for row, chain in enumerate(meanings):
            for column in (self._columns[meaning] for meaning in chain if meaning in self._columns):
                marks[row, column] = self._worth[column]
        return unit(marks)


def find_noun(name: str, nouns: Mapping[str, Noun]) -> Noun | None:
    """The noun that a name is, or else the longest end of the name that is one: "a sports car" is a car."""
    for form in (name, concept(name)):
        words = form.split()
        for begin in range(len(words)):
            found = nouns.get(" ".join(words[begin:]))
            if found is not None:
                return found
    return None


def moved(bare: Array, whole: Array, additions: Sequence[Sequence[str]], names: Array, pull: float) -> Array:
    """Directions (n, d) of names with additions: near the name, and moved alike wherever an addition is the same.

    An addition's move is the mean change of the guesses over all names that carry it, less the mean change of all.

    Args:
        bare: (n, d) guesses of the names alone.
        whole: (n, d) guesses of the names with their additions.
        additions: of each name.
        names: (n, d) unit directions of the names, known or guessed.
        pull: length of a move; that of the name is 1.
    """
    changes = whole - bare
    words = sorted({word for row in additions for word in row})
    carries = np.array([[word in row for word in words] for row in additions], dtype=np.float32)
    moves = unit(carries.T @ (changes - changes.mean(0)))
    together = unit(unit(carries @ moves) + np.float32(0.5) * unit(changes - changes.mean(0)))
    return unit(names + np.float32(pull) * together)


def _squared(a: Array, b: Array) -> Array:
    squared = np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * a @ b.T
    return np.asarray(np.maximum(squared, 0), dtype=np.float32)


def _given(value: T | None) -> T:
    if value is None:
        raise ValueError("a teacher that counts definitions and meanings needs them for every phrase")
    return value
