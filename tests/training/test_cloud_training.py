"""Training a cloud tower end to end on a few shapes, with the embedded text tower as teacher."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from clip3d.clouds.augmenting import Augmentation
from clip3d.clouds.cloud import PointCloud
from clip3d.data.library import Entry, Library, make_library
from clip3d.errors import DataError
from clip3d.evaluation.naming import naming_accuracy, tower_vectors
from clip3d.models.checking import phrases_as_bytes
from clip3d.models.loading import EMBEDDED
from clip3d.models.packing import TowerFacts, pack
from clip3d.models.weights import load_strict, read_state
from clip3d.towers.set_abstraction import SetAbstractionTower
from clip3d.training.cloud import CloudRecipe, _captioned, draw, train_cloud, view
from clip3d.training.loop import Optimisation

TOWER = {"width": 32, "layers": 1, "heads": 2, "stem": (16, 32), "centers": (32, 8), "neighbors": (8, 8)}


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded text tower alone."""
    folder = tmp_path_factory.mktemp("teacher")
    for name in ("text.safetensors", "tokenizer.json", "space.safetensors"):
        shutil.copy(EMBEDDED / "mini" / name, folder / name)
    facts = {"name": "teacher", "version": "1", "licence": "Apache-2.0", "templates": ["a {}"]}
    space = {"id": "s", "dim": 512, "scale": 1.0, "stored": "unit", "weights": "space.safetensors"}
    text = TowerFacts("sentence-text", "text.safetensors", {"layers": 6, "heads": 12}, files=("tokenizer.json",))
    return pack(folder, facts, space, {"text": text}, {"text.phrases": phrases_as_bytes(["a chair"])}).folder


def shapes() -> Library:
    entries = []
    for number in range(12):
        rng = np.random.default_rng(number)
        pole = rng.uniform(-1, 1, (600, 3)) * [0.05, 0.05, 1]
        plate = rng.uniform(-1, 1, (600, 3)) * [1, 1, 0.05]
        for points, phrase in ((pole, "street lamp"), (plate, "rug")):
            entries.append(Entry(PointCloud(points), (phrase,), f"{phrase} {number}", "made here", "CC0-1.0"))
    return make_library(entries, held_out_share=0, points=128)


def recipe(teacher: Path, steps: int) -> CloudRecipe:
    how = Optimisation(steps=steps, lr=3e-3, warmup=5, average=0.9, checkpoint_every=10, log_every=10)
    libraries = {"shapes.npz": 1.0}
    tower: dict[str, object] = dict(TOWER)
    return CloudRecipe(
        teacher=str(teacher), libraries=libraries, batch=16, counts=(64,), tower=tower, optimisation=how
    )


def test_a_trained_tower_names_what_it_was_shown(tmp_path: Path, teacher: Path) -> None:
    from clip3d.models.loading import load

    library = shapes()
    library.save(tmp_path / "shapes.npz")
    train_cloud(recipe(teacher, 40), tmp_path / "run", data=tmp_path, progress=lambda line: None)
    path = tmp_path / "run" / "cloud.safetensors"
    tower = load_strict(SetAbstractionTower(**TOWER), read_state(path), path)
    model = load(teacher)
    vectors = tower_vectors(tower, library, points=64)
    assert naming_accuracy(vectors, library, lambda t: model.encode_texts(t, ["a {}"]), model.space)["top1"] == 1


def test_withheld_captions_take_their_objects_with_them(tmp_path: Path, teacher: Path) -> None:
    from dataclasses import replace

    shapes().save(tmp_path / "shapes.npz")
    lines: list[str] = []
    few = replace(recipe(teacher, 1), withhold=("rug",))
    train_cloud(few, tmp_path / "run", data=tmp_path, progress=lines.append)
    assert "12 objects, 1 captions, 1 libraries" in lines


@pytest.mark.parametrize("even", [True, False])
def test_a_view_has_the_points_asked_for_and_fits_the_unit_sphere(even: bool) -> None:
    augmentation = Augmentation(partial=1.0, dropout=1.0, tilt=1.0, jitter=1.0, drop_colors=0.5)
    points, colors = view(shapes(), 0, 100, even, augmentation, np.random.default_rng(0))
    assert points.shape == colors.shape == (100, 3)
    assert points.dtype == colors.dtype == np.float32
    assert np.linalg.norm(points, axis=1).max() == pytest.approx(1, abs=1e-5)


