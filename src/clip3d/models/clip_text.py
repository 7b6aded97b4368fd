"""The text half of a CLIP checkpoint, by way of the package open_clip, to make banks of phrases with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.models.open_clip_loading import open_checkpoint

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ClipText:
    """Phrases to CLIP's own text vectors.

    Attributes:
        space: id of the space, from the architecture's name and the weights.
        encode: n phrases to vectors (n, d) float32, not brought to unit length.
    """

    space: str
    encode: Callable[[Sequence[str]], Array]


def load_clip_text(name: str, device: str = "cpu") -> ClipText:
    """Load a CLIP model's text tower.

    Args:
        name: as `clip3d.models.open_clip_loading.open_checkpoint` takes it.
        device: where it runs.

    Raises:
        MissingExtra: if open_clip is not installed.
        ModelError: if the name is not understood, or the weights are missing, damaged or of another architecture.
    """
    opened = open_checkpoint(name)
    model = opened.model.to(device)
    space = f"{opened.identity}:text"
    return ClipText(space, lambda phrases: encode_phrases(model, opened.tokenizer, phrases, device))


def encode_phrases(
    model: Any, tokenizer: Callable[[list[str]], Any], phrases: Sequence[str], device: str
) -> Array:
    """Vectors (n, d) float32 of n phrases from a model of open_clip, not brought to unit length."""
    import torch

    with torch.inference_mode():
        vectors = model.encode_text(tokenizer(list(phrases)).to(device))
    return np.asarray(vectors.float().cpu().numpy(), dtype=np.float32)
