"""Examples for the text tower: wordings of a name, batches of token ids, pools to draw from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from clip3d.data.phrases import plural
from clip3d.data.wording import ADJECTIVES, COLORS, CONDITIONS, MATERIALS, PLACES, TEMPLATES
from clip3d.towers.sentence_model import SentenceModel

Array = NDArray[np.float32]

BATCH = 128
# Longer definitions, in characters, are also told without what follows a comma or bracket.
SHORT = 40


@dataclass(frozen=True, eq=False)
class Pool:
    """Things with one direction each and several wordings.

    Attributes:
        wordings: for each of n things; the first two are taken half of the time.
        directions: (n, d) float32.
        weights: (n,) float32, or None where all count 1.
    """

    wordings: Sequence[Sequence[str]]
    directions: Array
    weights: Array | None = None

    def draw(self, count: int, rng: np.random.Generator) -> tuple[list[str], Array, Array]:
        """By chance `count` phrases, their directions (count, d) and weights (count,)."""
        rows = rng.choice(len(self.wordings), min(count, len(self.wordings)), replace=False)
        phrases = []
        for row in rows:
            choices = self.wordings[row]
            few = min(2, len(choices)) if rng.random() < 0.5 else len(choices)
            phrases.append(choices[int(rng.integers(few))])
        weights = np.ones(len(rows), np.float32) if self.weights is None else self.weights[rows]
        return phrases, self.directions[rows], weights


class Examples:
    """Phrases as token ids for the torch twin."""

    def __init__(self, tokenizer: Path, positions: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.enable_truncation(positions)

    def tokens(self, phrases: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Ids (n, l) and which of them are real (n, l)."""
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(phrases))]
        rows = [torch.tensor(row) for row in ids]
        padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        lengths = torch.tensor([len(row) for row in ids])
        return padded, torch.arange(padded.shape[1]) < lengths[:, None]

    @torch.no_grad()
    def layers(self, model: SentenceModel, phrases: Sequence[str]) -> Array:
        """Pooled layers (n, layers + 1, width) of the phrases."""
        order = np.argsort([len(phrase) for phrase in phrases], kind="stable")
        parts = []
        for begin in range(0, len(order), BATCH):
            batch = [phrases[i] for i in order[begin : begin + BATCH]]
            parts.append(torch.stack(model.pooled(*self.tokens(batch)), dim=1).numpy())
        return np.concatenate(parts)[np.argsort(order)]


@dataclass(frozen=True)
class Described:
    """A phrase that says more of a thing than its name.

    Attributes:
        phrase: the whole.
        name: of the thing.
        additions: what is said of it.
    """

    phrase: str
    name: str
    additions: tuple[str, ...]


def wordings(name: str, others: Sequence[str] = ()) -> list[str]:
    """Ways to speak of a name that shall all mean the same; others are other spellings of it."""
    several = plural(name)
    filled = [template.format(name) for template in TEMPLATES]
    spelled = [form for other in others for form in (f"a {other}", other, f"the {other}")]
    return [*filled, several, f"many {several}", f"a photo of {several}", f"point cloud of {several}", *spelled]


def spellings(name: str, nouns: set[str]) -> list[str]:
    """Other spellings: two words as one or with a hyphen; one word as two nouns of four letters or more."""
    parts = re.split(r"[ -]", name)
    if not all(part.isalpha() for part in parts):
        return []
    if len(parts) == 2:
        return [form for form in ("".join(parts), "-".join(parts), " ".join(parts)) if form != name]
    splits = [(name[:i], name[i:]) for i in range(4, len(name) - 3)] if len(parts) == 1 else []
    return [f"{a}{gap}{b}" for a, b in splits if a in nouns and b in nouns for gap in " -"]


def describe(name: str, rng: np.random.Generator) -> Described:
    """A name with one or two words of colour, material and other kinds."""
    kinds = (COLORS, MATERIALS, ADJECTIVES)
    chosen = rng.permutation(len(kinds))[: rng.integers(1, 3)]
    words = tuple(str(rng.choice(kinds[i])) for i in sorted(chosen, reverse=True))
    return Described(f"a {' '.join(words)} {name}", name, words)


def set_scene(rng: np.random.Generator) -> Described:
    """A place in some condition."""
    place, condition = str(rng.choice(PLACES)), str(rng.choice(CONDITIONS))
    return Described(f"a {place} {condition}", place, (condition,))


def tellings(definition: str) -> list[str]:
    """Ways to tell what a thing is without its name: the definition, a short form, and what it is for."""
    short = re.split(r"[,(]", definition)[0].strip() if len(definition) > SHORT else definition
    use = re.search(r"\b(for \w+ing|to) (.{3,60})$", definition)
    if use is None:
        return [definition, short or definition]
    way, rest = use.groups()
    uses = [f"something {way} {rest}", f"it is used {way} {rest}", f"you use it {way} {rest}"]
    return [definition, short or definition, *uses]
