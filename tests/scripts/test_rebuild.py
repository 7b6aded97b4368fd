"""The rebuild of the embedded model: its steps, in order, each once."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import clip3d
from clip3d.models.loading import EMBEDDED

SCRIPTS = Path(__file__).parents[2] / "scripts"
MINI = EMBEDDED / "mini"


@pytest.fixture(scope="module")
def patches() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def script(patches: pytest.MonkeyPatch):
    """The script with its commands recorded instead of run; a training leaves the shipped weights."""
    monkeypatch = patches
    monkeypatch.syspath_prepend(str(SCRIPTS))
    sys.modules.pop("rebuild_mini", None)
    import rebuild_mini

    commands: list[list[str]] = []

    def command(*arguments: object) -> None:
        words = [str(a) for a in arguments]
        commands.append(words)
        if words[0] == "train":
            out = Path(words[words.index("--out") + 1])
            kind = out.name.partition("-")[0]
            card = json.loads((MINI / "card.json").read_text(encoding="utf-8"))
            out.mkdir(parents=True)
            shutil.copy(MINI / f"{kind}.safetensors", out)
            result = {"tower": card["towers"][kind]["config"]}
            if kind == "cloud":
                result["scale"] = 12.5 + len(commands)
            (out / "result.json").write_text(json.dumps(result))

    def package(name: str, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.file"
        path.touch()
        return path

    monkeypatch.setattr(rebuild_mini, "clip3d", command)
    monkeypatch.setattr(rebuild_mini, "fetch_debian", package)
    monkeypatch.setattr(rebuild_mini, "fetch_pypi", package)
    monkeypatch.setattr(rebuild_mini, "unpack_wheel", lambda wheel, part, folder: None)
    rebuild_mini.commands = commands
    return rebuild_mini


@pytest.fixture(scope="module")
def rebuilt(script, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[str]]]:
    """The folder of a rebuild, and the commands that it took."""
    folder = tmp_path_factory.mktemp("rebuilt")
    script.rebuild(folder, None, 3, 1)
    return folder, list(script.commands)


def test_towers_are_trained_one_after_the_other_and_put_together(rebuilt) -> None:
    folder, commands = rebuilt
    names = [words[0] if words[0] != "train" else Path(words[1]).name for words in commands]
    recipes = ["mini-cloud-first.toml", *["mini-cloud.toml"] * 3, "mini-image.toml"]
    assert names == ["data", "data", *recipes, "evaluate", "models", "evaluate"]
    trainings = [words for words in commands if words[0] == "train"]
    assert [words[words.index("--seed") + 1] for words in trainings] == ["3", "3", "4", "5", "3"]
    model = clip3d.load(folder / "mini")
    assert set(model.card.towers) == {"text", "image", "cloud"}
    assert model.space.scale == pytest.approx(12.5 + 5), "the mean of the three"
    assert clip3d.load(folder / "teacher").card.towers.keys() == {"text", "cloud"}


def test_run_again_it_trains_nothing_twice(script, rebuilt) -> None:
    script.commands.clear()
    script.rebuild(rebuilt[0], None, 3, 1)
    assert script.commands
    assert not [words for words in script.commands if words[0] == "train"]


def test_the_mean_of_weights_is_taken_of_towers_that_are_alike(script, tmp_path: Path) -> None:
    import assemble_mini

    from clip3d.models.weights import read_arrays, write_arrays

    weights = [{"a": np.float16([0.5, factor]), "seen": np.int64(7)} for factor in (1.0, 2.0, 6.0)]
    runs = [tmp_path / name for name in "xyz"]
    for run, arrays in zip(runs, weights, strict=True):
        write_arrays(arrays, run / "cloud.safetensors")
        facts = {"tower": {"dim": 2}, "scale": float(arrays["a"][1]), "top1": 0.7}
        (run / "result.json").write_text(json.dumps(facts))
    mean = read_arrays(assemble_mini.average(runs, tmp_path / "mean") / "cloud.safetensors")
    assert mean["a"].dtype == np.float16
    assert mean["a"].tolist() == [0.5, 3.0]
    assert mean["seen"] == 7
    result = json.loads((tmp_path / "mean" / "result.json").read_text())
    assert (result["scale"], result["mean of"]) == (3.0, ["x", "y", "z"])
    assert "top1" not in result, "that was measured on one of them"
    assert assemble_mini.average(runs[:1], tmp_path / "one") == runs[0]
    (runs[1] / "result.json").write_text(json.dumps({"tower": {"dim": 3}, "scale": 1.0}))
    with pytest.raises(SystemExit, match="not configured alike"):
        assemble_mini.average(runs, tmp_path / "mean")
