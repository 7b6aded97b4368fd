"""What a trained text tower is worth, measured on the very file that ships."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from clip3d.data.descriptions import CHOOSING, REPORTING
from clip3d.data.phrases import Bank, plural, with_article
from clip3d.data.text_measures import Encode, chance, describing, nearest, paraphrasing, ranking
from clip3d.spaces import Space, unit
from clip3d.towers.sentence_model import SentenceModel
from clip3d.towers.text import TextTower
from clip3d.training.text_examples import Examples

Array = NDArray[np.float32]

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

    phrases, learned = held_out.phrases, space.centre(known.vectors)
    found, truth = encode(phrases), space.centre(held_out.vectors)
    read = encode(known.phrases)
    return {
        "held_out": {"n": len(held_out), **ranking(found, truth, held_out.concepts)},
        "raw_cosine": float((tower.encode(phrases) * unit(held_out.vectors)).sum(1).mean()),
        "learned": ranking(read, learned, known.concepts),
        "nearest_learned_name": ranking(nearest(found, read, learned), truth, held_out.concepts),
        "mean_vector": chance(held_out.concepts),
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


def _wordings(encode: Encode, names: Sequence[str], found: Array) -> dict[str, float]:
    """Mean cosine of each wording of the names with "a <name>"."""
    likeness = {t: float((encode([t.format(n) for n in names]) * found).sum(1).mean()) for t in ROBUST}
    several = encode([plural(name) for name in names])
    return {**likeness, "plural": float((several * found).sum(1).mean())}


@torch.no_grad()
def _agreement(model: SentenceModel, examples: Examples, encode: Encode, phrases: Sequence[str]) -> float:
    twin = model(*examples.tokens(phrases)).numpy()
    return float((twin * encode(phrases)).sum(1).min())
