"""What a sentence model that a package ships makes of phrases, before any training: the base of trivial answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import DataError
from clip3d.models.weights import read_state

if TYPE_CHECKING:
    import torch

Array = NDArray[np.float32]
BATCH = 128
POSITIONS = 64


def sentence_features(folder: Path, phrases: Sequence[str]) -> Array:
    """Mean of the token vectors (n, 2 w) of n phrases after the embedding (w) and after the last layer (w).

    Args:
        folder: of a BERT sentence model (Devlin et al. 2019): config.json, model.safetensors, tokenizer.json.
        phrases: cut at 64 word pieces.

    Raises:
        DataError: if a file is missing or of another kind.
    """
    import torch

    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tokenizer = _tokenizer(folder / "tokenizer.json")
        state = read_state(folder / "model.safetensors")
        encoder = _encoder(config, state)
        order = np.argsort([len(phrase) for phrase in phrases], kind="stable")
        with torch.inference_mode():
            parts = [
                _pooled(encoder, state, tokenizer, [phrases[row] for row in order[begin : begin + BATCH]])
                for begin in range(0, len(order), BATCH)
            ]
    except (OSError, KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise DataError(folder, f"is no BERT sentence model: {str(error)[:200]}") from error
    return np.concatenate(parts)[np.argsort(order)]


def _tokenizer(path: Path) -> Any:
    from tokenizers import Tokenizer

    text = path.read_text(encoding="utf-8")
    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # the package raises no narrower type for a damaged file
        raise ValueError(f"its tokenizer cannot be read: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(POSITIONS)
    return tokenizer


def _encoder(config: dict[str, Any], state: dict[str, torch.Tensor]) -> torch.nn.TransformerEncoder:
    from torch import nn

    layer = nn.TransformerEncoderLayer(
        config["hidden_size"],
        config["num_attention_heads"],
        config["intermediate_size"],
        dropout=0.0,
        activation="gelu",
        layer_norm_eps=1e-12,
        batch_first=True,
    )
    encoder = nn.TransformerEncoder(layer, config["num_hidden_layers"], enable_nested_tensor=False)
    encoder.load_state_dict(_renamed(state, config["num_hidden_layers"]))
    return encoder.eval()


def _renamed(state: dict[str, torch.Tensor], layers: int) -> dict[str, torch.Tensor]:
    import torch

    parts = {
        "self_attn.out_proj": "attention.output.dense",
        "norm1": "attention.output.LayerNorm",
        "linear1": "intermediate.dense",
        "linear2": "output.dense",
        "norm2": "output.LayerNorm",
    }
    renamed = {}
    for i in range(layers):
        old, new = f"encoder.layer.{i}", f"layers.{i}"
        for kind in ("weight", "bias"):
            heads = [state[f"{old}.attention.self.{name}.{kind}"] for name in ("query", "key", "value")]
            renamed[f"{new}.self_attn.in_proj_{kind}"] = torch.cat(heads)
            renamed |= {f"{new}.{ours}.{kind}": state[f"{old}.{theirs}.{kind}"] for ours, theirs in parts.items()}
    return renamed


def _pooled(
    encoder: torch.nn.TransformerEncoder, state: dict[str, torch.Tensor], tokenizer: Any, phrases: Sequence[str]
) -> Array:
    import torch
    from torch.nn import functional as F

    rows = [torch.tensor(encoding.ids) for encoding in tokenizer.encode_batch(list(phrases))]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    real = torch.arange(ids.shape[1]) < torch.tensor([len(row) for row in rows])[:, None]
    x = state["embeddings.word_embeddings.weight"][ids]
    x = x + state["embeddings.position_embeddings.weight"][: ids.shape[1]]
    x = x + state["embeddings.token_type_embeddings.weight"][0]
    weight, bias = (state[f"embeddings.LayerNorm.{kind}"] for kind in ("weight", "bias"))
    x = F.layer_norm(x, x.shape[-1:], weight, bias, 1e-12)
    share = (real / real.sum(1, keepdim=True))[:, None, :]
    ends = [(share @ x)[:, 0], (share @ encoder(x, src_key_padding_mask=~real))[:, 0]]
    return np.asarray(torch.cat(ends, dim=1).numpy(), dtype=np.float32)
