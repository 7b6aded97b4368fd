"""A checkpoint put into a bundle and used as any model is."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_clip
import torch
from PIL import Image
from tiny_vocabulary import learn_merges, vocabulary, write_gz, write_json

from clip3d.errors import ModelError
from clip3d.models.clip_checkpoints import load_clip
from clip3d.models.clip_packing import write_clip_towers
from clip3d.models.packing import golden_images, pack
from clip3d.models.preprocess import ImagePreprocess
from clip3d.models.weights import write_arrays
from clip3d.spaces import unit
from clip3d.towers.clip_tokenizer import ClipTokenizer

MERGES = learn_merges()
FACTS = {"name": "tiny", "version": "1", "licence": "MIT", "templates": ["a photo of a {}"]}


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(tiny_clip, "VOCABULARY", len(vocabulary(MERGES)))
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    tiny_clip.write_hugging_face(tiny_clip.TinyClip(), folder)
    return folder


def packed(clip, folder, tokenizer=None):
    towers = write_clip_towers(clip, folder, tokenizer)
    write_arrays({"mean": np.zeros(tiny_clip.DIM, np.float32)}, folder / "space.safetensors")
    facts = {"dim": tiny_clip.DIM, "scale": clip.facts.scale, "stored": "unit", "weights": "space.safetensors"}
    golden = golden_images([np.full((40, 50, 3), grey, np.uint8) for grey in (0, 99)])
    return pack(folder, FACTS, {"id": "tiny", **facts}, towers, golden)


@pytest.mark.parametrize("prompts", [0, 3])
def test_a_packed_checkpoint_answers_as_it_did(prompts, checkpoint, tmp_path):
    write_json(checkpoint / "tokenizer.json", MERGES)
    clip = load_clip(checkpoint)
    if prompts:
        clip.image.add_prompts(prompts)
    model = packed(clip, tmp_path / "bundle")
    phrases = ["a chair", "the red table"]
    ids = torch.from_numpy(ClipTokenizer.read(checkpoint / "tokenizer.json")(phrases, tiny_clip.CONTEXT))
    np.testing.assert_allclose(model.encode_texts(phrases), unit(clip.text(ids).numpy()), atol=1e-5)
    picture = Image.effect_mandelbrot((60, 40), (-2, -1, 1, 1), 50).convert("RGB")
    pixels = torch.from_numpy(ImagePreprocess.from_card(clip.facts.preprocess)(picture)[None])
    with torch.no_grad():
        expected = unit(clip.image(pixels).numpy())
    np.testing.assert_allclose(model.encode_images([picture]), expected, atol=1e-5)


def test_a_vocabulary_from_elsewhere_serves(checkpoint, tmp_path):
    given = write_gz(tmp_path / "bpe.txt.gz", MERGES)
    model = packed(load_clip(checkpoint), tmp_path / "bundle", given)
    assert model.encode_texts(["a chair"]).shape == (1, tiny_clip.DIM)


def test_without_the_right_tokenizer_nothing_is_written(checkpoint, tmp_path):
    clip = load_clip(checkpoint)
    with pytest.raises(ModelError, match="no tokenizer"):
        write_clip_towers(clip, tmp_path / "bundle")
    other = write_json(tmp_path / "tokenizer.json", MERGES[:-1])
    with pytest.raises(ModelError, match="not the tokenizer of this checkpoint"):
        write_clip_towers(clip, tmp_path / "bundle", other)
    assert not (tmp_path / "bundle").exists()
