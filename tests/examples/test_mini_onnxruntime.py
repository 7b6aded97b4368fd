"""The example prepares clouds, cuts text and ranks labels as clip3d does, without it."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

import clip3d
from clip3d.data.samples import FOLDER
from clip3d.models.exporting import export_tower
from clip3d.models.loading import embedded_models, load
from clip3d.models.preprocess import MAX_CANDIDATES, MIN_POINTS, CloudPreprocess

EXAMPLE = Path(__file__).parents[2] / "examples/mini_onnxruntime.py"
CLOUDS = ("knife_stand.npy", "coffee_brewer.ply", "double_bed.ply")
LABELS = ["chair", "bed", "coffee machine", "knife block", "toilet"]
PHRASES = ("a chair", "A Café table", "rock'n'roll, 3-legged stools!", "", "стул 椅子", "o" * 200, "a\tb\x00c")

pytest.importorskip("onnxruntime")
needs_mini = pytest.mark.skipif("mini" not in embedded_models(), reason="this checkout holds no weights of mini")


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("mini_onnxruntime", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_needs_onnxruntime_and_numpy_alone():
    tree = ast.parse(EXAMPLE.read_text(encoding="utf-8"))
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    named |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name for name in named if name not in sys.stdlib_module_names} == {"numpy", "onnxruntime"}


@pytest.mark.parametrize("name", CLOUDS)
def test_a_cloud_is_prepared_as_clip3d_prepares_it(example, name: str):
    prepare = CloudPreprocess(points=256, outliers=3.0)
    how = {**asdict(prepare), "min_points": MIN_POINTS, "max_candidates": MAX_CANDIDATES}
    found = example.prepare(*example.read_cloud(FOLDER / name), how)
    for ours, theirs in zip(prepare(clip3d.read(FOLDER / name)), found, strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-6)


@needs_mini
@pytest.mark.parametrize("phrase", PHRASES)
def test_text_is_cut_as_the_tokenizer_cuts_it(example, phrase: str):
    mini = load()
    vocabulary = json.loads((mini.folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    assert example.word_pieces(phrase, vocabulary, 64) == mini.tower("text")._tokenizer.encode(phrase).ids


@pytest.mark.slow
@needs_mini
def test_the_example_gives_what_classify_gives(example, tmp_path: Path):
    pytest.importorskip("onnxscript")
    mini = load()
    for tower in ("cloud", "text"):
        export_tower(mini, tower, tmp_path / f"{tower}.onnx")
    for name in CLOUDS:
        ranked = mini.classify(clip3d.read(FOLDER / name), LABELS)
        found = example.classify(tmp_path, FOLDER / name, LABELS)
        assert [label for label, _ in found] == [answer.label for answer in ranked]
        np.testing.assert_allclose([p for _, p in found], [answer.probability for answer in ranked], atol=1e-3)
    labels = ",".join(LABELS)
    done = subprocess.run(
        [sys.executable, EXAMPLE, tmp_path, FOLDER / CLOUDS[0], "--labels", labels], capture_output=True, text=True
    )
    assert len(done.stdout.splitlines()) == len(LABELS), done.stderr
