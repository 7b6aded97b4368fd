"""Table 1 from the command line: a tiny SLIP and CG3D in their published layouts, an own model, one set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from experiment_files import cg3d_checkpoint, labelled, slip_checkpoint
from small_files import json_lines

from clip3d.clouds.cloud import PointCloud
from clip3d.data.labelled_clouds import read_labelled
from clip3d.experiments.experiment import Bench
from clip3d.experiments.given_models import blank_model
from clip3d.models.clip_converting import convert_clip
from clip3d.models.encoder_checkpoints import load_encoder
from clip3d.models.model import Model
from clip3d.models.viewing import view_clouds
from clip3d.spaces import unit

SHAPES = ["tall", "flat", "flat", "tall", "flat", "tall"]
LABELS = ["tall", "flat", "flat", "tall", "tall", "tall"]  # the last flat one is labelled wrongly
SPLITS = ["test"] * 5 + ["train"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    labelled(folder / "data" / "modelnet10" / "modelnet10.npz", SHAPES, LABELS, SPLITS)
    slip_checkpoint(folder / "weights" / "slip")
    cg3d_checkpoint(folder / "weights" / "cg3d-point-transformer.pth")
    return folder


def words(place: Path, *more: object) -> list[object]:
    where = ["--data", place / "data", "--weights", place / "weights", "--out", place / "out"]
    return ["experiment", "cg3d-table1", *where, *more]


def test_own_models_are_measured_and_kept(place: Path, bundle: Path, command_line) -> None:
    wanted = words(place, "--model", f"mine={bundle}", "--only", "mine/modelnet10/*")
    done = command_line(*wanted, "--json")
    assert done.returncode == 0, done.stderr
    ours, card = json_lines(done.stdout)
    assert ours["row"] == "mine/modelnet10/ours"
    assert ours["measured"] == card["measured"] == 80.0
    assert ours["runs"][0]["n"] == 5
    assert ours["runs"][0]["also"]["class mean"] == pytest.approx(100 * (2 / 3 + 1) / 2)
    told = ours["runs"][0]["protocol"]
    assert (told["prompts"], told["split"], told["points"]) == (["This is a {}"], "test", 128)
    assert told["weights"] == Model(bundle).card.weights_hash
    again = command_line(*wanted)
    assert "2 runs kept" in again.stderr
    assert "80.0" in again.stdout
    assert "80.0" in (place / "out" / "report.md").read_text()


def test_published_checkpoints_give_what_their_towers_give_by_hand(place: Path, command_line) -> None:
    done = command_line(*words(place, "--only", "cg3d-point-transformer/modelnet10/*", "--json"))
    assert done.returncode == 0, done.stderr
    ours, published = json_lines(done.stdout)
    assert ours["published"] == {"value": 67.3, "spread": None, "mark": "published"}

    slip = convert_clip(place / "weights" / "slip", place / "slip").model
    tower = load_encoder(place / "weights" / "cg3d-point-transformer.pth").tower
    data = read_labelled(place / "data" / "modelnet10" / "modelnet10.npz", "test")
    clouds = np.concatenate([_vector(tower, cloud) for cloud in data.clouds()])
    texts = slip.encode_texts([f"This is a {name}" for name in data.classes], normalize=False)
    for row, scores in ((ours, clouds @ unit(texts).T), (published, clouds @ texts.T)):
        assert row["measured"] == 100 * (scores.argmax(1) == data.labels).mean()


def _vector(tower, cloud) -> np.ndarray:
    import torch

    from clip3d.models.preprocess import CloudPreprocess

    xyz, colors = (torch.from_numpy(a)[None] for a in CloudPreprocess(points=1024)(cloud))
    with torch.inference_mode():
        return unit(tower(xyz, colors).numpy())


def test_without_data_it_says_what_it_needs_and_where_it_looked(tmp_path: Path, command_line) -> None:
    done = command_line(*words(tmp_path))
    assert done.returncode == 1
    assert "lacks cg3d-point-mlp, modelnet40" in done.stdout.replace("slip, ", "")
    assert str(tmp_path / "data" / "modelnet40.npz") in done.stderr
    assert "the links in the README of CG3D's repository" in done.stderr
    assert "22 rows were not measured" in done.stderr
    assert "lacks slip" in (tmp_path / "out" / "report.md").read_text()
    dry = command_line(*words(tmp_path, "--dry-run"))
    assert dry.returncode == 0
    assert "looked for" in dry.stderr


def test_a_dry_run_says_what_would_be_done_and_does_nothing(place: Path, bundle: Path, tmp_path, command_line):
    more = ["--model", f"mine={bundle}", "--out", tmp_path / "new"]
    done = command_line(*words(place, *more), "--dry-run", "--json")
    states = {record["row"]: record for record in json_lines(done.stdout)}
    assert states["mine/modelnet10/ours"] == {"row": "mine/modelnet10/ours", "lacking": [], "runs": 1, "kept": 0}
    assert states["mine/modelnet40/ours"]["lacking"] == ["modelnet40"]
    assert not (tmp_path / "new").exists()


def test_the_list_and_wrong_words(command_line, tmp_path: Path) -> None:
    listed = command_line("experiment", "--json")
    assert json.loads(listed.stdout.splitlines()[0])["experiment"] == "cg3d-table1"
    listed_plainly = command_line("experiment").stdout
    assert "zero-shot classification: CLIP goes 3D (Hegde et al. 2023), table 1" in listed_plainly
    assert command_line("experiment", "cg3d-table9").returncode == 2
    assert command_line(*words(tmp_path, "--only", "none/*")).returncode == 2
    assert command_line(*words(tmp_path, "--model", "nameless")).returncode == 2




def test_pointclip_looks_at_depth_maps_with_any_clip(place: Path, tmp_path: Path, command_line) -> None:
    slip_checkpoint(place / "weights" / "clip")
    done = command_line(*words(place, "--only", "pointclip/modelnet10/card", "--json"))
    assert done.returncode == 0, done.stderr
    (row,) = json_lines(done.stdout)
    assert row["published"]["value"] == 30.2
    assert row["runs"][0]["protocol"]["prompts"] == ["point cloud depth map of a {}."]
    model = view_clouds(convert_clip(place / "weights" / "clip", tmp_path / "clip").model, tmp_path / "viewing")
    data = read_labelled(place / "data" / "modelnet10" / "modelnet10.npz", "test")
    scores = model.encode_clouds(data.clouds()) @ model.label_vectors(data.classes).T
    assert row["measured"] == 100 * (scores.argmax(1) == data.labels).mean()


def test_a_blank_model_is_made_once_and_tells_an_architecture(tmp_path: Path) -> None:
    bench = Bench(tmp_path, tmp_path, tmp_path / "out")
    made = blank_model(bench, "set-abstraction")
    cloud = PointCloud(np.random.default_rng(0).normal(size=(90, 3)).astype(np.float32), up="z")
    assert made.encode_clouds([cloud]).shape == (1, 512)
    again = blank_model(Bench(tmp_path, tmp_path, tmp_path / "out"), "set-abstraction")
    assert again.card.weights_hash == made.card.weights_hash
