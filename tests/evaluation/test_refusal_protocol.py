"""Refusal: measured and fitted on a small library, from Python and from the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_files import json_lines, make_bundle

from clip3d.clouds.cloud import PointCloud
from clip3d.data.library import Entry, make_library
from clip3d.errors import DataError, ModelError, ShapeError
from clip3d.evaluation.library_part import read_part
from clip3d.evaluation.refusal import background_nouns, fit_refusal, measure_refusal, run_trials, write_refusal
from clip3d.models.model import Model
from clip3d.models.weights import write_json

COLORS = {"red": (0.9, 0.1, 0.1), "blue": (0.1, 0.1, 0.9)}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Six held-out objects, tall or flat, and captions of others: three colours a word of no meaning."""
    rng = np.random.default_rng(0)
    entries = []
    for number in range(6):
        stretch = [1, 1, 6] if number % 2 else [4, 4, 0.3]
        cloud = PointCloud(rng.uniform(-1, 1, (300, 3)) * stretch, up="z")
        caption = "tall" if number % 2 else "flat"
        entries.append(Entry(cloud, (caption,), f"held/{number}", "here", "CC0-1.0"))
    cloud = PointCloud(rng.uniform(-1, 1, (300, 3)), up="z")
    words = tuple(f"{color} {word}" for color in ("red", "green", "blue") for word in "abcdefgh")
    entries.append(Entry(cloud, words, "train/0", "here", "CC0-1.0"))
    made = make_library(entries, held_out_share=0, points=128)
    made.held_out[:6] = True
    made.save(tmp_path / "library.npz")
    return tmp_path / "library.npz"


def test_lists_with_the_name_are_told_from_lists_without(model: Model, library: Path):
    fitted, report = fit_refusal(model, read_part([library]), lists=4)
    assert (report.n, report.accuracy) == (6, 1.0)
    assert report.auroc == report.auroc_right == 1.0
    assert report.refused == 1.0
    assert report.kept >= 0.5
    assert report.wrong_refused is None
    assert report.protocol["part"] == "held out"
    assert report.protocol["captions"] == 26
    assert 0 < fitted.threshold < 1
    assert fitted.slope > 0


