"""Robustness: a row a corruption and level, measured against clouds as they are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_files import json_lines, make_bundle

from clip3d.data.labelled_clouds import LabelledClouds, read_labelled
from clip3d.errors import ModelError
from clip3d.evaluation.robustness import robustness
from clip3d.evaluation.zero_shot import zero_shot
from clip3d.models.model import Model
from clip3d.models.weights import write_json


@pytest.fixture
def data(tmp_path: Path) -> LabelledClouds:
    """Twelve clouds, tall and flat by turns, z up, without colour."""
    rng = np.random.default_rng(1)
    points = rng.random((12, 300, 3)).astype(np.float32)
    points[::2] *= np.float32([0.3, 0.3, 4])
    points[1::2] *= np.float32([3, 3, 0.2])
    path = tmp_path / "clouds.npz"
    np.savez(path, points=points, labels=np.arange(12) % 2, classes=["tall", "flat"], up="z")
    return read_labelled(path)


def test_every_level_has_a_row_and_what_cannot_be_tried_says_why(model, data):
    rows = {(row.corruption, row.level, row.protocol["pose"]): row for row in robustness(model, data)}
    clean = rows["none", None, "upright"]
    assert (clean.accuracy, clean.difference, clean.n) == (1.0, 0.0, 12)
    assert rows["mirror", "left and right", "upright"].accuracy == 1.0
    assert rows["scale", 0.1, "upright"].difference == 0
    lying = rows["rotation", "any", "upright"]
    assert lying.accuracy < 1
    assert lying.difference == pytest.approx(lying.accuracy - 1)
    assert rows["points", 64, "upright"].seen == 64
    assert rows["points", 256, "upright"].seen == 128
    assert rows["points", 256, "upright"].note == "resampled to 128 by the model"
    assert rows["points", 512, "upright"].note == "the file holds 300 points"
    assert rows["rotation", "any", "any"].note == "the model has no pose-free mode"
    assert rows["color", None, "upright"].note == "the file holds no colors"
    left_out = [row for row in rows.values() if row.accuracy is None]
    assert {row.corruption for row in left_out} == {"points", "rotation", "color"}


def test_rows_can_be_chosen_and_repeat_themselves(model, data):
    first, again = (list(robustness(model, data, only=["rotation", "cut"], seed=5)) for _ in range(2))
    assert first == again
    assert [row.corruption for row in first] == ["none", "cut", "rotation", "rotation"]
    assert {row.seed for row in first} == {5}


def test_a_quick_look_takes_every_so_manieth_object_in_the_state_of_the_whole(model, data):
    few = data.limited(5)
    assert (len(few), few.every, few.index(3)) == (4, 3, 9)
    np.testing.assert_array_equal(few.points[3], data.points[9])
    (row, *_) = robustness(model, few, only=["noise"])
    assert row.protocol["every"] == 3


def test_colors_are_tried_where_there_are_some(model, data):
    colors = np.zeros((12, 300, 3), np.float32)
    colors[::2, :, 0] = 0.9
    colors[1::2, :, 2] = 0.9
    painted = replace(data, colors=colors, classes=["red", "blue"])
    rows = {row.level: row.accuracy for row in robustness(model, painted, only=["color"])}
    assert rows[None] == 1.0
    assert set(rows) == {None, "removed", "random", "one for all", "inverted"}
    assert rows["inverted"] < 1


def test_partial_views_are_averaged(model, data):
    report = zero_shot(model, data, views="partial")
    assert len(report.view_accuracies) == 5
    assert report.accuracy == pytest.approx(np.mean(report.view_accuracies))
    assert report.view_std == pytest.approx(np.std(report.view_accuracies))
    assert np.sum(report.confusion) == 5 * report.n
    assert "partial views" in report.protocol["views"]
    assert report.protocol["seed"] == 0
    rows = robustness(model, data, only=["occlusion"])
    assert [row.accuracy for row in rows][1:] == list(report.view_accuracies)


def test_any_pose_is_refused_where_the_model_has_no_such_mode(model, data):
    with pytest.raises(ModelError, match="no pose-free mode"):
        zero_shot(model, data, pose="any")


def test_any_pose_is_tried_where_the_model_has_such_a_mode(data, tmp_path: Path):
    folder = make_bundle(tmp_path / "free")
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card["towers"]["cloud"]["preprocess"]["turns"] = 4
    write_json(card, folder / "card.json")
    model = Model(folder)
    upright, free = list(robustness(model, data, only=["rotation"]))[1:]
    assert (upright.note, free.note) == ("upright mode", "pose-free mode")
    assert free.accuracy is not None
    first, again, other = (zero_shot(model, data, pose="any", seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.accuracy == free.accuracy
    assert first.protocol["seed"] == 0
    assert not np.array_equal(first.scores, other.scores)


def test_points_seen_are_a_limit_where_stray_points_are_left_out(run_cli, model, data, tmp_path: Path):
    folder = make_bundle(tmp_path / "careful")
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card["towers"]["cloud"]["preprocess"]["outliers"] = 2.0
    write_json(card, folder / "card.json")
    rows = {row.level: row for row in robustness(Model(folder), data, only=["points"])}
    assert {row.protocol["points_are"] for row in rows.values()} == {"at most: stray points are left out first"}
    assert rows[256].note == "resampled to at most 128 by the model"
    (row, *_) = robustness(model, data, only=["scale"])
    assert row.protocol["points_are"] == "exact"
    table = run_cli("evaluate", "robustness", "--clouds", data.path, "--only", "scale", "--model", folder)
    assert "at most" in table.stdout


def test_the_command_prints_a_table_or_a_line_a_row(run_cli, data):
    table = run_cli("evaluate", "robustness", "--clouds", data.path, "--only", "occlusion,mirror", "--limit", 6)
    assert table.returncode == 0, table.stderr
    assert "one object in 2" in table.stdout
    assert "mean of 5 views" in table.stdout
    done = run_cli("evaluate", "robustness", "--clouds", data.path, "--only", "tilt", "--json", "--seed", 2)
    records = json_lines(done.stdout)
    assert [record["level"] for record in records] == [None, 5, 10, 15, 30]
    assert {"protocol", "seed", "n", "model", "accuracy", "difference"} <= set(records[0])
    assert run_cli("evaluate", "robustness", "--clouds", data.path, "--only", "fog").returncode == 2
    partial = run_cli("evaluate", "zero-shot", "--clouds", data.path, "--views", "partial", "--json")
    (report,) = json_lines(partial.stdout)
    assert len(report["view_accuracies"]) == 5
    assert run_cli("evaluate", "zero-shot", "--clouds", data.path, "--pose", "any").returncode == 2
