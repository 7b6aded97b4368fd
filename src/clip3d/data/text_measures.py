"""What a text tower's answers are worth: rankings of names, descriptions and paraphrases, and what chance gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

from clip3d.data.descriptions import DESCRIPTIONS
from clip3d.data.phrases import with_article
from clip3d.data.unanchored import UNANCHORED

Array = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Array]


def ranking(found: Array, truth: Array, concepts: Sequence[str]) -> dict[str, float]:
    """Mean cosine with the truth, and how often the concept is among the nearest 1 and 5 truths.

    Another form of a concept counts as right.

    Args:
        found: (n, d) answers, unit length.
        truth: (n, d) what they should be, unit length.
        concepts: of the n rows.
    """
    likeness = found @ truth.T
    names = np.array(concepts)
    hits = names[np.argsort(-likeness, axis=1, kind="stable")[:, :5]] == names[:, None]
    return {
        "cosine": float(np.diag(likeness).mean()),
        "recall@1": float(hits[:, 0].mean()),
        "recall@5": float(hits.any(1).mean()),
    }


def chance(concepts: Sequence[str]) -> dict[str, float]:
    """What `ranking` gives on average for an answer that knows nothing: any order of the n truths is as likely.

    A concept with m rows is missed by the first k in C(n - m, k) of C(n, k) choices.
    """
    n, rows = len(concepts), Counter(concepts)

    def recall(k: int) -> float:
        k = min(k, n)
        hits = sum(m * (comb(n, k) - comb(n - m, k)) for m in rows.values())
        return hits / (n * comb(n, k))

    return {"cosine": 0.0, "recall@1": recall(1), "recall@5": recall(5)}


def nearest(ours: Array, theirs: Array, answers: Array) -> Array:
    """For each of ours (n, d) the answer (m, e) of the one of theirs (m, d) that is most alike."""
    return np.asarray(answers[(ours @ theirs.T).argmax(1)])


def describing(encode: Encode, rows: Sequence[tuple[str, str]]) -> dict[str, float]:
    """How often a description finds its noun first, and among the first five, of all the list's nouns.

    Args:
        encode: phrases to centred unit directions (n, d).
        rows: descriptions with their nouns, of `clip3d.data.descriptions`.
    """
    nouns = [noun for _, noun in DESCRIPTIONS]
    likeness = encode([text for text, _ in rows]) @ encode([with_article(noun) for noun in nouns]).T
    right = likeness[np.arange(len(rows)), [nouns.index(noun) for _, noun in rows]]
    places = (likeness > right[:, None]).sum(1)
    return {"n": len(rows), "recall@1": float((places < 1).mean()), "recall@5": float((places < 5).mean())}


def paraphrasing(encode: Encode) -> dict[str, float]:
    """How often a phrase that no bank has is nearest to its paraphrase among four, see `clip3d.data.unanchored`."""
    found = [encode(row) for row in UNANCHORED]
    right = [int((vectors[1:] @ vectors[0]).argmax()) == 0 for vectors in found]
    return {"n": len(right), "right": float(np.mean(right)), "chance": 0.25}
