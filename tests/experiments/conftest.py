"""Miniatures of driving data sets, and a model for them, for LidarCLIP's experiments."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tower_doubles
from driving_bench import write_nuscenes, write_once, write_plain
from small_files import json_lines
from sweep_bundles import TINY, sweep_bundle

from clip3d.models.model import Model

RECIPES = Path(__file__).parents[2] / "recipes"


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
    folder = sweep_bundle(tmp_path_factory.mktemp("talker"), **TINY).folder
    card = json.loads((folder / "card.json").read_text())
    card["towers"]["image"]["preprocess"] |= {"mean": [0.5] * 3, "std": [0.5] * 3}  # which drawn pictures need
    (folder / "card.json").write_text(json.dumps(card))
    return Model(folder)


@pytest.fixture
def more_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The double's text tower learns to name what is drawn: cars in red, trucks in green, people in blue."""
    known = {"car": "red", "truck": "green", "pedestrian": "blue", "night": "blue", "bus": "tall", "busy": "flat"}
    for word, like in known.items():
        for written in (word, f"{word}."):
            monkeypatch.setitem(tower_doubles.WORDS, written, tower_doubles.WORDS[like])


@pytest.fixture
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.getbasetemp() / "driving-cache"
    folder.mkdir(exist_ok=True)
    monkeypatch.setenv("CLIP3D_CACHE", str(folder))


@pytest.fixture
def run(place: Path, talker: Model, tmp_path: Path, command_line, more_words: None, own_cache: None):
    """Runs an experiment; gives its rows by name."""

    def ran(name: str, only: str, *more: object, code: int = 0) -> dict[str, dict]:
        where = ["--data", place / "data", "--weights", place / "weights", "--out", tmp_path / "out"]
        models = ["--model", f"mine={talker.folder}"]
        done = command_line("experiment", name, *where, *models, "--only", only, "--json", *more)
        assert done.returncode == code, done.stderr
        return {row["row"]: row for row in json_lines(done.stdout)}

    return ran


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipes with towers and batches of the doubles' size."""
    folder = tmp_path_factory.mktemp("recipes")
    for name in ("clip2point-driving.toml", "lidarclip-ablation.toml"):
        text = (RECIPES / name).read_text().replace("batch = 16", "batch = 4").replace("steps = 400", "steps = 4")
        tower = "\n[tower]\nwidths = [8, 8, 16]\nhidden = 16\n" if "ablation" in name else ""
        (folder / name).write_text(text + tower)
    return folder
