"""The start of the text tower from a sentence model, and its packing into the tower's small file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from clip3d.errors import DataError
from clip3d.models.weights import read_state
from clip3d.towers.sentence_model import SentenceModel
from clip3d.towers.text import GROUP, unpack_words

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def start_model(folder: Path, kept: Sequence[int], *, positions: int, dim: int) -> SentenceModel:
    """A model that begins as the BERT sentence model in a folder (config.json, model.safetensors).

    Args:
        folder: of the sentence model, in the layout of the package transformers.
        kept: ids of the word pieces to keep, in their new order.
        positions: longest phrase in word pieces.
        dim: of the space; the head begins at random.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    state = read_state(folder / "model.safetensors")
    model = SentenceModel(
        words=len(kept),
        width=config["hidden_size"],
        hidden=config["intermediate_size"],
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        positions=positions,
        dim=dim,
    )
    try:
        own = _renamed(state, kept, positions, len(model.layers))
    except KeyError as error:
        raise DataError(folder, f"is no BERT sentence model: it lacks the tensor {error}") from error
    model.load_state_dict({**model.state_dict(), **own})
    return model


def _renamed(state: dict[str, Tensor], kept: Sequence[int], positions: int, layers: int) -> dict[str, Tensor]:
    words = state["embeddings.word_embeddings.weight"][torch.tensor(kept)]
    # the exact numbers that the packed file will hold, so that training sees no others
    packed, scale = pack_words(words.numpy())
    # one kind of segment only: its vector is a part of every position's
    places = state["embeddings.position_embeddings.weight"][:positions]
    own = {
        "words.weight": torch.from_numpy(unpack_words(packed, scale)),
        "positions": places + state["embeddings.token_type_embeddings.weight"][0],
    }
    for part in ("weight", "bias"):
        own[f"norm.{part}"] = state[f"embeddings.LayerNorm.{part}"]
        for i in range(layers):
            old = f"encoder.layer.{i}"
            heads = [state[f"{old}.attention.self.{name}.{part}"] for name in ("query", "key", "value")]
            own[f"layers.{i}.qkv.{part}"] = torch.cat(heads)
            own[f"layers.{i}.out.{part}"] = state[f"{old}.attention.output.dense.{part}"]
            own[f"layers.{i}.norm1.{part}"] = state[f"{old}.attention.output.LayerNorm.{part}"]
            own[f"layers.{i}.up.{part}"] = state[f"{old}.intermediate.dense.{part}"]
            own[f"layers.{i}.down.{part}"] = state[f"{old}.output.dense.{part}"]
            own[f"layers.{i}.norm2.{part}"] = state[f"{old}.output.LayerNorm.{part}"]
    return own


def prune_tokenizer(path: Path, phrases: Iterable[str], common: int) -> tuple[dict[str, Any], list[int]]:
    """A word-piece tokenizer without the pieces that English phrases hardly need.

    Kept are the special pieces, single ASCII characters, the pieces that the phrases need, and of the others the
    `common` first, as far as they are ASCII and no number of more than two digits. A dropped piece is spelled with
    shorter ones.

    Returns:
        The tokenizer's JSON, and the old ids of the kept pieces in their new order.
    """
    from tokenizers import Tokenizer

    form = json.loads(path.read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = form["model"]["vocab"]
    tokenizer = Tokenizer.from_str(json.dumps(form))
    tokenizer.no_padding()
    used = {i for encoding in tokenizer.encode_batch(list(phrases)) for i in encoding.ids}
    ranked = sorted(vocabulary, key=lambda piece: vocabulary[piece])
    plain = [piece for piece in ranked if _is_plain(piece)]
    wanted = {piece for piece in plain if vocabulary[piece] in used or len(piece.removeprefix("##")) == 1}
    wanted |= set(plain[:common])
    pieces = [*SPECIAL, *(piece for piece in plain if piece in wanted)]
    ids = {piece: i for i, piece in enumerate(pieces)}
    return _retold(form, ids), [vocabulary[piece] for piece in pieces]


def _is_plain(piece: str) -> bool:
    bare = piece.removeprefix("##")
    return piece.isascii() and not piece.startswith("[unused") and piece not in (*SPECIAL, "[MASK]") and not (
        bare.isdigit() and len(bare) > 2
    )


def _retold(form: dict[str, Any], ids: dict[str, int]) -> dict[str, Any]:
    form["model"]["vocab"] = ids
    form["added_tokens"] = [{**t, "id": ids[t["content"]]} for t in form["added_tokens"] if t["content"] in ids]
    for name, special in form["post_processor"]["special_tokens"].items():
        special["ids"] = [ids[name]]
    return {**form, "padding": None, "truncation": None}


def pack(model: SentenceModel, mean: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """The arrays of the tower's file: 4-bit word vectors, 8-bit matrices, the rest in half precision."""
    arrays: dict[str, NDArray[Any]] = {"mean": mean.astype(np.float32)}
    arrays["words"], arrays["words.scale"] = pack_words(model.words.weight.detach().numpy())
    arrays["positions"] = model.positions.detach().numpy().astype(np.float16)
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            weight = module.weight.detach().numpy()
            scale = np.maximum(np.abs(weight).max(1) / 127, 1e-7).astype(np.float16)
            numbers = np.rint(weight / scale[:, None].astype(np.float32))
            arrays[f"{name}.weight"] = numbers.clip(-127, 127).astype(np.int8)
            arrays[f"{name}.scale"] = scale
            arrays[f"{name}.bias"] = module.bias.detach().numpy().astype(np.float16)
        elif isinstance(module, nn.LayerNorm):
            arrays[f"{name}.weight"] = module.weight.detach().numpy().astype(np.float16)
            arrays[f"{name}.bias"] = module.bias.detach().numpy().astype(np.float16)
    return arrays


def pack_words(words: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Word vectors (v, w) as 4-bit numbers (v, w / 2), two a byte, and a scale for each group of numbers."""
    groups = words.reshape(len(words), -1, GROUP)
    scale = np.maximum(np.abs(groups).max(2) / 7, 1e-7).astype(np.float16)
    numbers = (np.rint(groups / scale[..., None].astype(np.float32)).clip(-7, 7) + 8).astype(np.uint8)
    flat = numbers.reshape(len(words), -1)
    return flat[:, 0::2] | (flat[:, 1::2] << 4), scale
