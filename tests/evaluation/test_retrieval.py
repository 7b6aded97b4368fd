"""Retrieval: words, drawn views and icons on a small library."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_files import json_lines

from clip3d.clouds.cloud import PointCloud
from clip3d.data.library import Entry, make_library
from clip3d.errors import ModelError, ShapeError
from clip3d.evaluation.library_part import LibraryPart, read_part
from clip3d.evaluation.retrieval import retrieval

COLORS = {"red": (0.9, 0.1, 0.1), "green": (0.1, 0.9, 0.1), "blue": (0.1, 0.1, 0.9)}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Nine held-out objects, three of each colour, of different heights."""
    entries = []
    for number in range(9):
        color = list(COLORS)[number % 3]
        points = np.random.default_rng(number).uniform(-1, 1, (300, 3)) * [1, 1, 0.5 + number / 3]
        cloud = PointCloud(points, np.broadcast_to(COLORS[color], (300, 3)), up="z")
        entries.append(Entry(cloud, (color,), f"{color}/{number}", "here", "CC0-1.0"))
    made = make_library(entries, held_out_share=0, points=128)
    made.held_out[:] = True
    made.save(tmp_path / "library.npz")
    return tmp_path / "library.npz"


def test_words_find_all_objects_that_have_them_and_pictures_their_own(model, library: Path):
    part = read_part([library])
    report = retrieval(model, part, galleries=3, gallery=4)
    text, to_cloud, to_view = report.rows
    assert (text.task, text.queries, text.gallery) == ("text to cloud", 3, 9)
    assert text.mean_average_precision == 1.0
    assert text.recall[1] == text.precision[5] == 1.0
    assert [row.task for row in (to_cloud, to_view)] == ["drawn view to cloud", "cloud to drawn view"]
    assert (to_cloud.gallery, to_cloud.queries) == (4, 9)
    assert to_cloud.recall[5] == 1.0, "five are more than the gallery holds"
    assert 0.25 <= to_cloud.recall[1] <= 1
    assert report.protocol["seed"] == 0
    assert retrieval(model, part, galleries=3, gallery=4) == report


def test_near_copies_never_meet_in_a_gallery(model, library: Path):
    part = read_part([library])
    twins = replace(part.library, group=part.library.group // 3)
    report = retrieval(model, LibraryPart(twins, part.captions, part.files, True), galleries=2)
    assert report.rows[1].gallery == len(np.unique(twins.group))


def test_icons_ask_for_the_objects_that_have_one(model, library: Path):
    painted = {color: np.full((8, 8, 3), 255 * np.array(rgb), np.uint8) for color, rgb in COLORS.items()}
    icons = {f"{color}/{i}": painted[color] for i, color in enumerate(COLORS)}
    report = retrieval(model, read_part([library]), icons=icons, galleries=2)
    by_icon = {row.task: row for row in report.rows}["icon to cloud"]
    assert (by_icon.queries, by_icon.gallery) == (3, 3)
    assert by_icon.recall[1] == 1.0
    assert by_icon.deviation == {1: 0, 5: 0, 10: 0}


def test_models_without_an_image_tower_are_asked_by_words_alone(model, library: Path):
    model.card = replace(model.card, towers={k: v for k, v in model.card.towers.items() if k != "image"})
    assert [row.task for row in retrieval(model, read_part([library])).rows] == ["text to cloud"]
    with pytest.raises(ModelError, match="no image tower"):
        retrieval(model, read_part([library]), icons={"red/0": np.zeros((8, 8, 3), np.uint8)})


def test_one_object_is_too_few(model, library: Path):
    part = read_part([library])
    with pytest.raises(ShapeError, match="two objects"):
        retrieval(model, LibraryPart(part.library.select(np.arange(1)), part.captions, part.files, True))
    copies = replace(part.library, group=part.library.group * 0)
    with pytest.raises(ShapeError, match="no near copies"):
        retrieval(model, LibraryPart(copies, part.captions, part.files, True))


def test_the_command_prints_a_table_or_one_object(run_cli, library: Path):
    table = run_cli("evaluate", "retrieval", "--library", library, "--galleries", 2)
    assert table.returncode == 0, table.stderr
    assert "text to cloud" in table.stdout
    assert "embedding 9 clouds" in table.stderr
    done = run_cli("evaluate", "retrieval", "--library", library, "--galleries", 2, "--json")
    (report,) = json_lines(done.stdout)
    assert report["n"] == 9
    assert report["rows"][0]["recall"] == json.loads('{"1": 1.0, "5": 1.0, "10": 1.0}')
    assert run_cli("evaluate", "retrieval", "--library", library.with_name("none.npz")).returncode == 1
