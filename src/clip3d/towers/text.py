"""Text tower: an English phrase becomes a vector of the space, in NumPy, so that a search need not wait for torch.

A small BERT (Devlin et al. 2019, section 3: token and position vectors, then post-norm encoder layers), mean-pooled
after the embedding and after the last layer. A linear head gives a direction around the space's mean; the mean is
then added back, so that the result is a vector of the space itself. `clip3d.towers.sentence_model` is the twin in
torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ModelError

Array = NDArray[np.float32]

# A batch may hold this many token vectors, so that its activations stay near the processor.
BATCH_TOKENS = 2048
# Word vectors are stored in groups of this many 4-bit numbers with one scale.
GROUP = 32
NORM_EPSILON = 1e-12


class TextTower:
    """Phrases to vectors.

    Attributes:
        dim: length d of a vector.
        layers: number of encoder layers.
        heads: attention heads a layer.
    """

    def __init__(self, weights: Mapping[str, NDArray[Any]], tokenizer: Any, *, layers: int, heads: int) -> None:
        self._weights = dict(weights)
        self._tokenizer = tokenizer
        self.layers = layers
        self.heads = heads
        self._dense = lru_cache(maxsize=None)(self._read_dense)
        self.dim = int(self._weights["mean"].shape[0])

    @classmethod
    def load(
        cls, folder: Path, weights: str, *, layers: int, heads: int, tokenizer: str = "tokenizer.json"
    ) -> TextTower:
        """Load from a folder; matrices are only unpacked when a phrase needs them.

        Args:
            folder: of the model.
            weights: file name of the safetensors weights.
            layers: number of encoder layers.
            heads: attention heads a layer.
            tokenizer: file name of the word-piece tokenizer, in the JSON form of the package tokenizers.

        Raises:
            ModelError: if a file is missing or damaged.
        """
        arrays = _read(folder / weights)
        pieces = _read_tokenizer(folder / tokenizer, len(arrays.get("positions", ())))
        try:
            return cls(arrays, pieces, layers=layers, heads=heads)
        except KeyError as error:
            raise ModelError(folder / weights, f"lacks the tensor {error}") from error

    def encode(self, phrases: Sequence[str]) -> Array:
        """Vectors (n, d) float32 of n phrases, each of about unit length in the space (the mean not subtracted).

        Case does not matter. Text beyond the tower's number of word pieces is left out; an empty phrase has the
        vector of no words at all. A phrase has the same vector, but for rounding, whatever stands beside it.
        """
        # a lone surrogate, as a file name may hold, is no character that the tokenizer takes
        clean = [phrase.encode("utf-8", "replace").decode("utf-8") for phrase in phrases]
        pieces = [encoding.ids for encoding in self._tokenizer.encode_batch(clean)]
        vectors = np.zeros((len(pieces), self.dim), np.float32)
        for rows in _batches(pieces):
            vectors[rows] = self.vectors(*_pad([pieces[row] for row in rows]))
        return vectors

    def vectors(self, ids: NDArray[np.int64], real: NDArray[np.bool_]) -> Array:
        """Vectors (n, d) of token ids (n, l), of which those marked in real (n, l) count."""
        share = (real / real.sum(1, keepdims=True)).astype(np.float32)[:, None, :]  # (n, 1, l)
        x = self._norm("norm", self._words(ids) + self._positions(ids.shape[1]))
        pooled = [(share @ x)[:, 0]]
        unseen = np.where(real, 0, -np.inf).astype(np.float32)[:, None, None, :]
        for i in range(self.layers):
            x = self._layer(f"layers.{i}", x, unseen)
        pooled.append((share @ x)[:, 0])
        return around_mean(self._linear("head", np.concatenate(pooled, axis=1)), self._weights["mean"])

    def unpacked(self) -> dict[str, Array]:
        """All numbers as float32, with the names of `clip3d.towers.sentence_model.SentenceModel`, and the mean."""
        packed = self._weights
        arrays = {name: np.asarray(value, dtype=np.float32) for name, value in packed.items()}
        for name in [name for name in packed if name.endswith(".scale")]:
            layer = name.removesuffix(".scale")
            del arrays[name]
            if layer != "words":
                arrays[f"{layer}.weight"] = np.ascontiguousarray(self._dense(layer)[0].T)
        arrays["words.weight"] = unpack_words(packed["words"], packed["words.scale"])
        del arrays["words"]
        return arrays

    def _layer(self, name: str, x: Array, unseen: Array) -> Array:
        x = self._norm(f"{name}.norm1", x + self._attention(name, x, unseen))
        hidden = gelu(self._linear(f"{name}.up", x))
        return self._norm(f"{name}.norm2", x + self._linear(f"{name}.down", hidden))

    def _attention(self, name: str, x: Array, unseen: Array) -> Array:
        n, length, width = x.shape
        size = width // self.heads
        parts = self._linear(f"{name}.qkv", x).reshape(n, length, 3, self.heads, size).transpose(2, 0, 3, 1, 4)
        queries, keys, values = parts  # (n, heads, l, size) each
        logits = queries @ keys.transpose(0, 1, 3, 2) * np.float32(size**-0.5) + unseen
        odds = np.exp(logits - logits.max(-1, keepdims=True))
        mixed = (odds / odds.sum(-1, keepdims=True)) @ values
        return self._linear(f"{name}.out", mixed.transpose(0, 2, 1, 3).reshape(n, length, width))

    def _words(self, ids: NDArray[np.int64]) -> Array:
        """Word vectors (n, l, w); only the rows that occur are unpacked."""
        return unpack_words(self._weights["words"][ids], self._weights["words.scale"][ids])

    def _positions(self, length: int) -> Array:
        return np.asarray(self._weights["positions"][:length], dtype=np.float32)

    def _norm(self, name: str, x: Array) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        spread = np.sqrt(np.square(centred).mean(-1, keepdims=True) + NORM_EPSILON)
        weight, bias = (self._weights[f"{name}.{part}"].astype(np.float32) for part in ("weight", "bias"))
        return np.asarray(centred / spread * weight + bias, dtype=np.float32)

    def _linear(self, name: str, x: Array) -> Array:
        matrix, bias = self._dense(name)
        return np.asarray((x.reshape(-1, x.shape[-1]) @ matrix + bias).reshape(*x.shape[:-1], -1), dtype=np.float32)

    def _read_dense(self, name: str) -> tuple[Array, Array]:
        """Matrix (in, out) and bias (out,) of a linear layer, from bytes and a scale for each output."""
        scale = self._weights[f"{name}.scale"].astype(np.float32)
        matrix = self._weights[f"{name}.weight"].astype(np.float32) * scale[:, None]
        return matrix.T, self._weights[f"{name}.bias"].astype(np.float32)


def around_mean(directions: Array, mean: Array) -> Array:
    """Unit vectors (n, d) that lie in the given directions (n, d) from the space's mean (d,).

    With c a unit direction, the vector is mean + a c, where a > 0 makes its length 1; subtracting the mean then
    gives back c exactly. The mean of unit vectors is shorter than 1, so there is always one such a.
    """
    c = directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
    along = (c @ mean)[:, None]
    a = np.sqrt(along**2 + 1 - mean @ mean) - along
    return np.asarray(mean + a * c, dtype=np.float32)


def gelu(x: Array) -> Array:
    """Gaussian error linear unit in its tanh form (Hendrycks and Gimpel 2016, section 2), which needs no erf."""
    inner = np.float32(0.7978845608) * (x + np.float32(0.044715) * x * x * x)
    return np.asarray(np.float32(0.5) * x * (np.float32(1) + np.tanh(inner)), dtype=np.float32)


def unpack_words(packed: NDArray[np.uint8], scale: NDArray[np.float16]) -> Array:
    """Word vectors (..., w) from 4-bit numbers, two a byte (..., w / 2), the first in the low half, and scales."""
    numbers = np.stack([packed & 15, packed >> 4], axis=-1).astype(np.float32) - 8
    groups = numbers.reshape(*packed.shape[:-1], -1, GROUP) * scale.astype(np.float32)[..., None]
    return np.asarray(groups.reshape(*packed.shape[:-1], -1), dtype=np.float32)


def _batches(pieces: Sequence[Sequence[int]]) -> list[list[int]]:
    """Rows of phrases of like length together, so that little is padded."""
    batches: list[list[int]] = []
    for row in sorted(range(len(pieces)), key=lambda row: len(pieces[row])):
        if not batches or (len(batches[-1]) + 1) * len(pieces[row]) > BATCH_TOKENS:
            batches.append([])
        batches[-1].append(row)
    return batches


def _pad(pieces: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    ids = np.zeros((len(pieces), max(map(len, pieces))), np.int64)
    real = np.zeros(ids.shape, np.bool_)
    for row, values in enumerate(pieces):
        ids[row, : len(values)], real[row, : len(values)] = values, True
    return ids, real


def _read(path: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(path, f"is not a readable safetensors file: {error}") from error


def _read_tokenizer(path: Path, length: int) -> Any:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # the package raises no narrower type for a damaged file
        raise ModelError(path, f"is not a readable tokenizer: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max(length, 2))
    return tokenizer
