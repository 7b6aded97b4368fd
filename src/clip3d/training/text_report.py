"""What a trained text tower is worth, measured on the very file that ships."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clip3d.data.descriptions import CHOOSING, DESCRIPTIONS, REPORTING
from clip3d.data.phrases import Bank, plural, with_article
from clip3d.data.unanchored import UNANCHORED
from clip3d.spaces import Space
from clip3d.towers.text import TextTower
from clip3d.training.text_examples import Examples
from clip3d.training.text_model import SentenceModel

Array = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Array]

ROBUST = (
    "{}",
    "a photo of a {}",
    "a point cloud of a {}",
    "a 3d model of a {}",
    "{}, 3d scan",
    "a picture of my {}",  # unseen in training
    "one {} seen from above",  # unseen
    "lidar points on a {}",  # unseen
)


def measure(
    model: SentenceModel,
    folder: Path,
    known: Bank,
    held_out: Bank,
    space: Space,
    synonyms: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    """All figures of the report, on concepts and pairs of synonyms held out, compared after centring."""
    tower = TextTower.load(folder, "text.safetensors", layers=len(model.layers), heads=model.heads)
    examples = Examples(folder / "tokenizer.json", len(model.positions))

    def encode(phrases: Sequence[str]) -> Array:
        return space.centre(tower.encode(phrases))

    phrases = _phrases(held_out)
    found, truth = encode(phrases), space.centre(held_out.vectors)
    return {
        "held_out": {"n": len(held_out), **ranking(found, truth, held_out.concepts)},
        "raw_cosine": float((tower.encode(phrases) * _unit(held_out.vectors)).sum(1).mean()),
        "learned": ranking(encode(_phrases(known)), space.centre(known.vectors), known.concepts),
        "nearest_learned_name": _nearest_name(tower, known, held_out, space),
        "mean_vector": {"cosine": 0.0, "recall@1": 1 / len(held_out)},
        "wordings": _wordings(encode, held_out.names, found),
        "descriptions": {"choosing": describing(encode, CHOOSING), "reporting": describing(encode, REPORTING)},
        "synonyms": agreeing(encode, synonyms),
        "unanchored": paraphrasing(encode),
        "twin_cosine_min": _agreement(model, examples, encode, phrases),
    }


def headline(measured: dict[str, Any]) -> dict[str, float]:
    """The figures to print after a training."""
    held_out, described = measured["held_out"], measured["descriptions"]["reporting"]
    return {
        **{f"held-out {name}": value for name, value in held_out.items()},
        "descriptions recall@1": described["recall@1"],
        "descriptions recall@5": described["recall@5"],
        "twin cosine, least": measured["twin_cosine_min"],
    }


def ranking(found: Array, truth: Array, concepts: Sequence[str]) -> dict[str, float]:
    """Mean cosine (n, d) with the truth (n, d), and how often the concept is among the nearest 1 and 5 truths."""
    likeness = found @ truth.T
    names = np.array(concepts)
    best = names[np.argsort(-likeness, axis=1, kind="stable")]
    hits = best == names[:, None]
    return {
        "cosine": float(np.diag(likeness).mean()),
        "recall@1": float(hits[:, 0].mean()),
        "recall@5": float(hits[:, :5].any(1).mean()),
    }


def describing(encode: Encode, rows: Sequence[tuple[str, str]]) -> dict[str, float]:
    """How often a description finds its noun first, and among the first five, of all the list's nouns.

    Args:
        encode: phrases to centred unit directions (n, d).
        rows: descriptions with their nouns.
    """
    nouns = [noun for _, noun in DESCRIPTIONS]
    likeness = encode([text for text, _ in rows]) @ encode([with_article(noun) for noun in nouns]).T
    right = likeness[np.arange(len(rows)), [nouns.index(noun) for _, noun in rows]]
    places = (likeness > right[:, None]).sum(1)
    return {"n": len(rows), "recall@1": float((places < 1).mean()), "recall@5": float((places < 5).mean())}


def agreeing(encode: Encode, pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Mean cosine of two names of one thing, and how often the other name is nearest among all second names."""
    if not pairs:
        return {"n": 0}
    first, second = (encode([with_article(pair[side]) for pair in pairs]) for side in (0, 1))
    likeness = first @ second.T
    right = np.diag(likeness)
    return {
        "n": len(pairs),
        "cosine": float(right.mean()),
        "recall@1": float((right >= likeness.max(1)).mean()),
    }


def paraphrasing(encode: Encode) -> dict[str, float]:
    """How often a phrase that no bank has is nearest to its paraphrase among four, see `clip3d.data.unanchored`."""
    found = [encode(row) for row in UNANCHORED]
    right = [int((vectors[0] @ vectors[1:].T).argmax() == 0) for vectors in found]
    return {"n": len(right), "right": float(np.mean(right)), "chance": 0.25}


def _nearest_name(tower: TextTower, known: Bank, held_out: Bank, space: Space) -> dict[str, float]:
    """The trivial answer: the vector of the learned name that the tower finds most alike."""
    ours = space.centre(tower.encode(_phrases(held_out)))
    theirs = space.centre(tower.encode(_phrases(known)))
    nearest = (ours @ theirs.T).argmax(1)
    answer = space.centre(known.vectors)[nearest]
    return ranking(answer, space.centre(held_out.vectors), held_out.concepts)


def _wordings(encode: Encode, names: Sequence[str], found: Array) -> dict[str, float]:
    """Mean cosine of each wording of the names with "a <name>"."""
    likeness = {t: float((encode([t.format(n) for n in names]) * found).sum(1).mean()) for t in ROBUST}
    several = encode([plural(name) for name in names])
    return {**likeness, "plural": float((several * found).sum(1).mean())}


@torch.no_grad()
def _agreement(model: SentenceModel, examples: Examples, encode: Encode, phrases: Sequence[str]) -> float:
    twin = model(*examples.tokens(phrases)).numpy()
    return float((twin * encode(phrases)).sum(1).min())


def _phrases(bank: Bank) -> list[str]:
    return [with_article(name) for name in bank.names]


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
