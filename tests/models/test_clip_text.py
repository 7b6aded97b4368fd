"""CLIP checkpoints by way of open_clip: a tiny one in the true format, against open_clip's own answers."""

import json
import os
import sys
import types
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from clip3d.errors import MissingExtra, ModelError
from clip3d.models import open_clip_loading
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


class Tower:
    def eval(self):
        return self

    def to(self, device):
        return self


@pytest.mark.parametrize("fails", [False, True])
def test_a_local_file_is_loaded_off_line_and_a_hub_name_after_it_on_line(tmp_path, monkeypatch, fails):
    constants, utils = types.ModuleType("constants"), types.ModuleType("utils")
    constants.HF_HUB_OFFLINE, constants.session = False, "none"
    utils.reset_sessions = lambda: setattr(constants, "session", "none")
    off_line = []

    def create(architecture, **options):
        # as huggingface_hub did before version 1: a session keeps the state that it was opened in
        constants.session = constants.HF_HUB_OFFLINE if constants.session == "none" else constants.session
        off_line.append(constants.session)
        if fails:
            raise RuntimeError("no such weights")
        return Tower(), None, None

    open_clip = types.ModuleType("open_clip")
    open_clip.create_model_and_transforms = create
    open_clip.get_model_config = lambda architecture: {}
    open_clip.list_pretrained_tags_by_model = lambda architecture: ["laion"]
    open_clip.load_checkpoint = lambda model, path, **options: None
    open_clip.get_pretrained_cfg = lambda architecture, tag: {}
    open_clip.get_tokenizer = lambda architecture: None
    for name, module in (("open_clip", open_clip), ("huggingface_hub.constants", constants)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "huggingface_hub.utils", utils)
    monkeypatch.delitem(sys.modules, "transformers.utils.hub", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    (tmp_path / "w.pt").write_bytes(b"")
    for name in ("tiny/laion", f"tiny/{tmp_path / 'w.pt'}", "tiny/laion"):
        with pytest.raises(ModelError, match="no such weights") if fails else nullcontext():
            load_clip_text(f"open_clip:{name}")
    assert off_line == [False, True, False]
    assert "HF_HUB_OFFLINE" not in os.environ


def test_the_hub_client_in_use_heeds_the_switch():
    hub = pytest.importorskip("huggingface_hub")
    errors = pytest.importorskip("huggingface_hub.errors")
    constants = pytest.importorskip("huggingface_hub.constants")
    before = constants.HF_HUB_OFFLINE
    with open_clip_loading._off_line(), pytest.raises(errors.OfflineModeIsEnabled):
        hub.HfApi().model_info("owner/name")
    assert constants.HF_HUB_OFFLINE is before


def test_without_open_clip_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    (tmp_path / "w.pt").write_bytes(b"")
    with pytest.raises(MissingExtra, match=r"clip3d\[clip\]"):
        load_clip_text(f"open_clip:ViT-B-32/{tmp_path / 'w.pt'}")
