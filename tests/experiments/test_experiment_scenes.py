"""Labelled rooms that are asked for their things, end to end on miniatures with a tiny model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from box_rooms import furnished_room
from room_files import write_s3dis, write_scannet
from small_files import json_lines

from clip3d.data.rooms.labelled_scene import LabelledScene, SceneThing
from clip3d.data.rooms.making import Rooms
from clip3d.data.rooms.reading import list_scenes
from clip3d.experiments import cg3d_scenes, scene_sets
from clip3d.experiments.cg3d_scenes import LEARNED, SCENES, Asked
from clip3d.experiments.experiment import Bench
from clip3d.experiments.scene_sets import SETS

RECIPE = """
kind = "cg3d"
teacher = "mini"
architecture = "set-abstraction"
prompts = 0
image_weight = 0.0
points = 64
scale = 10.0
templates = ["a {}"]
batch = 4
steps = 4
[tower]
width = 16
layers = 1
heads = 2
stem = [8, 16]
centers = [16, 8]
neighbors = [4, 4]
[[data]]
format = "library"
path = "rooms/segments.npz"
"""


def npz_scene(path: Path) -> None:
    """A room of boxes as exporters keep scenes: a table, a parcel, a wardrobe and a crate under NYU40's names."""
    room = furnished_room(30_000)
    nyu = np.array([1, 7, 29, 3, 40], np.uint8)[room.objects]
    path.parent.mkdir(parents=True)
    colors = np.zeros((len(room.cloud), 3)) if room.cloud.colors is None else room.cloud.colors
    np.savez(path, xyz=room.cloud.points, rgb=(colors * 255).astype(np.uint8), semantic_nyu40=nyu,
             instance=room.objects.astype(np.uint16))  # fmt: skip


def test_every_set_has_rows_of_both_segmentations(tmp_path: Path):
    bench = Bench(tmp_path, tmp_path, tmp_path / "out", models={"mini": "mini"})
    rows = {row.name: row for row in SCENES.rows(bench)}
    assert {"mini/simulated/kmeans", "mini/simulated/graph", f"{LEARNED}/scannet/graph"} <= set(rows)
    assert [need.name for need in rows["mini/scannet/graph"].lacks(bench)] == ["scannet"]
    assert rows["mini/simulated/graph"].lacks(bench) == []
    assert [need.name for need in rows["cg3d-point-transformer/s3dis/kmeans"].lacks(bench)] == [
        "slip", "cg3d-point-transformer", "s3dis"
    ]  # fmt: skip


def test_sets_are_found_in_their_true_layouts(tmp_path: Path):
    write_scannet(tmp_path / "scannet")
    write_s3dis(tmp_path / "s3dis")
    npz_scene(tmp_path / "test-rooms" / "own.npz")
    bench = Bench(tmp_path, tmp_path, tmp_path / "out")
    names = [[scene.name for scene in tests.scenes(bench)] for tests in SETS]
    assert names == [["own"], ["scene0007_00"], ["Area_5/office_3"]]


def test_rooms_are_asked(tmp_path: Path, bundle: Path, command_line):
    npz_scene(tmp_path / "data" / "test-rooms" / "own.npz")
    out = tmp_path / "out"
    words = ["--data", tmp_path / "data", "--out", out, "--model", f"my={bundle}", "--only", "my/simulated/*"]
    done = command_line("experiment", "cg3d-scenes", *words, "--json")
    assert done.returncode == 0, done.stderr
    for row in json_lines(done.stdout):
        run = row["runs"][0]
        assert 0 <= row["measured"] <= 100
        assert run["n"] == 2  # table and wardrobe are among the classes that are asked for
        assert {"found at 0.25", "found at 0.5", "mean IoU", "false answers"} <= set(run["also"])
        assert (out / run["files"][0]).read_text().count("\n") > 22


def test_a_table_of_classes_is_written_whole_or_not_at_all(
    tmp_path: Path, bundle: Path, command_line, monkeypatch: pytest.MonkeyPatch
):
    npz_scene(tmp_path / "data" / "test-rooms" / "own.npz")
    out = tmp_path / "out"
    words = ["--data", tmp_path / "data", "--out", out, "--model", f"my={bundle}", "--only", "my/simulated/graph"]
    table = out / "my-simulated-graph.md"
    out.mkdir()
    table.write_text("earlier")
    real = Path.write_text

    def stopped(path: Path, text: str, *rest: object, **more: object) -> int:
        if table.name in path.name:
            real(path, text[:9])
            raise OSError("the disk is full")
        return real(path, text, *rest, **more)

    monkeypatch.setattr(Path, "write_text", stopped)
    assert command_line("experiment", "cg3d-scenes", *words).returncode != 0
    assert [path.name for path in out.glob("*my-simulated*")] == [table.name]
    assert table.read_text() == "earlier"


def test_answers_are_points_of_the_scan(bundle: Path):
    from clip3d.models.loading import load

    room = furnished_room(30_000)
    owners = np.where(room.objects > 0, room.objects - 1, -1).astype(np.int32)
    scene = LabelledScene("boxes", room.cloud, owners, tuple(SceneThing(n, (n,)) for n in room.names))
    replies = Asked(load(bundle), "graph").ask(scene)("wardrobe")
    assert replies.nearest is not None
    wardrobe = room.of("wardrobe")
    best = max(len(np.intersect1d(found, wardrobe)) / len(np.union1d(found, wardrobe)) for found in replies.answers)
    assert best > 0.5


def test_rooms_are_drawn_where_nobody_brought_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scene_sets, "TEST_ROOMS", 1)
    monkeypatch.setattr(scene_sets, "HELD_OUT", Rooms(seed=1, shapes="held-out", use="bathroom", views=6))
    bench = Bench(tmp_path, tmp_path, tmp_path / "out")
    (path,) = SETS[0].paths(bench)
    assert path == tmp_path / "out" / "test-rooms" / "held-out-0001-00000"
    assert list_scenes(tmp_path / "out" / "test-rooms") == [path]


def test_a_model_learns_from_the_things_of_rooms(
    tmp_path: Path, bundle: Path, command_line, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scene_sets, "TRAIN_ROOMS", 1)
    monkeypatch.setattr(scene_sets, "TRAINING", Rooms(seed=0, use="bathroom", views=10))
    monkeypatch.setattr(scene_sets, "SIZE", 32)
    npz_scene(tmp_path / "data" / "test-rooms" / "own.npz")
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / cg3d_scenes.RECIPE).write_text(RECIPE)
    words = ["--data", tmp_path / "data", "--out", tmp_path / "out", "--recipes", tmp_path / "recipes"]
    only = f"{LEARNED}/simulated/graph"
    done = command_line("experiment", "cg3d-scenes", *words, "--model", f"mini={bundle}", "--only", only, "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json_lines(done.stdout)
    assert row["runs"][0]["protocol"]["recipe"] == cg3d_scenes.RECIPE
    assert "library:segments.npz:all" in row["runs"][0]["protocol"]["pre-trained on"]
    assert (tmp_path / "out" / "pictures" / "room-things-depth").is_dir()
