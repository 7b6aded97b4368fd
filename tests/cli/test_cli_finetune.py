"""`clip3d finetune` as a user meets it: folders of clouds become a model that names and finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from small_files import box, json_lines, settle, write_off
from tiny_classifier import make_encoder, write_shapes

SHORT = ("--steps", "4", "--points", "64", "--batch", "6", "--quiet")
SIDES = {"rod": (1, 1, 6), "flat_plate": (4, 4, 0.3), "cube": (1, 1, 1)}


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Class folders with six boxes each."""
    for name, sides in SIDES.items():
        (tmp_path / "things" / name).mkdir(parents=True)
        for i in range(6):
            grown = (1 + i / 20) * sides[0], sides[1], sides[2]
            write_off(tmp_path / "things" / name / f"{i}.off", box(*grown))
    settle()
    return tmp_path / "things"


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    return make_encoder(tmp_path / "encoder").folder


def test_class_folders_become_a_model_that_classifies_and_searches(
    tmp_path: Path, folders: Path, encoder: Path, command_line: Callable
):
    out = tmp_path / "tuned"
    done = command_line("finetune", folders, "--out", out, "--model", encoder, *SHORT, "--json")
    assert done.returncode == 0, done.stderr
    report = json_lines(done.stdout)[0]
    assert report["labels"] == ["cube", "flat plate", "rod"]
    assert report["train"]["learned_from"] + report["validation"]["n"] == 18

    named = command_line("classify", folders / "rod/0.off", "--model", out, "--json")
    assert named.returncode == 0, named.stderr
    scores = json_lines(named.stdout)[0]["scores"]
    assert set(scores) == {"cube", "flat plate", "rod"}
    assert sum(scores.values()) == pytest.approx(1, abs=1e-5)

    found = command_line("search", "flat_plate", folders, "--model", out, "--json", "-k", "2")
    assert found.returncode == 0, found.stderr
    assert len(json_lines(found.stdout)) == 2
    unknown = command_line("search", "an elephant", folders, "--model", out)
    assert unknown.returncode == 2
    assert "cube, flat plate, rod" in unknown.stderr

    assert command_line("models", "check", out).returncode == 0
    assert "a classifier of 3 labels: cube, flat plate, rod" in command_line("models", "show", out).stdout


def test_a_model_without_labels_asks_for_some(assets: Path, run_cli: Callable):
    done = run_cli("classify", assets)
    assert done.returncode == 2
    assert "--labels" in done.stderr


def test_the_test_part_is_scored_with_near_duplicates_apart(tmp_path: Path, encoder: Path, command_line: Callable):
    data, pairs = write_shapes(tmp_path / "shapes.npz"), tmp_path / "near.json"
    pairs.write_text(json.dumps({"pairs": [["ball_44", "ball_30", 0.6]]}))
    command = ["finetune", data, "--out", tmp_path / "t", "--model", encoder, *SHORT, "--test-split", "test"]
    done = command_line(*command, "--near-duplicates", pairs, "--votes", 2, "--fraction", 0.5)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    rows = [line.split("  ")[0] for line in lines[1:-1]]
    apart = "without near duplicates"
    assert rows == ["validation", "test", f"test, {apart}", "test, 2 votes", f"test, 2 votes, {apart}"]
    assert lines[2].split()[-1] == "12"
    assert lines[3].split()[-1] == "11"
    assert "50 %, stratified" in lines[-1]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--shots", 2, "--fraction", 0.5], "not both"),
        (["--steps", 2, "--epochs", 1], "not both"),
        (["--near-duplicates", "x.json"], "--test-split"),
        (["--shots", 2, "--patience", 3], "clouds that choose weights"),
        (["--validation", 0, "--patience", 3], "clouds that choose weights"),
        (["--split", "test", "--test-split", "test"], "cannot be both"),
        (["--head-only", "--from-scratch"], "learns nothing"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    tmp_path: Path, command_line: Callable, wrong: list, told: str
):
    data = write_shapes(tmp_path / "shapes.npz")
    done = command_line("finetune", data, "--out", tmp_path / "t", *wrong)
    assert done.returncode == 2
    assert told in done.stderr
    assert not (tmp_path / "t").exists()


def test_a_recipe_is_for_its_own_command(tmp_path: Path, command_line: Callable):
    data, recipe = write_shapes(tmp_path / "shapes.npz"), tmp_path / "r.toml"
    recipe.write_text('kind = "finetune"\n')
    trained = command_line("train", recipe, "--data", tmp_path, "--out", tmp_path / "t")
    assert trained.returncode == 1
    assert "clip3d finetune DATA" in trained.stderr
    recipe.write_text('kind = "cloud"\n')
    tuned = command_line("finetune", data, "--recipe", recipe, "--out", tmp_path / "t")
    assert tuned.returncode == 2
    assert "no fine-tuning" in tuned.stderr
    recipe.write_text('kind = "finetune"\nfraction = 2\n')
    out_of_range = command_line("finetune", data, "--recipe", recipe, "--out", tmp_path / "t")
    assert out_of_range.returncode == 1
    assert "r.toml: fraction = 2" in out_of_range.stderr
