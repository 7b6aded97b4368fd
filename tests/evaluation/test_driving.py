"""Protocols on driving logs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from labelled_drives import KINDS, write_log
from sweep_bundles import TINY, sweep_bundle

from clip3d.data.driving_truth import CLASSES
from clip3d.errors import DataError, ModelError
from clip3d.evaluation.driving_frames import Looking, Scene, Seen, SeenObject, look
from clip3d.evaluation.driving_match import match
from clip3d.evaluation.driving_objects import TYPICAL, mean_sizes, name_objects, nearest_sizes
from clip3d.evaluation.driving_page import write_objects
from clip3d.evaluation.driving_report import report
from clip3d.evaluation.driving_terms import find_terms, means
from clip3d.models.model import Model


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drives")
    for seed in range(3):
        write_log(folder / f"{seed}", seed, frames=5)
    return folder


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model with text, image and sweep towers."""
    return sweep_bundle(tmp_path_factory.mktemp("talker"), **TINY)


def seen_object(kind: str, log: str, vector: np.ndarray, size=(4.4, 1.8, 1.5), crop=None) -> SeenObject:
    how = ("points", "footprint")
    return SeenObject(log, "0", "front", 0, kind, kind, size, 10.0, 20, vector, -vector, how, crop, (0, 0, 9, 9))


class Told:
    """A model whose classes and terms are unit vectors by their place."""

    class Space:
        @staticmethod
        def similarity(a, b):
            return a @ b.T

        @staticmethod
        def ensemble(rows):
            return rows.mean(0)

    space, id = Space(), "told@0"

    @staticmethod
    def label_vectors(words, templates):
        return np.stack([np.eye(8, dtype=np.float32)[CLASSES.index(word)] for word in words])

    @staticmethod
    def encode_texts(phrases):
        return np.stack([np.eye(8, dtype=np.float32)[0 if "car" in phrase else 7] for phrase in phrases])


WORDS = {"heard": {kind: (kind,) for kind in CLASSES}}


def unit(place: int) -> np.ndarray:
    return np.eye(8, dtype=np.float32)[place]


def test_objects_are_counted_by_class_with_plain_answers_beside():
    objects = [seen_object("car", "a", unit(0)), seen_object("car", "a", unit(0)), seen_object("car", "b", unit(1))]
    nothing = np.zeros(8, np.float32)
    objects += [seen_object("bus", "b", unit(3), (12.0, 2.5, 3.2)), seen_object("van", "b", nothing)]
    found = {one.way: one for one in name_objects(Told(), Seen(objects), words=WORDS)}
    cells = found["cells by points, heard words"]
    assert cells.answers.tolist() == [0, 0, 1, 3, -1]
    assert cells.accuracy == pytest.approx(3 / 5)
    assert cells.class_mean == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert cells.per_class == {
        "car": pytest.approx(2 / 3), "van": 0, "truck": None, "bus": 1, "pedestrian": None, "cyclist": None
    }  # fmt: skip
    assert cells.confusion[0] == [2, 1, 0, 0, 0, 0, 0]
    assert cells.confusion[1][-1] == 1
    assert cells.class_mean_interval[0] <= cells.class_mean <= cells.class_mean_interval[1]
    assert found["commonest class"].accuracy == pytest.approx(3 / 5)
    assert found["commonest class"].class_mean == pytest.approx(1 / 3)
    assert found["box size alone"].answers.tolist() == [0, 0, 0, 3, 0]
    assert "picture crops, heard words" not in found


def test_crops_are_another_way_and_both_together_a_third():
    objects = [seen_object("car", "a", unit(1), crop=2 * unit(0)), seen_object("van", "a", unit(1), crop=unit(1))]
    found = {one.way: one for one in name_objects(Told(), Seen(objects), words=WORDS)}
    assert found["picture crops, heard words"].accuracy == 1
    assert found["cells by points, heard words"].accuracy == 0.5
    assert "cells and crops together, heard words" in found


def test_sizes_are_compared_by_their_logarithms():
    objects = [seen_object(kind, "a", unit(0), TYPICAL[kind]) for kind in CLASSES]
    assert nearest_sizes(objects, TYPICAL).tolist() == list(range(6))
    twice = [seen_object("bus", "a", unit(0), (2.0, 2.0, 2.0))]
    assert nearest_sizes(twice, {"car": (1.0, 1.0, 1.0), "bus": (3.9, 3.9, 3.9)}).tolist() == [CLASSES.index("bus")]


