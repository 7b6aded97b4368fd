"""`classify`, `embed`, `evaluate`, `models`: exit codes, JSON, and what is said of bad input."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from recording_files import KIND, POINTS, message, write_db3
from small_files import box, json_lines, make_bundle, write_off
from tower_doubles import DIM

from clip3d.models.checking import phrases_as_bytes, record_golden
from clip3d.models.model import Model
from clip3d.models.weights import sha256_of, write_json


def test_classify_gives_a_label_and_probabilities_for_each_file(run_cli, assets: Path, tmp_path: Path):
    (assets / "bad.ply").write_text("ply\nnonsense")
    done = run_cli("classify", assets, "--labels", "tall, flat,red,blue", "--json")
    assert done.returncode == 1, done.stderr
    assert f"{assets / 'bad.ply'}: " in done.stderr
    answers = {Path(answer["path"]).name: answer for answer in json_lines(done.stdout)}
    assert {name: answer["label"] for name, answer in answers.items()} == {
        "tall.off": "tall",
        "flat.off": "flat",
        "red.obj": "red",
        "blue.obj": "blue",
    }
    answer = answers["tall.off"]
    assert set(answer) == {"path", "label", "probability", "scores", "model", "templates"}
    assert sum(answer["scores"].values()) == pytest.approx(1, abs=1e-4)
    assert answer["scores"]["tall"] == answer["probability"] == max(answer["scores"].values())
    assert answer["templates"] == ["a {} thing"]

    labels = tmp_path / "labels.txt"
    labels.write_text("tall\n\nflat\n", encoding="utf-8")
    done = run_cli("classify", assets / "tall.off", "--labels", f"@{labels}", "--template", "{}")
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].split()[1] == "tall"
    assert "prompts: {}" in done.stderr


def test_classify_wants_labels_to_choose_between(run_cli, assets: Path):
    for labels, hint in [("chair", "two labels"), ("@nowhere.txt", "nowhere.txt"), (",", "two labels")]:
        done = run_cli("classify", assets, "--labels", labels)
        assert (done.returncode, done.stdout) == (2, "")
        assert hint in done.stderr
    assert run_cli("classify", assets / "tall.off", "--labels", "a,b", "--template", "no place").returncode == 2


def test_files_in_a_zip_file_are_found_by_its_uri(run_cli, assets: Path, tmp_path: Path):
    pytest.importorskip("fsspec")
    packed = tmp_path / "assets.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("tall.off", "flat.off"):
            archive.write(assets / name, f"deep/{name}")
    done = run_cli("embed", f"zip://::{packed}", "-o", tmp_path / "vectors.npz")
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "vectors.npz", allow_pickle=False) as arrays:
        assert arrays["paths"].tolist() == [f"zip://deep/{name}::{packed}" for name in ("flat.off", "tall.off")]
    done = run_cli("search", "--like", f"zip://deep/tall.off::{packed}", f"zip://deep::{packed}", "--json")
    assert done.returncode == 0, done.stderr
    assert [Path(hit["path"]).name for hit in json_lines(done.stdout)] == ["assets.zip"]
    done = run_cli("embed", "nosuch://bucket/a.ply", "-o", tmp_path / "none.npz")
    assert done.returncode != 0
    assert "nosuch://bucket/a.ply: " in done.stderr


def test_the_cloud_of_a_recording_is_chosen_by_topic_and_message(run_cli, tmp_path: Path):
    path, out = tmp_path / "a.db3", tmp_path / "v.npz"
    write_db3(path, [(1, 1, message()), (2, 2, message()), (2, 3, message(POINTS * (9, 1, 1)))], (KIND, KIND))

    def vector(*options: object) -> np.ndarray:
        done = run_cli("embed", path, "-o", out, *options)
        assert done.returncode == 0, done.stderr
        with np.load(out, allow_pickle=False) as arrays:
            return arrays["vectors"][0]

    first = vector()
    np.testing.assert_array_equal(vector("--topic", "/topic2"), first)
    assert not np.allclose(vector("--topic", "/topic2", "--message", 1), first, atol=1e-3)
    for command in (("search", "a thing", path), ("classify", path, "--labels", "chair,table")):
        assert run_cli(*command, "--topic", "/topic2", "--message", 1).returncode == 0
        done = run_cli(*command, "--message", 1)
        assert done.returncode == 1
        assert "choose a message from 0 to 0" in done.stderr


def test_embed_writes_vectors_that_numpy_reads(run_cli, assets: Path, tmp_path: Path):
    (assets / "bad.stl").write_bytes(b"solid")
    out = tmp_path / "vectors.npz"
    done = run_cli("embed", assets, "-o", out, "--json")
    assert done.returncode == 1
    assert str(assets / "bad.stl") in done.stderr
    (record,) = json_lines(done.stdout)
    assert (record["n"], record["failed"], record["space"]) == (4, 1, "test-space")
    with np.load(out, allow_pickle=False) as arrays:
        assert set(arrays.files) == {"paths", "vectors", "space", "model", "weights"}
        assert arrays["vectors"].shape == (4, DIM)
        assert arrays["vectors"].dtype == np.float32
        assert str(assets / "tall.off") in arrays["paths"].tolist()
        assert str(arrays["model"]) == record["model"]

    nothing = run_cli("embed", assets / "bad.stl", "-o", tmp_path / "none.npz")
    assert nothing.returncode == 1
    assert not (tmp_path / "none.npz").exists(), "no file without vectors"


def test_evaluate_zero_shot_reports_numbers_with_their_protocol(run_cli, tmp_path: Path):
    rng = np.random.default_rng(0)
    points = rng.random((4, 100, 3)).astype(np.float32) * np.float32([1, 1, 9])
    path = tmp_path / "clouds.npz"
    split = np.array(["test", "test", "test", "train"])
    np.savez(
        path, points=points, labels=np.array([0, 0, 1, 1]), classes=np.array(["tall", "flat"]), up="z", split=split
    )
    done = run_cli("evaluate", "zero-shot", "--clouds", path, "--split", "test", "--json")
    assert done.returncode == 0, done.stderr
    (report,) = json_lines(done.stdout)
    assert {"accuracy", "top5", "class_mean", "per_class", "confusion", "n", "protocol", "model"} == set(report)
    assert (report["n"], report["accuracy"], report["class_mean"]) == (3, pytest.approx(2 / 3), 0.5)
    assert report["per_class"] == {"tall": 1.0, "flat": 0.0}

    table = run_cli("evaluate", "zero-shot", "--clouds", path)
    assert "accuracy 50.00 %, class mean 50.00 %, n 4" in table.stdout
    wrong = run_cli("evaluate", "zero-shot", "--clouds", path, "--split", "tset")
    assert wrong.returncode == 1
    assert "splits in the file: test, train" in wrong.stderr


def test_evaluate_takes_class_folders_and_tells_damaged_files(run_cli, tmp_path: Path):
    for name, size in {"tall": (1, 1, 9), "flat": (9, 9, 1)}.items():
        (tmp_path / "set" / name / "test").mkdir(parents=True)
        write_off(tmp_path / "set" / name / "test" / "1.off", box(*size))
    (tmp_path / "set" / "flat" / "test" / "2.off").write_text("OFF")
    done = run_cli("evaluate", "zero-shot", "--clouds", tmp_path / "set", "--split", "test", "--json")
    assert done.returncode == 1
    assert "2.off" in done.stderr
    assert "1 failed, 2 done" in done.stderr
    (report,) = json_lines(done.stdout)
    assert (report["n"], report["accuracy"]) == (2, 1.0)
    assert (report["protocol"]["format"], report["protocol"]["unreadable"]) == ("class folders", 1)
    options = ("--clouds", tmp_path / "set", "--split", "test", "--only", "noise", "--quiet")
    assert run_cli("evaluate", "robustness", *options).returncode == 1


def golden_bundle(folder: Path) -> Path:
    """A bundle with recorded vectors."""
    make_bundle(folder)
    model = Model(folder)
    rng = np.random.default_rng(0)
    inputs = {
        "text.phrases": phrases_as_bytes(["a tall thing", "a red thing"]),
        "image.pixels": rng.integers(0, 255, (2, 20, 20, 3), dtype=np.uint8),
        "cloud.points": rng.random((2, 200, 3)).astype(np.float32),
        "cloud.colors": rng.random((2, 200, 3)).astype(np.float32),
    }
    golden = record_golden(model, inputs, folder / "golden.safetensors")
    write_json({**model.card.raw, "golden": {golden.name: sha256_of(golden)}}, folder / "card.json")
    return folder


def test_models_are_listed_shown_and_checked(run_cli, tmp_path: Path):
    folder = golden_bundle(tmp_path / "model")
    assert run_cli("models").returncode == 0
    (card,) = json_lines(run_cli("models", "show", folder, "--json").stdout)
    assert card["limits"] == ["It knows five words."]
    assert "It knows five words." in run_cli("models", "show", folder).stdout

    checks = json_lines(run_cli("models", "check", folder, "--json").stdout)
    assert all(check["passed"] for check in checks)
    assert {"text vectors", "image vectors", "cloud vectors", "tower.safetensors"} <= {c["check"] for c in checks}

    (folder / "tower.safetensors").write_bytes(b"damaged")
    damaged = run_cli("models", "check", folder)
    assert damaged.returncode == 1
    assert "DAMAGED" in damaged.stdout
    unknown = run_cli("models", "show", "no-such-model")
    assert unknown.returncode == 2
    assert "there is no such model" in unknown.stderr


def test_models_check_notices_vectors_that_differ(run_cli, tmp_path: Path, monkeypatch):
    folder = golden_bundle(tmp_path / "model")
    monkeypatch.setitem(__import__("tower_doubles").WORDS, "tall", [0, 1, 0, 0, 0])
    checks = {c["check"]: c["passed"] for c in json_lines(run_cli("models", "check", folder, "--json").stdout)}
    assert checks["text vectors"] is False
    assert checks["cloud vectors"] is True
