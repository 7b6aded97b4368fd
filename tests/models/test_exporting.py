"""Towers as files: they are run beside the tower before they are put in place, or not put there at all."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from small_files import make_bundle

from clip3d.errors import MissingExtra, ModelError
from clip3d.models import exporting
from clip3d.models.card import read_card
from clip3d.models.exporting import export_tower
from clip3d.models.model import Model
from clip3d.models.weights import sha256_of, write_arrays, write_json
from clip3d.towers.set_abstraction import SetAbstractionTower

CONFIG = {
    "dim": 8, "width": 16, "layers": 1, "heads": 2, "stem": [8, 8],
    "centers": [6, 3], "neighbors": [4, 2], "density": 64, "pose_free": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model whose cloud tower is a tiny one of set abstraction."""
    folder = make_bundle(tmp_path_factory.mktemp("model") / "tiny")
    torch.manual_seed(0)
    state = SetAbstractionTower(**CONFIG).state_dict()  # type: ignore[arg-type]
    write_arrays({name: tensor.numpy() for name, tensor in state.items()}, folder / "cloud.safetensors")
    card = read_card(folder / "card.json").raw
    card["towers"]["cloud"] = {
        "architecture": "set-abstraction", "config": CONFIG, "weights": "cloud.safetensors",
        "sha256": sha256_of(folder / "cloud.safetensors"), "preprocess": {"points": 64},
    }  # fmt: skip
    write_json(card, folder / "card.json")
    return Model(folder)


def test_a_torch_file_takes_any_batch_and_any_number_of_points(tiny: Model, tmp_path: Path):
    done = export_tower(tiny, "cloud", tmp_path / "cloud.pt2", file_format="torch")
    assert done.difference <= 1e-4
    assert done.least_points == 6
    assert done.inputs[0].shape == ("batch", "points", 3)
    assert [path.name for path in tmp_path.iterdir()] == ["cloud.pt2"]
    module = torch.export.load(tmp_path / "cloud.pt2").module()
    for batch, points in ((1, 6), (4, 33), (2, 80)):
        xyz, colors = torch.randn(batch, points, 3), torch.rand(batch, points, 3)
        assert torch.allclose(module(xyz, colors), tiny.tower("cloud")(xyz, colors), atol=1e-5)


def test_an_onnx_file_takes_any_batch_and_any_number_of_points(tiny: Model, tmp_path: Path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    done = export_tower(tiny, "cloud", tmp_path / "cloud.onnx")
    assert (done.opset, done.difference <= 1e-4) == (18, True)
    session = runtime.InferenceSession(tmp_path / "cloud.onnx", providers=["CPUExecutionProvider"])
    xyz, colors = torch.randn(4, 33, 3), torch.rand(4, 33, 3)
    (vectors,) = session.run(None, {"points": xyz.numpy(), "colors": colors.numpy()})
    assert np.allclose(vectors, tiny.tower("cloud")(xyz, colors).numpy(), atol=1e-5)


def test_a_picture_tower_takes_any_batch(model: Model, tmp_path: Path):
    done = export_tower(model, "image", tmp_path / "image.pt2", file_format="torch")
    assert done.inputs[0].shape == ("batch", 3, 16, 16)
    assert len({shape[0] for shape in done.compared}) > 2


def test_a_file_that_differs_from_the_tower_is_not_put_in_place(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    target = tmp_path / "image.pt2"
    target.write_text("what was there")
    monkeypatch.setattr(exporting, "_difference", lambda found, wanted: 0.5)
    with pytest.raises(ModelError, match=r"differ from the tower's by 0\.5"):
        export_tower(model, "image", target, file_format="torch")
    assert target.read_text() == "what was there"
    assert list(tmp_path.iterdir()) == [target]


def test_vectors_that_are_no_numbers_or_of_another_shape_differ():
    assert not exporting._difference(np.full((1, 2), np.nan), np.zeros((1, 2))) <= exporting.TOLERANCE
    assert exporting._difference(np.zeros((2, 2)), np.zeros((1, 2))) == np.inf


def test_a_text_tower_that_is_no_torch_module_is_refused(model: Model, tmp_path: Path):
    with pytest.raises(ModelError, match="no torch module"):
        export_tower(model, "text", tmp_path / "text.pt2", file_format="torch")


def test_a_missing_package_is_named_with_its_extra(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtra, match=r"clip3d\[export\]"):
        export_tower(model, "image", tmp_path / "image.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("modality", ["cloud", "image"])
def test_mini_is_written_as_onnx(modality, tmp_path: Path):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    from clip3d.models.loading import load

    assert export_tower(load(), modality, tmp_path / "mini.onnx").difference <= 1e-4
