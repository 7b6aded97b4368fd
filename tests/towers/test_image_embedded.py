"""The embedded image tower names pictures of procedural objects that it never saw."""

import numpy as np
import pytest
import torch

from clip3d.clouds.mesh import sample_surface
from clip3d.models.card import read_card
from clip3d.models.loading import EMBEDDED
from clip3d.models.preprocess import ImagePreprocess
from clip3d.models.weights import load_strict, read_arrays, read_state
from clip3d.render.splat import splat
from clip3d.simulation.objects import make
from clip3d.spaces import Space
from clip3d.towers.image import ImageTower
from clip3d.towers.text import TextTower

FOLDER = EMBEDDED / "mini"
NOUNS = ["airplane", "chair", "lamp", "car", "toilet", "motorcycle"]


@pytest.fixture(scope="module")
def tower() -> torch.nn.Module:
    config = read_card(FOLDER / "card.json").towers["image"].config
    return load_strict(ImageTower(**config), read_state(FOLDER / "image.safetensors"), FOLDER / "image.safetensors")


@pytest.fixture(scope="module")
def similarity(tower) -> np.ndarray:
    """Centred cosines (pictures, nouns), three pictures of each noun."""
    space = Space("clip-vit-b32-text", 512, read_arrays(FOLDER / "space.safetensors")["mean"].astype(np.float32))
    pixels = []
    for noun in NOUNS:
        for seed in range(3):
            sample = sample_surface(make(noun, 9_000_000 + seed).meshes, 6000, seed=seed)
            pixels.append(ImagePreprocess()(splat(sample.points, sample.colors, view=(35.0 + 40 * seed, 20.0))))
    with torch.inference_mode():
        vectors = tower(torch.from_numpy(np.stack(pixels))).numpy()
    text = TextTower.load(FOLDER, "text.safetensors", layers=6, heads=12)
    return space.similarity(vectors, text.encode([f"a {noun}" for noun in NOUNS]))


def test_most_pictures_are_named_rightly(similarity):
    truth = np.arange(len(NOUNS)).repeat(3)
    assert (similarity.argmax(1) == truth).mean() >= 0.6


def test_each_noun_finds_a_picture_of_itself_first_or_second(similarity):
    truth = np.arange(len(NOUNS)).repeat(3)
    for noun in range(len(NOUNS)):
        best = np.argsort(-similarity[:, noun])[:2]
        assert noun in truth[best], NOUNS[noun]


def test_vectors_have_unit_length(tower):
    vectors = tower(torch.zeros(2, 3, 224, 224))
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2), atol=1e-4, rtol=0)