def test_sizes_are_learned_from_logs(drives):
    found = mean_sizes([drives], [], every=1)
    assert found == {kind: pytest.approx(KINDS[kind][:3]) for kind in found}
    assert set(found) <= set(KINDS)


def test_no_object_is_no_measure():
    with pytest.raises(DataError, match="no object"):
        name_objects(Told(), Seen())


def scene(sweep: np.ndarray, picture: np.ndarray | None, terms=None, log="a") -> Scene:
    return Scene(log, "0", "front", 0, 0.0, sweep, picture, terms or {})


def test_partners_are_found_among_a_gallery():
    scenes = [scene(unit(i), unit(i)) for i in range(7)] + [scene(unit(7), unit(0))]
    found = match(Told(), Seen(scenes=scenes), gallery=200)
    assert (found.gallery, found.pairs, found.draws) == (8, 8, 1)
    assert found.recall["lidar to image"][1] == pytest.approx(7 / 8)
    assert found.chance[1] == 1 / 8
    drawn = match(Told(), Seen(scenes=scenes), gallery=4, draws=6)
    assert (drawn.gallery, drawn.draws) == (4, 6)
    with pytest.raises(DataError, match="fewer than two"):
        match(Told(), Seen(scenes=scenes[:1]))


def test_terms_are_ranked_by_each_sensor_and_both():
    right, wrong = unit(0), unit(7)
    scenes = [scene(right, wrong, {"car": True}), scene(wrong, right, {"car": True})]
    scenes += [scene(wrong, wrong, {"car": False}), scene(wrong, wrong, {"night": True})]
    rows = {row.by: row for row in find_terms(Told(), Seen(scenes=scenes))}
    assert set(rows) == {"lidar", "image", "joint"}  # night is true wherever it is known
    assert rows["lidar"].precision[10] == 1
    assert rows["lidar"].average_precision == 1
    assert rows["joint"].prevalence == pytest.approx(2 / 3)
    assert not rows["joint"].usual
    assert means(rows.values(), "joint")["P@10"] == 1
    assert means(rows.values(), "nothing") == {}


def test_one_picture_that_cannot_be_read_takes_no_row_away():
    right, wrong = unit(0), unit(7)
    scenes = [scene(right, right, {"car": True}), scene(wrong, wrong, {"car": False})]
    rows = find_terms(Told(), Seen(scenes=[*scenes, scene(right, None, {"car": True})]))
    assert {row.by: row.n for row in rows} == {"lidar": 2, "image": 2, "joint": 2}
    blind = [scene(right, None, {"car": True}), scene(wrong, None, {"car": False})]
    assert {row.by: row.n for row in find_terms(Told(), Seen(scenes=blind))} == {"lidar": 2}


def test_frames_are_looked_at_apart_and_objects_where_they_count(drives, talker):
    everything = look(talker, [drives], Looking(apart=0.0, least=5))
    assert (everything.logs, everything.frames, len(everything.scenes)) == (3, 15, 15)
    assert {one.kind for one in everything.objects} <= set(KINDS)
    assert all(one.points >= 5 and one.distance <= 40 for one in everything.objects)
    near = look(talker, [drives], Looking(apart=0.0, within=12.0))
    kept = [one for one in everything.objects if one.distance <= 12]
    assert len(near.objects) == len(kept)
    assert near.left_out["beyond 12 m"] == len(everything.objects) - len(kept)
    apart = look(talker, [drives], Looking(apart=0.25, every=2, crops=True))
    assert len(apart.scenes) == 3 * 2
    assert all(one.crop is not None for one in apart.objects)
    assert apart.digest == look(talker, [drives], Looking(apart=0.25, every=2)).digest


def test_an_object_in_two_tiles_counts_once(drives, talker):
    tiles = look(talker, [drives], Looking(scenes=False, tiling="tiles"))
    places = [(one.log, one.frame, one.camera, one.box) for one in tiles.objects]
    assert len(set(places)) == len(places)
    whole = look(talker, [drives], Looking(scenes=False, tiling="whole"))
    assert {(one.log, one.frame, one.camera, one.box) for one in whole.objects} >= set(places)
    assert {one.tile for one in tiles.objects} == {0, 1}


def test_crops_show_their_objects(drives, talker):
    seen = look(talker, [drives], Looking(scenes=False, crops=True))
    near = [one for one in seen.objects if one.distance < 15 and one.kind == "truck"]
    assert near
    # the double's vector says how green a picture is
    assert np.mean([one.crop[3] > one.crop[2] for one in near]) > 0.8


