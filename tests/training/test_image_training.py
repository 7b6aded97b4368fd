"""Training of the image tower's head."""

import dataclasses
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from clip3d.data.library import Library
from clip3d.errors import DataError
from clip3d.spaces import Space, unit
from clip3d.towers.image import FEATURES, ImageTower
from clip3d.training.image import choose, picture_vectors, read_class_names
from clip3d.training.image_head import (
    HeadRecipe,
    Texts,
    measure,
    measure_against_clouds,
    object_weights,
    soft_targets,
    train_head,
)
from clip3d.training.picture_features import PictureRecipe, picture_features

PICTURES = PictureRecipe(views=2, icon_pictures=1, drawn_at=64)
HEAD = HeadRecipe(hidden=16, steps=150, batch=32)
CAPTIONS = ["ball", "stick", "ball|round thing", "stick|rod"] * 4


def encode(phrases: list[str]) -> np.ndarray:
    """A fixed direction a phrase; words in common bring phrases together."""
    words = [[np.random.default_rng(zlib.crc32(w.encode())).normal(size=32) for w in p.split()] for p in phrases]
    return unit(np.stack([np.mean(w, axis=0) for w in words]).astype(np.float32))


TEXTS = Texts(encode, Space("test", 32, np.zeros(32, np.float32)), "{}")


def small_library() -> Library:
    n = len(CAPTIONS)
    rng = np.random.default_rng(0)
    shape = np.where(np.array([c.startswith("ball") for c in CAPTIONS])[:, None, None], 1.0, [0.1, 0.1, 1.0])
    names = np.array([f"object {i}" for i in range(n)])
    return Library(
        points=(unit(rng.normal(size=(n, 256, 3)).reshape(-1, 3)).reshape(n, 256, 3) * shape).astype(np.float16),
        colors=np.full((n, 256, 3), 90, np.uint8),
        colored=np.ones(n, bool),
        captions=np.array(CAPTIONS),
        source=names,
        licence=names,
        name=names,
        held_out=np.arange(n) >= n - 4,
        group=np.arange(n),
    )


ICONS = {"object 2": np.full((16, 16, 4), 255, np.uint8)}


