"""Adapters learn from few clouds, and the result is a model that names clouds with any labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from converted_clip import converted_clip
from torch.nn.functional import normalize

import clip3d
from clip3d.clouds.augmenting import Augmentation
from clip3d.clouds.cloud import PointCloud
from clip3d.errors import DataError, ModelError, ShapeError
from clip3d.models.viewing import view_clouds
from clip3d.training.adapter_recipe import AdapterRecipe
from clip3d.training.adapters import label_logits, train_adapter
from clip3d.training.optimisers import Optimiser
from clip3d.training.parts import Run
from clip3d.training.recipe import read_recipe

CLASSES = ["chair", "table", "red room"]
EXTENTS = ([1, 0.1, 0.1], [1, 1, 0.05], [1, 1, 1])
RECIPES = Path(__file__).parents[2] / "recipes"
QUICK = AdapterRecipe(
    views=6,
    clouds="shapes.npz",
    shots=4,
    batch=6,
    epochs=20,
    optimiser=Optimiser("adamw", 1e-2, 1e-4),
    run=Run(average=0, checkpoint_every=10, log_every=20),
)


def shapes(each=6, p=80, seed=0):
    rng = np.random.default_rng(seed)
    points = [rng.uniform(-1, 1, size=(p, 3)) * extent for extent in EXTENTS for _ in range(each)]
    return np.array(points, np.float32), np.repeat(np.arange(3), each)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Folder with labelled clouds, a CLIP and CLIPs with depth maps."""
    folder = tmp_path_factory.mktemp("place")
    points, labels = shapes()
    np.savez(folder / "shapes.npz", points=points, labels=labels, classes=CLASSES, up="z")
    clip = converted_clip(folder)
    view_clouds(clip, folder / "clip2point", "clip2point")
    return folder


def run(recipe, place, out, lines=None):
    return train_adapter(recipe, out, data=place, progress=(lines if lines is not None else []).append)


def taught(place, name="clip", **changes):
    return replace(QUICK, teacher=str(place / name), split="", **changes)


def test_a_few_clouds_are_learned_and_named_by_the_model_that_comes_of_it(place, tmp_path):
    result = run(taught(place, shots=5), place, tmp_path / "run")
    assert (result["clouds"], result["classes"]) == (15, 3)
    assert result["train_accuracy"] == 1.0
    model = clip3d.load(tmp_path / "run" / "model")
    points, labels = shapes(seed=1)
    named = [model.classify(PointCloud(xyz, up="z"), CLASSES)[0].label for xyz in points]
    right = [CLASSES.index(name) == label for name, label in zip(named, labels, strict=True)]
    assert np.mean(right) > 0.6  # a third by chance
    assert model.card.templates == ("point cloud of a big {}.",)
    assert len(model.classify(PointCloud(points[0], up="z"), ["lamp", "a wooden table"])) == 2
    teacher = clip3d.load(place / "clip")
    np.testing.assert_array_equal(model.encode_texts(["a chair"]), teacher.encode_texts(["a chair"]))
    own, first = model.tower("cloud").images[0].state_dict(), teacher.tower("image").state_dict()
    assert all(torch.equal(own[name], first[name]) for name in first)


def test_the_command_makes_a_model_that_is_whole(place, tmp_path, run_cli):
    (tmp_path / "recipe.toml").write_text(
        f'kind = "adapter"\nteacher = "{place / "clip"}"\nclouds = "shapes.npz"\nsplit = ""\n'
        "views = 6\nshots = 1\nepochs = 2\nbatch = 3\n[run]\naverage = 0\n"
    )
    done = run_cli("train", tmp_path / "recipe.toml", "--data", place, "--out", tmp_path / "run", "--json")
    assert done.returncode == 0, done.stderr
    assert run_cli("models", "check", tmp_path / "run" / "model").returncode == 0


def test_logits_of_a_space_without_a_mean_are_plain_products():
    torch.manual_seed(0)
    vectors, names = torch.randn(5, 8), normalize(torch.randn(3, 8), dim=-1)
    torch.testing.assert_close(label_logits(vectors, names, torch.zeros(8)), vectors @ names.T)


def test_a_run_that_was_stopped_ends_with_the_same_weights(place, tmp_path):
    recipe = taught(place, epochs=6, versions=2, augmentation=Augmentation(scale=(0.7, 1.4), turn=0))
    recipe = replace(recipe, run=replace(recipe.run, log_every=4, checkpoint_every=4))
    run(recipe, place, tmp_path / "whole")

    class Stopped(Exception):
        pass

    def stop(line):
        if line.startswith("step 8"):
            raise Stopped

    with pytest.raises(Stopped):
        train_adapter(recipe, tmp_path / "stopped", data=place, progress=stop)
    run(recipe, place, tmp_path / "stopped")
    whole, stopped = (clip3d.load(tmp_path / n / "model").tower("cloud").state_dict() for n in ("whole", "stopped"))
    assert all(torch.equal(whole[name], stopped[name]) for name in whole)


def test_two_paths_start_with_the_tower_of_depth_maps_and_the_original(place, tmp_path):
    recipe = taught(place, "clip2point", adapter="dual-path", drawing="clip2point", scale=1.0, epochs=3)
    result = run(recipe, place, tmp_path / "run")
    assert 0 <= result["train_accuracy"] <= 1
    model = clip3d.load(tmp_path / "run" / "model")
    assert len(model.tower("cloud").images) == 2
    vectors = model.encode_clouds([PointCloud(shapes()[0][0], up="z")], normalize=False)
    np.testing.assert_allclose(np.linalg.norm(vectors), 1, atol=1e-5)
    with pytest.raises(ModelError, match="has no cloud tower"):
        run(replace(recipe, teacher=str(place / "clip")), place, tmp_path / "other")


def test_what_cannot_be_is_refused(place, tmp_path):
    run(taught(place, epochs=1), place, tmp_path / "run")
    with pytest.raises(DataError, match="belongs to another recipe"):
        run(taught(place, epochs=2), place, tmp_path / "run")
    with pytest.raises(DataError, match="names no clouds"):
        run(taught(place, clouds=""), place, tmp_path / "other")
    for wrong in ({"adapter": "plug"}, {"views": 4}, {"batch": 1}, {"smoothing": 1.0}, {"drawing": "shaded"}):
        with pytest.raises(ShapeError, match="is out of range"):
            replace(QUICK, **wrong)


@pytest.mark.parametrize("name", ["pointclip-adapter", "clip2point-adapter"])
def test_the_recipes_state_the_published_numbers(name):
    kind, recipe = read_recipe(RECIPES / f"{name}.toml")
    assert kind == "adapter"
    assert (recipe.views, recipe.shots, recipe.batch) == (10, 16, 32)
    if name == "pointclip-adapter":
        assert (recipe.optimiser.method, recipe.optimiser.lr, recipe.epochs) == ("sgd", 0.01, 250)
        assert (recipe.smoothing, recipe.template) == (0.2, "point cloud of a big {}.")
    else:
        assert (recipe.optimiser.lr, recipe.epochs, recipe.scale) == (1e-3, 100, 1.0)


def test_batches_are_not_accumulated():
    with pytest.raises(ShapeError, match="make the batch larger"):
        AdapterRecipe(run=Run(accumulate=2))
