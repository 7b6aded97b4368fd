"""A head of two networks: one for pictures of objects, one for streets, and a gate between them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clip3d.towers.image import FEATURES, ImageTower
from clip3d.training.street_gate import fit_gate, told_apart, with_streets


def towers() -> tuple[ImageTower, ImageTower]:
    torch.manual_seed(0)
    objects = ImageTower(dim=32, classes=5, hidden=8).eval()
    streets = ImageTower(dim=32, classes=5, hidden=12).eval()
    for module in (objects, streets):
        torch.nn.init.normal_(module.head.directions)
        module.head.mean.fill_(0.1)
    streets.head.classifier.load_state_dict(objects.head.classifier.state_dict())
    streets.head.directions.data = objects.head.directions.data
    return objects, streets


def drawn(seed: int, middle: float, count: int = 300) -> np.ndarray:
    rng = np.random.default_rng(seed)
    given = rng.normal(0.5, 0.3, (count, FEATURES))
    given[:, :40] += middle
    return np.asarray(given.clip(0), np.float32)


def test_the_gate_chooses_the_network_that_learned_such_pictures():
    objects, streets = towers()
    both = with_streets(objects, streets, *fit_gate(drawn(0, 0.4), drawn(1, -0.1)))
    seen, other = drawn(2, 0.4), drawn(3, -0.1)
    assert told_apart(both, seen, other) > 0.97
    with torch.inference_mode():
        for shown, expected in ((seen, streets), (other, objects)):
            given = torch.from_numpy(shown)
            alike = torch.cosine_similarity(both.head(given), expected.head(given))
            assert float(alike.median()) > 0.999


def test_an_uneven_number_of_pictures_does_not_move_the_gate():
    weight, bias = fit_gate(drawn(0, 0.4, 60), drawn(1, -0.1, 600))
    opened = (torch.from_numpy(drawn(2, 0.4)) @ weight + bias > 0).float().mean()
    shut = (torch.from_numpy(drawn(3, -0.1)) @ weight + bias <= 0).float().mean()
    assert min(float(opened), float(shut)) > 0.9


def test_the_gate_is_open_or_shut_and_in_doubt_shut():
    weight, bias = fit_gate(drawn(0, 0.4), drawn(1, -0.1))
    shown = ((2, 0.4), (3, -0.1), (4, 0.15))
    street, other, doubtful = (torch.from_numpy(drawn(seed, middle)) for seed, middle in shown)
    opened = (torch.cat([street, other]) @ weight + bias).sigmoid()
    assert float(((opened > 0.1) & (opened < 0.9)).float().mean()) < 0.01
    assert float((doubtful @ weight + bias > 0).float().mean()) < 0.2


def test_places_of_a_picture_are_judged_by_the_whole_picture():
    objects, streets = towers()
    both = with_streets(objects, streets, torch.zeros(FEATURES), torch.tensor(30.0))
    both.head.gate.weight.data[0, 0] = -1e4  # shut by whatever has the first feature
    features = torch.from_numpy(drawn(4, 0.0, 6))
    whole = features.clone()
    whole[:, 0] = 0
    torch.testing.assert_close(both.head(features, whole), streets.head(features))
    shut = features.clone()
    shut[:, 0] = 1
    torch.testing.assert_close(both.head(shut), objects.head(shut))


def test_a_picture_is_the_same_whole_and_by_its_only_place():
    objects, streets = towers()
    both = with_streets(objects, streets, *fit_gate(drawn(0, 0.4), drawn(1, -0.1)))
    pixels = torch.rand(2, 3, 32, 32) * 2 - 1
    with torch.inference_mode():
        places = both.dense(pixels)
        assert places.shape == (2, 1, 1, 32)
        torch.testing.assert_close(places[:, 0, 0], both(pixels), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("streets", [0, 12])
def test_a_bundle_says_how_wide_the_second_network_is(streets: int):
    tower = ImageTower(dim=32, classes=5, hidden=8, streets=streets)
    assert ("head.gate.weight" in tower.state_dict()) == bool(streets)
