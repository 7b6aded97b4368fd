"""`clip3d models convert`: a CLIP checkpoint of each layout becomes a model that answers as the checkpoint does."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tiny_clip
import torch
from PIL import Image
from small_files import json_lines
from tiny_clip import WRITERS, TinyClip
from tiny_vocabulary import learn_merges, vocabulary, write_gz, write_json

import clip3d
from clip3d.models import clip_packing
from clip3d.models.clip_checkpoints import find_weights, load_clip
from clip3d.models.clip_phrases import mean_phrases
from clip3d.models.preprocess import ImagePreprocess
from clip3d.models.weights import sha256_of
from clip3d.spaces import unit
from clip3d.towers.clip_tokenizer import ClipTokenizer

MERGES = learn_merges()
PHRASES = ["a chair", "the red table"]
PICTURE = Image.effect_mandelbrot((60, 40), (-2, -1, 1, 1), 50).convert("RGB")


@pytest.fixture(autouse=True)
def whole_vocabulary(monkeypatch):
    monkeypatch.setattr(tiny_clip, "VOCABULARY", len(vocabulary(MERGES)))


def checkpoint(folder, layout="huggingface", seed=0, tokenizer=True):
    folder.mkdir(parents=True)
    if tokenizer:
        write_json(folder / "tokenizer.json", MERGES)
    return WRITERS[layout](TinyClip(slip=layout == "slip", seed=seed), folder)


def truth(clip, tokenizer):
    """Unit vectors of the phrases and of the picture, from the checkpoint's own towers."""
    ids = torch.from_numpy(ClipTokenizer.read(tokenizer)(PHRASES, tiny_clip.CONTEXT))
    pixels = torch.from_numpy(ImagePreprocess.from_card(clip.facts.preprocess)(PICTURE)[None])
    with torch.no_grad():
        return unit(clip.text(ids).numpy()), unit(clip.image(pixels).numpy())


@pytest.mark.parametrize("layout", WRITERS)
def test_a_converted_checkpoint_gives_its_own_vectors(layout, run_cli, tmp_path):
    path, out = checkpoint(tmp_path / "published", layout), tmp_path / "models" / "mine"
    done = run_cli("models", "convert", path, out, "--licence", "MIT", "--json")
    assert done.returncode == 0, done.stderr
    (record,) = json_lines(done.stdout)
    clip, model, written = load_clip(path), clip3d.load(out), "openai" if layout == "archive" else layout
    texts, pictures = truth(clip, tmp_path / "published" / "tokenizer.json")
    np.testing.assert_allclose(model.encode_texts(PHRASES), texts, atol=1e-5)
    np.testing.assert_allclose(model.encode_images([PICTURE]), pictures, atol=1e-5)
    np.testing.assert_allclose(model.space.similarity(pictures, texts), pictures @ texts.T, atol=1e-5)
    assert model.space.scale == pytest.approx(clip.facts.scale)
    assert (record["model"], record["layout"], record["towers"]) == (model.id, written, ["image", "text"])
    assert (record["licence"], record["space"]) == ("MIT", model.space.id)
    assert model.name == "mine"
    assert model.card.data[0]["sha256"] == sha256_of(find_weights(path))
    assert [each.name for each in out.parent.iterdir()] == ["mine"], "nothing is left beside it"


