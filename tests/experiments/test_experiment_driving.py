"""LidarCLIP's experiments from the command line: true-format miniatures, metrics counted by hand."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import published_lidarclip
import pytest
import torch
from driving_bench import write_plain
from experiment_files import slip_checkpoint
from small_files import json_lines
from tiny_clip import DIM

from clip3d.data.driving_prompts import OBJECTS, published_prompts
from clip3d.data.driving_shots import NUSCENES, ONCE, shots_of, terms_of_shot
from clip3d.errors import DataError
from clip3d.experiments.driving_sets import BEAMS, DRAWINGS, ON_ONCE, ON_SIMULATOR, learned_from
from clip3d.experiments.experiment import Bench
from clip3d.experiments.lidarclip_retrieval import CLASSES
from clip3d.joint_rules import RULES
from clip3d.lidar.box_pooling import pool_box
from clip3d.lidar.boxes import moved
from clip3d.lidar.reading import read_log
from clip3d.lidar.views import views
from clip3d.models.model import Model


def by_hand(model: Model, logs: list[Path], definition, by: str, k: int = 10) -> dict[str, float]:
    """P@K of each term, from the towers alone, a slow and plain way."""
    shots = [shot for path in logs for shot in shots_of(read_log(path), definition)]
    sweeps, pictures = [], []
    for shot in shots:
        (view,) = views(shot.load(), cameras=[shot.camera])
        sweeps.append(model.encode_sweeps([view.frustum], normalize=False)[0])
        pictures.append(model.encode_images([view.image], normalize=False)[0])
    vectors = {"lidar": np.stack(sweeps), "image": np.stack(pictures)}
    vectors["joint"] = vectors["lidar"] + vectors["image"]
    mean, found = model.space.mean, {}
    for term in definition.terms():
        rows = [i for i, shot in enumerate(shots) if term in terms_of_shot(shot, definition)]
        truth = np.array([terms_of_shot(shots[i], definition)[term] for i in rows])
        if not truth.any():
            continue
        texts = model.encode_texts(published_prompts(term))
        query = texts.mean(0) / np.linalg.norm(texts.mean(0)) - mean
        own = vectors[by][rows]
        centred = own / np.linalg.norm(own, axis=1, keepdims=True) - mean
        scores = (centred @ query) / np.linalg.norm(centred, axis=1)
        order = sorted(range(len(rows)), key=lambda i: -scores[i])
        found[term] = sum(truth[i] for i in order[:k]) / min(k, truth.sum())
    return found


@pytest.mark.parametrize("by", ["lidar", "image", "joint"])
def test_retrieval_on_the_simulators_logs_is_as_counted_by_hand(run, place, talker, by) -> None:
    row = run("lidarclip-table2", f"simulator/mine/{by}")[f"simulator/mine/{by}"]
    wanted = by_hand(talker, sorted((place / "data/driving/held-out").iterdir()), ONCE, by)
    told = row["runs"][0]["protocol"]
    assert told["terms"] == list(wanted)
    assert {"night", "busy street"} & set(wanted)
    assert row["measured"] == pytest.approx(100 * np.mean(list(wanted.values())))
    also = row["runs"][0]["also"]
    objects = [wanted[kind] for kind in ONCE.kinds if kind in wanted]
    assert also["objects P@10"] == pytest.approx(100 * np.mean(objects))
    assert also["P@100"] == 100, "all sixteen scenes are among the hundred best"
    assert told["weights"] == talker.card.weights_hash


def test_retrieval_on_once_takes_labelled_frames_of_val_and_weather_of_test_too(run, place, talker) -> None:
    rows = run("lidarclip-table2", "once/mine/lidar,once/mine/joint")
    wanted = by_hand(talker, [place / f"data/ONCE/data/{n:06d}" for n in range(3)], ONCE, "lidar")
    row = rows["once/mine/lidar"]
    assert row["measured"] == pytest.approx(100 * np.mean(list(wanted.values())))
    told = row["runs"][0]["protocol"]
    assert told["data"] == "ONCE: 3 drives, 12 frames and cameras, 9 of them labelled"
    assert row["runs"][0]["n"] == 12, "light and weather are known of frames that nobody labelled"


def test_a_run_that_is_repeated_is_kept_and_other_experiments_find_the_vectors(run, tmp_path, command_line) -> None:
    first = run("lidarclip-table2", "simulator/mine/lidar")
    again = run("lidarclip-table2", "simulator/mine/lidar")
    assert first == again
    near = run("lidarclip-cutoffs", "simulator/mine/*/lidar")
    assert len(near) == 4
    farther = [row["runs"][0]["also"]["chance"] for row in near.values()]
    assert farther == sorted(farther), "what is farther away is nearby more often"
    told = near["simulator/mine/25m/lidar"]["runs"][0]["protocol"]
    assert "nearby within 25 m" in told["definitions"]
    assert all(term.startswith("nearby ") for term in told["terms without a positive"] or ())


def test_each_term_has_a_row_of_its_own(run, place, talker) -> None:
    rows = run("lidarclip-classes", "simulator/mine/*/lidar", code=1)
    wanted = by_hand(talker, sorted((place / "data/driving/held-out").iterdir()), ONCE, "lidar")
    for term, value in wanted.items():
        row = rows[f"simulator/mine/{term.replace(' ', '-')}/lidar"]
        assert row["measured"] == pytest.approx(100 * value)
    assert "true of none" in rows["simulator/mine/bus/lidar"]["problem"]


def test_it_is_told_in_how_many_terms_both_sensors_are_ahead() -> None:
    values = {
        "once/a/car/lidar": (50.0,), "once/a/car/image": (60.0,), "once/a/car/joint": (60.0,),
        "once/a/bus/lidar": (50.0,), "once/a/bus/image": (60.0,), "once/a/bus/joint": (55.0,),
        "once/a/truck/joint": (90.0,),
    }  # fmt: skip
    assert CLASSES.conclude(values) == ["once/a: joint is not below the better single sensor in 1 of 2 terms"]


def test_published_numbers_stand_beside(run, place, command_line) -> None:
    rows = run("lidarclip-table2", "once/lidarclip-l14/joint", code=1)
    row = rows["once/lidarclip-l14/joint"]
    assert row["published"]["value"] == 94.4
    assert row["also_published"]["P@100"]["value"] == 87.6
    assert row["also_published"]["nearby P@10"]["value"] == 90
    assert row["lacking"] == ["lidarclip-l14", "clip-vit-l-14"]


def test_a_model_without_a_sweep_tower_is_told(place, bundle, tmp_path, command_line) -> None:
    where = ["--data", place / "data", "--weights", place, "--out", tmp_path / "out", "--model", f"flat={bundle}"]
    done = command_line("experiment", "lidarclip-table2", *where, "--only", "simulator/flat/*", "--json")
    assert done.returncode == 1
    rows = {row["row"]: row for row in json_lines(done.stdout)}
    assert "has no sweep tower" in rows["simulator/flat/lidar"]["problem"]
    assert rows["simulator/flat/image"]["measured"] is not None


def test_a_frame_that_cannot_be_read_is_left_out(tmp_path, talker, command_line) -> None:
    logs = write_plain(tmp_path / "data" / "driving" / "held-out", logs=2)
    (logs / "log-0" / "clouds").glob("*")
    sorted((logs / "log-0" / "clouds").iterdir())[0].write_bytes(b"no cloud")
    where = ["--data", tmp_path / "data", "--out", tmp_path / "out", "--model", f"mine={talker.folder}"]
    done = command_line("experiment", "lidarclip-table2", *where, "--only", "simulator/mine/lidar", "--json")
    assert done.returncode == 0
    assert json_lines(done.stdout)[0]["runs"][0]["n"] == 7


def test_nuscenes_is_its_validation_scenes(run, place, talker) -> None:
    rows = run("lidarclip-cutoffs", "nuscenes/mine/20m/lidar")
    row = rows["nuscenes/mine/20m/lidar"]
    assert row["runs"][0]["protocol"]["data"].startswith("nuScenes: 1 drives, 3 frames")
    log = read_log(place / "data" / "nuScenes")
    shots = [shot for shot in shots_of(log, NUSCENES) if shot.drive.endswith("scene-0003")]
    truths = [terms_of_shot(shot, NUSCENES) for shot in shots]
    counts = [sum(truth[f"nearby {kind}"] for truth in truths) for kind in NUSCENES.kinds]
    chances = [count / 3 for count in counts if count]
    assert row["runs"][0]["also"]["chance"] == pytest.approx(100 * np.mean(chances))


def test_objects_are_named_from_cells_crops_and_both(run, place, talker) -> None:
    rows = run("lidarclip-table1", "simulator/mine/*,simulator/size,simulator/chance")
    logs = sorted((place / "data/driving/held-out").iterdir())
    shots = [shot for path in logs for shot in shots_of(read_log(path), ONCE)]
    truth, cells = [], []
    for shot in shots:
        (view,) = views(shot.load(), cameras=[shot.camera])
        dense = talker.encode_sweeps([view.frustum], normalize=False, dense=True).cells[0]
        for thing in shot.things:
            pixel = view.camera.project(view.camera.to_camera(thing.box.center[None]))[0]
            if not (24 <= pixel[0] < 72 and 0 <= pixel[1] < 48) or thing.box.center[0] > 40:
                continue
            truth.append(ONCE.kinds.index(thing.kind))
            cells.append(pool_box(dense, moved(thing.box, view.frustum.frustum_from_lidar)).vector)
    words = [talker.encode_texts([one.replace("{}", kind) for one in OBJECTS]).mean(0) for kind in ONCE.kinds]
    answers = talker.space.similarity(np.stack(cells), np.stack(words)).argmax(1)
    right = answers == np.array(truth)
    row = rows["simulator/mine/cells"]
    assert row["runs"][0]["n"] == len(truth) > 20
    assert row["runs"][0]["also"]["instance mean"] == pytest.approx(100 * right.mean())
    kinds = sorted(set(truth))
    each = [right[np.array(truth) == kind].mean() for kind in kinds]
    assert row["measured"] == pytest.approx(100 * np.mean(each))
    assert rows["simulator/size"]["measured"] == 100, "the doubles' cars, trucks and people differ in size"
    assert rows["simulator/chance"]["measured"] == pytest.approx(100 / len(kinds))
    others = ("image-crops", "joint", "cells-by-points", "joint-by-points")
    assert {f"simulator/mine/{way}" for way in others} < set(rows)


def test_points_as_depth_maps_are_baselines_on_boxes_and_scenes(run) -> None:
    boxes = run("lidarclip-table1", "simulator/pointclip-mine/boxes,simulator/clip2point-mine/boxes")
    assert {row["runs"][0]["protocol"]["prompts"][0] for row in boxes.values()} == {
        "point cloud depth map of a {}.", "image of a {}"
    }  # fmt: skip
    scenes = run("lidarclip-table2", "simulator/pointclip-mine/cloud,simulator/clip2point-mine/cloud")
    assert all(row["measured"] is not None for row in scenes.values())


def test_clip2point_is_tuned_on_driving_once_for_boxes_and_scenes(run, recipes) -> None:
    more = ("--recipes", recipes, "--steps", 2)
    (scene,) = run("lidarclip-table2", "simulator/clip2point-tuned-mine/*", *more).values()
    assert scene["cells"][2] == "depth"
    assert scene["runs"][0]["n"] == 16
    (box,) = run("lidarclip-table1", "simulator/clip2point-tuned-mine/*", *more).values()
    assert box["runs"][0]["protocol"]["vector"] == "points in its box as a cloud"


def test_losses_are_compared_by_training_from_the_same_frusta(run, recipes) -> None:
    rows = run("lidarclip-table3", "simulator/mine/*", "--recipes", recipes, "--steps", 2, "--seeds", 1)
    assert [name.rpartition("/")[2] for name in rows] == ["mse", "cosine", "contrastive", "mse-words"]
    hashes = {row["runs"][0]["protocol"]["weights"] for row in rows.values()}
    assert len(hashes) == 4
    assert all("joint P@10" in row["runs"][0]["also"] for row in rows.values())
    again = run("lidarclip-table3", "simulator/mine/*", "--recipes", recipes, "--steps", 2, "--seeds", 1)
    assert again == rows


def test_once_trains_on_what_is_not_held_out(place) -> None:
    bench = Bench(place / "data", place / "weights", place / "out")
    assert learned_from(bench, ON_ONCE) == (place / "data" / "ONCE", ("data/000003",))
    assert learned_from(bench, ON_SIMULATOR) == (place / "data" / "driving", ("train",))


def test_nothing_trains_on_once_where_it_is_not_told_what_is_held_out(place, tmp_path) -> None:
    shutil.copytree(place / "data" / "ONCE" / "data", tmp_path / "ONCE" / "data")
    with pytest.raises(DataError, match=r"not told which of its sequences are held out.*ImageSets"):
        learned_from(Bench(tmp_path, tmp_path / "weights", tmp_path / "out"), ON_ONCE)


def test_every_joint_rule_is_a_row(run, talker) -> None:
    rows = run("lidarclip-table4", "simulator/mine/*")
    assert [name.rpartition("/")[2] for name in rows] == ["image", "lidar", *RULES]
    joint = run("lidarclip-table2", "simulator/mine/joint")["simulator/mine/joint"]
    assert rows["simulator/mine/features"]["measured"] == joint["measured"]
    assert rows["simulator/mine/lidar-first"]["runs"][0]["protocol"]["proposed"] == [16]
    published = run("lidarclip-table4", "once/lidarclip-l14/scores", code=1)["once/lidarclip-l14/scores"]
    assert (published["published"]["value"], published["also_published"]["P@100"]["value"]) == (91.9, 87.4)


def test_transfer_is_measured_on_every_set_that_is_there(run, place) -> None:
    for sensor in BEAMS:
        write_plain(place / "data" / "driving" / "beams" / sensor, logs=1, frames=2)
    rows = run("lidarclip-table5", "*/mine/lidar")
    assert set(rows) == {
        f"{name}/mine/lidar" for name in ("nuscenes", "once", "simulator", *(f"beams-{s}" for s in BEAMS))
    }
    assert rows["beams-vlp-16/mine/lidar"]["runs"][0]["n"] == 2
    published = run("lidarclip-table5", "nuscenes/lidarclip-nuscenes/joint", code=1)
    assert published["nuscenes/lidarclip-nuscenes/joint"]["published"]["value"] == 81


def test_simulated_logs_are_drawn_where_none_are_brought(tmp_path, talker, command_line, monkeypatch) -> None:
    pytest.importorskip("embreex")
    small = {need: replace(drawing, logs=1, frames=2) for need, drawing in DRAWINGS.items()}
    monkeypatch.setattr("clip3d.experiments.driving_sets.DRAWINGS", small)
    where = ["--data", tmp_path / "data", "--out", tmp_path / "out", "--model", f"mine={talker.folder}"]
    asked = ("experiment", "lidarclip-table2", *where, "--only", "simulator/mine/image", "--json")
    done = command_line(*asked)
    assert done.returncode == 0, done.stderr
    assert json_lines(done.stdout)[0]["runs"][0]["n"] == 2
    assert (tmp_path / "data" / "driving" / "held-out").is_dir()
    assert json_lines(command_line(*asked).stdout)[0] == json_lines(done.stdout)[0]


def test_published_checkpoints_are_measured_beside_their_clip(run, place, tmp_path) -> None:
    slip_checkpoint(place / "weights" / "clip-vit-b-32")
    state = published_lidarclip.checkpoint(dim=DIM)
    torch.save({"state_dict": state, "epoch": 0}, place / "weights" / "lidarclip-b32.ckpt")
    rows = run("lidarclip-table2", "once/lidarclip-b32/*,once/pointclip-clip-b32/cloud")
    (folder,) = (tmp_path / "out" / "models").glob("lidarclip-b32-*")
    wanted = by_hand(Model(folder), [place / f"data/ONCE/data/{n:06d}" for n in range(3)], ONCE, "joint")
    assert rows["once/lidarclip-b32/joint"]["measured"] == pytest.approx(100 * np.mean(list(wanted.values())))
    assert rows["once/lidarclip-b32/lidar"]["also_published"]["P@100"]["value"] == 81
    assert rows["once/pointclip-clip-b32/cloud"]["published"]["value"] == 24.4
