import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny_vocabulary import learn_merges, vocabulary, write_gz, write_json

from clip3d.errors import ModelError
from clip3d.towers.catalogue import resolve
from clip3d.towers.clip_text import ClipTextTower, ClipTextTransformer
from clip3d.towers.clip_tokenizer import ClipTokenizer

MERGES = learn_merges()
SIZES = {
    "width": 32, "layers": 2, "heads": 2, "dim": 16, "vocabulary": len(vocabulary(MERGES)), "context": 20,
    "activation": "quick_gelu",
}  # fmt: skip
PHRASES = ["a chair", "", "a photo of the red chairs in the small room", "x" * 300, "A  CHAIR", "\ud800"]


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    transformer = ClipTextTransformer(**SIZES)
    for parameter in transformer.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape)
    save_file(transformer.state_dict(), tmp_path / "text.safetensors")
    write_json(tmp_path / "tokenizer.json", MERGES)
    return tmp_path


@pytest.fixture
def tower(folder):
    return resolve("clip-text").load(folder, "text.safetensors", **SIZES)


def test_a_phrase_has_one_vector_whatever_stands_beside_it(tower):
    together = tower.encode(PHRASES)
    assert together.shape == (len(PHRASES), tower.dim)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, np.concatenate([tower.encode([p]) for p in PHRASES]), atol=1e-5)
    np.testing.assert_allclose(together[0], together[4], atol=1e-6)
    many = tower.encode([f"a chair number {i}" for i in range(700)])
    np.testing.assert_allclose(many[699], tower.encode(["a chair number 699"])[0], atol=1e-5)


def test_vectors_are_those_of_whole_rows_of_tokens(tower, folder):
    tokens = ClipTokenizer.read(folder / "tokenizer.json")(PHRASES, context=20)
    with torch.no_grad():
        np.testing.assert_allclose(tower.encode(PHRASES), tower.transformer(torch.from_numpy(tokens)), atol=1e-5)


def test_no_phrases_give_no_vectors(tower):
    assert tower.encode([]).shape == (0, 16)


def test_either_kind_of_vocabulary_serves(tower, folder):
    write_gz(folder / "bpe.txt.gz", MERGES)
    other = ClipTextTower.load(folder, "text.safetensors", tokenizer="bpe.txt.gz", **SIZES)
    np.testing.assert_array_equal(other.encode(PHRASES), tower.encode(PHRASES))


def test_weights_and_vocabularies_that_do_not_fit_are_refused(folder):
    with pytest.raises(ModelError, match=r"words\.weight"):
        ClipTextTower.load(folder, "text.safetensors", **SIZES | {"vocabulary": 99})
    write_json(folder / "tokenizer.json", MERGES[:-1])
    with pytest.raises(ModelError, match="tokens, the text tower"):
        ClipTextTower.load(folder, "text.safetensors", **SIZES)
    with pytest.raises(ModelError, match="safetensors"):
        ClipTextTower.load(folder, "tokenizer.json", **SIZES)
    with pytest.raises(ModelError, match="nowhere"):
        ClipTextTower.load(folder, "nowhere.safetensors", **SIZES)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="heads"):
        ClipTextTransformer(**SIZES | {"heads": 3})
