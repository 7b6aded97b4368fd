"""Towers of models of one space become one model; anything that does not belong together is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cloud_bundles import write_cloud_bundle

from clip3d.errors import ModelError, ShapeError, SpaceMismatch
from clip3d.models.checking import check_model
from clip3d.models.joining import join_models
from clip3d.models.model import Model
from clip3d.spaces import Space

SPACE = Space("s", 8, np.full(8, 0.02, np.float32))


@pytest.fixture
def without_clouds(bundle, tmp_path):
    """The tiny model with its texts and pictures alone, in the space "s"."""
    folder = tmp_path / "flat"
    folder.mkdir()
    for file in bundle.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    card = json.loads((folder / "card.json").read_text())
    del card["towers"]["cloud"]
    card["space"]["id"] = "s"
    (folder / "card.json").write_text(json.dumps(card))
    return Model(folder)


def test_a_joined_model_answers_as_its_parts_do(without_clouds, tmp_path):
    clouds = write_cloud_bundle(tmp_path / "clouds", SPACE)
    joined = join_models([without_clouds, clouds], tmp_path / "all", name="both")
    assert (joined.name, sorted(joined.card.towers)) == ("both", ["cloud", "image", "text"])
    np.testing.assert_array_equal(joined.encode_texts(["tall"]), without_clouds.encode_texts(["tall"]))
    assert joined.card.towers["cloud"].id == clouds.card.towers["cloud"].id, "the cache's vectors stay good"
    assert joined.space.scale == without_clouds.space.scale
    assert joined.card.limits == ("It knows five words.", "It saw nothing.")
    assert joined.card.measured == ({"model": clouds.id, "test": "none", "value": 0.5},)
    assert all(check.passed for check in check_model(joined))
    again = join_models([joined, clouds, without_clouds], tmp_path / "again")
    assert again.card.weights_hash == joined.card.weights_hash, "the same tower twice is one"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_does_not_belong_together_is_refused_and_leaves_nothing(without_clouds, tmp_path):
    clouds, out = write_cloud_bundle(tmp_path / "clouds", SPACE), tmp_path / "all"
    with pytest.raises(SpaceMismatch, match="clouds"):
        join_models([without_clouds, write_cloud_bundle(tmp_path / "a", Space("t", 8, SPACE.mean))], out)
    with pytest.raises(ModelError, match="otherwise"):
        join_models([without_clouds, write_cloud_bundle(tmp_path / "b", Space("s", 8, SPACE.mean * 2))], out)
    other = write_cloud_bundle(tmp_path / "c", SPACE, seed=1)
    with pytest.raises(ModelError, match="cloud tower is another"):
        join_models([without_clouds, clouds, other], out)
    with pytest.raises(ShapeError, match="two models"):
        join_models([clouds], out)
    with pytest.raises(ModelError, match="no empty folder"):
        join_models([without_clouds, clouds], tmp_path / "a")
    weights = tmp_path / "clouds" / "cloud.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelError, match="SHA-256"):
        join_models([without_clouds, clouds], out)
    assert not out.exists()
