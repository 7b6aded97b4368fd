"""Scenes that are asked, labelled and counted, kept and read back, and what is written of them."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from box_rooms import furnished_room, overlap
from PIL import Image
from small_files import settle

import clip3d
from clip3d.clouds.cloud import PointCloud
from clip3d.errors import CloudError, DataError, ShapeError
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.scenes import opening
from clip3d.scenes.files import write_gltf, write_indices, write_picture, write_ply
from clip3d.scenes.labelling import describe_scene, label_scene
from clip3d.scenes.marks import marks_of_answers, marks_of_labels
from clip3d.scenes.opening import open_scene
from clip3d.scenes.parted import read_parted, write_parted
from clip3d.scenes.scene import Scene
from clip3d.scenes.viewer import write_viewer

ROOM = furnished_room(40_000)


@pytest.fixture(scope="module")
def scene(bundle: Path) -> Scene:
    return Scene.of(ROOM.cloud, Model(bundle))


def test_words_find_the_box_and_the_points_of_a_thing(scene: Scene):
    best = scene.ask("green", threshold=0.0).instances[0]
    assert overlap(best.indices, ROOM.of("crate")) > 0.6
    assert np.allclose(best.box.center, [-1.0, -0.8, 0.3], atol=0.08)
    assert np.allclose(best.box.size, 0.6, atol=0.12)


def test_several_words_have_an_answer_each(bundle: Path):
    answers = clip3d.query_scene(ROOM.cloud, ["green", "blue"], Model(bundle), threshold=0.0)
    assert [answer.words for answer in answers] == ["green", "blue"]
    assert np.isin(answers[1].instances[0].indices, ROOM.of("parcel")).mean() > 0.8


def test_one_phrase_gives_one_answer(bundle: Path):
    answer = clip3d.query_scene(ROOM.cloud, "green", Model(bundle), segmenter="kmeans", k=1, threshold=0.0)
    assert len(answer) == 1
    assert answer.nearest is not None
    assert answer.nearest.part == answer.instances[0].part


def test_where_nothing_reaches_the_threshold_there_is_no_answer(scene: Scene):
    answer = scene.ask("green", threshold=1.0)
    assert not answer
    assert answer.nearest is not None


def test_answers_do_not_overlap(scene: Scene):
    found = [instance.indices for instance in scene.ask("red", threshold=0.0)]
    for i, a in enumerate(found):
        for b in found[:i]:
            assert len(np.intersect1d(a, b)) < 0.35 * min(len(a), len(b))


@pytest.mark.parametrize(("words", "k"), [("", 1), ("  ", 1), ("red", 0)])
def test_a_question_without_words_is_none(scene: Scene, words: str, k: int):
    with pytest.raises(ShapeError, match="words"):
        scene.ask(words, k=k)


def test_boxes_are_in_the_scan_s_own_axes_and_unit(bundle: Path, scene: Scene):
    points = ROOM.cloud.points[:, [0, 2, 1]] * np.float32([100, 100, -100])
    turned = PointCloud(points, ROOM.cloud.colors, up="y", unit="cm")
    other = Scene.of(turned, scene.model).ask("green", threshold=0.0).instances[0].box
    assert np.allclose(other.center, [-100, 30, 80], atol=8)
    assert np.allclose(other.axes[2], [0, 1, 0], atol=0.02)
    low, high = other.bounds()
    assert np.allclose(high - low, 60, atol=25)


def test_floor_walls_and_things_are_labelled(scene: Scene):
    labelled = label_scene(scene, ["green", "blue", "floor", "walls"], threshold=0.0)
    points = labelled.points()
    green, floor = labelled.labels.index("green"), labelled.labels.index("floor")
    assert (points[ROOM.of("crate")] == green).mean() > 0.6
    assert (points[ROOM.cloud.points[:, 2] < 0.01] == floor).mean() > 0.9
    with pytest.raises(ShapeError, match="no labels"):
        label_scene(scene, [" "])


def test_an_inventory_counts_and_measures(scene: Scene):
    inventory = describe_scene(scene, ["green", "blue"], threshold=0.0)
    assert inventory.height == pytest.approx(2.6, abs=0.05)
    assert inventory.floor_area == pytest.approx(20, abs=2.5)
    assert inventory.walls == 4
    assert {kind.label for kind in inventory.kinds} <= {"green", "blue"}
    assert sum(kind.count for kind in inventory.kinds) == len(inventory.labelled.instances)


def test_a_scene_without_things_has_no_answer(bundle: Path):
    rng = np.random.default_rng(0)
    floor = np.column_stack([rng.uniform(0, 4, (4000, 2)), rng.normal(0, 0.002, 4000)]).astype(np.float32)
    scene = Scene.of(PointCloud(floor, unit="m"), Model(bundle))
    answer = scene.ask("red")
    assert not answer
    assert answer.nearest is None
    assert label_scene(scene, ["red", "floor"]).instances == ()


def test_a_scene_that_was_kept_is_read_back(scene: Scene, tmp_path: Path):
    write_parted(scene.parted, tmp_path / "scene.npz")
    again = Scene(read_parted(tmp_path / "scene.npz"), scene.model, ROOM.cloud)
    before, after = scene.ask("blue", threshold=0.0), again.ask("blue", threshold=0.0)
    assert [i.part for i in before] == [i.part for i in after]
    assert (before.instances[0].indices == after.instances[0].indices).all()
    assert np.allclose(before.instances[0].box.center, after.instances[0].box.center)


def test_a_file_is_parted_once_and_anew_when_it_changes(
    bundle: Path, tmp_path: Path, cache_file: Path, monkeypatch: pytest.MonkeyPatch
):
    model, path = Model(bundle), tmp_path / "room.ply"
    clip3d.write(ROOM.cloud, path)
    settle()
    calls, real = [], opening.part_scan
    monkeypatch.setattr(opening, "part_scan", lambda *a, **k: calls.append(1) or real(*a, **k))
    with VectorCache() as cache:
        first = open_scene(path, model, cache=cache)
        monkeypatch.setattr(opening, "read", pytest.fail)  # what is kept is answered without reading the scan
        again = open_scene(path, model, cache=cache).ask("green", threshold=0.0)
        monkeypatch.undo()
        assert len(calls) == 1
        assert again.instances[0].part == first.ask("green", threshold=0.0).instances[0].part
    monkeypatch.setenv("CLIP3D_CACHE", str(cache_file))
    with VectorCache() as cache:
        clip3d.write(ROOM.cloud.select(np.arange(15_000)), path)
        settle()
        assert open_scene(path, model, cache=cache).parted.n == 15_000


@pytest.mark.parametrize("damage", ["text", "cut", "array", "header", "empty"])
def test_a_kept_scene_that_is_damaged_is_made_anew(
    bundle: Path, tmp_path: Path, cache_file: Path, damage: str, caplog: pytest.LogCaptureFixture
):
    model, path = Model(bundle), tmp_path / "room.ply"
    clip3d.write(furnished_room(3000).cloud, path)
    settle()
    with VectorCache() as cache:
        first = open_scene(path, model, cache=cache)
        (kept,) = cache_file.parent.glob("*-scenes/*.npz")
        whole = kept.read_bytes()
        header, array = whole.index(b"NUMPY") + 12, len(whole) // 2
        kept.write_bytes(
            {
                "text": b"damaged",
                "cut": whole[: len(whole) // 2],
                "array": whole[:array] + bytes(byte ^ 1 for byte in whole[array : array + 9]) + whole[array + 9 :],
                "header": whole[:header] + b"(((((" + whole[header + 5 :],
                "empty": b"",
            }[damage]
        )
        assert open_scene(path, model, cache=cache).parted.n == first.parted.n
        assert "parted anew" in caplog.text
        assert kept.read_bytes()[:4] == whole[:4]
        assert read_parted(kept).n == first.parted.n


def test_a_scan_that_is_another_by_now_is_told(scene: Scene):
    other = Scene(scene.parted, scene.model, lambda: ROOM.cloud.select(np.arange(10)))
    with pytest.raises(CloudError, match="not the scan"):
        other.indices([0])


def test_answers_are_written_as_files(scene: Scene, tmp_path: Path):
    answers = [scene.ask(words, threshold=0.0, k=2) for words in ("green", "blue")]
    marks = marks_of_answers(answers)
    painted = clip3d.read(write_ply(tmp_path / "a.ply", scene, marks))
    assert len(painted) == len(ROOM.cloud)
    assert painted.colors is not None
    mine = answers[0].instances[0].indices
    assert painted.colors[mine, 0].mean() > 1.5 * painted.colors[mine, 2].mean()
    with np.load(write_indices(tmp_path / "a.npz", scene, marks)) as file:
        place = file["titles"].tolist().index("green 1")
        assert (file["indices"][file["starts"][place] : file["starts"][place + 1]] == mine).all()
    with Image.open(write_picture(tmp_path / "a.png", scene, marks, size=96)) as picture:
        assert picture.size == (96, 96)


def test_the_gltf_scene_is_as_the_standard_says(scene: Scene, tmp_path: Path):
    marks = marks_of_labels(label_scene(scene, ["green", "blue"], threshold=0.0))
    data = write_gltf(tmp_path / "a.glb", scene, marks).read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    tree = json.loads(data[20 : 20 + size])
    assert kind == b"JSON"
    assert len(tree["nodes"]) == 1 + len(marks)
    binary = data[28 + size :]
    for accessor in tree["accessors"]:
        view = tree["bufferViews"][accessor["bufferView"]]
        assert view["byteOffset"] % 4 == 0
        if accessor["type"] == "VEC3":
            rows = np.frombuffer(binary, "<f4", 3 * accessor["count"], view["byteOffset"]).reshape(-1, 3)
            assert np.allclose(rows.min(0), accessor["min"])
            assert np.allclose(rows.max(0), accessor["max"])
    scan = tree["accessors"][tree["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
    assert scan["max"][1] == pytest.approx(2.6, abs=0.1)  # y up
    with pytest.raises(DataError, match="name it"):
        write_gltf(tmp_path / "a.gltf", scene, marks)


def test_the_page_needs_nothing_else_and_escapes_what_it_says(scene: Scene, tmp_path: Path):
    marks = marks_of_answers([scene.ask("green", threshold=0.0, k=1)])
    page = write_viewer(tmp_path / "a.html", scene, marks, "<b>green</b>", ["</script> nothing"]).read_text()
    assert "<b>green" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("</script>") == 1
    assert "default-src 'none'" in page
    data = json.loads(page.split("const scene = ")[1].split(";\nconst canvas")[0])
    assert data["answers"][0]["title"] == "green 1"
    assert len(data["answers"][0]["edges"]) == 72
