"""The library's ablations end to end: a tiny library, its pictures, a tiny teacher, a few steps of each row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from experiment_files import SHAPES, box_cloud
from small_files import json_lines

from clip3d.clouds.cloud import PointCloud
from clip3d.data.library import Entry, make_library
from clip3d.experiments import library_pieces

RECIPE = """
kind = "cg3d"
teacher = "mini"
architecture = "set-abstraction"
points = 64
scale = 10.0
templates = ["a {}"]
batch = 4
steps = 4
checkpoint_every = 4
validate_every = 4
SPECIAL
[tower]
width = 16
layers = 1
heads = 2
stem = [8, 16]
centers = [16, 8]
neighbors = [4, 4]
[[data]]
format = "library"
path = "furniture.npz"
[[validation]]
format = "library"
path = "furniture.npz"
split = "test"
"""
TEACHER = """
kind = "clip-image"
size = 16
batch = 4
[[data]]
format = "library"
path = "furniture.npz"
[tower]
width = 64
layers = 1
heads = 1
patch = 8
[optimisation]
steps = 4
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(0)
    entries = [
        Entry(PointCloud(box_cloud(SHAPES[name], 400, rng), up="z"), (name,), f"{name} {i}", "test", "CC0-1.0")
        for i in range(12)
        for name in ("tall", "flat")
    ]
    library = make_library(entries, held_out_share=0.4, points=128)
    (tmp_path / "data" / "library").mkdir(parents=True)
    library.save(tmp_path / "data" / "library" / "furniture.npz")
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "small-vit.toml").write_text(TEACHER)
    for name, special in (("ablation", ""), ("prompts", "image_weight = 0.0")):
        (tmp_path / "recipes" / f"library-{name}.toml").write_text(RECIPE.replace("SPECIAL", special))
    monkeypatch.setattr(library_pieces, "VIEWS", 2)
    monkeypatch.setattr(library_pieces, "SIZE", 32)
    return tmp_path


def words(place: Path, bundle: Path, name: str, *more: object) -> list[object]:
    where = ["--data", place / "data", "--weights", place / "none", "--recipes", place / "recipes"]
    return ["experiment", name, *where, "--out", place / "out", "--model", f"mini={bundle}", "--json", *more]


def test_the_losses_are_told_apart(place: Path, bundle: Path, command_line) -> None:
    done = command_line(*words(place, bundle, "library-table3", "--only", "*/held-out", "--seeds", 1))
    assert done.returncode == 0, done.stderr
    rows = {row["row"]: row for row in json_lines(done.stdout)}
    told = {name: row["runs"][0]["protocol"] for name, row in rows.items()}
    assert [told[f"{name}/held-out"]["losses"] for name in ("2d", "text", "both", "both-prompts")] == [
        "L(3D,2D)", "L(3D,text)", "L(3D,2D), L(3D,text)", "L(3D,2D), L(3D,text)"
    ]  # fmt: skip
    assert told["both/held-out"]["length"] == "4 steps"
    assert told["both-prompts/held-out"]["length"] == "8 steps", "the cloud tower has as many steps as without"
    assert told["both-prompts/held-out"]["visual prompts"] == 5
    assert all(0 <= row["measured"] <= 100 for row in rows.values())
    assert (place / "out" / "pictures" / "furniture-color" / "renders.json").is_file()
    again = command_line(*words(place, bundle, "library-table3", "--only", "*/held-out", "--seeds", 1))
    assert [json_row["measured"] for json_row in json_lines(again.stdout)] == [r["measured"] for r in rows.values()]
    assert "4 runs kept" in again.stderr


def test_prompts_of_both_kinds_on_pictures_of_both_kinds(place: Path, bundle: Path, command_line) -> None:
    pytest.importorskip("sklearn")
    done = command_line(*words(place, bundle, "library-tables45", "--seeds", 1))
    assert done.returncode == 0, done.stderr
    rows = {row["row"]: row for row in json_lines(done.stdout)}
    assert len(rows) == 12
    probed = rows["probe/none/color"]
    assert probed["measured"] >= 50, "an untrained tower tells tall from flat pictures by a regression"
    hashes = {name: row["runs"][0]["protocol"]["weights"] for name, row in rows.items()}
    assert hashes["zero-shot/color/depth"] == hashes["zero-shot/color/color"] != hashes["zero-shot/depth/depth"]


def test_fewer_steps_and_a_lacking_library(place: Path, bundle: Path, command_line) -> None:
    few = ["--only", "both-prompts/held-out", "--seeds", 1, "--steps", 2]
    (row,) = json_lines(command_line(*words(place, bundle, "library-table3", *few)).stdout)
    assert row["runs"][0]["protocol"]["length"] == "4 steps"
    lacking = command_line(*words(place / "nowhere", bundle, "library-table3"))
    assert lacking.returncode == 1
    assert "clip3d data build library/" in lacking.stderr
