"""`clip3d train` with a recipe of kind cg3d, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from triplet_doubles import MemoryTriplets, write_teacher

import clip3d
from clip3d.data.library import Entry, make_library

RECIPE = """
kind = "cg3d"
teacher = "{teacher}"
prompts = 0
image_weight = 0
points = 32
batch = 6
epochs = 2
held_out = 0.2
[tower]
width = 32
layers = 2
heads = 2
centers = 8
neighbors = 8
[[data]]
format = "library"
path = "things.npz"
split = "all"
[clouds]
lr = 1e-3
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a library, a teacher and a recipe."""
    folder = tmp_path_factory.mktemp("place")
    things = MemoryTriplets(24)
    entries = [
        Entry(things.cloud(i), things.phrases(i)[:1], things.key(i), "made here", "CC0-1.0") for i in range(24)
    ]
    make_library(entries, held_out_share=0, points=64).save(folder / "things.npz")
    teacher = write_teacher(folder / "teacher")
    (folder / "recipe.toml").write_text(RECIPE.format(teacher=teacher))
    return folder


def test_a_recipe_becomes_a_model(place: Path, tmp_path: Path, command_line) -> None:
    words = ("train", place / "recipe.toml", "--data", place, "--out", tmp_path / "run", "--json", "--seed", 3)
    done = command_line(*words)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kind"] == "cg3d"
    assert 0 <= told["clouds named"] <= 1
    model = clip3d.load(told["model"])
    assert model.card.data[-1]["recipe"].endswith("# --seed 3\n")
    assert command_line(*words).returncode == 0, "a finished run gives its model again"


def test_a_rehearsal_writes_nothing(place: Path, tmp_path: Path, command_line) -> None:
    out = tmp_path / "run"
    done = command_line("train", place / "recipe.toml", "--data", place, "--out", out, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "seconds an epoch" in done.stdout
    assert "memory, MiB" in done.stdout
    assert not out.exists()


@pytest.mark.parametrize("option", [("--dry-run",), ("--device", "cuda")])
def test_other_kinds_take_neither(tmp_path: Path, command_line, option: tuple[str, ...]) -> None:
    (tmp_path / "recipe.toml").write_text('kind = "cloud"\n')
    done = command_line("train", tmp_path / "recipe.toml", "--data", tmp_path, "--out", tmp_path / "o", *option)
    assert done.returncode == 1
    assert f"takes no {option[0]}" in done.stderr
    assert not (tmp_path / "o").exists()


def test_a_word_that_a_setting_does_not_know_is_told(place: Path, tmp_path: Path, command_line) -> None:
    for wrong in ('positives = "all"', 'precision = "fp8"'):
        (tmp_path / "recipe.toml").write_text(RECIPE.format(teacher="t").replace("prompts = 0", wrong))
        done = command_line("train", tmp_path / "recipe.toml", "--data", place, "--out", tmp_path / "o")
        assert done.returncode == 1
        assert "must be one of" in done.stderr
