"""Classifiers as towers: cosines with labels give the probabilities of the classifier itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_classifier import BACKBONE

from clip3d.errors import ShapeError
from clip3d.spaces import Space
from clip3d.towers.classifier import ClassifierTower, head_of, on_sphere
from clip3d.towers.labels import LabelTower

POINT_TRANSFORMER = {"width": 12, "layers": 1, "heads": 2, "centers": 8, "neighbors": 4}
POINT_MLP = {"stem": 4, "channels": (4, 8), "anchors": (16, 8), "neighbors": 4, "blocks": 1}


def clouds(n: int = 3, p: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    points, colors = rng.normal(size=(n, p, 3)), rng.uniform(size=(n, p, 3))
    return torch.from_numpy(points.astype(np.float32)), torch.from_numpy(colors.astype(np.float32))


def space(classes: int, scale: float) -> Space:
    return Space("s", classes + 1, np.zeros(classes + 1, np.float32), scale)


@pytest.mark.parametrize("size", [0.01, 1.0, 8.0])
def test_cosines_with_one_hot_labels_give_the_softmax_of_the_logits(size: float):
    logits = size * torch.randn(50, 10, generator=torch.Generator().manual_seed(0)) + 3
    vectors = on_sphere(logits, 100.0).numpy()
    here = space(10, 100.0)
    found = here.probabilities(here.similarity(vectors, np.eye(10, 11, dtype=np.float32)))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found, logits.double().softmax(1).numpy(), atol=2e-5)


def test_logits_beyond_the_scale_keep_their_order():
    logits = torch.tensor([[500.0, 100.0, -900.0, 300.0]])
    vectors = on_sphere(logits, 100.0)
    assert torch.isfinite(vectors).all()
    assert vectors[0, :4].argsort().tolist() == logits[0].argsort().tolist()
    torch.testing.assert_close(vectors[0, :4].norm(), torch.tensor(1.0))


@pytest.mark.parametrize(
    ("architecture", "backbone", "width"),
    [
        ("set-abstraction", {**BACKBONE, "dim": 512}, 32),
        ("point-transformer", POINT_TRANSFORMER, 24),
        ("point-mlp", {**POINT_MLP, "head": (6,)}, 8),
    ],
)
def test_a_head_sees_the_feature_of_every_backbone(architecture: str, backbone: dict, width: int):
    torch.manual_seed(0)
    tower = ClassifierTower(architecture, backbone, 5, hidden=(16,), norm=True).eval()
    points, colors = clouds()
    assert tower.backbone(points, colors).shape == (3, width)
    assert tower(points, colors).shape == (3, 6)
    torch.testing.assert_close(tower(points, colors), on_sphere(tower.logits(points, colors), 100.0))


def test_the_heads_of_the_paper_have_its_layers():
    plain = [type(layer).__name__ for layer in head_of([768, 256, 40], False, 0.5)]
    normed = [type(layer).__name__ for layer in head_of([1024, 512, 256, 40], True, 0.5)]
    assert plain == ["Linear", "ReLU", "Dropout", "Linear"]
    assert normed == ["Linear", "ChannelNorm", "ReLU", "Dropout"] * 2 + ["Linear"]
    assert [type(layer).__name__ for layer in head_of([8, 3], False, 0.5)] == ["Dropout", "Linear"]


@pytest.mark.parametrize("wrong", [{"architecture": "clip-vit"}, {"classes": 1}, {"scale": 0.0}])
def test_settings_that_make_no_classifier_are_refused(wrong: dict):
    settings = {"architecture": "set-abstraction", "backbone": BACKBONE, "classes": 3, **wrong}
    with pytest.raises(ValueError, match=r"feature|classes"):
        ClassifierTower(**settings)


def test_a_cloud_that_may_lie_on_any_side_is_refused():
    tower = ClassifierTower("set-abstraction", {**BACKBONE, "pose_free": True}, 3).eval()
    with pytest.raises(ShapeError, match="pose-free"):
        tower(*clouds(), torch.tensor([True, False, True]))


class TestLabels:
    tower = LabelTower(["night stand", "TV", "Arm-Chair"], np.eye(3, 4, dtype=np.float32))

    @pytest.mark.parametrize("spelling", ["arm chair", "ARM_CHAIR", "Arm-Chair", "  arm   chair "])
    def test_spellings_of_a_label_are_one(self, spelling: str):
        assert self.tower.encode([spelling]).tolist() == [[0, 0, 1, 0]]

    def test_an_unknown_label_is_answered_with_the_known_ones(self):
        with pytest.raises(ShapeError, match=r"'nightstand'.*mean 'night stand'.*night stand, TV, Arm-Chair"):
            self.tower.encode(["TV", "nightstand"])

    def test_no_phrases_have_no_vectors(self):
        assert self.tower.encode([]).shape == (0, 4)

    def test_labels_that_read_alike_are_refused(self):
        with pytest.raises(ValueError, match="two labels"):
            LabelTower(["night stand", "Night_Stand"], np.eye(2, dtype=np.float32))
