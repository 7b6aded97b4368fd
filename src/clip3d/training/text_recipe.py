"""Every constant of a text tower's training."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

from clip3d.data.phrases import bank_files
from clip3d.models.weights import sha256_of


@dataclass(frozen=True)
class TextRecipe:
    """Every constant of a text tower's training.

    Attributes:
        bank: phrases with known vectors, a file or a folder, see `clip3d.data.phrases.read_bank`.
        sentence_model: folder with config.json, model.safetensors and tokenizer.json of a BERT sentence model.
        wordnet: folder with data.noun and index.noun.
        seed: of the split, the choice of nouns, and the order of examples.
        folds: one fold in this many, by concept, is held out for the report.
        choosing: leave the held-out fold alone, and hold out one in four of the other concepts in its place.
        positions: longest phrase in word pieces.
        common_pieces: how many of the most common word pieces are kept beside those that the data need.
        topics: WordNet's lexicographer files whose nouns are used.
        nouns: how many of them.
        described: how many phrases of a noun with colours, materials and other adjectives are taught.
        scenes: how many phrases of a place in some condition are taught.
        pull: how far an addition moves a phrase from its noun, see `clip3d.training.text_teacher.moved`.
        synonyms: one in this many of WordNet's groups of synonyms is not taught, for the report.
        teacher_layers: pooled layers that the teacher sees, 0 being the embedding.
        teacher_shares: what names, definitions and wider meanings count for the teacher of nouns.
        teacher_width: factor of the squared distance in the teacher's Gaussian kernel.
        teacher_ridge: the teacher's ridge.
        head_ridge: ridge of the linear head that tuning begins with.
        frozen: encoder layers, from the first, that are not tuned; word and position vectors never are.
        steps: of tuning.
        batch: examples a step from the bank, the nouns, the described nouns and places, and the definitions.
        rate: peak learning rate of the encoder.
        head_rate: peak learning rate of the head.
        decay: weight decay.
        warmup: share of the steps in which the rate rises.
        contrast: weight of the contrastive loss beside the cosine loss.
        sharpness: factor of the cosines in the contrastive loss.
        checkpoint: steps between checkpoints.
    """

    bank: Path
    sentence_model: Path
    wordnet: Path
    seed: int
    folds: int
    choosing: bool
    positions: int
    common_pieces: int
    topics: tuple[int, ...]
    nouns: int
    described: int
    scenes: int
    pull: float
    synonyms: int
    teacher_layers: tuple[int, ...]
    teacher_shares: tuple[float, float, float]
    teacher_width: float
    teacher_ridge: float
    head_ridge: float
    frozen: int
    steps: int
    batch: tuple[int, int, int, int]
    rate: float
    head_rate: float
    decay: float
    warmup: float
    contrast: float
    sharpness: float
    checkpoint: int

    def under(self, folder: Path) -> TextRecipe:
        """The same recipe with its three paths taken relative to a folder."""
        return replace(
            self,
            bank=folder / self.bank,
            sentence_model=folder / self.sentence_model,
            wordnet=folder / self.wordnet,
        )

    def digest(self) -> str:
        """Names the recipe's numbers and what its files hold, so that no stage of another training is taken up.

        Where the files lie does not matter, but they must be there.
        """
        paths = ("bank", "sentence_model", "wordnet")
        numbers = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in paths}
        files = bank_files(self.bank)
        files += [self.sentence_model / name for name in ("config.json", "model.safetensors", "tokenizer.json")]
        files += [self.wordnet / name for name in ("data.noun", "index.noun")]
        named = [json.dumps(numbers, sort_keys=True), *map(sha256_of, files)]
        return hashlib.sha256("\n".join(named).encode()).hexdigest()[:16]