class CountingTrunk:
    """Stands in for the trunk: the mean colour, and how often it was asked."""

    def __init__(self) -> None:
        self.pictures = 0

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        self.pictures += len(pixels)
        return pixels.mean((2, 3)).repeat(1, FEATURES // 3 + 1)[:, :FEATURES]


@pytest.fixture(scope="module")
def clustered() -> np.ndarray:
    """Features that tell balls from sticks."""
    rng = np.random.default_rng(1)
    features = rng.uniform(0, 1, (len(CAPTIONS), 3, FEATURES))
    features[0::2, :, :100] += 2
    return features.astype(np.float16)


def trained(features: np.ndarray, clouds: np.ndarray | None = None, **changes: float) -> ImageTower:
    torch.manual_seed(0)
    tower = ImageTower(dim=32, classes=10, hidden=16)
    torch.nn.init.zeros_(tower.head.widen.weight)
    torch.nn.init.normal_(tower.head.directions)
    lines: list[str] = []
    recipe = dataclasses.replace(HEAD, **changes)
    with tempfile.TemporaryDirectory() as folder:
        train_head(tower, small_library(), features, TEXTS, clouds, recipe, 0, Path(folder), lines.append)
    return tower


def test_the_head_learns_to_name_held_out_objects(clustered):
    result = measure(trained(clustered), small_library(), clustered, TEXTS)
    assert result["objects"] == 4
    assert result["pictures"] == 12
    assert result["recall@1"] == 1.0


def test_training_again_gives_the_same_weights(clustered):
    one, other = trained(clustered).state_dict(), trained(clustered).state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_soft_targets_favour_the_true_captions_and_share_with_near_synonyms():
    phrases, shares = soft_targets(small_library(), TEXTS, softness=5.0)
    names = ["ball", "rod", "round thing", "stick"]
    np.testing.assert_allclose(phrases.numpy(), TEXTS(names), atol=1e-6)
    np.testing.assert_allclose(shares.sum(1).numpy(), 1, atol=1e-5)
    assert names[int(shares[1].argmax())] == "stick"
    assert {names[k] for k in shares[2].topk(2).indices} == {"ball", "round thing"}


def test_rare_captions_are_drawn_more_often():
    library = small_library().select(np.array([0, 2, 4, 1]))
    np.testing.assert_allclose(object_weights(library, 1.0), [1 / 3, 1 / 3, 1 / 3, 1])


def test_features_that_were_written_are_not_made_again(tmp_path):
    trunk, lines = CountingTrunk(), []
    first = picture_features(small_library(), ICONS, trunk, "t", PICTURES, 0, tmp_path, lines.append)
    assert first.shape == (len(CAPTIONS), 3, FEATURES)
    assert trunk.pictures == 2 * len(CAPTIONS) + 1
    again = picture_features(small_library(), ICONS, trunk, "t", PICTURES, 0, tmp_path, lines.append)
    assert trunk.pictures == 2 * len(CAPTIONS) + 1
    np.testing.assert_array_equal(first, again)


def test_pictures_of_an_object_do_not_depend_on_its_neighbours(tmp_path):
    def quiet(line: str) -> None:
        pass

    whole = picture_features(small_library(), ICONS, CountingTrunk(), "t", PICTURES, 0, tmp_path / "a", quiet)
    part = small_library().select(np.array([5]))
    alone = picture_features(part, ICONS, CountingTrunk(), "t", PICTURES, 0, tmp_path / "b", quiet)
    np.testing.assert_allclose(alone[0], whole[5], atol=1e-2)


def test_an_object_without_an_icon_has_drawn_views_in_its_place(tmp_path):
    library, trunk = small_library(), CountingTrunk()
    features = picture_features(library, ICONS, trunk, "t", PICTURES, 0, tmp_path, lambda line: None)
    np.testing.assert_array_equal(features[3, 2], features[3, 0])
    assert (features[2, 2] != features[2, 0]).any()


def test_class_names_are_matched_by_their_ids(tmp_path):
    (tmp_path / "ids").write_text("n2\nn1\n")
    (tmp_path / "names").write_text("n1\ttench, Tinca tinca\nn2\tgoldfish\n")
    assert read_class_names(tmp_path / "ids", tmp_path / "names") == [["goldfish"], ["tench", "Tinca tinca"]]
    (tmp_path / "ids").write_text("n3\n")
    with pytest.raises(DataError, match="n3"):
        read_class_names(tmp_path / "ids", tmp_path / "names")


def test_groups_of_names_give_directions_without_their_common_part():
    directions = TEXTS.mixed([["ball", "round ball"], ["stick"], ["rod"]])
    assert directions.shape == (3, 32)
    np.testing.assert_allclose(directions.mean(0), 0, atol=1e-6)
    assert unit(directions[:1]) @ TEXTS(["ball"]).T > 0.6


@pytest.mark.parametrize("kind", [0, 1])
def test_pictures_are_drawn_to_the_clouds_of_their_objects(clustered, kind):
    # Whichever way two directions are dealt to the two kinds of object, pictures of each learn to find theirs.
    two = unit(np.random.default_rng(2).normal(size=(2, 32)).astype(np.float32))
    clouds = two[(np.arange(len(CAPTIONS)) + kind) % 2]
    tower = trained(clustered, clouds[:, None], cloud_weight=5.0, own_cloud=0.0)
    found = measure_against_clouds(tower, small_library(), clustered, clouds, seed=0)
    assert found == {"cloud recall@1": 1.0, "cloud recall@5": 1.0}


def test_held_out_objects_are_always_chosen():
    chosen = choose(small_library(), most=3, seed=0)
    assert list(chosen.name[-4:]) == [f"object {i}" for i in range(len(CAPTIONS) - 4, len(CAPTIONS))]
    assert len(chosen) == 7
    assert len(choose(small_library(), most=0, seed=0)) == len(CAPTIONS)


def test_vectors_of_pictures_are_kept_by_object(clustered):
    tower = trained(clustered)
    pictures = picture_vectors(tower, small_library(), clustered)
    assert pictures.vectors.shape == (len(CAPTIONS), 3, 32)
    with torch.inference_mode():
        expected = tower.head(torch.from_numpy(clustered[5].astype(np.float32))).numpy()
    np.testing.assert_allclose(pictures.vectors[list(pictures.name).index("object 5")], expected, atol=1e-2)


@pytest.mark.parametrize("what", ["colors", "icon", "trunk", "nothing"])
def test_features_of_other_pictures_are_never_taken_up(tmp_path, what):
    trunk, library, icons = CountingTrunk(), small_library(), dict(ICONS)
    picture_features(library, icons, trunk, "t", PICTURES, 0, tmp_path, lambda line: None)
    first = trunk.pictures
    if what == "colors":
        library.colors[3] = 10
    if what == "icon":
        icons["object 2"] = np.zeros((16, 16, 4), np.uint8)
    name = "other" if what == "trunk" else "t"
    picture_features(library, icons, trunk, name, PICTURES, 0, tmp_path, lambda line: None)
    assert (trunk.pictures > first) == (what != "nothing")
