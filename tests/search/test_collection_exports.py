"""Collections for other programs: what is written is what was kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import fiftyone_double
import numpy as np
import pytest
from kept_items import described, item, keep
from memory_store import MemoryStore
from PIL import Image

from clip3d.errors import ConditionError, DataError, MissingExtra
from clip3d.models.model import Model
from clip3d.search.conditions.where import Condition
from clip3d.search.exports import export_fiftyone as export_fiftyone_module
from clip3d.search.exports import export_parquet as export_parquet_module
from clip3d.search.exports import export_rerun as export_rerun_module
from clip3d.search.exports import exporting
from clip3d.search.exports.export_fiftyone import NOTHING, export_fiftyone
from clip3d.search.exports.export_parquet import export_parquet
from clip3d.search.exports.export_rerun import export_rerun
from clip3d.search.exports.exporting import export_npz, select
from clip3d.search.vector_file import load_vectors


@pytest.fixture
def kept(model: Model, assets: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """Three objects, one with a thumbnail, and a frame of two sensors."""
    monkeypatch.setattr(exporting, "BLOCK", 2)
    of = {word: model.encode_texts([word])[0] for word in ("tall", "red")}
    entries = [
        described(model, str(assets / "tall.off"), "tall", split="test", size=1, id="a", night=True, mixed=1),
        described(model, str(assets / "red.obj"), "red", split="train", size=2.5, mixed="größe"),
        described(model, "/gone/\udcff.off", "blue", content="c", split="test", size=3, night=False),
        item("/log", {"image": of["red"], "lidar": of["tall"]}, kind="frame", part="7", **{"a b": "x", "_c": "y"}),
    ]
    object.__setattr__(entries[0], "thumbnail", NOTHING)
    return keep(MemoryStore(), model, entries, names=("cloud", "image", "lidar"))  # type: ignore[return-value]


def test_npz_of_one_kind_of_vectors_is_read_as_vectors(kept: MemoryStore, model: Model, tmp_path: Path):
    told: list[tuple[int, int]] = []
    selection = select(kept, Condition("kind = 'object' AND split = 'test'"))
    assert export_npz(tmp_path / "a.npz", selection, lambda done, total: told.append((done, total))) == 2
    read = load_vectors(tmp_path / "a.npz", model.space)
    assert read.model == model.id
    np.testing.assert_array_equal(read.vectors, kept.vectors("cloud", [1, 3]))
    arrays = np.load(tmp_path / "a.npz")
    assert arrays["ids"].tolist() == [1, 3]
    ends = arrays["metadata_offsets"]
    assert json.loads(arrays["metadata"][ends[0] : ends[1]].tobytes())["mixed"] == 1
    assert json.loads(arrays["metadata"][ends[1] : ends[2]].tobytes())["size"] == 3
    assert arrays["paths"][1] == "/gone/\udcff.off"
    np.testing.assert_array_equal(arrays["mean"], model.space.mean)
    assert told[-1] == (2, 2)


def test_npz_of_several_kinds_says_where_there_is_none(kept: MemoryStore, tmp_path: Path):
    assert export_npz(tmp_path / "a.npz", select(kept)) == 4
    arrays = np.load(tmp_path / "a.npz")
    assert {"vectors_cloud", "vectors_image", "vectors_lidar"} <= set(arrays)
    np.testing.assert_array_equal(arrays["vectors_lidar"], kept.vectors("lidar", [1, 2, 3, 4]))
    assert np.isnan(arrays["vectors_cloud"][3]).all()
    assert arrays["parts"].tolist() == ["", "", "", "7"]


def test_parquet_has_a_row_an_item(kept: MemoryStore, tmp_path: Path):
    parquet = pytest.importorskip("pyarrow.parquet")
    assert export_parquet(tmp_path / "a.parquet", select(kept), thumbnails=True) == 4
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.column("size").to_pylist() == [1.0, 2.5, 3.0, None]
    assert table.column("night").to_pylist() == [True, None, False, None]
    assert table.column("mixed").to_pylist() == ["1", "größe", None, None]
    assert table.column("metadata.id").to_pylist() == ["a", None, None, None]
    assert table.column("thumbnail").to_pylist() == [NOTHING, None, None, None]
    cloud = table.column("vector_cloud").to_pylist()
    assert cloud[3] is None
    np.testing.assert_array_equal(np.array(cloud[:3], np.float32), kept.vectors("cloud", [1, 2, 3]))
    assert table.schema.metadata[b"space"] == b"test-space"


def test_one_long_description_does_not_take_room_for_all(model: Model, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(exporting, "MOST_CHARACTERS", 40)
    long = "ö" * 100_000
    entries = [described(model, f"/data/{i}.off", "red", note=long if i == 7 else "é") for i in range(200)]
    export_npz(tmp_path / "a.npz", select(keep(MemoryStore(), model, entries)))
    assert (tmp_path / "a.npz").stat().st_size < 500_000
    arrays = np.load(tmp_path / "a.npz")
    assert arrays["paths"].tolist() == [f"/data/{i}.off" for i in range(200)]
    ends = arrays["metadata_offsets"]
    told = [json.loads(arrays["metadata"][a:b].tobytes())["note"] for a, b in pairwise(ends)]
    assert told == [long if i == 7 else "é" for i in range(200)]


def test_parquet_of_a_collection_that_changes_meanwhile(model: Model, tmp_path: Path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    said = {"flag": True, "count": 3, "size": 1.5, "word": "a", "huge": 2**70}
    store = keep(MemoryStore(), model, [described(model, f"/{i}.off", "red", **said) for i in range(3)])
    schema = export_parquet_module._schema

    def then_it_changes(*arguments: Any) -> Any:
        told = schema(*arguments)
        store.describe({1: {"flag": "no", "count": "many", "size": "big", "word": 7, "new": 1}})
        store.describe({2: {"flag": 1, "count": 2.5, "size": 2, "word": True}})
        return told

    monkeypatch.setattr(export_parquet_module, "_schema", then_it_changes)
    assert export_parquet(tmp_path / "a.parquet", select(store)) == 3
    table = parquet.read_table(tmp_path / "a.parquet").to_pydict()
    assert "new" not in table
    assert table["flag"] == [None, None, True]
    assert table["count"] == [None, None, 3]
    assert table["size"] == [None, 2.0, 1.5]
    assert table["word"] == ["7", "true", "a"]
    assert table["huge"] == [None, None, str(2**70)]


def test_a_recording_holds_a_map_the_items_and_their_points(kept: MemoryStore, tmp_path: Path):
    pytest.importorskip("rerun")
    path = tmp_path / "a.rrd"
    done, problems = export_rerun(path, select(kept), points=50, colour="split")
    assert done == 4
    assert [problem.path for problem in problems] == ["/gone/\udcff.off"]
    printed = subprocess.run(
        [sys.executable, "-m", "rerun", "rrd", "print", str(path)], capture_output=True, text=True, timeout=120
    )
    assert printed.returncode == 0, printed.stderr
    for entity in ("/map/cloud", "/map/lidar", "/item/picture", "/item/cloud", "/item/about", "/log"):
        assert entity in printed.stdout
    assert list(tmp_path.glob("*.part")) == []


def test_a_recording_fetches_nothing_and_reads_files_alone(model: Model, tmp_path: Path, monkeypatch):
    pytest.importorskip("rerun")
    pipe = tmp_path / "pipe.off"
    os.mkfifo(pipe)
    entries = [described(model, path, "red") for path in ("https://example.org/a.off", str(pipe))]
    read: list[object] = []
    monkeypatch.setattr(export_rerun_module, "read_thinned", lambda path, *_: read.append(path))
    done, problems = export_rerun(tmp_path / "a.rrd", select(keep(MemoryStore(), model, entries)))
    assert (done, read) == (2, [])
    assert [str(problem) for problem in problems] == [f"{pipe}: it is no regular file, and was not read"]


@pytest.fixture
def fiftyone(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    fiftyone_double.DATASETS.clear()
    monkeypatch.setitem(sys.modules, "fiftyone", fiftyone_double.module())
    return fiftyone_double.DATASETS


def test_a_dataset_of_fiftyone_shows_thumbnails_and_keeps_vectors(kept: MemoryStore, fiftyone, tmp_path: Path):
    assert export_fiftyone(tmp_path / "media", "assets", select(kept)) == 4
    dataset = fiftyone["assets"]
    assert dataset.persistent
    assert dataset.info["space"] == "test-space"
    first, frame = dataset.samples[0], dataset.samples[3]
    assert (first.tags, first["item"], first["split"], first["size"]) == (["object"], 1, "test", 1.0)
    assert (first["meta_id"], first["mixed"], first["night"]) == ("a", "1", True)
    assert (frame["a_b"], frame["c"], frame["part"]) == ("x", "y", "7")
    np.testing.assert_array_equal(first["vector_cloud"], kept.vectors("cloud", [1])[0])
    assert set(frame.fields) >= {"vector_image", "vector_lidar"}
    for sample in dataset.samples:
        assert Image.open(sample.filepath).size == (1, 1)

    with pytest.raises(DataError, match="holds other things"):
        export_fiftyone(tmp_path / "media", "other", select(kept))
    with pytest.raises(DataError, match="choose another with --name"):
        export_fiftyone(tmp_path / "new", "assets", select(kept))


def test_a_dataset_of_a_collection_that_changes_meanwhile(kept: MemoryStore, fiftyone, tmp_path: Path, monkeypatch):
    fields = export_fiftyone_module._fields

    def then_it_changes(*arguments: Any) -> Any:
        told = fields(*arguments)
        kept.describe({1: {"size": "large", "split": 7, "new": 1}})
        return told

    monkeypatch.setattr(export_fiftyone_module, "_fields", then_it_changes)
    assert export_fiftyone(tmp_path / "media", "assets", select(kept)) == 4
    first = fiftyone["assets"].samples[0]
    assert first["split"] == "7"
    assert not {"size", "new"} & set(first.fields)


def test_a_dataset_that_fails_is_not_left_behind(kept: MemoryStore, fiftyone, tmp_path: Path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="full"):
        export_fiftyone(tmp_path / "media", "assets", select(kept))
    assert fiftyone == {}


@pytest.mark.parametrize(("package", "export"), [("fiftyone", export_fiftyone), ("rerun", export_rerun)])
def test_a_missing_package_is_named(package: str, export: Any, kept: MemoryStore, tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    arguments = ("name", select(kept)) if package == "fiftyone" else (select(kept),)
    with pytest.raises(MissingExtra, match=rf"clip3d\[{package}\]"):
        export(tmp_path / "a.rrd", *arguments)


def test_nothing_to_export_is_an_error(kept: MemoryStore):
    with pytest.raises(DataError, match="no item meets"):
        select(kept, Condition("size > 99"))
    with pytest.raises(DataError, match="empty"):
        select(MemoryStore())
    with pytest.raises(ConditionError, match="did you mean size"):
        select(kept, Condition("sise > 99"))
