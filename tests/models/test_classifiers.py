"""Classifiers in the form of models: loaded, checked, searched and told apart as any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_classifier import LABELS, make_classifier

import clip3d
from clip3d.clouds.cloud import PointCloud
from clip3d.errors import DataError, ModelError, ShapeError, SpaceMismatch
from clip3d.models.checking import check_model
from clip3d.models.classifiers import ordered_labels, scale_for, space_id
from clip3d.models.joining import join_models


def cloud(seed: int = 0) -> PointCloud:
    return PointCloud(np.random.default_rng(seed).normal(size=(90, 3)).astype(np.float32))


def test_classify_gives_the_softmax_of_the_tower_itself(tmp_path: Path):
    model, tower = make_classifier(tmp_path / "tuned")
    xyz, colors = model.cloud_preparation()(cloud())
    with torch.inference_mode():
        wanted = tower.logits(torch.from_numpy(xyz)[None], torch.from_numpy(colors)[None]).softmax(1)[0]
    found = {answer.label: answer.probability for answer in model.classify(cloud())}
    np.testing.assert_allclose([found[label] for label in LABELS], wanted.numpy(), atol=1e-5)


def test_the_order_of_labels_changes_nothing_and_some_of_them_will_do(tmp_path: Path):
    model, _ = make_classifier(tmp_path / "tuned")
    own, turned = model.classify(cloud()), model.classify(cloud(), ["LAMP", "chair", "dining_table"])
    assert [a.probability for a in own] == pytest.approx([a.probability for a in turned])
    two = {a.label: a.probability for a in model.classify(cloud(), ["chair", "lamp"])}
    all_three = {a.label: a.probability for a in own}
    assert two["chair"] / two["lamp"] == pytest.approx(all_three["chair"] / all_three["lamp"], rel=1e-4)


def test_a_classifier_passes_its_own_check_and_says_its_labels(tmp_path: Path):
    model, _ = make_classifier(tmp_path / "tuned")
    assert all(check.passed for check in check_model(clip3d.load(tmp_path / "tuned")))
    assert list(model.card.labels) == LABELS
    assert sorted(path.name for path in (tmp_path / "tuned").iterdir()) == [
        "card.json",
        "cloud.safetensors",
        "golden.safetensors",
        "labels.safetensors",
        "space.safetensors",
    ]


def test_unknown_labels_and_any_pose_are_refused(tmp_path: Path):
    model, _ = make_classifier(tmp_path / "tuned")
    with pytest.raises(ShapeError, match=r"'sofa' is no label of this classifier.*chair, dining table, lamp"):
        model.classify(cloud(), ["chair", "sofa"])
    with pytest.raises(ModelError, match="no pose-free mode"):
        model.encode_clouds([cloud()], pose="any")


def test_vectors_of_another_classifier_are_refused(tmp_path: Path):
    model, _ = make_classifier(tmp_path / "one")
    other, _ = make_classifier(tmp_path / "two", ["chair", "sofa", "lamp"])
    with pytest.raises(SpaceMismatch):
        model.space.check(other.space.id, "the file")
    with pytest.raises(SpaceMismatch):
        join_models([model, other], tmp_path / "joined")


def test_a_model_without_labels_asks_for_some(model: clip3d.Model):
    with pytest.raises(ShapeError, match="no labels of its own"):
        model.classify(cloud())


def test_labels_are_ordered_by_how_they_read():
    assert ordered_labels(["night_stand", "Bed", "chair"], Path("x")) == ["Bed", "chair", "night stand"]
    assert space_id(["Bed", "night stand"], 100) == space_id(["bed", "night_stand"], 100)
    assert space_id(["bed", "chair"], 100) != space_id(["chair", "bed"], 100)
    for wrong in (["bed"], ["bed", "Bed"]):
        with pytest.raises(DataError):
            ordered_labels(wrong, Path("x"))


def test_the_scale_grows_with_many_classes():
    assert scale_for(10) == 100
    assert scale_for(1156) == 340
