"""A room of a floor, a ceiling and three boxes of different shapes: a phrase finds its box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_files import json_lines

import clip3d
from clip3d.clouds.cloud import PointCloud
from clip3d.errors import CloudError
from clip3d.experiments import cg3d_rooms
from clip3d.experiments.cg3d_rooms import split_room
from clip3d.experiments.experiment import Bench

PLACES = {
    "tall": ((0, 0, 1.2), (0.3, 0.3, 1.4)),
    "flat": ((5, 0, 1.2), (1.4, 1.4, 0.1)),
    "cube": ((0, 5, 1.2), (1, 1, 1)),
}


def room() -> PointCloud:
    rng = np.random.default_rng(0)
    boxes = [np.array(at) + rng.uniform(-0.5, 0.5, size=(400, 3)) * size for at, size in PLACES.values()]
    layers = [np.c_[rng.uniform(-2, 7, size=(500, 2)), np.full(500, z)] for z in (0.0, 2.6)]
    return PointCloud(np.concatenate([*boxes, *layers]).astype(np.float32), up="z")


def test_parts_are_the_boxes_without_floor_and_ceiling() -> None:
    parts = split_room(room(), clusters=3)
    assert sorted(len(cloud) for cloud in parts.clouds) == [400, 400, 400]
    assert (parts.labels[1200:] == -1).all()
    assert all(len(set(parts.labels[400 * i : 400 * i + 400])) == 1 for i in range(3))
    again = split_room(room(), clusters=3)
    np.testing.assert_array_equal(parts.labels, again.labels)
    with pytest.raises(CloudError, match="between floor and ceiling"):
        split_room(room().select(np.arange(1200, 2200)))


def test_rooms_of_one_name_are_rows_of_their_own(tmp_path: Path) -> None:
    for area in ("area 1", "area 2"):
        (tmp_path / "rooms" / area).mkdir(parents=True)
        clip3d.write(room(), tmp_path / "rooms" / area / "office.ply")
    names = [row.name for row in cg3d_rooms.ROOMS.rows(Bench(tmp_path, tmp_path, tmp_path / "out"))]
    assert len(set(names)) == len(names) == 2 * len(cg3d_rooms.QUERIES)


def test_a_folder_without_rooms_is_told(tmp_path: Path) -> None:
    (tmp_path / "rooms").mkdir()
    bench = Bench(tmp_path, tmp_path, tmp_path / "out", models={"mini": "mini"})
    (*_, row) = cg3d_rooms.ROOMS.rows(bench)
    with pytest.raises(CloudError, match="no cloud file in this folder"):
        row.measure(bench, 0)


def test_a_phrase_finds_its_part_and_draws_it(tmp_path: Path, bundle: Path, command_line, monkeypatch) -> None:
    monkeypatch.setattr(cg3d_rooms, "QUERIES", ("tall", "flat"))
    monkeypatch.setattr(cg3d_rooms, "CLUSTERS", 3)
    monkeypatch.setattr(split_room, "__defaults__", (3, 0))
    (tmp_path / "data" / "rooms").mkdir(parents=True)
    clip3d.write(room(), tmp_path / "data" / "rooms" / "office.ply")
    out = tmp_path / "out"
    words = ["--data", tmp_path / "data", "--out", out, "--model", f"my={bundle}", "--only", "my/*", "--json"]
    done = command_line("experiment", "cg3d-fig6", *words)
    assert done.returncode == 0, done.stderr
    tall, flat = json_lines(done.stdout)
    assert tall["measured"] > 50 > tall["runs"][0]["also"]["next part"]
    assert (out / "my-office.ply-tall.png").read_bytes() != (out / "my-office.ply-flat.png").read_bytes()
    assert "![my-office.ply-tall.png](my-office.ply-tall.png)" in (out / "report.md").read_text()
    assert flat["runs"][0]["n"] == 3
