from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recording_files import KIND, POINTS, message, write_db3
from small_files import box, make_bundle, settle, write_off

from clip3d.clouds.discovery import find_clouds
from clip3d.errors import SpaceMismatch
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search import embedding
from clip3d.search.adhoc import search_files
from clip3d.search.embedding import Reading, embed_files
from clip3d.search.page import Answer, write_page
from clip3d.search.vector_file import load_vectors, save_vectors


def test_order_is_kept_and_bad_files_are_passed_over(model, assets: Path):
    (assets / "bad.off").write_text("OFF\n1 1 0\n")
    files = find_clouds([assets]).files
    embedded = embed_files(model, files, cache=VectorCache.disabled())
    assert embedded.paths == [file for file in files if file.name != "bad.off"]
    assert [problem.path for problem in embedded.problems] == [str(assets / "bad.off")]
    assert embedded.vectors.shape == (4, 8)
    assert embedded.vectors.dtype == np.float32
    alone = [embed_files(model, [f], cache=VectorCache.disabled()).vectors[0] for f in embedded.paths]
    np.testing.assert_allclose(embedded.vectors, np.stack(alone), atol=1e-6)


def test_vectors_from_the_cache_equal_those_computed(model, assets: Path, tmp_path: Path):
    files = find_clouds([assets]).files
    seen = []
    with VectorCache(tmp_path / "c.db") as cache:
        first = embed_files(model, files, cache=cache, progress=lambda done, total: seen.append((done, total)))
        again = embed_files(model, files, cache=cache)
    assert (first.computed, again.computed) == (4, 0)
    np.testing.assert_array_equal(first.vectors, again.vectors)
    assert first.contents == again.contents
    assert (seen[0], seen[-1]) == ((0, 4), (4, 4))


