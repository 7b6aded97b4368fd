"""LidarCLIP's experiments from the command line: true-format miniatures, metrics counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from driving_bench import write_nuscenes, write_once, write_plain
from small_files import json_lines
from sweep_bundles import TINY, sweep_bundle

from clip3d.data.driving_prompts import published_prompts
from clip3d.data.driving_shots import NUSCENES, ONCE, shots_of, terms_of_shot
from clip3d.lidar.reading import read_log
from clip3d.lidar.views import views
from clip3d.models.model import Model


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    write_plain(folder / "data" / "driving" / "held-out")
    write_plain(folder / "data" / "driving" / "train", logs=2)
    write_once(folder / "data" / "ONCE")
    write_nuscenes(folder / "data" / "nuScenes")
    return folder


@pytest.fixture(scope="module")
def talker(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model with text, image, cloud and sweep towers."""
    return sweep_bundle(tmp_path_factory.mktemp("talker"), **TINY)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.getbasetemp() / "driving-cache"
    folder.mkdir(exist_ok=True)
    monkeypatch.setenv("CLIP3D_CACHE", str(folder))


@pytest.fixture
def run(place: Path, talker: Model, tmp_path: Path, command_line):
    """Runs an experiment; gives its rows by name."""

    def ran(name: str, only: str, *more: object, code: int = 0) -> dict[str, dict]:
        where = ["--data", place / "data", "--weights", place / "weights", "--out", tmp_path / "out"]
        models = ["--model", f"mine={talker.folder}"]
        done = command_line("experiment", name, *where, *models, "--only", only, "--json", *more)
        assert done.returncode == code, done.stderr
        return {row["row"]: row for row in json_lines(done.stdout)}

    return ran


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
    assert "within 25 m" in near["simulator/mine/25m/lidar"]["runs"][0]["protocol"]["nearby"]


def test_each_term_has_a_row_of_its_own(run, place, talker) -> None:
    rows = run("lidarclip-classes", "simulator/mine/*/lidar", code=1)
    wanted = by_hand(talker, sorted((place / "data/driving/held-out").iterdir()), ONCE, "lidar")
    for term, value in wanted.items():
        row = rows[f"simulator/mine/{term.replace(' ', '-')}/lidar"]
        assert row["measured"] == pytest.approx(100 * value)
    assert "true of none" in rows["simulator/mine/bus/lidar"]["problem"]


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