def test_pictures_and_clouds_in_any_pose_are_learned_together(tmp_path: Path, teacher: Path) -> None:
    from dataclasses import replace

    import torch

    from clip3d.data.pictures import Pictures
    from clip3d.models.loading import load
    from clip3d.spaces import unit

    library = shapes()
    library.save(tmp_path / "shapes.npz")
    rng = np.random.default_rng(0)
    signatures = load(teacher).space.mean + 0.5 * unit(rng.normal(size=(2, 512)))
    kind = np.array([phrase == "rug" for phrase in library.captions]).astype(int)
    Pictures(library.name, signatures[kind][:, None].astype(np.float16)).save(tmp_path / "pictures.npz")
    settings = replace(
        recipe(teacher, 60),
        pictures="pictures.npz",
        picture_weight=2.0,
        own_picture=0.0,
        pose_free=0.5,
        tower={**TOWER, "pose_free": True},
    )
    train_cloud(settings, tmp_path / "run", data=tmp_path, progress=lambda line: None)
    path = tmp_path / "run" / "cloud.safetensors"
    tower = load_strict(SetAbstractionTower(**TOWER, pose_free=True), read_state(path), path)
    space = load(teacher).space
    lying = library.points[:, :64].astype(np.float32)[:, :, [2, 0, 1]]
    with torch.inference_mode():
        colors = torch.full(lying.shape, 0.5)
        vectors = tower(torch.from_numpy(lying), colors, torch.zeros(len(lying), dtype=torch.bool)).numpy()
    assert (space.similarity(vectors, signatures).argmax(1) == kind).mean() > 0.9


@pytest.mark.parametrize(("general", "expected"), [(1.0, [0.5, 0.5]), (0.25, [0.2, 0.8]), (0.0, [0.0, 1.0])])
def test_words_for_many_kinds_of_things_may_count_less(general: float, expected: list[float]) -> None:
    library = shapes()
    library.captions[:] = "crow|animal"
    library.captions[0] = "animal"
    found = _captioned(library, ["animal", "crow"], general)
    np.testing.assert_allclose(found.positives[1], expected)
    np.testing.assert_allclose(found.positives[0], [1.0, 0.0])


def test_a_run_is_not_taken_up_with_other_data(tmp_path: Path, teacher: Path) -> None:
    library = shapes()
    library.save(tmp_path / "shapes.npz")
    train_cloud(recipe(teacher, 2), tmp_path / "run", data=tmp_path, progress=lambda line: None)
    library.colors[0] = 3
    library.save(tmp_path / "shapes.npz")
    with pytest.raises(DataError, match="another recipe"):
        train_cloud(recipe(teacher, 2), tmp_path / "run", data=tmp_path, progress=lambda line: None)


def test_objects_of_unknown_pose_lie_on_every_side() -> None:
    poles = shapes()
    poles = poles.select(np.array(["lamp" in name for name in poles.name]))
    settings = CloudRecipe(batch=240, counts=(64,), pose_free=1.0, augmentation=Augmentation(tilt_degrees=0.0))
    batch = draw(settings, [_captioned(poles, ["street lamp"], 1.0)], np.ones(1), None, np.random.default_rng(0))
    extents = np.ptp(batch.points.numpy(), axis=1)
    tall = extents[:, 2] > 2 * extents[:, :2].max(axis=1)
    stands = batch.stands.numpy() == 1
    assert not batch.upright.any()
    assert tall[stands].all()
    assert 0.25 < stands.mean() < 0.42  # a third
    assert 0.36 < tall.mean() < 0.58  # and a fifth of the others, upside down
    sideways = extents[~tall]
    assert (sideways[:, 2] < 0.3 * sideways[:, :2].max(axis=1)).all()


def test_a_run_that_goes_on_from_weights_keeps_their_statistics(tmp_path: Path, teacher: Path) -> None:
    from dataclasses import replace

    shapes().save(tmp_path / "shapes.npz")
    first = recipe(teacher, 4)
    train_cloud(first, tmp_path / "first", data=tmp_path, progress=lambda line: None)
    second = replace(first, seed=1, initial="first/cloud.safetensors")
    train_cloud(second, tmp_path / "second", data=tmp_path, progress=lambda line: None)
    before, after = (read_state(tmp_path / run / "cloud.safetensors") for run in ("first", "second"))
    assert all(torch.equal(before[name], after[name]) for name in before if "running" in name)
    assert not torch.equal(before["fine.norm.weight"], after["fine.norm.weight"])
