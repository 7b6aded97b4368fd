"""Recipes: what a file may say, and how a slip is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from clip3d.errors import DataError
from clip3d.training.recipe import KINDS, read_recipe, read_recipe_of

RECIPES = Path(__file__).parents[2] / "recipes"


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda p: p.name)
def test_every_recipe_of_the_project_is_understood(path: Path) -> None:
    kind, recipe = read_recipe(path)
    assert kind in KINDS
    assert recipe is not None


def test_tables_become_nested_settings(tmp_path: Path) -> None:
    text = 'kind = "cloud"\nbatch = 8\ncounts = [64, 128]\n'
    text += "[optimisation]\nlr = 1\n[augmentation]\nscale = [0.5, 2]\n"
    _, recipe = read_recipe(written(tmp_path, text))
    assert recipe.batch == 8
    assert recipe.counts == (64, 128)
    assert recipe.optimisation.lr == 1.0
    assert recipe.augmentation.scale == (0.5, 2.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('kind = "cloud"\nbacth = 8\n', "do you mean batch"),
        ('kind = "cloud"\n[optimisation]\nstep = 8\n', r"optimisation\.step.*do you mean steps"),
        ('kind = "cloud"\nbatch = "many"\n', "batch must be of type int"),
        ('kind = "cloud"\ncounts = 5\n', "counts must be an array"),
        ('kind = "cloud"\n[augmentation]\nscale = [1]\n', r"augmentation\.scale must have 2 entries"),
        ('kind = "melody"\n', "none of cloud, text, image"),
        ("kind = ", "is not TOML"),
    ],
)
def test_a_slip_is_told_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_recipe(written(tmp_path, text))


def test_a_missing_recipe_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_recipe(tmp_path / "none.toml")


def test_the_papers_recipes_have_its_numbers() -> None:
    _, transformer = read_recipe(RECIPES / "cg3d-point-transformer.toml")
    _, mlp = read_recipe(RECIPES / "cg3d-pointmlp.toml")
    assert (transformer.clouds.lr, transformer.clouds.weight_decay) == (5e-5, 0.05)
    assert (mlp.clouds.lr, mlp.clouds.weight_decay) == (1e-4, 0.01)
    for recipe in (transformer, mlp):
        assert (recipe.visual.method, recipe.visual.lr, recipe.visual.weight_decay) == ("sgd", 2e-3, 1e-4)
        assert recipe.clouds.lowest == recipe.visual.lowest == 1e-6
        assert (recipe.prompts, recipe.batch, recipe.epochs, recipe.clouds.clip) == (5, 32, 100, 10.0)
        assert [source.split for source in (*recipe.data, *recipe.validation)] == ["train", "test"]


def test_a_source_or_a_part_is_told_with_its_place(tmp_path: Path) -> None:
    text = 'kind = "cg3d"\nteacher = "t"\n[[data]]\nformat = "library"\npath = "a.npz"\n'
    _, recipe = read_recipe(written(tmp_path, text))
    assert recipe.data[0].path == "a.npz"
    with pytest.raises(DataError, match=r"data\.pth.*do you mean path"):
        read_recipe(written(tmp_path, text + 'pth = "b"\n'))
    with pytest.raises(DataError, match=r"clouds: a method must be one of"):
        read_recipe(written(tmp_path, text + '[clouds]\nmethod = "adagrad"\n'))


def test_a_recipe_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('kind = "finetune"\n')
    assert read_recipe_of("finetune", path) == read_recipe(path)[1]
    with pytest.raises(DataError, match=r'is of the kind "finetune".*takes the kind "cg3d"'):
        read_recipe_of("cg3d", path)
