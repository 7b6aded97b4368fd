"""The head that a fine-tuning begins with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_classifier import make_encoder, write_shapes

from clip3d.data.labelled_clouds import read_labelled
from clip3d.errors import ShapeError
from clip3d.training.finetune import classifier_config, start_tower
from clip3d.training.finetune_recipe import FinetuneRecipe
from clip3d.training.finetune_test import Prepared, logits_of
from clip3d.training.labelled_batches import Pools, pool_clouds
from clip3d.training.probe_start import regression, start_head

RECIPE = FinetuneRecipe(points=64, pool=72)


@pytest.mark.parametrize("levels", [False, True])
def test_the_head_names_the_training_clouds_before_the_first_step(tmp_path: Path, levels: bool) -> None:
    recipe = replace(RECIPE, levels=levels)
    base, train = make_encoder(tmp_path / "encoder"), read_labelled(write_shapes(tmp_path / "shapes.npz"), "train")
    prepare = replace(base.cloud_preparation(), points=64)
    pools = pool_clouds(train, np.arange(len(train)), train.labels, prepare, recipe.pool)
    tower = start_tower(recipe, base, classifier_config(recipe, base, len(train.classes))).eval()
    body = {name: value.clone() for name, value in tower.backbone.state_dict().items()}
    held = Prepared(pools.clouds[::3], pools.labels[::3])
    penalty = start_head(tower, Pools(pools.clouds, pools.labels), held, recipe)
    assert penalty > 0
    assert (logits_of(tower, pools.clouds).argmax(1) == pools.labels).mean() > 0.9
    assert all(torch.equal(value, body[name]) for name, value in tower.backbone.state_dict().items())


def test_the_regression_is_scikit_learns() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(60, 5)), rng.integers(0, 3, 60)
    weight, bias = regression(torch.from_numpy(features).float(), torch.from_numpy(labels), 3, 0.1)
    reference = linear_model.LogisticRegression(C=0.1, max_iter=1000, tol=1e-8).fit(features, labels)
    np.testing.assert_allclose(weight.numpy(), reference.coef_, atol=2e-3)
    np.testing.assert_allclose(bias - bias.mean(), reference.intercept_ - reference.intercept_.mean(), atol=2e-3)


def test_it_is_for_heads_without_hidden_layers_on_backbones_that_know_something() -> None:
    with pytest.raises(ShapeError, match="probe_first = false"):
        FinetuneRecipe(hidden=(8,))
    assert not FinetuneRecipe(from_scratch=True).settled().probe_first
    assert FinetuneRecipe().settled().probe_first