def test_lists_follow_from_the_seed(model: Model, library: Path):
    background = model.label_vectors(background_nouns())
    first, again, other = (
        run_trials(model, read_part([library]), background, labels=10, lists=3, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.unrelated, again.unrelated)
    assert (first.unrelated != other.unrelated).any()


def test_what_was_fitted_is_written_into_the_card_and_measured_from_there(library: Path, tmp_path: Path):
    model = Model(make_bundle(tmp_path / "m"))
    part = read_part([library])
    with pytest.raises(ModelError, match="cannot tell"):
        measure_refusal(model, part)
    fitted, report = fit_refusal(model, part, lists=4)
    table = write_refusal(model, fitted, report)
    again = Model(tmp_path / "m")
    assert again.id == model.id
    assert again.card.refusal == table
    assert again.refusal.threshold == pytest.approx(fitted.threshold, abs=1e-4)
    measured = measure_refusal(again, part, lists=4)
    assert measured.auroc == report.auroc
    assert measured.protocol["rates"] == "at the card's threshold"


def test_a_stop_at_any_moment_leaves_a_whole_model(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = make_bundle(tmp_path / "m")
    model = Model(folder)
    fitted, report = fit_refusal(model, read_part([library]), lists=4)
    first = write_refusal(model, fitted, report)
    other = replace(fitted, background=fitted.background[:400])

    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("clip3d.evaluation.refusal.write_json", stop)
        with pytest.raises(KeyboardInterrupt):
            write_refusal(Model(folder), other, report)
    assert len(Model(folder).refusal.background) == 500
    with monkeypatch.context() as patch:
        patch.setattr("clip3d.evaluation.refusal.write_json", lambda *a: stop(write_json(*a)))
        with pytest.raises(KeyboardInterrupt):
            write_refusal(Model(folder), other, report)
    assert len(Model(folder).refusal.background) == 400
    second = write_refusal(Model(folder), other, report)
    assert len(Model(folder).refusal.background) == 400
    assert second["background"] == f"background-{second['sha256'][:12]}.safetensors" != first["background"]
    assert [path.name for path in folder.glob("background*")] == [second["background"]]
    write_refusal(Model(folder), other, report)
    assert len(Model(folder).refusal.background) == 400


def test_a_file_that_no_refusal_wrote_is_left_alone(library: Path, tmp_path: Path):
    folder = make_bundle(tmp_path / "m")
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    table = {"background": "space.safetensors", "sha256": "0" * 64, "threshold": 0.5}
    write_json({**card, "refusal": table}, folder / "card.json")
    model = Model(folder)
    write_refusal(model, *fit_refusal(model, read_part([library]), lists=4))
    assert Model(folder).refusal
    assert (folder / "space.safetensors").exists()


def test_a_model_that_comes_with_the_package_is_written_to_only_where_its_folder_is_named(
    run_cli, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = make_bundle(tmp_path / "package" / "mini")
    monkeypatch.setattr("clip3d.models.loading.EMBEDDED", folder.parent)
    before = (folder / "card.json").read_bytes()
    args = ("evaluate", "refusal", "--library", library, "--lists", 3, "--fit", "--write", "--model")
    done = run_cli(*args, "mini")
    assert done.returncode == 2
    assert "comes with the package" in done.stderr
    model = Model(folder)
    fitted, report = fit_refusal(model, read_part([library]), lists=4)
    with pytest.raises(ModelError, match="comes with the package"):
        write_refusal(model, fitted, report)
    assert (folder / "card.json").read_bytes() == before
    assert run_cli(*args, folder).returncode == 0
    assert Model(folder).refusal


def test_parts_of_libraries(library: Path, tmp_path: Path):
    assert len(read_part([library])) == 6
    assert len(read_part([tmp_path], everything=True)) == 7
    made = make_library(
        [Entry(PointCloud(np.random.default_rng(0).normal(size=(300, 3))), ("a",), "a", "b", "c")],
        held_out_share=0,
        points=64,
    )
    made.save(tmp_path / "other.npz")
    with pytest.raises(DataError, match="--all"):
        read_part([tmp_path / "other.npz"])
    with pytest.raises(DataError, match="different numbers of points"):
        read_part([tmp_path], everything=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no npz"):
        read_part([tmp_path / "empty"])


def test_too_few_captions_are_told(model: Model, library: Path):
    part = read_part([library])
    few = type(part)(part.library, ["flat", "red a", "tall"], part.files, part.held_out)
    with pytest.raises(ShapeError, match="too few captions"):
        fit_refusal(model, few)


def test_the_commands_fit_measure_and_classify(run_cli, library: Path, assets: Path, tmp_path: Path):
    folder = make_bundle(tmp_path / "m")

    def run(*words: object):
        return run_cli("models", "check", folder) if words == ("check",) else run_cli(*words, "--model", folder)

    args = ("evaluate", "refusal", "--library", library, "--lists", 3)
    labels = ("classify", assets / "tall.off", "--labels", "green,blue")
    assert "none of these" not in run(*labels).stdout, "a model without a refusal always chooses"
    assert run(*labels, "--threshold", 0.5).returncode == 2
    assert run(*args, "--write").returncode == 2
    assert "threshold for the card" in run(*args, "--fit").stdout
    (table,) = json_lines(run(*args, "--fit", "--write", "--json").stdout)
    assert {"threshold", "slope", "offset", "background", "sha256", "auroc", "kept", "refused"} <= set(table)
    assert table["background"] in run("check").stdout
    (report,) = json_lines(run(*args, "--json").stdout)
    assert report["auroc"] == 1.0

    assert "none of these (nearest: " in run(*labels).stdout
    (answer,) = json_lines(run(*labels, "--json").stdout)
    assert answer["fits"] is False
    assert 0 <= answer["fit"] < table["threshold"]
    least = answer["fit"] + 1e-4
    named = ("classify", assets / "tall.off", "--labels", "tall,blue", "--threshold", least, "--json")
    (answer,) = json_lines(run(*named).stdout)
    assert (answer["label"], answer["fits"]) == ("tall", True)
    assert "none of these" not in run(*labels, "--no-refuse").stdout
    (answer,) = json_lines(run(*labels, "--no-refuse", "--json").stdout)
    assert "fit" not in answer
    assert "none of these" not in run(*labels, "--threshold", 0).stdout
    assert run(*labels, "--threshold", 0.1, "--no-refuse").returncode == 2
