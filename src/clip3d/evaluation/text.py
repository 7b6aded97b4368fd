"""How near a text tower comes to known text vectors, for names that it never learned, beside trivial answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.descriptions import REPORTING
from clip3d.data.phrases import Bank
from clip3d.data.text_measures import chance, describing, nearest, paraphrasing, ranking
from clip3d.data.unanchored import UNANCHORED
from clip3d.errors import DataError
from clip3d.evaluation.sentence_features import sentence_features
from clip3d.models.model import Model
from clip3d.models.ridge import ridge
from clip3d.spaces import unit

Array = NDArray[np.float32]
FOLDS = 5
# Penalty of the linear answer, relative to the mean variance of its features; fixed before any was scored.
RIDGE = 0.3


@dataclass(frozen=True)
class TextRow:
    """One way of answering.

    Attributes:
        answer: "model", "mean vector", "nearest name ..." or "linear ridge".
        cosine: mean centred cosine with the true vectors.
        recall_at_1: share of names whose own concept is the nearest of the held-out ones; for the mean vector,
            which is as near to all, what chance gives.
        recall_at_5: among the five nearest.
    """

    answer: str
    cosine: float
    recall_at_1: float
    recall_at_5: float


@dataclass(frozen=True)
class TextReport:
    """Result of `evaluate_text`.

    Attributes:
        rows: the model, then the trivial answers.
        n: held-out names.
        descriptions: recall@1 of things told without their name, among all those things; None without such.
        unanchored: share of scenes, weather and adjectives whose paraphrase among four is found; chance is .25.
        templates: mean centred cosine of each filled template with "a <name>".
        protocol: everything needed to recompute the numbers.
        model: id of the model.
    """

    rows: tuple[TextRow, ...]
    n: int
    descriptions: float
    unanchored: float
    templates: dict[str, float]
    protocol: dict[str, Any]
    model: str

    def as_dict(self) -> dict[str, Any]:
        """All fields, ready for JSON."""
        return {**vars(self), "rows": [dict(vars(row)) for row in self.rows]}


def evaluate_text(
    model: Model,
    bank: Bank,
    *,
    sentence_model: Path | None = None,
    folds: int = FOLDS,
    seed: int = 0,
    templates: Sequence[str] = ("{}", "a photo of a {}", "a point cloud of a {}", "a 3d model of a {}"),
) -> TextReport:
    """Compare a model's vectors of held-out names with those of a bank; everything is centred by the model's space.

    Args:
        model: with a text tower in the bank's space.
        bank: names with their true vectors, see `clip3d.data.phrases.read_bank`.
        sentence_model: folder of the sentence model for the trivial answers; without it, the nearest name is the
            one that the model itself finds, and there is no linear answer.
        folds: one concept in this many is held out, by a hash: the same as in training with this seed.
        seed: of that hash.
        templates: whose effect on a name is measured.

    Raises:
        SpaceMismatch: if the bank says that it lies in another space.
        DataError: if nothing is left to hold out or to learn from, or the sentence model cannot be read.
    """
    if bank.space:
        model.space.check(bank.space, "the bank")
    held = bank.held_out(folds, seed)
    if held.all() or not held.any():
        raise DataError("the bank", "holds too few phrases to learn some and hold out others")
    known, out = bank.select(~held), bank.select(held)
    learned, truth = model.space.centre(known.vectors), model.space.centre(out.vectors)

    def encode(phrases: Sequence[str]) -> Array:
        return model.space.centre(model.encode_texts(list(phrases)))

    found = encode(out.phrases)
    rows = [_row("model", ranking(found, truth, out.concepts)), _row("mean vector", chance(out.concepts))]
    if sentence_model is None:
        named = nearest(found, encode(known.phrases), learned)
        rows.append(_row("nearest name by the model", ranking(named, truth, out.concepts)))
    else:
        rows += _trivial(sentence_model, known, out, learned, truth)
    filled = {t: encode([t.replace("{}", name) for name in out.names]) for t in templates}
    return TextReport(
        rows=tuple(rows),
        n=len(out),
        descriptions=describing(encode, REPORTING)["recall@1"],
        unanchored=paraphrasing(encode)["right"],
        templates={t: float((vectors * found).sum(1).mean()) for t, vectors in filled.items()},
        protocol={
            "space": model.space.id,
            "bank_space": bank.space or "not stated",
            "names": len(bank),
            "learned": len(known),
            "held_out": f"one concept in {folds} by a hash, seed {seed}",
            "prompt": "a {}",
            "sentence_model": sentence_model is not None,
            "ridge": RIDGE if sentence_model is not None else None,
            "descriptions": len(REPORTING),
            "unanchored": len(UNANCHORED),
        },
        model=model.id,
    )


def _row(answer: str, numbers: Mapping[str, float]) -> TextRow:
    return TextRow(answer, numbers["cosine"], numbers["recall@1"], numbers["recall@5"])


def _trivial(folder: Path, known: Bank, out: Bank, learned: Array, truth: Array) -> list[TextRow]:
    """Answers of the sentence model without any tuning: the nearest learned name, and a linear ridge."""
    x = sentence_features(folder, [*known.phrases, *out.phrases])
    theirs, ours = x[: len(known)], x[len(known) :]
    width = x.shape[1] // 2
    named = nearest(unit(ours[:, width:]), unit(theirs[:, width:]), learned)
    weights, middle, aim = ridge(theirs, learned, RIDGE)
    linear = unit(np.asarray((ours - middle) @ weights + aim, dtype=np.float32))
    return [
        _row("nearest name by the sentence model", ranking(named, truth, out.concepts)),
        _row("linear ridge", ranking(linear, truth, out.concepts)),
    ]
