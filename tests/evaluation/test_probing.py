from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clip3d.data.labelled_clouds import LabelledClouds, read_labelled
from clip3d.errors import DataError, ModelError, ShapeError
from clip3d.evaluation import probing
from clip3d.evaluation.features import cloud_features
from clip3d.evaluation.metrics import nearest_classes
from clip3d.evaluation.probing import Spread, fit_and_predict, probe

pytest.importorskip("sklearn")


@pytest.fixture
def parts(tmp_path: Path) -> tuple[LabelledClouds, LabelledClouds]:
    """Tall and flat clouds by turns, 60 to learn from and 30 to ask; the last asked one is labelled wrongly."""
    rng = np.random.default_rng(1)
    scales = np.float32([[0.3, 0.3, 4], [3, 3, 0.2]])
    labels = np.arange(90) % 2
    points = rng.random((90, 60, 3)).astype(np.float32) * scales[labels][:, None]
    labels[-1] = 0
    split = np.array(["train"] * 60 + ["test"] * 30)
    classes = np.array(["tall", "flat"])
    np.savez(tmp_path / "c.npz", points=points, labels=labels, classes=classes, up="z", split=split)
    return read_labelled(tmp_path / "c.npz", "train"), read_labelled(tmp_path / "c.npz", "test")


def test_the_deviation_is_that_of_a_sample():
    assert Spread.of([0.0, 1.0]).deviation == pytest.approx(0.5**0.5)
    assert Spread.of([0.3]).deviation == 0


def test_a_probe_counts_on_the_test_part_with_mean_and_deviation(model, parts):
    near = np.zeros(30, bool)
    near[-1] = True
    report = probe(model, *parts, kinds=("vectors", "features"), fractions=(0.2, 1), near_duplicates=near)
    assert [(row.features, row.fraction, row.n_train) for row in report.rows] == [
        ("vectors", 0.2, 12),
        ("vectors", 1, 60),
        ("features", 0.2, 12),
        ("features", 1, 60),
    ]
    whole = report.rows[1]
    assert whole.linear.values == (pytest.approx(29 / 30),) * 3
    assert whole.linear.deviation == 0
    assert whole.linear_apart is not None
    assert (whole.linear_apart.mean, report.n, report.n_apart) == (1, 30, 29)
    assert whole.neighbors.mean == pytest.approx(29 / 30)
    assert whole.class_mean.mean == pytest.approx((15 / 16 + 1) / 2)
    protocol = report.protocol
    assert (protocol["split"], protocol["train"]["split"], protocol["seeds"]) == ("test", "train", [0, 1, 2])
    assert len(protocol["data_sha256"]) == 64
    assert report.as_dict()["rows"][0]["linear"]["values"] == report.rows[0].linear.values


def test_nothing_is_chosen_by_looking_at_the_test_part(model, parts):
    train, test = parts
    wrong = test.select(np.arange(len(test)))
    wrong.labels[:] = 1 - wrong.labels
    honest, other = probe(model, train, test).rows[0], probe(model, train, wrong).rows[0]
    assert honest.strengths == other.strengths
    assert other.linear.mean < 0.1


def test_votes_and_kinds_of_features(model, parts):
    _, test = parts
    vectors, features = cloud_features(model, test), cloud_features(model, test, "features")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(features / np.linalg.norm(features, axis=1)[:, None], vectors, atol=1e-5)
    voted = cloud_features(model, test, votes=3)
    np.testing.assert_allclose(np.linalg.norm(voted, axis=1), 1, rtol=1e-5)
    assert not np.array_equal(voted, vectors)
    with pytest.raises(ShapeError):
        cloud_features(model, test, votes=0)


def test_a_tower_without_a_head_has_no_features_before_it(model, parts):
    del model.tower("cloud").head
    with pytest.raises(ModelError, match="no head"):
        cloud_features(model, parts[1], "features")


def test_a_tower_without_levels_has_no_features_of_them(model, parts):
    with pytest.raises(ModelError, match="no levels"):
        cloud_features(model, parts[1], "levels")


def test_the_penalty_follows_from_the_validation_part_and_few_clouds_do_without():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 40)
    known = rng.normal(size=(80, 5)).astype(np.float32)
    known[:, 0] += 3 * labels
    strength, found = fit_and_predict(known, labels, known, seed=0)
    assert strength in probing.STRENGTHS
    assert (found == labels).mean() > 0.85
    alone, found = fit_and_predict(known[[0, 79]], labels[[0, 79]], known[[0, 79]], seed=0)
    assert alone == probing.STRENGTHS[len(probing.STRENGTHS) // 2]
    assert found.tolist() == [0, 1]


def test_parts_must_belong_together(model, parts):
    train, test = parts
    with pytest.raises(ShapeError, match="two classes"):
        probe(model, train.select(np.flatnonzero(train.labels == 1)), test)
    test.classes[0] = "long"
    with pytest.raises(DataError, match="different classes"):
        probe(model, train, test)


def test_nearest_classes_are_those_of_the_most_neighbours_then_of_the_nearer():
    scores = np.array([[0.9, 0.2, 0.8, 0.7], [0.1, 0.9, 0.8, 0.85], [0.5, 0.5, 0.1, 0.0]])
    labels = np.array([2, 0, 1, 1])
    assert nearest_classes(scores, labels, 1).tolist() == [2, 0, 2]
    assert nearest_classes(scores, labels, 3).tolist() == [1, 1, 0]
    assert nearest_classes(scores, labels, 2).tolist() == [2, 0, 0], "of one each the nearer; of equals the first"
    assert nearest_classes(scores, labels, 99).tolist() == [1, 1, 1]
    with pytest.raises(ShapeError):
        nearest_classes(scores, labels[:2], 1)
