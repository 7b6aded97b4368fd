"""Examples for the text tower: wordings of a name, batches of token ids, pools to draw from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from clip3d.data.phrases import plural
from clip3d.training.text_model import SentenceModel

Array = NDArray[np.float32]

# The first is how the bank's phrases are written; half of the draws take it or the bare name.
TEMPLATES = (
    "a {}",
    "{}",
    "an {}",
    "the {}",
    "a photo of a {}",
    "a photo of the {}",
    "an image of a {}",
    "a rendering of a {}",
    "a point cloud of a {}",
    "a 3d model of a {}",
    "a cad model of a {}",
    "{}, 3d scan",
    "a 3d scan of a {}",
    "{} 3d model",
    "there is a {} in the scene",
    "a {} in a room",
)
ADJECTIVES = (
    *("red", "blue", "green", "white", "black", "yellow", "brown", "grey", "pink", "orange"),
    *("wooden", "metal", "plastic", "glass", "stone", "leather", "paper", "steel", "golden", "ceramic"),
    *("small", "big", "large", "tiny", "tall", "long", "short", "round", "square", "flat", "thin", "wide"),
    *("old", "modern", "antique", "new", "broken", "folded", "open", "empty", "medieval", "low poly", "toy"),
)
BATCH = 128


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


def wordings(name: str) -> list[str]:
    """Ways to speak of a name that shall all mean the same."""
    several = plural(name)
    filled = [template.format(name) for template in TEMPLATES]
    return [*filled, several, f"many {several}", f"a photo of {several}", f"point cloud of {several}"]


def dressed(name: str, rng: np.random.Generator) -> tuple[str, str]:
    """A name, and the name with one or two adjectives."""
    words = rng.choice(ADJECTIVES, rng.integers(1, 3), replace=False)
    return name, f"a {' '.join(words)} {name}"
