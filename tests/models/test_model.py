"""Loading models, refusing damaged ones, and encoding through them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import clip3d
from clip3d.clouds.cloud import PointCloud
from clip3d.errors import ModelError, ShapeError
from clip3d.models.card import read_card
from clip3d.models.checking import check_model
from clip3d.models.model import Model
from clip3d.models.packing import TowerFacts, golden_clouds, pack
from clip3d.models.weights import write_arrays
from clip3d.towers.set_abstraction import SetAbstractionTower

TINY = {"dim": 8, "width": 16, "layers": 1, "heads": 2, "stem": [8, 16], "centers": [16, 8], "neighbors": [4, 4]}


@pytest.fixture
def tiny(tmp_path: Path) -> Model:
    """A bundle with a true cloud tower of random weights."""
    import torch

    torch.manual_seed(0)
    state = SetAbstractionTower(**TINY).state_dict()
    write_arrays({name: tensor.numpy() for name, tensor in state.items()}, tmp_path / "cloud.safetensors")
    write_arrays({"mean": np.zeros(8, np.float32)}, tmp_path / "space.safetensors")
    facts = {"name": "tiny", "version": "1", "licence": "CC0-1.0", "templates": ["a {}"]}
    space = {"id": "s", "dim": 8, "scale": 1.0, "stored": "unit", "weights": "space.safetensors"}
    towers = {"cloud": TowerFacts("set-abstraction", "cloud.safetensors", TINY, {"points": 64})}
    return pack(tmp_path, facts, space, towers, golden_clouds(2, 80))


def cloud(n: int, seed: int = 0) -> PointCloud:
    return PointCloud(np.random.default_rng(seed).normal(size=(n, 3)))


def test_a_packed_model_passes_its_own_check(tiny: Model) -> None:
    checks = check_model(tiny)
    assert all(check.passed for check in checks)
    assert any(check.name == "cloud vectors" for check in checks)


def test_changed_weights_are_refused_by_name(tiny: Model) -> None:
    path = tiny.folder / "cloud.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"cloud\.safetensors.*SHA-256"):
        Model(tiny.folder).encode_clouds([cloud(50)])


def test_weights_of_another_shape_are_refused_with_counts(tiny: Model) -> None:
    raw = json.loads((tiny.folder / "card.json").read_text())
    raw["towers"]["cloud"]["config"]["width"] = 32
    (tiny.folder / "card.json").write_text(json.dumps(raw))
    with pytest.raises(ModelError, match="of another shape"):
        Model(tiny.folder).encode_clouds([cloud(50)])


@pytest.mark.parametrize(("part", "what"), [("preprocess", "preparation"), ("config", "configuration")])
def test_settings_that_a_tower_does_not_have_are_refused_with_the_card(tiny: Model, part: str, what: str) -> None:
    raw = json.loads((tiny.folder / "card.json").read_text())
    raw["towers"]["cloud"][part]["colour"] = 1
    (tiny.folder / "card.json").write_text(json.dumps(raw))
    with pytest.raises(ModelError, match=rf"card\.json.*{what}.*colour"):
        Model(tiny.folder).encode_clouds([cloud(50)])


@pytest.mark.parametrize("name", ["../evil.safetensors", "/etc/passwd", "a/b.safetensors"])
def test_a_card_cannot_name_files_outside_its_folder(tiny: Model, name: str) -> None:
    raw = json.loads((tiny.folder / "card.json").read_text())
    raw["towers"]["cloud"]["weights"] = name
    (tiny.folder / "card.json").write_text(json.dumps(raw))
    with pytest.raises(ModelError, match="not inside the model's folder"):
        read_card(tiny.folder / "card.json")


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 99}', '{"format": 1}'])
def test_a_card_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(ModelError):
        Model(tmp_path)


def test_an_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(ModelError, match="embedded models"):
        clip3d.load("no-such-model")


def test_a_missing_tower_is_told(tiny: Model) -> None:
    with pytest.raises(ModelError, match="no text tower"):
        tiny.encode_texts(["a chair"])


def test_batches_of_mixed_sizes_equal_single_clouds(tiny: Model) -> None:
    clouds = [cloud(n, n) for n in (3, 64, 40, 500, 64, 40)]
    together = tiny.encode_clouds(clouds, batch_size=4)
    single = np.concatenate([tiny.encode_clouds([c]) for c in clouds])
    np.testing.assert_allclose(together, single, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_vectors_do_not_depend_on_the_order_position_or_size_of_the_points(tiny: Model) -> None:
    # Up to the start of farthest point sampling, which is the first point: it stays first.
    original = cloud(64)
    order = np.r_[0, np.random.default_rng(1).permutation(np.arange(1, 64))]
    moved = PointCloud(original.points[order] * 7 + np.float32([3, 2, 1]))
    np.testing.assert_allclose(tiny.encode_clouds([moved]), tiny.encode_clouds([original]), atol=1e-4)


def test_convention_up_axis_is_turned_to_z(tiny: Model) -> None:
    z_up = cloud(64)
    x, y, z = z_up.points.T
    y_up = PointCloud(np.stack([x, z, -y], axis=1), up="y")
    np.testing.assert_allclose(tiny.encode_clouds([y_up]), tiny.encode_clouds([z_up]), atol=1e-5)


def test_no_clouds_give_no_vectors(tiny: Model) -> None:
    assert tiny.encode_clouds([]).shape == (0, 8)


def test_no_phrases_give_no_vectors_whatever_the_templates(model: Model) -> None:
    for templates in (None, ["a {}"], ["a {}", "one {}"]):
        assert model.encode_texts([], templates).shape == (0, model.space.dim)


def test_one_string_instead_of_a_list_is_an_error(model: Model) -> None:
    with pytest.raises(ShapeError, match="list of phrases"):
        model.encode_texts("a chair")


def test_a_template_needs_a_place_for_the_name(model: Model) -> None:
    with pytest.raises(ShapeError, match=r"needs \{\}"):
        model.encode_texts(["chair"], ["a photo"])


def test_a_model_moved_elsewhere_is_the_same_model(tiny: Model, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("moved") / "copy"
    shutil.copytree(tiny.folder, folder)
    assert Model(folder).id == tiny.id


def test_clouds_in_any_pose_need_a_model_that_has_the_mode(tiny: Model) -> None:
    with pytest.raises(ModelError, match="no pose-free mode"):
        tiny.encode_clouds([cloud(50)], pose="any")
    with pytest.raises(ShapeError, match="upright or any"):
        tiny.encode_clouds([cloud(50)], pose="lying")  # type: ignore[arg-type]


def test_a_cloud_in_any_pose_is_stood_on_each_side_of_its_box(tmp_path: Path) -> None:
    import torch

    from clip3d.clouds.augmenting import rotation_about
    from clip3d.clouds.posing import stances
    from clip3d.spaces import unit

    config = {**TINY, "pose_free": True}
    state = SetAbstractionTower(**config).state_dict()
    write_arrays({name: tensor.numpy() for name, tensor in state.items()}, tmp_path / "cloud.safetensors")
    write_arrays({"mean": np.zeros(8, np.float32)}, tmp_path / "space.safetensors")
    facts = {"name": "tiny", "version": "1", "licence": "CC0-1.0", "templates": ["a {}"]}
    space = {"id": "s", "dim": 8, "scale": 1.0, "stored": "unit", "weights": "space.safetensors"}
    towers = {"cloud": TowerFacts("set-abstraction", "cloud.safetensors", config, {"points": 64, "turns": 2})}
    model = pack(tmp_path, facts, space, towers, golden_clouds(2, 80))
    clouds = [cloud(64), cloud(40, 1)]
    found = model.encode_clouds(clouds, pose="any", batch_size=5)
    tower = model.tower("cloud")
    xyz, colors = model.cloud_preparation()(clouds[1])
    ways = [rotation_about("z", angle) @ stance for stance in stances(xyz) for angle in (0, np.pi)]
    with torch.inference_mode():
        turned = torch.from_numpy(np.stack([xyz @ way.T.astype(np.float32) for way in ways]))
        same = torch.from_numpy(colors).expand(12, -1, -1)
        vectors, logits = tower.with_stance(turned, same, torch.zeros(12, dtype=torch.bool))
    weighted = logits.softmax(0).numpy()[:, None] * unit(vectors.numpy())
    np.testing.assert_allclose(found[1], unit(weighted.sum(0, keepdims=True))[0], atol=1e-5)
    assert model.encode_clouds([], pose="any").shape == (0, 8)


def test_stray_points_do_not_change_how_a_cloud_is_seen() -> None:
    from clip3d.models.preprocess import CloudPreprocess

    clean = cloud(400)
    far = np.random.default_rng(3).uniform(-60, 60, size=(8, 3))
    stray = PointCloud(np.concatenate([clean.points, far]))
    expected = CloudPreprocess(points=400, outliers=5.0)(clean)[0]
    np.testing.assert_allclose(CloudPreprocess(points=400, outliers=5.0)(stray)[0], expected, atol=1e-5)
    assert np.abs(CloudPreprocess(points=400)(stray)[0] - CloudPreprocess(points=400)(clean)[0]).max() > 0.1
