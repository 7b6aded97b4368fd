"""What the text tower is taught: phrases from the bank, WordNet and word lists, and where each shall lie."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from clip3d.data.phrases import Bank, Noun, concept, with_article
from clip3d.data.wording import PLACES
from clip3d.models.ridge import ridge
from clip3d.models.weights import read_arrays, write_arrays
from clip3d.spaces import Space, unit
from clip3d.towers.sentence_model import SentenceModel
from clip3d.training.loop import Progress
from clip3d.training.text_examples import (
    Described,
    Examples,
    Pool,
    describe,
    set_scene,
    spellings,
    tellings,
    wordings,
)
from clip3d.training.text_recipe import TextRecipe
from clip3d.training.text_teacher import Kernel, Reading, Teacher, find_noun, moved

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lessons:
    """What is to be taught, in words.

    Attributes:
        known: names with their vectors.
        sayings: other phrases with their vectors, none of a concept that is held out.
        senses: what WordNet says of each known name, None where it says nothing.
        place_senses: the same of each place of `clip3d.data.wording`.
        nouns: of WordNet.
        described: nouns with adjectives, then places in conditions.
        groups: of synonyms, as rows of `nouns`.
        groups_kept_back: those that are not taught.
        barred: concepts that are held out, which no other spelling may give away.
    """

    known: Bank
    sayings: Bank
    senses: Sequence[Noun | None]
    place_senses: Sequence[Noun | None]
    nouns: Sequence[Noun]
    described: Sequence[Described]
    groups: Sequence[Sequence[int]]
    groups_kept_back: Sequence[Sequence[int]]
    barred: frozenset[str]


def prepare(
    known: Bank, held_out: Bank, sayings: Bank, nouns: Sequence[Noun], lexicon: Sequence[Noun], recipe: TextRecipe
) -> Lessons:
    """Look up names in WordNet, make described phrases, and group synonyms with no held-out name in them."""
    words = {noun.word: noun for noun in lexicon}
    rng = np.random.default_rng(recipe.seed)
    described = [describe(nouns[i].word, rng) for i in rng.integers(0, len(nouns), recipe.described)]
    described += [set_scene(rng) for _ in range(recipe.scenes)]
    barred = frozenset(held_out.concepts)
    groups = synonyms(nouns, barred)
    back = [kept_back(nouns[rows[0]], recipe) for rows in groups]
    taught, kept = ([rows for rows, b in zip(groups, back, strict=True) if b is side] for side in (False, True))
    senses, place_senses = ([find_noun(name, words) for name in names] for names in (known.names, PLACES))
    allowed = sayings.select(np.array([c not in barred for c in sayings.concepts], dtype=np.bool_))
    return Lessons(known, allowed, senses, place_senses, nouns, described, taught, kept, barred)


def synonyms(nouns: Sequence[Noun], barred: frozenset[str]) -> list[list[int]]:
    """Rows of nouns with one meaning, two or more a group, no group with a barred concept."""
    groups: dict[str, list[int]] = {}
    for row, noun in enumerate(nouns):
        if noun.meanings:
            groups.setdefault(noun.meanings[0], []).append(row)
    several = [rows for rows in groups.values() if len(rows) > 1]
    return [rows for rows in several if not any(concept(nouns[row].word) in barred for row in rows)]


def kept_back(noun: Noun, recipe: TextRecipe) -> bool:
    """Whether a noun's synonyms serve the report, chosen by a hash of the meaning."""
    digest = hashlib.sha256(f"synonyms {recipe.seed}:{noun.meanings[0]}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % recipe.synonyms == 0


def teach(
    model: SentenceModel,
    examples: Examples,
    lessons: Lessons,
    space: Space,
    recipe: TextRecipe,
    stage: Path,
    progress: Progress,
) -> list[Pool]:
    """Pools of examples with their directions: bank, nouns, described nouns and places, definitions.

    Also gives the model's head its start, a ridge from the pooled layers to the bank's directions.
    """
    known, nouns, described = lessons.known, lessons.nouns, lessons.described
    directions = space.centre(known.vectors)
    if not stage.is_file():
        progress("the teacher reads the bank and the nouns")
        write_arrays(_guesses(model, examples, lessons, directions, recipe), stage)
    read = read_arrays(stage)
    with torch.no_grad():
        model.head.weight.copy_(torch.from_numpy(read["head"]))
        model.head.bias.copy_(torch.from_numpy(read["bias"]))
    truth = dict(zip(known.names, directions, strict=True))
    sure = np.array([noun.word in truth for noun in nouns])
    aims = np.stack([truth.get(n.word, guess) for n, guess in zip(nouns, read["nouns"], strict=True)])
    aims = _brought_together(aims, sure, lessons.groups)
    aim_of = dict(zip(PLACES, read["places"], strict=True))
    aim_of |= {noun.word: aim for noun, aim in zip(nouns, aims, strict=True)}
    names = np.stack([aim_of[d.name] for d in described])
    wholes = moved(read["bare"], read["whole"], [d.additions for d in described], names, recipe.pull)
    sure_of = set(lessons.sayings.names)
    words = {noun.word for noun in nouns}

    def told(name: str) -> list[str]:
        others = [form for form in spellings(name, words) if concept(form) not in lessons.barred]
        ways = wordings(name, others)
        return [way for way in ways if way not in sure_of] or ways[:1]

    return [
        Pool([told(name) for name in known.names], directions, known.weights),
        Pool([told(noun.word) for noun in nouns], aims),
        _more(lessons, wholes, read["places"], space),
        Pool([tellings(noun.definition) for noun in nouns], aims),
    ]


def _guesses(
    model: SentenceModel, examples: Examples, lessons: Lessons, directions: Array, recipe: TextRecipe
) -> dict[str, Array]:
    known = lessons.known
    kernel = Kernel(recipe.teacher_layers, recipe.teacher_shares, recipe.teacher_width, recipe.teacher_ridge)

    def read(phrases: Sequence[str]) -> Reading:
        return Reading(examples.layers(model, phrases))

    def study(names: Sequence[str], senses: Sequence[Noun | None]) -> Reading:
        meanings = [noun.meanings if noun else () for noun in senses]
        pairs = zip(names, senses, strict=True)
        told = [f"{name}: {noun.definition[:100]}" if noun else name for name, noun in pairs]
        return Reading(read([with_article(name) for name in names]).names, read(told).names, meanings)

    own = study(known.names, lessons.senses)
    learned = Teacher(own, directions, known.weights, kernel, full=True)
    plain = Teacher(own, directions, known.weights, kernel, full=False)
    nouns = study([noun.word for noun in lessons.nouns], lessons.nouns)
    row = {noun.word: i for i, noun in enumerate(lessons.nouns)}
    places = study(PLACES, lessons.place_senses)
    plain_nouns, plain_places = plain(nouns), plain(places)
    bare = {**dict(zip(PLACES, plain_places, strict=True)), **{word: plain_nouns[i] for word, i in row.items()}}
    pooled = np.concatenate([own.names[:, 0], own.names[:, -1]], axis=1)
    weights, middle, aim = ridge(pooled, directions, recipe.head_ridge)
    return {
        "nouns": learned(nouns),
        "places": learned(places),
        "bare": np.stack([bare[d.name] for d in lessons.described]),
        "whole": plain(read([d.phrase for d in lessons.described])),
        "head": weights.T.astype(np.float32),
        "bias": (aim - weights.T @ middle).astype(np.float32),
    }


def _brought_together(aims: Array, sure: NDArray[np.bool_], groups: Sequence[Sequence[int]]) -> Array:
    """Directions (n, d) where synonyms share one: the mean of the known ones, or of all if none is known."""
    aims = aims.copy()
    for group in groups:
        rows = np.array(group)
        first = rows[sure[rows]] if sure[rows].any() else rows
        aims[rows[~sure[rows]]] = unit(aims[first].mean(0, keepdims=True))
    return aims


def _more(lessons: Lessons, wholes: Array, places: Array, space: Space) -> Pool:
    """Phrases that say more than a name: where the bank has them their true directions, else the guesses."""
    sayings = lessons.sayings
    sure_of = set(sayings.names)
    pairs = zip(lessons.described, wholes, strict=True)
    guessed = [([d.phrase], aim) for d, aim in pairs if d.phrase not in sure_of]
    guessed += [(wordings(place), aim) for place, aim in zip(PLACES, places, strict=True)]
    phrases, aims = [ways for ways, _ in guessed], np.stack([aim for _, aim in guessed])
    if not len(sayings):
        return Pool(phrases, aims)
    phrases += [[phrase] for phrase in sayings.names]
    return Pool(phrases, np.concatenate([aims, space.centre(sayings.vectors)]))
