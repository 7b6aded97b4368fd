"""`clip3d scene`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from box_rooms import furnished_room

import clip3d
from clip3d.search.embedding import Reading
from clip3d.search.keeping.reporting import Report


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip3d.write(furnished_room(30_000).cloud, tmp_path_factory.mktemp("rooms") / "room.ply")


def test_answers_come_as_a_table_and_as_lines_of_json(run_cli, room: Path):
    told = run_cli("scene", room, "green", "blue", "--threshold", 0, "-k", 1)
    assert told.returncode == 0
    assert told.stdout.splitlines()[0].split() == ["words", "rank", "score", "size", "(m)", "center"]
    assert len(told.stdout.splitlines()) == 3
    lines = run_cli("scene", room, "green", "--threshold", 0, "-k", 1, "--json").stdout.splitlines()
    record = json.loads(lines[0])
    assert record["found"]
    assert record["center"] == pytest.approx([-1.0, -0.8, 0.3], abs=0.1)
    assert record["unit"] == "m"


def test_nothing_like_that_is_told(run_cli, room: Path):
    assert "green: nothing like that (nearest: " in run_cli("scene", room, "green", "--threshold", 1).stdout
    record = json.loads(run_cli("scene", room, "green", "--threshold", 1, "--json").stdout)
    assert record["found"] is False
    assert record["nearest"]["score"] > 0


def test_labels_and_an_inventory(run_cli, room: Path, tmp_path: Path):
    told = run_cli("scene", room, "--labels", "green,blue,floor", "--threshold", 0, "--ply", tmp_path / "a.ply")
    assert told.returncode == 0
    assert "green" in told.stdout
    assert len(clip3d.read(tmp_path / "a.ply")) > 10_000
    told = run_cli("scene", room, "--describe", "--threshold", 0, "--html", tmp_path / "a.html")
    assert "4 walls" in told.stdout
    assert (tmp_path / "a.html").stat().st_size > 10_000
    counted = json.loads(run_cli("scene", room, "--describe", "--threshold", 0, "--json").stdout)
    assert counted["walls"] == 4


@pytest.mark.parametrize("wrong", [[], ["chair", "--describe"], ["--describe", "--labels", "a,b"]])
def test_one_kind_of_question_is_asked(run_cli, room: Path, wrong: list[str]):
    told = run_cli("scene", room, *wrong)
    assert told.returncode == 2
    assert "say what to look for" in told.stderr


def test_a_scan_that_is_not_there_is_named(run_cli, tmp_path: Path):
    told = run_cli("scene", tmp_path / "no.ply", "chair")
    assert told.returncode == 1
    assert "no.ply" in told.stderr


def test_a_building_is_a_collection_of_rooms(run_cli, room: Path, tmp_path: Path):
    clip3d.write(furnished_room(20_000, seed=1).cloud, room.with_name("other.ply"))
    db = tmp_path / "building.db"
    told = run_cli("index", room.parent, "--db", db, "--only", "scenes", "--meta", "storey=2", "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout.splitlines()[-1])["added"] == 2
    again = run_cli("index", room.parent, "--db", db, "--only", "scenes", "--json")
    assert json.loads(again.stdout.splitlines()[-1])["unchanged"] == 2

    lines = run_cli("scene", "--db", db, "green", "--threshold", 0, "-k", 6, "--json").stdout.splitlines()
    places = [json.loads(line) for line in lines]
    assert {place["room"] for place in places} == {"room.ply", "other.ply"}
    best = places[0]
    assert [best["x"], best["y"], best["z"]] == pytest.approx([-1.0, -0.8, 0.3], abs=0.35)
    assert best["storey"] == 2
    one = run_cli("scene", "--db", db, "green", "--threshold", 0, "--where", "room = 'other.ply'", "--json")
    assert {json.loads(line)["room"] for line in one.stdout.splitlines()} == {"other.ply"}
    told = run_cli("search", "--db", db, "green", "-k", 1, "--json")
    assert json.loads(told.stdout.splitlines()[0])["part"].startswith("part ")

    room.with_name("other.ply").unlink()
    told = run_cli("index", room.parent, "--db", db, "--only", "scenes", "--prune", "--json")
    assert json.loads(told.stdout.splitlines()[-1])["pruned"] == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--segmenter", "graph"],
        ["--voxel", 0.02],
        ["--up", "z"],
        ["--unit", "m"],
        ["--points", 1_000_000],
        ["--no-cache"],
    ],
)
def test_a_collection_takes_no_option_that_would_do_nothing(run_cli, tmp_path: Path, words: list[object]):
    told = run_cli("scene", "--db", tmp_path / "building.db", "green", *words)
    assert told.returncode == 2
    assert f"leave out {words[0]}" in told.stderr


@pytest.mark.parametrize("question", [["--describe"], ["--labels", "green,blue"]])
def test_what_names_everything_takes_no_number_of_places(run_cli, room: Path, question: list[str]):
    told = run_cli("scene", room, *question, "-k", 20)
    assert told.returncode == 2
    assert "leave out -k" in told.stderr


@pytest.mark.parametrize("words", [["--no-thumbnails"], ["--pose", "any"], ["--reindex", "--views", "sweep"]])
def test_parts_of_scans_have_neither_pictures_nor_poses(run_cli, room: Path, tmp_path: Path, words: list[str]):
    told = run_cli("index", room, "--db", tmp_path / "building.db", "--only", "scenes", *words)
    assert told.returncode == 2
    assert words[0] in told.stderr


def test_metadata_of_scans_are_not_named_like_facts(run_cli, room: Path, tmp_path: Path):
    told = run_cli("index", room, "--db", tmp_path / "a.db", "--only", "scenes", "--meta", "area=3")
    assert told.returncode != 0
    assert "'area'" in told.stderr
    assert "Traceback" not in told.stderr


def test_as_many_points_are_drawn_on_scanned_meshes_as_are_asked_for(run_cli, tmp_path: Path, monkeypatch):
    from clip3d.scenes import collecting

    drawn = []

    def note(*_: object, reading: Reading, **__: object) -> Report:
        drawn.append(reading.points)
        return Report()

    monkeypatch.setattr(collecting, "index_scenes", note)
    for words in ([], ["--points", 5000], ["--points", 8192]):
        run_cli("index", tmp_path, "--db", tmp_path / "a.db", "--only", "scenes", *words)
    assert drawn == [1_000_000, 5000, 8192]
