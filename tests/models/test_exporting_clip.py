"""A CLIP checkpoint's towers as ONNX, against torch's own layers that the checkpoint was written from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_clip
import torch
from tiny_vocabulary import learn_merges, vocabulary, write_json

from clip3d.models.clip_converting import convert_clip
from clip3d.models.exporting import export_tower
from clip3d.models.model import Model
from clip3d.towers.clip_tokenizer import ClipTokenizer

MERGES = learn_merges()
PHRASES = ["a chair", "a photo of the red chairs", ""]

pytestmark = pytest.mark.skipif(
    tuple(map(int, torch.__version__.split(".")[:2])) < (2, 13), reason="older versions of torch export less"
)


@pytest.fixture(scope="module")
def clip_and_model(tmp_path_factory: pytest.TempPathFactory) -> tuple[tiny_clip.TinyClip, Model]:
    folder = tmp_path_factory.mktemp("clip") / "checkpoint"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_clip, "VOCABULARY", len(vocabulary(MERGES)))
        clip = tiny_clip.TinyClip()
        tiny_clip.write_hugging_face(clip, folder)
    write_json(folder / "tokenizer.json", MERGES)
    return clip, convert_clip(folder, folder.parent / "model").model


def run_onnx(path: Path, inputs: dict[str, np.ndarray]) -> np.ndarray:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)[0]


def test_pictures_get_the_checkpoints_vectors_from_onnx(clip_and_model, tmp_path: Path):
    pytest.importorskip("onnxscript")
    clip, model = clip_and_model
    done = export_tower(model, "image", tmp_path / "image.onnx")
    assert (done.inputs[0].shape, done.difference <= 1e-4) == (("batch", 3, 32, 32), True)
    for batch in (1, 4):
        pixels = torch.randn(batch, 3, 32, 32, generator=torch.Generator().manual_seed(batch))
        found = run_onnx(tmp_path / "image.onnx", {"pixels": pixels.numpy()})
        np.testing.assert_allclose(found, clip.image(pixels).numpy(), atol=1e-4)


def test_phrases_get_the_checkpoints_vectors_from_onnx(clip_and_model, tmp_path: Path, monkeypatch):
    pytest.importorskip("onnxscript")
    clip, model = clip_and_model
    monkeypatch.setattr(tiny_clip, "VOCABULARY", len(vocabulary(MERGES)))
    done = export_tower(model, "text", tmp_path / "text.onnx")
    assert (done.inputs[0].shape, done.longest) == (("batch", tiny_clip.CONTEXT), tiny_clip.CONTEXT)
    notes = json.loads((tmp_path / "text.onnx.json").read_text())
    # the tokenizer that lies beside the file is all that is needed to make its input
    tokenizer = ClipTokenizer.read(tmp_path / notes["files"]["tokenizer"])
    ids = np.asarray(tokenizer(PHRASES, done.longest), np.int64)
    found = run_onnx(tmp_path / "text.onnx", {"ids": ids})
    np.testing.assert_allclose(found, clip.text(torch.from_numpy(ids)).numpy(), atol=1e-4)
    np.testing.assert_allclose(found, model.tower("text").encode(PHRASES), atol=1e-4)