def test_a_frame_that_cannot_be_read_is_told_and_the_rest_goes_on(tmp_path, talker):
    path = write_log(tmp_path / "log", 0, frames=3)
    sorted((path / "clouds").iterdir())[1].write_bytes(b"no cloud")
    seen = look(talker, [tmp_path], Looking(apart=0.0))
    assert len(seen.scenes) == 2
    assert len(seen.problems) == 1


def test_a_lens_that_cannot_be_undone_is_told_and_other_logs_go_on(tmp_path, talker):
    write_log(tmp_path / "good", 0, frames=2)
    calibration = write_log(tmp_path / "bent", 1, frames=2) / "calibration.toml"
    lens = "distortion = [-30.0, 0.0, 0.0, 0.0]"
    calibration.write_text(calibration.read_text().replace("distortion = []", lens))
    seen = look(talker, [tmp_path], Looking(apart=0.0))
    assert {one.log for one in seen.scenes} == {"good"}
    assert len(seen.problems) == 2
    assert "no rectangle" in seen.problems[0].reason


def test_logs_without_labels_are_named_when_objects_are_asked_for(tmp_path, talker):
    path = write_log(tmp_path / "log", 0, frames=2)
    for file in (path / "annotations").iterdir():
        file.unlink()
    with pytest.raises(DataError, match="labelled objects"):
        look(talker, [tmp_path], Looking(scenes=False))


def test_a_page_shows_each_object_with_its_answers(tmp_path, drives, talker):
    how = Looking(scenes=False, pictures=True)
    seen = look(talker, [drives], how)
    assert all(one.crop is None for one in seen.objects)
    found = report(talker, seen, how, [drives], parts=("objects",))
    text = write_objects(tmp_path / "page.html", found, seen.objects).read_text()
    assert text.count("<img src='data:image/jpeg;base64,") == len(seen.objects) == text.count("<li>")
    right = sum(told["answers"]["box size alone"] == told["class"] for told in found.listed)
    assert text.count("<div class='path'>box size alone: <b>") == right > 0


def test_a_model_without_a_sweep_tower_is_refused(drives, model):
    with pytest.raises(ModelError, match="no sweep tower"):
        look(model, [drives], Looking())


def test_the_report_is_json_and_markdown(drives, talker):
    how = Looking(apart=0.0)
    found = report(talker, look(talker, [drives], how), how, [drives])
    told = json.loads(json.dumps(found.as_dict(listed=True)))
    assert told["model"] == talker.id
    assert len(told["listed"]) == told["protocol"]["objects"]
    assert told["protocol"]["weights_hash"] == talker.card.weights_hash
    assert told["match"]["pairs"] == 15
    text = found.markdown(listed=True)
    assert text.count("\n| ") > 20
    assert "box size alone" in text


def test_the_command_prints_and_writes(drives, talker, tmp_path, command_line):
    page = tmp_path / "driving.md"
    asked = ("evaluate", "driving", drives, "--model", talker.folder)
    ran = command_line(*asked, "--only", "objects", "--report", page, "--html", tmp_path / "page.html")
    assert ran.returncode == 0
    assert "commonest class" in ran.stdout
    assert "box size alone" in page.read_text()
    assert "data:image/jpeg" in (tmp_path / "page.html").read_text()
    wrong = command_line(*asked, "--only", "all")
    assert wrong.returncode == 2
    assert "objects, match, terms" in wrong.stderr


def test_the_digest_of_the_data_tells_other_labels_and_other_pictures(talker, tmp_path):
    log = write_log(tmp_path / "log", 0, frames=2)

    def digest(**looking: bool) -> str:
        return look(talker, [log], Looking(apart=0.0, **looking)).digest

    first = digest()
    assert digest() == first
    picture, other = sorted((log / "images" / "front").iterdir())
    shutil.copyfile(other, picture)
    second = digest()
    assert second != first
    labels = sorted((log / "annotations").iterdir())[0]
    labels.write_text(labels.read_text().replace('"car"', '"truck"').replace('"pedestrian"', '"car"'))
    assert digest() not in (first, second)


def test_pictures_for_a_page_do_not_change_what_the_crops_say(talker, tmp_path, monkeypatch):
    monkeypatch.setattr("clip3d.evaluation.driving_frames.PICTURE", 4)
    log = write_log(tmp_path / "log", 0, frames=2)
    plain, shown = (
        look(talker, [log], Looking(apart=0.0, crops=True, pictures=pictures)).objects for pictures in (False, True)
    )
    assert len(plain) > 0
    for one, other in zip(plain, shown, strict=True):
        np.testing.assert_array_equal(one.crop, other.crop)