def test_a_converted_model_is_shown_checked_and_told_from_a_damaged_one(run_cli, tmp_path):
    out = tmp_path / "mine"
    said = run_cli("models", "convert", checkpoint(tmp_path / "published"), out, "--name", "tiny")
    assert said.stdout.startswith(f"{out}: tiny@")
    assert "layout of huggingface" in said.stderr
    assert json.loads(run_cli("models", "show", out, "--json").stdout)["name"] == "tiny"
    checked = run_cli("models", "check", out)
    assert checked.returncode == 0, checked.stdout
    assert "text vectors" in checked.stdout
    assert "image vectors" in checked.stdout
    weights = (out / "image.safetensors").read_bytes()
    (out / "image.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    assert run_cli("models", "check", out).returncode == 1


def test_spaces_of_different_weights_or_means_are_not_mixed(run_cli, tmp_path):
    def space(name, *options, **facts):
        path = checkpoint(tmp_path / name, **facts)
        assert run_cli("models", "convert", path, tmp_path / "models" / name, *options).returncode == 0
        return clip3d.load(tmp_path / "models" / name).space

    plain = space("plain")
    assert space("same", layout="openai").id == plain.id, "the same weights in another layout"
    others = [space("other", seed=1), space("gelu", "--activation", "gelu"), space("mean", "--mean", "text")]
    path = checkpoint(tmp_path / "prepared")
    tiny_clip.write_json({"image_mean": [0.5] * 3}, path / "preprocessor_config.json")
    assert run_cli("models", "convert", path, tmp_path / "models" / "prepared").returncode == 0
    others.append(clip3d.load(tmp_path / "models" / "prepared").space)
    assert len({plain.id, *(each.id for each in others)}) == 5
    assert not plain.mean.any()


def test_the_mean_text_vector_is_that_of_the_listed_phrases(run_cli, tmp_path):
    out = tmp_path / "mine"
    run_cli("models", "convert", checkpoint(tmp_path / "published"), out, "--mean", "text")
    model = clip3d.load(out)
    np.testing.assert_allclose(model.space.mean, model.encode_texts(mean_phrases()).mean(0), atol=1e-6)
    assert 200 < len(mean_phrases()) == len(set(mean_phrases()))
    assert "mean text vector" in " ".join(model.card.limits)


def test_a_tokenizer_from_elsewhere_and_an_activation_serve(run_cli, tmp_path):
    path = checkpoint(tmp_path / "published", tokenizer=False)
    (path / "config.json").unlink()
    refused = run_cli("models", "convert", path, tmp_path / "mine")
    assert (refused.returncode, "config.json" in refused.stderr) == (2, True)
    options = ("--activation", "gelu", "--tokenizer", write_gz(tmp_path / "bpe.txt.gz", MERGES))
    assert run_cli("models", "convert", path, tmp_path / "mine", *options).returncode == 0
    assert clip3d.load(tmp_path / "mine").card.towers["text"].config["activation"] == "gelu"
    assert run_cli("models", "check", tmp_path / "mine").returncode == 0


def test_what_cannot_be_converted_is_told_and_leaves_nothing(run_cli, tmp_path, monkeypatch):
    path, out = checkpoint(tmp_path / "published", tokenizer=False), tmp_path / "models" / "mine"

    def refused(*options, at=path, to=out):
        done = run_cli("models", "convert", at, to, *options)
        assert (done.returncode, done.stdout) == (2, "")
        assert not out.parent.exists() or not list(out.parent.iterdir())
        return done.stderr

    assert "--tokenizer" in refused()
    assert f"{tmp_path / 'no.json'}: there is no such" in refused("--tokenizer", tmp_path / "no.json")
    other = write_json(tmp_path / "tokenizer.json", MERGES[:-1])
    assert "not the tokenizer of this checkpoint" in refused("--tokenizer", other)
    assert "there is no such file" in refused(at=tmp_path / "nowhere")
    assert "is no empty folder" in refused(to=path)
    monkeypatch.chdir(tmp_path / "published")
    write_json(path / "tokenizer.json", MERGES)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(clip_packing, "write_arrays", full)
    assert run_cli("models", "convert", path, out).returncode == 1
    assert not list(out.parent.iterdir())


def test_an_empty_folder_is_filled_and_never_the_one_in_use(run_cli, tmp_path, monkeypatch):
    path, out = checkpoint(tmp_path / "published"), tmp_path / "mine"
    out.mkdir()
    monkeypatch.chdir(out)
    assert "the folder that you are in" in run_cli("models", "convert", path, ".").stderr
    monkeypatch.chdir(tmp_path)
    assert run_cli("models", "convert", path, "mine").returncode == 0
    assert run_cli("models", "check", "mine").returncode == 0
    assert "is no empty folder" in run_cli("models", "convert", path, "mine").stderr


def test_search_names_the_tower_that_a_clip_lacks_and_pictures_are_classified(run_cli, assets, tmp_path):
    out = tmp_path / "mine"
    run_cli("models", "convert", checkpoint(tmp_path / "published"), out)
    done = run_cli("search", "a chair", assets, "--model", out)
    assert done.returncode == 1
    assert "no picture file in this folder" in done.stderr
    assert "a model without a cloud tower" in done.stderr
    for label in ("chair", "table"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        PICTURE.save(tmp_path / "photos" / label / "one.png")
    done = run_cli("evaluate", "zero-shot", "--images", tmp_path / "photos", "--model", out, "--json")
    assert done.returncode == 0, done.stderr
    assert json_lines(done.stdout)[0]["accuracy"] == 0.5
