"""How near a text tower comes to known text vectors, for names that it never learned, beside trivial answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.descriptions import DESCRIPTIONS, REPORTING
from clip3d.data.phrases import Bank, with_article
from clip3d.data.unanchored import UNANCHORED
from clip3d.errors import DataError
from clip3d.evaluation.sentence_features import sentence_features
from clip3d.models.model import Model
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
        recall_at_1: share of names whose own concept is the nearest of the held-out ones.
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

    found = encode(_phrases(out))
    rows = [_row("model", found, truth, out), TextRow("mean vector", 0.0, 1 / len(out), min(5 / len(out), 1.0))]
    if sentence_model is None:
        nearest = learned[(found @ encode(_phrases(known)).T).argmax(1)]
        rows.append(_row("nearest name by the model", nearest, truth, out))
    else:
        rows += _trivial(sentence_model, known, out, learned, truth)
    filled = {t: encode([t.replace("{}", name) for name in out.names]) for t in templates}
    return TextReport(
        rows=tuple(rows),
        n=len(out),
        descriptions=_descriptions(encode),
        unanchored=float(np.mean([_first_is_right(encode(row)) for row in UNANCHORED])),
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


def _row(answer: str, found: Array, truth: Array, bank: Bank) -> TextRow:
    """An answer (n, d) against the truth (n, d), unit directions; another form of a concept counts as right."""
    likeness = found @ truth.T
    concepts = np.array(bank.concepts)
    hits = concepts[np.argsort(-likeness, axis=1, kind="stable")[:, :5]] == concepts[:, None]
    cosine = float(np.diag(likeness).mean())
    return TextRow(answer, cosine, float(hits[:, 0].mean()), float(hits.any(1).mean()))


def _trivial(folder: Path, known: Bank, out: Bank, learned: Array, truth: Array) -> list[TextRow]:
    """Answers of the sentence model without any tuning: the nearest learned name, and a linear ridge."""
    x = sentence_features(folder, [*_phrases(known), *_phrases(out)])
    theirs, ours = x[: len(known)], x[len(known) :]
    width = x.shape[1] // 2
    nearest = learned[(unit(ours[:, width:]) @ unit(theirs[:, width:]).T).argmax(1)]
    middle, aim = theirs.mean(0), learned.mean(0)
    gram = (theirs - middle).T @ (theirs - middle)
    penalty = RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    weights = np.linalg.solve(gram + penalty, (theirs - middle).T @ (learned - aim))
    linear = unit(np.asarray((ours - middle) @ weights + aim, dtype=np.float32))
    return [
        _row("nearest name by the sentence model", nearest, truth, out),
        _row("linear ridge", linear, truth, out),
    ]


def _descriptions(encode: Any) -> float:
    nouns = [noun for _, noun in DESCRIPTIONS]
    likeness = encode([text for text, _ in REPORTING]) @ encode([with_article(noun) for noun in nouns]).T
    right = likeness[np.arange(len(REPORTING)), [nouns.index(noun) for _, noun in REPORTING]]
    return float((likeness.max(1) <= right).mean())


def _first_is_right(vectors: Array) -> bool:
    return int((vectors[1:] @ vectors[0]).argmax()) == 0


def _phrases(bank: Bank) -> list[str]:
    return [with_article(name) for name in bank.names]
