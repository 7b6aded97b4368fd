"""Fine-tuning experiments end to end: a tiny backbone, a miniature of ModelNet10, two steps, and what is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cloud_bundles import write_cloud_bundle
from experiment_files import labelled
from small_files import json_lines

from clip3d.experiments import cg3d_finetuning
from clip3d.experiments.modelnet10 import gains
from clip3d.models.loading import load
from clip3d.spaces import Space

RECIPE = """
kind = "finetune"
validation = 0.25
points = 64
pool = 80
batch = 6
votes = 2
drop = 0.0
[optimiser]
lr = 3e-3
[run]
steps = 40
average = 0.0
validate_every = 10
"""
SHAPES = ["tall", "flat", "middling"] * 12
SPLITS = ["train"] * 24 + ["test"] * 12


@pytest.fixture
def place(tmp_path: Path) -> Path:
    labelled(tmp_path / "data" / "modelnet10.npz", SHAPES, SHAPES, SPLITS)
    labelled(tmp_path / "data" / "modelnet40.npz", SHAPES, SHAPES, SPLITS)
    write_cloud_bundle(tmp_path / "tiny", Space("s", 8, np.full(8, 0.02, np.float32)))
    (tmp_path / "recipes").mkdir()
    for name in ("finetune-mini.toml", "finetune-point-transformer.toml"):
        (tmp_path / "recipes" / name).write_text(RECIPE)
    return tmp_path


def words(place: Path, name: str, *more: object) -> list[object]:
    where = ["--data", place / "data", "--weights", place / "none", "--recipes", place / "recipes"]
    return ["experiment", name, *where, "--out", place / "out", "--model", f"mini={place / 'tiny'}", *more]


def test_little_data_from_both_starts(place: Path, command_line) -> None:
    some = ["--only", "50/*,100/mini", "--seeds", 2]
    done = command_line(*words(place, "modelnet10-scarce", *some, "--json"))
    assert done.returncode == 0, done.stderr
    rows = {row["row"]: row for row in json_lines(done.stdout)}
    assert rows["100/mini"]["measured"] > 75, "three kinds of boxes are easily told apart"
    assert [run["seed"] for run in rows["50/random"]["runs"]] == [0, 1]
    told = rows["50/random"]["runs"][0]["protocol"]
    assert (told["backbone"], told["steps"]) == ("random", 40)
    assert "50 %, stratified" in told["learned_from"]
    assert rows["50/mini"]["runs"][0]["also"]["2 votes"] >= 0
    again = command_line(*words(place, "modelnet10-scarce", *some))
    assert "6 runs kept" in again.stderr
    assert "mini lies" in again.stdout
    tuned = next((place / "out" / "runs").glob("100--mini.0-*"))
    assert set(load(tuned).card.towers) == {"text", "cloud"}, "a run leaves a model that classifies"


def test_runs_from_random_weights_outlive_those_of_the_model(place: Path, command_line) -> None:
    some = ["--only", "50/*", "--seeds", 1, "--steps", 2]
    command_line(*words(place, "modelnet10-scarce", *some))
    write_cloud_bundle(place / "tiny", Space("s", 8, np.full(8, 0.03, np.float32)), seed=1)
    again = command_line(*words(place, "modelnet10-scarce", *some, "--json"))
    assert "1 runs kept" in again.stderr
    rows = {row["row"]: row["runs"][0]["protocol"]["model"] for row in json_lines(again.stdout)}
    assert rows == {"50/random": "clouds, its architecture alone", "50/mini": load(place / "tiny").id}


def test_fewer_steps_are_another_run(place: Path, command_line) -> None:
    one = ["--only", "1/random", "--seeds", 1, "--json"]
    short = json_lines(command_line(*words(place, "modelnet10-fewshot", "--steps", 2, *one)).stdout)[0]
    assert short["runs"][0]["protocol"]["steps"] == 2
    assert "1 shots" in short["runs"][0]["protocol"]["learned_from"]
    whole = json_lines(command_line(*words(place, "modelnet10-fewshot", *one)).stdout)[0]
    assert whole["runs"][0]["protocol"]["steps"] == 40


def test_table_2_and_figure_5_fine_tune_from_scratch(place: Path, command_line, monkeypatch) -> None:
    monkeypatch.setattr(cg3d_finetuning, "blank_model", lambda bench, architecture: load(place / "tiny"))
    for name, row in (
        ("cg3d-table2", "point-transformer/scratch/modelnet40"),
        ("cg3d-fig5", "point-transformer/scratch/modelnet40/50"),
    ):
        done = command_line(*words(place, name, "--only", row, "--seeds", 1, "--json"))
        assert done.returncode == 0, done.stderr
        (record,) = json_lines(done.stdout)
        assert record["measured"] == pytest.approx(100.0, abs=40)
        assert record["runs"][0]["protocol"]["data"] == "modelnet40.npz"
    lacking = command_line(*words(place, "cg3d-table2", "--only", "point-mlp/cg3d/*", "--json"))
    assert json_lines(lacking.stdout)[0]["lacking"] == ["slip", "cg3d-point-mlp"]


def test_gains_are_told_seed_by_seed() -> None:
    lines = gains({"10/mini": (70.0, 74.0), "10/random": (60.0, 66.0), "20/mini": (80.0,)})
    assert lines == ["10: mini lies +9.00 ± 1.41 points from random weights"]
