"""The words and terms of a training from labels: those that may be heard, and what each object is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from clip3d.data.driving_prompts import phrasings_of
from clip3d.data.driving_truth import CLASSES, class_of
from clip3d.models.model import Model
from clip3d.training.sweep_recipe import LabelRecipe
from clip3d.training.sweep_views import View

Array = NDArray[np.float32]
Words = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """What objects may be called in a training, and which terms are told of scenes.

    Attributes:
        words: v of them, none of which is withheld.
        place: of each tuple of words that some object has, among the rows of `positives`.
        positives: (w, v) float32, each tuple's words, rows that add up to 1.
        counts: how many objects of views are of each class or, outside of the classes, have each label.
        terms: t of them.
        odds: (t,) logarithm of the odds that each is true in a square.
    """

    words: Words
    place: dict[Words, int]
    positives: Array
    counts: Counter[str]
    terms: Words
    odds: Array

    def row(self, words: Words) -> int:
        """Which row of `positives` an object with these words has; -1 if all of them are withheld."""
        return self.place.get(words, -1)

    def truths(self, terms: dict[str, bool]) -> Array:
        """For each term 1 or 0, NaN where it is not known: (t,)."""
        return np.array([float(terms[term]) if term in terms else np.nan for term in self.terms], np.float32)


def vocabulary_of(views: Iterable[View], recipe: LabelRecipe) -> Vocabulary:
    """The vocabulary of a training's views, less what is withheld."""
    tuples: dict[Words, None] = {}
    counts: Counter[str] = Counter()
    truths: dict[str, list[bool]] = {}
    for view in views:
        for words, label in zip(view.words, view.labels, strict=True):
            tuples[words] = None
            counts[kind_of(label)] += 1
        for told in view.terms:
            for term, true in told.items():
                truths.setdefault(term, []).append(true)
    heard = {words: kept for words in tuples if (kept := tuple(w for w in words if is_heard(w, recipe)))}
    names = tuple(sorted({word for kept in heard.values() for word in kept}))
    positives = np.zeros((len(heard), len(names)), np.float32)
    for row, kept in enumerate(heard.values()):
        positives[row] = _shares(kept, names, recipe.own)
    telling = {term: all_ for term, all_ in sorted(truths.items()) if _tells(term, all_, recipe)}
    odds = np.array([_log_odds(all_) for all_ in telling.values()], np.float32)
    return Vocabulary(names, {w: i for i, w in enumerate(heard)}, positives, counts, tuple(telling), odds)


def is_heard(phrase: str, recipe: LabelRecipe) -> bool:
    """Whether a phrase holds no word, or run of words, that is withheld."""
    padded = f" {phrase.lower().rstrip('.')} "
    return not any(f" {word.lower()} " in padded for word in recipe.withheld)


def kind_of(label: str) -> str:
    """The class of an object, or its label where that is none of the classes."""
    return class_of(label) or label


def term_vectors(terms: Sequence[str], teacher: Model) -> Array:
    """Raw vectors (t, w, d) of unit length of t terms, each asked for in w ways."""
    ways = [phrasings_of(term) for term in terms]
    rows = [[teacher.space.ensemble(teacher.encode_texts(way)) for way in each] for each in ways]
    return np.array(rows, np.float32) if rows else np.zeros((0, 1, teacher.space.dim), np.float32)


def _shares(kept: Words, names: Words, own: float) -> Array:
    """Shares (v,) of an object's words: `own` of the first that names a class, the rest spread over the others."""
    row = np.zeros(len(names), np.float32)
    first = next((word for word in kept if word in CLASSES), kept[-1])
    others = [word for word in kept if word != first]
    row[names.index(first)] = own if others else 1.0
    for word in others:
        row[names.index(word)] += (1 - own) / len(others)
    return row


def _log_odds(truths: Sequence[bool]) -> float:
    return float(np.log((sum(truths) + 1) / (len(truths) - sum(truths) + 1)))


def _tells(term: str, truths: Sequence[bool], recipe: LabelRecipe) -> bool:
    """Whether a term is sometimes true, sometimes not, and asked for in no phrase that is withheld."""
    phrases = chain.from_iterable(phrasings_of(term))
    return 0 < sum(truths) < len(truths) and all(is_heard(phrase, recipe) for phrase in phrases)
