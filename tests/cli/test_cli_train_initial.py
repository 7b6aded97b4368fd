"""`clip3d train --initial`: weights to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import clip3d.cli.train
from clip3d.errors import DataError

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The recipes that trainings of the cloud tower were given."""
    seen: list[Any] = []

    def record(recipe: Any, data: Path, out: Path, progress: Any) -> dict[str, Any]:
        seen.append(recipe)
        return {}

    monkeypatch.setattr(clip3d.cli.train, "_trainers", lambda: {"cloud": record})
    return seen


def test_weights_are_looked_for_where_the_user_is(
    trained: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe, weights = RECIPES / "mini-cloud.toml", Path("first/cloud.safetensors")
    clip3d.cli.train.train(recipe, tmp_path / "library", tmp_path / "run", initial=weights)
    assert trained[0].initial == str(tmp_path / weights)
    clip3d.cli.train.train(recipe, tmp_path / "library", tmp_path / "run")
    assert trained[1].initial == "../runs/cloud-first/cloud.safetensors"


def test_a_training_that_starts_anew_refuses_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="always starts anew"):
        clip3d.cli.train.train(RECIPES / "mini-text.toml", tmp_path, tmp_path / "run", initial=tmp_path / "w")
