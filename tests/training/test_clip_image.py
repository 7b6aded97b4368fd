"""A small image tower learned from nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import clip3d
from clip3d.clouds.cloud import PointCloud
from clip3d.data.library import Entry, make_library
from clip3d.data.triplet_sources import open_triplets
from clip3d.errors import DataError
from clip3d.training.clip_image import ClipImageRecipe, augmented, train_clip_image
from clip3d.training.recipe import read_recipe

RECIPE = """
kind = "clip-image"
teacher = "{teacher}"
size = 16
batch = 8
[[data]]
format = "library"
path = "things.npz"
{pictures}
[tower]
width = 128
layers = 2
heads = 2
patch = 8
[optimisation]
steps = {steps}
lr = 3e-3
warmup = 5
average = 0.9
"""
RED, BLUE = (0.9, 0.05, 0.05), (0.05, 0.05, 0.9)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of red and blue balls with pictures."""
    from clip3d.cli.main import run

    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    entries = []
    for i in range(24):
        points = rng.normal(size=(600, 3)).astype(np.float32)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        points *= rng.uniform(0.3, 1, 3).astype(np.float32)
        colors = np.broadcast_to(np.float32(RED if i % 2 else BLUE), points.shape).copy()
        entry = Entry(PointCloud(points, colors, up="z"), ("red" if i % 2 else "blue",), f"o{i}", "made", "CC0")
        entries.append(entry)
    make_library(entries, held_out_share=0.2, points=128).save(folder / "things.npz")
    drawn = ["data", "render", str(folder / "things.npz"), str(folder / "views"), "--size", "16", "--views", "2"]
    assert run([*drawn, "--processes", "1", "-q"]) == 0
    return folder


def recipe_of(folder: Path, bundle: Path, steps: int = 60, pictures: str = 'pictures = "views"') -> ClipImageRecipe:
    path = folder / "recipe.toml"
    path.write_text(RECIPE.format(teacher=bundle.as_posix(), steps=steps, pictures=pictures))
    return read_recipe(path)[1]


def test_it_learns_what_the_pictures_are_called(data: Path, bundle: Path, tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, bundle)
    found = train_clip_image(recipe, tmp_path / "run", data=data, progress=lambda line: None)
    assert found["captions"] == 2
    model = clip3d.load(tmp_path / "run" / "model")
    assert model.card.towers["image"].architecture == "clip-vit"
    things = open_triplets(recipe.data[0], data)
    pictures = [things.picture(i, 0) for i in range(len(things))]
    similarity = model.space.similarity(model.encode_images(pictures), model.label_vectors(things.classes))
    assert (similarity.argmax(1) == things.labels).mean() > 0.9


def test_data_without_pictures_are_refused(data: Path, bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no picture"):
        train_clip_image(
            recipe_of(tmp_path, bundle, pictures=""), tmp_path / "run", data=data, progress=lambda line: None
        )


def test_a_damaged_picture_is_told_once_and_another_takes_its_place(
    data: Path, bundle: Path, tmp_path: Path
) -> None:
    shutil.copytree(data, tmp_path / "data")
    first = sorted((tmp_path / "data" / "views").rglob("*.png"))[0]
    first.write_bytes(first.read_bytes()[:40])
    told: list[str] = []
    recipe = recipe_of(tmp_path, bundle, 12)
    found = train_clip_image(recipe, tmp_path / "run", data=tmp_path / "data", progress=told.append)
    assert found["damaged"] == 1
    assert sum("another picture takes its place" in line for line in told) == 1
    assert any(first.name in line for line in told)


def test_a_changed_picture_is_square_and_follows_from_its_numbers() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    one, same = (augmented(picture, 24, np.random.default_rng(5)) for _ in range(2))
    assert one.shape == (24, 24, 3)
    np.testing.assert_array_equal(one, same)
    assert (one != augmented(picture, 24, np.random.default_rng(6))).any()
