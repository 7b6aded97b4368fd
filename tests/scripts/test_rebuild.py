"""The rebuild of the embedded model: its steps, in order, each once."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from cloud_bundles import write_cloud_bundle

import clip3d
from clip3d.clouds.cloud import PointCloud
from clip3d.models.loading import EMBEDDED
from clip3d.models.weights import load_strict, read_arrays, read_state
from clip3d.spaces import Space
from clip3d.towers.ensemble import EnsembleTower

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
            shipped = card["towers"][kind]
            result = {"tower": shipped["config"], "architecture": shipped["architecture"]}
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
    recipes = [*["mini-cloud-first.toml", "mini-cloud.toml"] * 3, "mini-image.toml"]
    driving = ["data", "data", "mini-image-driving.toml", "mini-sweep-labels.toml"]
    assert names == ["data", "data", *recipes, *driving, "evaluate", "models", "evaluate"]
    trainings = [words for words in commands if words[0] == "train"]
    assert [words[words.index("--seed") + 1] for words in trainings] == [*"334455", *"333"]
    goes_on = [words[words.index("--initial") + 1] for words in trainings if "--initial" in words]
    starts = [*(f"cloud-first-{seed}" for seed in (3, 4, 5)), "image"]
    assert [Path(weights).parent.name for weights in goes_on] == starts
    model = clip3d.load(folder / "mini")
    assert set(model.card.towers) == {"text", "image", "cloud", "sweep"}
    assert len(model.card.towers["cloud"].config["members"]) % 3 == 0
    assert clip3d.load(folder / "teacher").card.towers.keys() == {"text", "cloud", "image"}


def test_run_again_it_trains_nothing_twice(script, rebuilt) -> None:
    script.commands.clear()
    script.rebuild(rebuilt[0], None, 3, 1)
    assert script.commands
    assert not [words for words in script.commands if words[0] == "train"]


def test_cloud_towers_become_one_that_gives_the_mean_of_their_unit_vectors(script, tmp_path: Path) -> None:
    import assemble_mini

    cloud = PointCloud(np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32))
    space = Space("s", 8, np.zeros(8, np.float32))
    bundles = [write_cloud_bundle(tmp_path / f"tiny-{seed}", space, seed=seed) for seed in range(3)]
    runs = [bundle.folder for bundle in bundles]
    joined = assemble_mini.join(runs, tmp_path / "joined")
    facts = json.loads((joined / "result.json").read_text(encoding="utf-8"))
    tower = EnsembleTower(**facts["tower"]).eval()
    load_strict(tower, read_state(joined / "cloud.safetensors"), joined)
    points, colors = (torch.from_numpy(array)[None] for array in bundles[0].cloud_preparation()(cloud))
    with torch.inference_mode():
        found = tower(points, colors).numpy()[0]
    expected = np.concatenate([bundle.encode_clouds([cloud]) for bundle in bundles]).mean(0)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert facts["scale"] == 2.0
    assert assemble_mini.join(runs[:1], tmp_path / "one") == runs[0]


def test_a_bundle_of_several_can_be_widened_by_one_more(script, tmp_path: Path) -> None:
    import assemble_mini

    space = Space("s", 8, np.zeros(8, np.float32))
    runs = [write_cloud_bundle(tmp_path / f"tiny-{seed}", space, seed=seed).folder for seed in range(3)]
    two = assemble_mini.join(runs[:2], tmp_path / "two")
    facts = json.loads((two / "result.json").read_text(encoding="utf-8"))
    card = json.loads((runs[0] / "card.json").read_text(encoding="utf-8"))
    card["towers"]["cloud"] |= {"architecture": "ensemble", "config": facts["tower"]}
    (two / "card.json").write_text(json.dumps(card), encoding="utf-8")
    widened = read_arrays(assemble_mini.join([two, runs[2]], tmp_path / "widened") / "cloud.safetensors")
    at_once = read_arrays(assemble_mini.join(runs, tmp_path / "at-once") / "cloud.safetensors")
    assert widened.keys() == at_once.keys()
    assert all(np.array_equal(widened[name], at_once[name]) for name in at_once)
