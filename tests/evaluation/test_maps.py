from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from clip3d.data.labelled_clouds import LabelledClouds, read_labelled
from clip3d.errors import ShapeError
from clip3d.evaluation import maps
from clip3d.evaluation.features import cloud_features
from clip3d.evaluation.map_pages import write_map
from clip3d.evaluation.maps import colors_of, feature_map, neighbors_right, silhouette

pytest.importorskip("umap")
pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> LabelledClouds:
    """Tall and flat clouds by turns; one class is of none, and one name would end a script."""
    rng = np.random.default_rng(1)
    scales = np.float32([[0.3, 0.3, 4], [3, 3, 0.2]])
    labels = np.arange(40) % 2
    path = tmp_path_factory.mktemp("maps") / "c.npz"
    names = np.array(["</script><b>", *(f"thing_{i}" for i in range(1, 40))])
    points = rng.random((40, 60, 3)).astype(np.float32) * scales[labels][:, None]
    classes = np.array(["tall", "flat", "unseen"])
    np.savez(path, points=points, labels=labels, classes=classes, up="z", names=names)
    return read_labelled(path)


def test_a_map_has_figures_that_say_how_well_classes_part(model, data):
    features = cloud_features(model, data)
    first, again = feature_map(model, data, features, seed=3), feature_map(model, data, features, seed=3)
    assert first.places.shape == (40, 2)
    assert first.places.min() == 0
    assert first.places.max() == 1
    assert np.array_equal(first.places, again.places)
    assert first.neighbors == 1
    assert first.silhouette > 0.6
    protocol = first.as_dict()["protocol"]
    assert (protocol["seed"], protocol["clouds"], protocol["model"]) == (3, 40, model.id)
    tall, flat = first.places[::2], first.places[1::2]
    spread = max(np.linalg.norm(part - part.mean(0), axis=1).mean() for part in (tall, flat))
    assert np.linalg.norm(tall.mean(0) - flat.mean(0)) > 2 * spread


def test_torch_runs_on_as_many_threads_after_a_map_as_before():
    import torch

    pytest.importorskip("umap")
    before = torch.get_num_threads()
    maps.laid_out(np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32), seed=0)
    assert torch.get_num_threads() == before


def test_figures_fall_where_classes_mix(model, data):
    features = cloud_features(model, data)
    mixed = data.select(np.arange(40))
    mixed.labels[:] = np.arange(40) // 2 % 2
    found = feature_map(model, mixed, features)
    assert found.silhouette < 0.1
    assert found.neighbors < 0.8


def test_neighbours_are_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(50, 4)).astype(np.float32)
    labels = rng.integers(0, 3, 50)
    whole = neighbors_right(features, labels)
    monkeypatch.setattr(maps, "CHUNK", 7)
    assert neighbors_right(features, labels) == whole


def test_the_silhouette_is_that_of_a_plain_loop():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(30, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    labels = np.arange(30) % 3
    far = 1 - vectors @ vectors.T
    values = []
    for i in range(30):
        own = far[i][(labels == labels[i]) & (np.arange(30) != i)].mean()
        other = min(far[i][labels == c].mean() for c in range(3) if c != labels[i])
        values.append((other - own) / max(own, other))
    assert silhouette(vectors, labels) == pytest.approx(np.mean(values), abs=1e-5)
    with pytest.raises(ShapeError):
        silhouette(vectors, np.zeros(30, np.intp))


def test_a_page_holds_everything_and_runs_nothing_of_a_name(model, data, tmp_path: Path):
    features = cloud_features(model, data)
    maps = [feature_map(model, data, features), feature_map(model, data, features, seed=1)]
    write_map(tmp_path / "map.html", maps, data)
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "http" not in page, "nothing is fetched"
    assert page.count("</script>") == 2, "a name does not end the script"
    (text,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)
    table = json.loads(text)
    assert [c["name"] for c in table["classes"]] == ["tall", "flat"]
    assert table["names"][0] == "</script><b>"
    assert len(table["maps"]) == 2
    assert len(table["maps"][1]["places"]) == 40
    assert "silhouette" in table["maps"][0]["figures"]


def test_a_picture_is_written_whole_and_alike(model, data, tmp_path: Path):
    pytest.importorskip("matplotlib")
    from PIL import Image

    found = feature_map(model, data, cloud_features(model, data))
    write_map(tmp_path / "one.png", [found], data)
    write_map(tmp_path / "two.png", [found, found], data)
    write_map(tmp_path / "again.png", [found], data)
    one, two = Image.open(tmp_path / "one.png"), Image.open(tmp_path / "two.png")
    assert two.width == 2 * one.width
    assert len(one.convert("RGB").getcolors(1 << 20)) > 20
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    with pytest.raises(ShapeError, match=r"\.png or \.html"):
        write_map(tmp_path / "map.gif", [found], data)
    with pytest.raises(ShapeError, match="these 20 clouds"):
        write_map(tmp_path / "map.png", [found], data.limited(20))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.png", "one.png", "two.png"]


def test_small_sets_are_refused_and_colours_differ(model, data):
    few = data.select([0, 1, 2])
    with pytest.raises(ShapeError, match="8 clouds"):
        feature_map(model, few, cloud_features(model, few))
    assert len({tuple(np.round(color, 2)) for color in colors_of(40)}) == 40
