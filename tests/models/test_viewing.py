"""Any CLIP sees clouds through drawings of them."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_clip
import torch
from converted_clip import converted_clip

import clip3d
from clip3d.clouds.cloud import PointCloud
from clip3d.errors import ModelError, ShapeError
from clip3d.models.exporting import export_tower
from clip3d.models.viewing import view_clouds
from clip3d.render.clip2point_depth import DIRECTIONS, disc_depth_maps
from clip3d.render.depth import depth_maps
from clip3d.spaces import unit


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return converted_clip(tmp_path_factory.mktemp("clip"))


def cloud(seed=0, p=500):
    points = np.random.default_rng(seed).normal(size=(p, 3)) * [1, 0.4, 0.7]
    return PointCloud(points.astype(np.float32), up="z")


def pictures_of(model, maps, scaled):
    pixels = torch.from_numpy(maps)[:, None].repeat(1, 3, 1, 1)
    side = (tiny_clip.SIZE, tiny_clip.SIZE)
    pixels = torch.nn.functional.interpolate(pixels, size=side, mode="bilinear", align_corners=True)
    photos = model.image_preparation()
    mean, std = (np.reshape(np.float32(v), (3, 1, 1)) for v in (photos.mean, photos.std))
    return [(p - mean) / std if scaled else p for p in pixels.numpy()]


@pytest.mark.parametrize(
    ("drawing", "views", "scaled"), [("pointclip", 6, None), ("pointclip", 10, True), ("clip2point", 6, None)]
)
def test_a_clip_names_a_cloud_by_its_depth_maps_as_the_paper_does(drawing, views, scaled, clip, tmp_path):
    model = view_clouds(clip, tmp_path / "seeing", drawing, views=views, scaled=scaled)
    assert model.space.id == clip.space.id
    xyz = model.cloud_preparation()(cloud())[0]
    if drawing == "pointclip":
        maps, template = depth_maps(xyz, views, 128 if views == 6 else 224), "point cloud depth map of a {}."
    else:
        maps, template = disc_depth_maps(xyz, DIRECTIONS[views], tiny_clip.SIZE), "image of a {}"
    seen = model.encode_pixels(pictures_of(model, maps, scaled or drawing == "clip2point"))
    labels = ["chair", "table", "red chair"]
    expected = (seen @ clip.encode_texts(labels, [template]).T).sum(0)
    ranked = model.classify(cloud(), labels)
    in_order = [expected[labels.index(label.label)] for label in ranked]
    assert (np.diff(in_order) < 1e-5).all(), "best first; what ties may stand in any order"
    vector = model.encode_clouds([cloud()], normalize=False)
    np.testing.assert_allclose(views * vector @ model.label_vectors(labels).T, expected[None], atol=1e-4)


def test_texts_and_pictures_stay_and_the_model_is_whole(clip, tmp_path, run_cli):
    done = run_cli("models", "views", clip.folder, tmp_path / "seeing", "--drawing", "clip2point")
    assert done.returncode == 0, done.stderr
    assert "image of a {}" in done.stderr
    model = clip3d.load(tmp_path / "seeing")
    np.testing.assert_array_equal(model.encode_texts(["a chair"]), clip.encode_texts(["a chair"]))
    picture = np.random.default_rng(0).integers(0, 256, size=(40, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(model.encode_images([picture]), clip.encode_images([picture]))
    assert (tmp_path / "seeing" / "image.safetensors").exists()
    assert not (tmp_path / "seeing" / "cloud.safetensors").exists()
    assert run_cli("models", "check", tmp_path / "seeing").returncode == 0


def test_shaded_pictures_are_the_drawing_of_models_convert(clip, tmp_path):
    model = view_clouds(clip, tmp_path / "seeing", "shaded")
    assert model.card.towers["cloud"].architecture == "rendered-views"
    assert model.card.templates == clip.card.templates
    np.testing.assert_allclose(unit(model.encode_clouds([cloud()])), model.encode_clouds([cloud()]), atol=1e-6)


def test_weights_of_views_are_their_shares_in_the_answer(clip, tmp_path, run_cli):
    whole = view_clouds(clip, tmp_path / "whole")
    done = run_cli("models", "views", clip.folder, tmp_path / "side", "--weights", "0,2,0,0,0,0")
    assert done.returncode == 0, done.stderr
    side = clip3d.load(tmp_path / "side")
    xyz = torch.from_numpy(whole.cloud_preparation()(cloud())[0])[None]
    with torch.inference_mode():
        second = unit(whole.tower("cloud").look(xyz)[0].numpy())[1]
    np.testing.assert_allclose(side.encode_clouds([cloud()])[0], second, atol=1e-5)
    for wrong in ("1,2", "1,1,1,1,1,-1", "0,0,0,0,0,0", "a,b"):
        done = run_cli("models", "views", clip.folder, tmp_path / "wrong", f"--weights={wrong}")
        assert done.returncode == 2
        assert "weights must be" in done.stderr
    assert not (tmp_path / "wrong").exists()


def test_what_cannot_be_is_refused_and_nothing_is_written(clip, tmp_path):
    with pytest.raises(ShapeError, match="the drawing must be one of"):
        view_clouds(clip, tmp_path / "a", "toon")
    with pytest.raises(ShapeError, match="6 or 10 sides, got 4"):
        view_clouds(clip, tmp_path / "a", "pointclip", views=4)
    assert not (tmp_path / "a").exists()
    with pytest.raises(ModelError, match="is no empty folder"):
        view_clouds(clip, clip.folder)


def test_a_tower_that_draws_is_not_exported(clip, tmp_path):
    model = view_clouds(clip, tmp_path / "seeing")
    with pytest.raises(ModelError, match="draws pictures of a cloud"):
        export_tower(model, "cloud", tmp_path / "cloud.onnx")