def test_interruption_loses_one_batch_at_most(model, tmp_path: Path, monkeypatch):
    files = [write_off(tmp_path / f"{i:02}.off", box(1, 1, 1 + i)) for i in range(6)]
    settle()
    monkeypatch.setattr(embedding, "BATCH", 2)

    def interrupt(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with VectorCache(tmp_path / "c.db") as cache:
        with pytest.raises(KeyboardInterrupt):
            embed_files(model, files, cache=cache, progress=interrupt)
        assert embed_files(model, files, cache=cache).computed == 2


def test_up_axis_is_part_of_the_key_and_changes_the_vector(model, assets: Path, tmp_path: Path):
    with VectorCache(tmp_path / "c.db") as cache:
        upright = embed_files(model, [assets / "tall.off"], cache=cache)
        lying = embed_files(model, [assets / "tall.off"], cache=cache, reading=Reading(up="x"))
    assert lying.computed == 1
    assert upright.vectors[0, 0] > 0 > lying.vectors[0, 0]


def test_vector_file_round_trip_and_refusal_of_another_space(model, assets: Path, tmp_path: Path):
    embedded = embed_files(model, find_clouds([assets]).files, cache=VectorCache.disabled())
    path = save_vectors(tmp_path / "v.npz", embedded.paths, embedded.vectors, model)
    loaded = load_vectors(path, model.space)
    assert loaded.paths == [str(p) for p in embedded.paths]
    np.testing.assert_array_equal(loaded.vectors, embedded.vectors)
    assert (loaded.space, loaded.model, loaded.weights) == ("test-space", model.id, model.card.weights_hash)
    assert [p.name for p in tmp_path.iterdir()].count("v.npz") == len(list(tmp_path.glob("*v.npz*")))

    other = Model(make_bundle(tmp_path / "other", space="elsewhere"))
    with pytest.raises(SpaceMismatch, match=r"'test-space'.*'elsewhere'"):
        load_vectors(path, other.space)


def test_the_pose_is_part_of_the_key_and_reaches_the_model(model, assets: Path, tmp_path: Path, monkeypatch):
    poses = []
    encode = type(model).encode_clouds

    def noted(self, clouds, *, pose="upright", **settings):
        poses.append(pose)
        return encode(self, clouds, **settings)

    monkeypatch.setattr(type(model), "encode_clouds", noted)
    with VectorCache(tmp_path / "c.db") as cache:
        embed_files(model, [assets / "tall.off"], cache=cache)
        assert embed_files(model, [assets / "tall.off"], cache=cache, reading=Reading(pose="any")).computed == 1
    assert poses == ["upright", "any"]
    assert Reading().key() == Reading(pose="upright").key() != Reading(pose="any").key()


def test_files_by_uri_are_embedded_under_it_and_kept_by_their_content(model, assets: Path, tmp_path: Path):
    system = pytest.importorskip("fsspec").filesystem("memory")
    system.pipe("/assets/tall.off", (assets / "tall.off").read_bytes())
    system.pipe("/assets/bad.off", b"OFF\n1 1 0\n")
    files = find_clouds("memory://assets").files
    with VectorCache(tmp_path / "c.db") as cache:
        first = embed_files(model, files, cache=cache)
        again = embed_files(model, files, cache=cache)
        system.pipe("/assets/tall.off", (assets / "flat.off").read_bytes())
        changed = embed_files(model, files, cache=cache)
        here = embed_files(model, [assets / "flat.off"], cache=cache)
    system.rm("/assets", recursive=True)
    assert [str(path) for path in first.paths] == ["memory://assets/tall.off"]
    assert [problem.path for problem in first.problems] == ["memory://assets/bad.off"]
    assert [run.computed for run in (first, again, changed, here)] == [1, 0, 1, 0]
    np.testing.assert_array_equal(changed.vectors, here.vectors)
    assert not np.array_equal(first.vectors, changed.vectors)
    saved = save_vectors(tmp_path / "v.npz", first.paths, first.vectors, model)
    assert load_vectors(saved, model.space).paths == ["memory://assets/tall.off"]


def test_the_cloud_that_is_chosen_in_a_recording_is_part_of_its_vectors_key_and_of_no_other(
    model, assets: Path, tmp_path: Path
):
    rows = [(1, 1, message()), (2, 2, message(POINTS * 2)), (2, 3, message(POINTS * (9, 1, 1)))]
    write_db3(assets / "a.db3", rows, (KIND, KIND))
    settle()
    files = [assets / "a.db3", assets / "tall.off"]
    chosen = Reading(topic="/topic2", message=1)
    with VectorCache(tmp_path / "c.db") as cache:
        first, second = (embed_files(model, files, cache=cache, reading=reading) for reading in (None, chosen))
        runs = [embed_files(model, files, cache=cache, reading=reading) for reading in (None, chosen)]
        lacking = embed_files(model, files, cache=cache, reading=Reading(topic="/other"))
    assert (first.computed, second.computed) == (2, 1)
    assert [run.computed for run in runs] == [0, 0]
    for run, again in zip((first, second), runs, strict=True):
        np.testing.assert_array_equal(run.vectors, again.vectors)
    np.testing.assert_array_equal(first.vectors[1], second.vectors[1])
    assert not np.allclose(first.vectors[0], second.vectors[0], atol=1e-3)
    assert "/topic1, /topic2" in lacking.problems[0].remedy
    assert lacking.paths == [assets / "tall.off"]


def test_pictures_by_uri_are_shown_on_the_page_and_a_bad_one_is_named_by_its_uri(bundle: Path, tmp_path: Path):
    fsspec = pytest.importorskip("fsspec")
    folder = tmp_path / "flat"
    shutil.copytree(bundle, folder)
    card = json.loads((folder / "card.json").read_text())
    del card["towers"]["cloud"]
    (folder / "card.json").write_text(json.dumps(card))
    Image.new("RGB", (40, 30), "red").save(tmp_path / "red.png")
    system = fsspec.filesystem("memory")
    system.pipe("/photos/red.png", (tmp_path / "red.png").read_bytes())
    system.pipe("/photos/bad.png", b"no picture")
    try:
        with VectorCache.disabled() as cache:
            result = search_files(Model(folder), "memory://photos", text="red", cache=cache)
        write_page(tmp_path / "page.html", "photos", [Answer(result)], reading=Reading())
    finally:
        system.rm("/photos", recursive=True)
    assert [str(hit.path) for hit in result.hits] == ["memory://photos/red.png"]
    assert [problem.path for problem in result.problems] == ["memory://photos/bad.png"]
    assert (tmp_path / "page.html").read_text().count("src='data:") == 1


def test_files_keep_as_many_points_as_the_model_sees(bundle: Path, tmp_path: Path, monkeypatch):
    folder = tmp_path / "many"
    shutil.copytree(bundle, folder)
    card = json.loads((folder / "card.json").read_text())
    card["towers"]["cloud"]["preprocess"]["points"] = 6000
    (folder / "card.json").write_text(json.dumps(card))
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(7000, 3)).astype(np.float32))
    model, seen = Model(folder), []
    encode = model.encode_clouds
    monkeypatch.setattr(model, "encode_clouds", lambda clouds, **how: seen.extend(clouds) or encode(clouds, **how))
    with VectorCache.disabled() as cache:
        embed_files(model, [tmp_path / "a.npy"], cache=cache)
    assert [len(cloud) for cloud in seen] == [6000]
