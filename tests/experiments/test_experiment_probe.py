"""A linear probe of the tiny model on a miniature of ModelNet10: its accuracy, and that without near duplicates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from experiment_files import labelled
from small_files import json_lines

SHAPES = ["tall", "flat", "middling"] * 6
LABELS = ["tall", "flat", "middling"] * 5 + ["tall", "flat", "tall"]  # the last test cloud is labelled wrongly
SPLITS = ["train"] * 12 + ["test"] * 6


@pytest.fixture
def words(tmp_path: Path, bundle: Path) -> list[object]:
    pytest.importorskip("sklearn")
    labelled(tmp_path / "data" / "modelnet10" / "modelnet10.npz", SHAPES, LABELS, SPLITS)
    where = ["--data", tmp_path / "data", "--out", tmp_path / "out", "--model", f"mine={bundle}", "--json"]
    return ["experiment", "modelnet10-probe", *where, "--only", "mine/vectors/100", "--seeds", 2]


def test_a_probe_counts_with_and_without_near_duplicates(words, tmp_path: Path, command_line) -> None:
    (plain,) = json_lines(command_line(*words).stdout)
    assert plain["measured"] == pytest.approx(100 * 5 / 6)
    assert [run["seed"] for run in plain["runs"]] == [0, 1]
    assert "without near duplicates" not in plain["runs"][0]["also"]
    listed = {"pairs": [["5", "0", 0.6]]}  # the misnamed one: rows without names are called by their places
    (tmp_path / "data" / "modelnet10" / "near_duplicates.json").write_text(json.dumps(listed))
    (apart,) = json_lines(command_line(*words).stdout)
    assert apart["measured"] == plain["measured"]
    assert apart["runs"][0]["also"]["without near duplicates"] == 100.0
