"""CLIP checkpoints by way of open_clip: a tiny one in the true format, against open_clip's own answers."""

import json
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from clip3d.errors import MissingExtra, ModelError
from clip3d.models.clip_text import load_clip_text

CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 1},
}
PHRASES = ["a chair", "a street at night"]


@pytest.fixture
def tiny(tmp_path):
    """An architecture that open_clip knows as tiny-clip, and its model with random weights."""
    open_clip = pytest.importorskip("open_clip")
    (tmp_path / "tiny-clip.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    open_clip.add_model_config(tmp_path / "tiny-clip.json")
    torch.manual_seed(0)
    return open_clip, open_clip.create_model("tiny-clip").eval()


def golden(open_clip, model):
    with torch.no_grad():
        return model.encode_text(open_clip.get_tokenizer("tiny-clip")(PHRASES)).numpy()


def test_vectors_are_those_of_open_clip_from_every_form_of_file(tiny, tmp_path):
    open_clip, model = tiny
    expected = golden(open_clip, model)
    save_file(model.state_dict(), tmp_path / "w.safetensors")
    torch.save(model.state_dict(), tmp_path / "w.pt")
    torch.save({"state_dict": {f"module.{k}": v for k, v in model.state_dict().items()}}, tmp_path / "ddp.pt")
    spaces = set()
    for file in ("w.safetensors", "w.pt", "ddp.pt"):
        clip = load_clip_text(f"open_clip:tiny-clip/{tmp_path / file}")
        np.testing.assert_allclose(clip.encode(PHRASES), expected, atol=1e-5)
        spaces.add(clip.space)
    assert len(spaces) == 3
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": CONFIG}), encoding="utf-8")
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    np.testing.assert_allclose(load_clip_text(str(folder)).encode(PHRASES), expected, atol=1e-5)


def test_pickled_code_other_weights_and_unknown_names_are_refused(tiny, tmp_path):
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return (open, (str(marker), "w"))

    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    save_file({"a": torch.ones(1)}, tmp_path / "other.safetensors")
    (tmp_path / "torn.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    for file in ("evil.pt", "other.safetensors", "torn.safetensors"):
        with pytest.raises(ModelError):
            load_clip_text(f"open_clip:tiny-clip/{tmp_path / file}")
    assert not marker.exists()
    with pytest.raises(ModelError, match="architectures"):
        load_clip_text(f"open_clip:no-such/{tmp_path / 'other.safetensors'}")
    with pytest.raises(ModelError, match="neither a file nor a tag"):
        load_clip_text("open_clip:tiny-clip/laion")


def test_a_name_that_says_too_little_is_told_what_to_write(tmp_path):
    (tmp_path / "weights.npz").write_bytes(b"")
    with pytest.raises(ModelError, match="names no weights"):
        load_clip_text("open_clip:ViT-B-32")
    with pytest.raises(ModelError, match="no such file"):
        load_clip_text(f"open_clip:ViT-B-32/{tmp_path}/nowhere.pt")
    with pytest.raises(ModelError, match="none of"):
        load_clip_text(f"open_clip:ViT-B-32/{tmp_path}/weights.npz")
    with pytest.raises(ModelError, match=r"open_clip_config\.json"):
        load_clip_text(str(tmp_path))


def test_without_open_clip_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    (tmp_path / "w.pt").write_bytes(b"")
    with pytest.raises(MissingExtra, match=r"clip3d\[clip\]"):
        load_clip_text(f"open_clip:ViT-B-32/{tmp_path / 'w.pt'}")
