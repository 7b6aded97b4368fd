"""Driving pictures beside those of objects, for the head of an image tower."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from labelled_drives import write_log
from torch.nn import functional as F

from clip3d.errors import DataError
from clip3d.models.vector_cache import VectorCache
from clip3d.spaces import Space, unit
from clip3d.towers.image import EfficientNetLite0, ImageTower
from clip3d.training import driving_pictures
from clip3d.training.driving_pictures import (
    LONGEST,
    DrivingLoss,
    DrivingRecipe,
    Lessons,
    as_stored,
    measure_driving,
    ranking,
    read_lessons,
)
from clip3d.training.image_head import Texts
from clip3d.training.sweep_recipe import LabelRecipe
from clip3d.training.sweep_regions import RegionRecipe
from clip3d.training.sweep_views import ViewRecipe

RECIPE = DrivingRecipe(
    ("logs",), batch=32, held_out=0.4, views=ViewRecipe(least=10), regions=RegionRecipe(spots=1, crops=2),
    labels=LabelRecipe(withheld=("truck",)),
)  # fmt: skip


def encode(phrases: list[str]) -> np.ndarray:
    """A fixed direction a phrase."""
    return unit(np.stack([np.random.default_rng(zlib.crc32(p.encode())).normal(size=32) for p in phrases]))


TEXTS = Texts(encode, Space("test", 32, np.zeros(32, np.float32)), "{}")


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drives")
    for seed in range(4):
        write_log(folder / "logs" / f"{seed}", seed, frames=2)
    return folder


@pytest.fixture(scope="module")
def trunk() -> EfficientNetLite0:
    torch.manual_seed(0)
    return EfficientNetLite0(folded=True).eval()


@pytest.fixture(scope="module")
def lessons(drives: Path, trunk: EfficientNetLite0):
    with VectorCache(drives / "cache.db") as cache:
        return read_lessons(
            RECIPE, trunk, TEXTS, drives / "views", data=drives, progress=lambda line: None, cache=cache
        )


def test_lessons_are_objects_with_words_and_scenes_with_terms(lessons):
    taught, vocabulary = lessons.taught, lessons.vocabulary
    assert taught.features.shape[1] == taught.scenes.shape[1] == 1280
    assert set(vocabulary.words) <= {"big car", "car", "big pedestrian", "pedestrian"}
    assert set(taught.kinds) <= {"car", "truck", "pedestrian"}
    assert ((taught.words < 0) == (taught.kinds == "truck")).all()
    assert taught.truths.shape == (len(taught.scenes), len(vocabulary.terms))
    # a log teaches or measures, never both
    assert 0 < len(lessons.held_out.scenes) < len(taught.scenes)
    assert len(lessons.held_out.scenes) + len(taught.scenes) == 4 * 2 * 3


def test_features_are_kept_for_the_finished_tower(drives, trunk, lessons):
    told: list[str] = []
    with VectorCache(drives / "cache.db") as cache:
        known = read_lessons(RECIPE, trunk, TEXTS, drives / "views", data=drives, progress=told.append, cache=cache)
    assert not any("encoded" in line for line in told)
    np.testing.assert_array_equal(known.taught.features, lessons.taught.features)
    again = as_stored(as_stored(trunk))
    for one, other in zip(again.state_dict().values(), as_stored(trunk).state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-4)


def test_the_loss_teaches_objects_and_scenes(lessons):
    torch.manual_seed(0)
    tower = ImageTower(dim=32, classes=5, hidden=16)
    # an untrained trunk tells little: its features are spread, so that a few steps are enough
    given = (lessons.taught.features, lessons.taught.scenes)
    features, scenes = ((part - part.mean(0)) / (part.std(0) + 1e-6) for part in given)
    taught = replace(lessons.taught, features=features, scenes=scenes)
    loss = DrivingLoss(replace(lessons, taught=taught), tower.head, 0.0, 15.0)
    optimiser = torch.optim.Adam([*tower.head.narrow.parameters(), *tower.head.widen.parameters()], 1e-2)
    values = []
    for _ in range(40):
        optimiser.zero_grad()
        value = loss()
        value.backward()
        optimiser.step()
        values.append(float(value.detach()))
    assert np.mean(values[-5:]) < 0.8 * np.mean(values[:5])
    found = measure_driving(lessons, tower.head, TEXTS)
    assert found["driving scenes"] == len(lessons.held_out.scenes)
    assert 0 <= found["driving class mean"] <= 1
    assert 0 <= found["driving terms"] <= 1


def test_additions_cost_what_they_are_too_long_by(lessons):
    tower = ImageTower(dim=32, classes=5, hidden=16)
    loss = DrivingLoss(lessons, tower.head, 0.0, 15.0)
    rows = torch.arange(len(loss.scenes))
    torch.nn.init.zeros_(tower.head.widen.weight)
    for length, cost in ((0.5 * LONGEST, 0.0), (LONGEST, 0.0), (LONGEST + 3, 9.0)):
        with torch.no_grad():
            tower.head.widen.bias.zero_()[0] = length
            directions, too_long = loss._directions(loss.known_scenes, loss.scenes, rows)
        assert float(too_long) == pytest.approx(cost, abs=1e-4)
        assert torch.allclose(directions.norm(dim=1), torch.ones(len(rows)), atol=1e-5)


def test_each_way_to_ask_for_a_term_ranks_the_pictures_that_it_is_true_of(lessons, monkeypatch):
    tower = ImageTower(dim=3, classes=5, hidden=16)
    ways = np.eye(3, dtype=np.float32)[[[0, 1], [2, 2]]]
    scenes, truths = np.zeros((2, 1280), np.float32), np.array([[1, 0], [0, 1]], np.float32)
    none = np.zeros((0, 1280), np.float32)
    words, kinds = np.zeros(0, np.intp), np.zeros(0, np.str_)
    taught = Lessons(none, words, kinds, scenes, truths)
    recipe = replace(RECIPE, weight=1.0, batch=2)
    phrases = np.zeros((len(lessons.phrases), 3), np.float32)
    taken = replace(lessons, taught=taught, held_out=taught, terms=ways, phrases=phrases, recipe=recipe)
    loss = DrivingLoss(taken, tower.head, 0.0, 15.0)
    directions = torch.tensor([[0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    monkeypatch.setattr(loss, "_directions", lambda known, features, rows: (directions[rows], torch.zeros(())))
    monkeypatch.setattr(torch, "randint", lambda most, shape: torch.arange(most))
    cosines = directions @ torch.from_numpy(ways).reshape(4, 3).T
    right = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    assert float(loss()) == pytest.approx(float(ranking(cosines, right, 15.0)), rel=1e-5)
    assert float(loss()) < 0.01
    monkeypatch.setattr(driving_pictures, "_directions", lambda head, features: directions.numpy())
    assert measure_driving(taken, tower.head, TEXTS)["driving terms"] == 1


def test_ranking_is_the_cross_entropy_from_terms_to_pictures():
    cosines = torch.tensor([[0.5, 0.1, 0.3], [0.1, 0.4, 0.2], [-0.2, 0.0, 0.1]])
    truths = torch.tensor([[1.0, 0.0, 1.0], [0.0, float("nan"), 1.0], [1.0, 1.0, 1.0]])
    # rows 0 and 2 are right of three; row 2 of the two that are known; the third term tells nothing
    first = -F.log_softmax(4 * cosines[:, 0], 0)[[0, 2]].mean()
    second = -F.log_softmax(4 * cosines[[0, 2], 1], 0)[1]
    assert float(ranking(cosines, truths, 4.0)) == pytest.approx(float((first + second) / 2), rel=1e-5)
    assert float(ranking(cosines, torch.ones(3, 3), 4.0)) == 0


def test_logs_without_labels_are_refused(drives, trunk):
    labels = LabelRecipe(withheld=("car", "truck", "pedestrian"))
    nothing = DrivingRecipe(("logs",), views=RECIPE.views, labels=labels)
    with VectorCache(drives / "cache.db") as cache, pytest.raises(DataError, match="no labels"):
        read_lessons(nothing, trunk, TEXTS, drives / "v", data=drives, progress=lambda line: None, cache=cache)
