"""A published encoder attached to its CLIP is a whole model; what does not belong together is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import published_encoders as published
import published_lidarclip
import pytest
import tiny_clip
import torch
from published_encoders import linear, transformer, under
from streets import street
from tiny_clip import DIM, TinyClip, write_slip
from tiny_vocabulary import learn_merges, vocabulary, write_json

import clip3d
from clip3d.clouds.cloud import PointCloud
from clip3d.errors import ModelError
from clip3d.lidar.frustum import Frustum
from clip3d.models.attaching import attach_encoder
from clip3d.models.checking import check_model
from clip3d.models.clip_converting import convert_clip
from clip3d.models.encoder_checkpoints import load_encoder

MERGES = learn_merges()
WIDTH, MLP_LAST = 24, 20


@pytest.fixture(scope="module")
def slip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny SLIP as a model's folder."""
    folder = tmp_path_factory.mktemp("slip")
    write_json(folder / "tokenizer.json", MERGES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_clip, "VOCABULARY", len(vocabulary(MERGES)))
        path = write_slip(TinyClip(slip=True), folder)
        return convert_clip(path, folder / "model", tokenizer=folder / "tokenizer.json").model.folder


def cg3d(folder: Path, dim: int = DIM) -> Path:
    torch.save({"base_model": transformer() | linear("projection", dim, 2 * WIDTH)}, folder / "cg3d.pth")
    return folder / "cg3d.pth"


def ulip(folder: Path, text_projection: torch.Tensor) -> Path:
    encoder = published.mlp() | published.classifier(MLP_LAST, 14, 12)
    state = under("point_encoder.", encoder) | {"pc_projection": linear("p", 12, DIM)["p.weight"]}
    state |= published.teachers() | {"text_projection": text_projection}
    torch.save({"state_dict": under("module.", state)}, folder / "ulip.pt")
    return folder / "ulip.pt"


def cloud(seed: int = 0) -> PointCloud:
    return PointCloud(np.random.default_rng(seed).normal(size=(600, 3)).astype(np.float32), up="z")


def test_an_attached_encoder_gives_its_own_vectors_beside_the_texts(slip: Path, tmp_path: Path) -> None:
    path = cg3d(tmp_path)
    done = attach_encoder(path, clip3d.load(slip), tmp_path / "all", licence="MIT", points=200)
    model = clip3d.load(tmp_path / "all")
    assert sorted(model.card.towers) == ["cloud", "image", "text"]
    assert (done.encoder.layout, done.belongs) == ("CG3D PointTransformer", False)
    assert any("was not checked" in limit for limit in model.card.limits)
    assert model.card.data[-1]["name"].startswith("checkpoint cg3d.pth")
    prepared = [torch.from_numpy(array)[None] for array in model.cloud_preparation()(cloud())]
    with torch.inference_mode():
        expected = load_encoder(path).tower(*prepared).numpy()
    np.testing.assert_allclose(model.encode_clouds([cloud()], normalize=False), expected, atol=1e-5)
    assert prepared[0].shape == (1, 200, 3)
    phrases = ["a chair"]
    np.testing.assert_array_equal(model.encode_texts(phrases), clip3d.load(slip).encode_texts(phrases))
    assert len(model.classify(cloud(), ["chair", "table"])) == 2
    assert all(check.passed for check in check_model(model))


def test_a_teacher_in_the_checkpoint_must_be_the_model(slip: Path, tmp_path: Path) -> None:
    model = clip3d.load(slip)
    projection = model.tower("text").transformer.projection.weight.T.clone()
    done = attach_encoder(ulip(tmp_path, projection), model, tmp_path / "all")
    assert done.belongs
    assert any("text projection" in limit for limit in done.model.card.limits)
    with pytest.raises(ModelError, match="another teacher"):
        attach_encoder(ulip(tmp_path, projection + 0.1), model, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_what_does_not_fit_is_refused(slip: Path, tmp_path: Path) -> None:
    model = clip3d.load(slip)
    with pytest.raises(ModelError, match=f"length 10, the space of {model.name} has {DIM}"):
        attach_encoder(cg3d(tmp_path, dim=10), model, tmp_path / "all")
    torch.save({"base_model": transformer()}, tmp_path / "tuned.pth")
    with pytest.raises(ModelError, match="no CLIP's space"):
        attach_encoder(tmp_path / "tuned.pth", model, tmp_path / "all")
    attached = attach_encoder(cg3d(tmp_path), model, tmp_path / "all").model
    with pytest.raises(ModelError, match="cloud tower already"):
        attach_encoder(cg3d(tmp_path), attached, tmp_path / "twice")
    with pytest.raises(ModelError, match="no empty folder"):
        attach_encoder(cg3d(tmp_path), model, tmp_path / "all")


def test_the_command_attaches_and_says_what_it_could_not_check(slip: Path, tmp_path: Path, command_line) -> None:
    done = command_line("models", "attach", cg3d(tmp_path), tmp_path / "all", "--to", slip)
    assert done.returncode == 0, done.stderr
    assert "towers image, text, cloud" in done.stdout
    assert "nothing but the length of its vectors shows" in done.stderr
    again = command_line("models", "attach", cg3d(tmp_path), tmp_path / "b", "--to", slip, "--json")
    assert json.loads(again.stdout)["teacher_known"] is False
    wrong = command_line("models", "attach", tmp_path / "none.pth", tmp_path / "c", "--to", slip)
    assert wrong.returncode == 2
    assert "none.pth" in wrong.stderr


def test_a_sweep_encoder_becomes_the_sweep_tower(slip: Path, tmp_path: Path) -> None:
    state = published_lidarclip.checkpoint(dim=DIM)
    torch.save({"state_dict": state, "epoch": 0}, tmp_path / "lidarclip.ckpt")
    done = attach_encoder(tmp_path / "lidarclip.ckpt", clip3d.load(slip), tmp_path / "all", intensity=100)
    model = clip3d.load(tmp_path / "all")
    assert model.card.towers["sweep"].preprocess["intensity"] == 100
    assert any("from 0 to 100" in limit for limit in model.card.limits)
    assert all(check.passed for check in check_model(model))
    sweep = street(3, 200)
    stored = sweep * np.array([1, 1, 1, 100], np.float32)
    vectors, _, _ = published_lidarclip.vectors(state, [stored])
    found = model.encode_sweeps([Frustum(sweep)], normalize=False)
    np.testing.assert_allclose(found, vectors.numpy(), atol=1e-3, rtol=1e-3)
    assert not done.belongs
    with pytest.raises(ModelError, match="has a sweep tower already"):
        attach_encoder(tmp_path / "lidarclip.ckpt", model, tmp_path / "again")
