import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from clip3d.errors import DataError
from clip3d.evaluation.sentence_features import sentence_features

WIDTH, HIDDEN, HEADS = 8, 16, 2


@pytest.fixture
def folder(tmp_path):
    """A one-layer BERT of four words in the layout of the package transformers."""
    torch.manual_seed(0)
    pieces = {p: i for i, p in enumerate(["[PAD]", "[UNK]", "a", "cup", "red"])}
    model = {"type": "WordLevel", "vocab": pieces, "unk_token": "[UNK]"}
    form = {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}, "model": model}
    (tmp_path / "tokenizer.json").write_text(json.dumps(form), encoding="utf-8")
    config = {"hidden_size": WIDTH, "intermediate_size": HIDDEN, "num_attention_heads": HEADS}
    config["num_hidden_layers"] = 1
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    layer = "encoder.layer.0"
    shapes = {
        "embeddings.word_embeddings.weight": (5, WIDTH),
        "embeddings.position_embeddings.weight": (9, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
    }
    for name, out, into in (
        ("attention.self.query", WIDTH, WIDTH),
        ("attention.self.key", WIDTH, WIDTH),
        ("attention.self.value", WIDTH, WIDTH),
        ("attention.output.dense", WIDTH, WIDTH),
        ("intermediate.dense", HIDDEN, WIDTH),
        ("output.dense", WIDTH, HIDDEN),
    ):
        shapes |= {f"{layer}.{name}.weight": (out, into), f"{layer}.{name}.bias": (out,)}
    for name in ("embeddings", f"{layer}.attention.output", f"{layer}.output"):
        shapes |= {f"{name}.LayerNorm.weight": (WIDTH,), f"{name}.LayerNorm.bias": (WIDTH,)}
    save_file({name: torch.randn(shape) for name, shape in shapes.items()}, tmp_path / "model.safetensors")
    return tmp_path


def slow_twin(folder, ids):
    """The same by the equations of Devlin et al. 2019, a token and a head at a time."""
    from safetensors.numpy import load_file

    w = {k.replace("encoder.layer.0.", ""): v.astype(np.float64) for k, v in
         load_file(folder / "model.safetensors").items()}

    def norm(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return x * w[f"{name}.LayerNorm.weight"] + w[f"{name}.LayerNorm.bias"]

    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
    start = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings")
    q, k, v = (linear(start, f"attention.self.{n}") for n in ("query", "key", "value"))
    mixed = np.zeros_like(start)
    for h in range(HEADS):
        part = slice(h * WIDTH // HEADS, (h + 1) * WIDTH // HEADS)
        for t in range(len(ids)):
            odds = np.exp(k[:, part] @ q[t, part] / np.sqrt(WIDTH / HEADS))
            mixed[t, part] = odds / odds.sum() @ v[:, part]
    x = norm(start + linear(mixed, "attention.output.dense"), "attention.output")
    up = linear(x, "intermediate.dense")
    up = up * torch.special.ndtr(torch.from_numpy(up)).numpy()
    return np.concatenate([start.mean(0), norm(x + linear(up, "output.dense"), "output").mean(0)])


def test_features_are_those_of_a_slow_twin_whatever_stands_beside(folder):
    together = sentence_features(folder, ["a red cup", "cup", "a cup"])
    assert together.shape == (3, 2 * WIDTH)
    for row, ids in zip(together, ([2, 4, 3], [3], [2, 3]), strict=True):
        np.testing.assert_allclose(row, slow_twin(folder, np.array(ids)), atol=1e-4)


def test_a_folder_of_another_kind_is_refused(folder):
    with pytest.raises(DataError, match="sentence model"):
        sentence_features(folder / "nowhere", ["a cup"])
    save_file({"x": torch.ones(1)}, folder / "model.safetensors")
    with pytest.raises(DataError, match="sentence model"):
        sentence_features(folder, ["a cup"])
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(DataError, match="tokenizer"):
        sentence_features(folder, ["a cup"])
