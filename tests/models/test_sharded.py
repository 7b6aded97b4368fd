"""A checkpoint in several files with an index: all of its tensors, each from its own file, and nothing else."""

from __future__ import annotations

import json

import pytest
import tiny_clip
import torch
from safetensors.torch import save_file
from tiny_clip import TinyClip

from clip3d.errors import ModelError
from clip3d.models.clip_checkpoints import load_clip, source_files

NAMES = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def write_shards(clip, folder):
    """A checkpoint of Hugging Face in two files; returns the index and its table."""
    tiny_clip.write_hugging_face(clip, folder)
    (folder / "model.safetensors").unlink()
    state = tiny_clip.hugging_face_state(clip)
    places = {key: NAMES[i % 2] for i, key in enumerate(sorted(state))}
    for name in NAMES:
        save_file({key: state[key] for key in places if places[key] == name}, folder / name)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}), encoding="utf-8")
    return index, places


def test_shards_give_the_vectors_of_one_file(tmp_path):
    clip = TinyClip()
    index, _ = write_shards(clip, tmp_path)
    pixels, ids = tiny_clip.inputs()
    for path in (tmp_path, index):
        found = load_clip(path)
        torch.testing.assert_close(found.image(pixels), clip.image(pixels), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(found.text(ids), clip.text(ids), atol=1e-5, rtol=1e-5)
    assert [path.name for path in source_files(index)] == [index.name, *NAMES]


@pytest.mark.parametrize("name", ["../other.safetensors", "/etc/passwd", "..\\x.safetensors", "x.pt", "", ".."])
def test_an_index_reads_nothing_outside_its_folder(name, tmp_path):
    index, places = write_shards(TinyClip(), tmp_path)
    save_file({"logit_scale": torch.ones(1)}, tmp_path.parent / "other.safetensors")
    index.write_text(json.dumps({"weight_map": places | {"logit_scale": name}}), encoding="utf-8")
    with pytest.raises(ModelError, match="in its own folder"):
        load_clip(tmp_path)


def test_shards_that_do_not_hold_what_the_index_says_are_refused(tmp_path):
    index, places = write_shards(TinyClip(), tmp_path)
    index.write_text(json.dumps({"weight_map": places | {"more": NAMES[0]}}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"00001-of.*lacks 'more'"):
        load_clip(tmp_path)
    index.write_text(json.dumps({"weight_map": {k: v for k, v in places.items() if k != "logit_scale"}}))
    with pytest.raises(ModelError, match="holds 'logit_scale'"):
        load_clip(tmp_path)
    index.write_text(json.dumps({"weight_map": places}), encoding="utf-8")
    (tmp_path / NAMES[1]).unlink()
    with pytest.raises(ModelError, match=r"00002-of.*no such file"):
        load_clip(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": 3}}', "[" * 9999])
def test_a_damaged_index_is_refused(text, tmp_path):
    (tmp_path / "model.safetensors.index.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="index"):
        load_clip(tmp_path)
