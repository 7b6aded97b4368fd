"""Towers as files: they are run beside the tower before they are put in place, or not put there at all."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from small_files import make_bundle

from clip3d.errors import DataError, MissingExtra, ModelError
from clip3d.models import exporting
from clip3d.models.card import read_card
from clip3d.models.exporting import export_tower
from clip3d.models.loading import embedded_models, load
from clip3d.models.model import Model
from clip3d.models.weights import sha256_of, write_arrays, write_json
from clip3d.towers.catalogue import resolve

TINY = {
    "set-abstraction": {
        "dim": 8, "width": 16, "layers": 1, "heads": 2, "stem": [8, 8],
        "centers": [40, 3], "neighbors": [4, 2], "density": 64, "pose_free": True,
    },
    "point-transformer": {
        "dim": 8, "width": 12, "layers": 1, "heads": 2, "centers": 40, "neighbors": 6, "colored": True,
    },
    "point-mlp": {"dim": 8, "stem": 4, "channels": [6], "anchors": [40], "neighbors": 6, "blocks": 1},
}  # fmt: skip

pytestmark = pytest.mark.skipif(
    tuple(map(int, torch.__version__.split(".")[:2])) < (2, 13), reason="older versions of torch export less"
)
needs_mini = pytest.mark.skipif("mini" not in embedded_models(), reason="this checkout holds no weights of mini")


def make_tiny(folder: Path, modality: str, architecture: str, config: dict, preprocess: dict) -> Model:
    """The model of doubles with one true tower instead, tiny and of random weights."""
    make_bundle(folder)
    torch.manual_seed(0)
    state = resolve(architecture)(**config).state_dict()
    write_arrays({name: tensor.numpy() for name, tensor in state.items()}, folder / "tiny.safetensors")
    card = read_card(folder / "card.json").raw
    card["towers"][modality] = {
        "architecture": architecture, "config": config, "weights": "tiny.safetensors",
        "sha256": sha256_of(folder / "tiny.safetensors"), "preprocess": preprocess,
    }  # fmt: skip
    write_json(card, folder / "card.json")
    return Model(folder)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["point-transformer", "point-mlp"])
def test_a_file_of_torch_takes_any_batch_and_any_number_of_points(architecture: str, tmp_path: Path):
    folder = tmp_path / "model"
    model = make_tiny(folder, "cloud", architecture, TINY[architecture], {"points": 64})
    done = export_tower(model, "cloud", tmp_path / "cloud.pt2", file_format="torch")
    assert done.difference <= 1e-5
    assert done.inputs[0].shape == ("batch", "points", 3)
    module = torch.export.load(tmp_path / "cloud.pt2").module()
    for batch, points in ((1, 32), (4, 39), (2, 80)):  # fewer points than centres, and more
        xyz, colors = torch.randn(batch, points, 3), torch.rand(batch, points, 3)
        assert torch.allclose(module(xyz, colors), model.tower("cloud")(xyz, colors), atol=1e-5)
    assert sorted(path for path in tmp_path.iterdir() if path != folder) == [
        tmp_path / "cloud.pt2", tmp_path / "cloud.pt2.json",
    ]  # fmt: skip


@pytest.mark.parametrize("architecture", ["point-mlp", pytest.param("set-abstraction", marks=pytest.mark.slow)])
def test_an_onnx_file_takes_any_batch_and_any_number_of_points(architecture: str, tmp_path: Path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    tiny = make_tiny(tmp_path / "model", "cloud", architecture, TINY[architecture], {"points": 64})
    done = export_tower(tiny, "cloud", tmp_path / "cloud.onnx")
    assert (done.opset, done.difference <= 1e-4) == (18, True)
    session = runtime.InferenceSession(tmp_path / "cloud.onnx", providers=["CPUExecutionProvider"])
    for batch, points in ((1, 32), (4, 39), (2, 80)):
        xyz, colors = torch.randn(batch, points, 3), torch.rand(batch, points, 3)
        (vectors,) = session.run(None, {"points": xyz.numpy(), "colors": colors.numpy()})
        assert np.allclose(vectors, tiny.tower("cloud")(xyz, colors).numpy(), atol=1e-5)


def test_a_fixed_number_of_points_is_part_of_the_shape(model: Model, tmp_path: Path):
    done = export_tower(model, "cloud", tmp_path / "cloud.pt2", file_format="torch", points=48)
    assert done.inputs[0].shape == ("batch", 48, 3)
    assert {shape[1] for shape in done.compared} == {48}
    prepared = json.loads((tmp_path / "cloud.pt2.json").read_text())["preparation"]
    assert (prepared["points"], prepared["min_points"]) == (48, 48), "who follows the notes gives as many"


def test_a_picture_tower_takes_any_batch(tmp_path: Path):
    config = {"dim": 8, "width": 64, "layers": 1, "heads": 1, "patch": 8, "size": 16}
    model = make_tiny(tmp_path / "model", "image", "clip-vit", config, {"size": 16})
    done = export_tower(model, "image", tmp_path / "image.pt2", file_format="torch")
    assert done.inputs[0].shape == ("batch", 3, 16, 16)
    assert len({shape[0] for shape in done.compared}) > 2


def test_what_is_beside_the_file_says_how_to_use_it(model: Model, tmp_path: Path):
    export_tower(model, "cloud", tmp_path / "cloud.pt2", file_format="torch")
    notes = json.loads((tmp_path / "cloud.pt2.json").read_text())
    assert notes["model"] == model.id
    assert [port["name"] for port in notes["inputs"]] == ["points", "colors"]
    assert notes["preparation"]["points"] == 128
    assert np.allclose(notes["space"]["mean"], model.space.mean)


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


def test_what_cannot_be_written_is_refused(model: Model, tmp_path: Path):
    with pytest.raises(ModelError, match="cannot be exported"):
        export_tower(model, "text", tmp_path / "text.pt2", file_format="torch")
    with pytest.raises(DataError, match="is a folder"):
        export_tower(model, "image", tmp_path, file_format="torch")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named_with_its_extra(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtra, match=r"clip3d\[onnx\]"):
        export_tower(model, "image", tmp_path / "image.onnx")


@needs_mini
def test_the_text_network_of_mini_gives_the_vectors_of_its_tower(tmp_path: Path):
    mini = load()
    done = export_tower(mini, "text", tmp_path / "text.pt2", file_format="torch")
    assert done.difference <= 1e-5
    assert (tmp_path / "text.pt2.tokenizer.json").read_bytes() == (mini.folder / "tokenizer.json").read_bytes()
    module = torch.export.load(tmp_path / "text.pt2").module()
    tokenizer = mini.tower("text")._tokenizer
    ids = torch.tensor([tokenizer.encode("a red wooden chair").ids])
    vectors = module(ids, torch.ones_like(ids, dtype=torch.bool)).numpy()
    assert np.allclose(vectors, mini.tower("text").encode(["a red wooden chair"]), atol=1e-5)


@pytest.mark.slow
@needs_mini
@pytest.mark.parametrize("modality", ["cloud", "image"])
def test_mini_is_written_as_onnx(modality, tmp_path: Path):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    assert export_tower(load(), modality, tmp_path / "mini.onnx").difference <= 1e-4
