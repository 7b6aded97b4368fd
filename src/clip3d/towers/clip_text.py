"""CLIP's text tower: a causal transformer over the tokens of `clip3d.towers.clip_tokenizer`.

A. Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021, section 2.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clip3d.errors import ModelError
from clip3d.towers.clip_block import ClipBlock
from clip3d.towers.clip_tokenizer import ClipTokenizer

Array = NDArray[np.float32]
# A batch may hold this many token vectors, so that its activations stay small.
BATCH_TOKENS = 4096


class ClipTextTransformer(nn.Module):
    """Token ids to CLIP's text vectors, not brought to unit length.

    Args:
        width: of a token's vector.
        layers: number of blocks.
        heads: attention heads a block.
        dim: d of the space.
        vocabulary: number of tokens; the last one ends a text.
        context: largest number of tokens in a text.
        hidden: width inside the blocks' networks; four times the width if not given.
        activation: "gelu" or "quick_gelu".
        epsilon: of the layer norms.

    Raises:
        ValueError: if the numbers do not fit each other.
    """

    def __init__(
        self,
        *,
        width: int,
        layers: int,
        heads: int,
        dim: int,
        vocabulary: int = 49408,
        context: int = 77,
        hidden: int | None = None,
        activation: str = "gelu",
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        # Not drawn at random: that would import torch's compiler, for weights that a file replaces.
        words = torch.zeros(vocabulary, width)
        self.words = nn.Embedding.from_pretrained(words, freeze=False)  # type: ignore[no-untyped-call]
        self.positions = nn.Parameter(torch.zeros(context, width))
        self.blocks = nn.ModuleList(
            ClipBlock(width, heads, hidden or 4 * width, activation, epsilon, causal=True) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width, eps=epsilon)
        self.projection = nn.Linear(width, dim, bias=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids (n, l) int64, l at most `context`, to (n, d), read off at each text's first end token.

        The end token has the largest id, and nothing after it counts: no token sees those behind it.
        """
        x = self.words(ids) + self.positions[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        last = x[torch.arange(x.shape[0], device=x.device), ids.argmax(1)]
        return cast(Tensor, self.projection(self.norm(last)))


class ClipTextTower:
    """Phrases to vectors.

    Attributes:
        transformer: what makes vectors of token ids.
        dim: length d of a vector.

    Raises:
        ValueError: if the tokenizer is not the one the transformer was made for.
    """

    def __init__(self, transformer: ClipTextTransformer, tokenizer: ClipTokenizer) -> None:
        rows = transformer.words.num_embeddings
        if rows != tokenizer.size:
            raise ValueError(f"the tokenizer has {tokenizer.size} tokens, the text tower {rows}")
        self.transformer = transformer
        self._tokenizer = tokenizer
        self._context = len(transformer.positions)
        self.dim = transformer.projection.out_features

    @classmethod
    def load(
        cls, folder: Path, weights: str, *, tokenizer: str = "tokenizer.json", **config: Any
    ) -> ClipTextTower:
        """Load from a folder.

        Args:
            folder: of the model.
            weights: file name of the safetensors weights, with the names of `ClipTextTransformer`.
            tokenizer: file name of the vocabulary, as `ClipTokenizer.read` takes it.
            config: of the transformer.

        Raises:
            ModelError: if a file is missing, damaged or of another shape.
            ValueError, TypeError: if the config is none of a transformer.
        """
        # on the meta device nothing is drawn at random only to be overwritten
        with torch.device("meta"):
            transformer = ClipTextTransformer(**config)
        _fill(transformer.to_empty(device="cpu"), folder / weights)
        pieces = ClipTokenizer.read(folder / tokenizer)
        try:
            return cls(transformer, pieces)
        except ValueError as error:
            raise ModelError(folder / tokenizer, f"does not fit {weights}: {error}") from error

    def to(self, device: str) -> ClipTextTower:
        """Move the tower to a torch device; vectors come back to the CPU in any case."""
        self.transformer.to(device)
        return self

    def encode(self, phrases: Sequence[str]) -> Array:
        """Vectors (n, d) float32 of n phrases, not brought to unit length.

        Case does not matter; text beyond the tower's number of tokens is left out. A phrase has the same vector,
        but for rounding, whatever stands beside it.
        """
        ids = self._tokenizer.ids(phrases, self._context)
        vectors = np.zeros((len(ids), self.dim), np.float32)
        device = self.transformer.positions.device
        with torch.inference_mode():
            for rows in _batches([len(tokens) for tokens in ids]):
                batch = torch.from_numpy(_pad([ids[row] for row in rows])).to(device)
                vectors[rows] = self.transformer(batch).float().cpu().numpy()
        return vectors


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows of like length together, so that little is padded."""
    rows: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: lengths[row]):
        if rows and (len(rows) + 1) * lengths[row] > BATCH_TOKENS:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def _pad(ids: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    padded = np.zeros((len(ids), max(map(len, ids))), np.int64)
    for row, tokens in enumerate(ids):
        padded[row, : len(tokens)] = tokens
    return padded


def _fill(transformer: ClipTextTransformer, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(path, f"is not a readable safetensors file: {error}") from error
    try:
        transformer.load_state_dict({name: tensor.float() for name, tensor in state.items()}, strict=True)
    except RuntimeError as error:
        raise ModelError(path, f"does not fit the text tower: {error}") from error
    transformer.eval().requires_grad_(False)
