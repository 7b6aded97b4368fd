"""A collection follows its files: what changed, moved and vanished is told, and nothing is lost or doubled."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_files import box, make_bundle, settle, write_mtl, write_off

import clip3d
from clip3d.errors import DataError, ModelError, ShapeError, SpaceMismatch
from clip3d.models.model import Model
from clip3d.models.vector_cache import VectorCache
from clip3d.search import embedding
from clip3d.search.collection import Collection
from clip3d.search.conditions.where import Condition
from clip3d.search.embedding import Reading, embed_files
from clip3d.search.keeping import indexing, vanished
from clip3d.search.keeping.reporting import Change, Report
from clip3d.search.stores.sqlite_store import SqliteStore


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "assets.db"


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[VectorCache]:
    with VectorCache(tmp_path / "vectors.db") as opened:
        yield opened


Index = Callable[..., dict[str, list[str]]]


@pytest.fixture
def index(model: Model, db: Path, cache: VectorCache) -> Index:
    """Index paths, and give the names of the files by what was done with them."""

    def run(*paths: Path, model: Model = model, reindex: bool = False, **options: object) -> dict[str, list[str]]:
        told: list[Change] = []
        with Collection(db, model, reindex=reindex) as collection:
            report = collection.index(paths, cache=cache, tell=told.append, **options)
        assert report.counts.total() == len(told)
        found: dict[str, list[str]] = {}
        for change in told:
            found.setdefault(change.status, []).append(Path(change.path).name)
        return {status: sorted(names) for status, names in found.items()}

    return run


def ids(db: Path) -> dict[str, int]:
    with closing(SqliteStore(db, read_only=True)) as store:
        traces = list(store.traces())
        assert len({trace.path for _, trace in traces}) == len(traces)
        return {Path(trace.path).name: item for item, trace in traces}


def metadata(db: Path) -> dict[str, dict]:
    with closing(SqliteStore(db, read_only=True)) as store:
        records = store.records([item for item, _ in store.traces()])
        return {Path(record.trace.path).name: dict(record.metadata) for record in records}


ALL = ["blue.obj", "flat.off", "red.obj", "tall.off"]


def test_objects_are_found_by_words_after_they_were_put_in(model: Model, db: Path, assets: Path, cache_file: Path):
    with clip3d.Collection(db, model) as collection:
        report = collection.add(assets, split="test")
        assert (report.counts["added"], len(collection)) == (4, 4)
        hits = collection.search("tall", k=1, where="split = 'test'")
        assert [Path(hit.path).name for hit in hits] == ["tall.off"]
        embedded = embed_files(model, [assets / "tall.off"], cache=VectorCache.disabled())
        np.testing.assert_allclose(collection.store.vectors("cloud", [hits[0].id]), embedded.vectors, atol=1e-6)
        assert collection.store.thumbnails([hits[0].id])[hits[0].id].startswith(b"\xff\xd8")


def test_what_did_not_change_is_not_opened(index: Index, assets: Path, monkeypatch: pytest.MonkeyPatch):
    assert index(assets) == {"added": ALL}
    monkeypatch.setattr(embedding.Encoder, "read", lambda *_: pytest.fail("a file was read"))
    monkeypatch.setattr("clip3d.search.keeping.known.fingerprint", lambda *_: pytest.fail("a file was hashed"))
    assert index(assets) == {"unchanged": ALL}
    assert index(assets / "deep", assets / "tall.off") == {"unchanged": ["blue.obj", "tall.off"]}


def test_touched_files_are_hashed_once_and_not_embedded(
    index: Index, assets: Path, monkeypatch: pytest.MonkeyPatch
):
    index(assets)
    os.utime(assets / "tall.off", (1e9, 1e9))
    settle()
    monkeypatch.setattr(embedding.Encoder, "read", lambda *_: pytest.fail("a file was read"))
    assert index(assets) == {"unchanged": ALL}
    settle()
    again = "clip3d.search.keeping.known.fingerprint"
    monkeypatch.setattr(again, lambda *_: pytest.fail("a file was hashed again"))
    assert index(assets) == {"unchanged": ALL}


def test_changed_files_are_replaced_and_keep_their_ids_and_metadata(
    index: Index, model: Model, db: Path, assets: Path
):
    index(assets, metadata={"owner": "me"})
    before = ids(db)
    write_off(assets / "flat.off", box(1, 1, 9))
    write_mtl(assets / "red.mtl", (0.1, 0.9, 0.1))  # a part of an object changes it
    settle()
    assert index(assets) == {"replaced": ["flat.off", "red.obj"], "unchanged": ["blue.obj", "tall.off"]}
    assert ids(db) == before
    assert metadata(db) == {name: {"owner": "me"} for name in ALL}
    with Collection(db, model) as collection:
        assert Path(collection.search("green", k=1)[0].path).name == "red.obj"
        assert {Path(hit.path).name for hit in collection.search("tall", k=2)} == {"tall.off", "flat.off"}


def test_moved_files_keep_their_records_and_copies_are_new(index: Index, db: Path, assets: Path):
    index(assets)
    index(assets / "tall.off", metadata={"stars": 5})
    before = ids(db)
    (assets / "tall.off").rename(assets / "deep" / "high.off")
    shutil.copy(assets / "flat.off", assets / "even.off")
    settle()
    done = index(assets)
    assert done == {"moved": ["high.off"], "added": ["even.off"], "unchanged": ["blue.obj", "flat.off", "red.obj"]}
    after = ids(db)
    assert after["high.off"] == before["tall.off"]
    assert after["even.off"] not in before.values()
    assert metadata(db)["high.off"] == {"stars": 5}
    assert index(assets) == {"unchanged": ["blue.obj", "even.off", "flat.off", "high.off", "red.obj"]}


def test_a_file_may_move_out_of_the_paths_that_are_given(index: Index, db: Path, assets: Path, tmp_path: Path):
    index(assets)
    before = ids(db)
    (tmp_path / "elsewhere").mkdir()
    (assets / "tall.off").rename(tmp_path / "elsewhere" / "tall.off")
    settle()
    assert index(tmp_path / "elsewhere") == {"moved": ["tall.off"]}
    assert ids(db) == before


def test_the_last_file_of_a_folder_may_move(index: Index, db: Path, assets: Path):
    index(assets)
    before = ids(db)
    (assets / "deep" / "blue.obj").rename(assets / "blue.obj")
    (assets / "deep" / "blue.mtl").rename(assets / "blue.mtl")
    settle()
    assert index(assets)["moved"] == ["blue.obj"]
    assert ids(db) == before


def test_of_copies_the_one_of_the_same_name_is_taken_for_the_moved(index: Index, db: Path, assets: Path):
    (assets / "b").mkdir()
    shutil.copy(assets / "tall.off", assets / "b" / "zz.off")
    settle()
    index(assets)
    before = ids(db)
    (assets / "tall.off").unlink()
    (assets / "b" / "zz.off").rename(assets / "deep" / "zz.off")
    (assets / "b" / "keep.txt").write_text("not empty")
    settle()
    assert index(assets)["moved"] == ["zz.off"]
    assert ids(db)["zz.off"] == before["zz.off"]


def test_files_that_changed_places_are_told_by_content(index: Index, model: Model, db: Path, assets: Path):
    index(assets)
    (assets / "tall.off").rename(assets / "x")
    (assets / "flat.off").rename(assets / "tall.off")
    (assets / "x").rename(assets / "flat.off")
    settle()
    assert index(assets)["replaced"] == ["flat.off", "tall.off"]
    with Collection(db, model) as collection:
        assert Path(collection.search("tall", k=1)[0].path).name == "flat.off"


def test_vanished_files_are_told_and_removed_on_demand_alone(index: Index, db: Path, assets: Path):
    index(assets)
    (assets / "tall.off").unlink()
    shutil.rmtree(assets / "deep")
    assert index(assets)["vanished"] == ["blue.obj", "tall.off"]
    assert sorted(ids(db)) == ALL
    assert index(assets, prune=True)["pruned"] == ["blue.obj", "tall.off"]
    assert sorted(ids(db)) == ["flat.off", "red.obj"]
    assert index(assets) == {"unchanged": ["flat.off", "red.obj"]}


def test_what_lies_outside_of_the_paths_is_left_alone(index: Index, db: Path, assets: Path):
    index(assets)
    (assets / "tall.off").unlink()
    assert index(assets / "deep", prune=True) == {"unchanged": ["blue.obj"]}
    assert sorted(ids(db)) == ALL


def test_a_single_file_that_is_gone_has_vanished_and_not_failed(index: Index, db: Path, assets: Path):
    index(assets)
    (assets / "tall.off").unlink()
    assert index(assets / "tall.off") == {"vanished": ["tall.off"]}
    assert index(assets / "never.off") == {"failed": ["never.off"]}


@pytest.mark.parametrize("how", ["missing", "empty", "inner empty", "link to nowhere"])
def test_a_disk_that_is_not_mounted_loses_nothing(
    how: str, model: Model, db: Path, cache: VectorCache, assets: Path, tmp_path: Path
):
    disk = tmp_path / "disk"
    if how == "link to nowhere":
        shutil.move(assets / "deep", disk)
        (assets / "deep").symlink_to(disk, target_is_directory=True)
    root = tmp_path / "disk" if how == "link to nowhere" else assets
    with Collection(db, model) as collection:
        collection.index([assets, root], cache=cache)
        n = len(collection)
        assert n == 4
        if how == "link to nowhere":
            shutil.rmtree(disk)
        elif how == "inner empty":
            shutil.rmtree(assets / "deep")
            (assets / "deep").mkdir()
        else:
            shutil.rmtree(assets)
        if how == "empty":
            assets.mkdir()
        report = collection.index([assets], prune=True, cache=cache)
        assert (report.counts["vanished"], report.counts["pruned"]) == (0, 0)
        assert len(collection) == n
        if how in ("inner empty", "empty"):
            assert any("its disk may only be away" in note for note in report.notes) or report.problems


def test_a_missing_folder_where_disks_are_mounted_is_a_disk_that_is_away(
    index: Index, db: Path, assets: Path, monkeypatch: pytest.MonkeyPatch
):
    index(assets)
    shutil.rmtree(assets / "deep")
    monkeypatch.setattr(vanished, "MOUNT_PLACES", {assets})
    assert index(assets, prune=True) == {"unchanged": ["flat.off", "red.obj", "tall.off"]}
    assert sorted(ids(db)) == ALL


def test_a_folder_that_cannot_be_listed_loses_nothing(
    index: Index, db: Path, assets: Path, monkeypatch: pytest.MonkeyPatch
):
    index(assets)
    shutil.rmtree(assets / "deep")  # what is in it cannot be seen either
    (assets / "deep").mkdir()
    scandir = os.scandir

    def shut(path: str | Path) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", shut)
    done = index(assets, prune=True)
    assert done == {"failed": ["deep"], "unchanged": ["flat.off", "red.obj", "tall.off"]}
    assert sorted(ids(db)) == ALL


def test_a_bad_file_is_told_and_what_was_known_of_it_stays(index: Index, db: Path, assets: Path):
    index(assets)
    (assets / "tall.off").write_text("OFF\n1 1 0\n")
    (assets / "new.off").write_text("nothing")
    assert index(assets)["failed"] == ["new.off", "tall.off"]
    assert sorted(ids(db)) == ALL


def test_pictures_are_items_unless_they_are_part_of_an_object(index: Index, db: Path, model: Model, assets: Path):
    Image.new("RGB", (40, 20), (250, 10, 10)).save(assets / "ball.png")
    Image.new("RGBA", (40, 20), (10, 250, 10, 90)).save(assets / "skin.png")
    material = (assets / "red.mtl").read_text()
    (assets / "red.mtl").write_text(material + "map_Kd skin.png\n")
    lines = (assets / "red.obj").read_text().splitlines()
    corners = [f"vt {x} {y}" for x, y in ((0, 0), (1, 0), (0, 1))]
    faces = [
        "f " + " ".join(f"{v}/{i + 1}" for i, v in enumerate(line.split()[1:])) if line.startswith("f ") else line
        for line in lines
    ]
    (assets / "red.obj").write_text("\n".join([*faces[:2], *corners, *faces[2:]]) + "\n")
    settle()
    assert index(assets) == {"added": sorted([*ALL, "ball.png"])}
    with Collection(db, model) as collection:
        (item,) = collection.store.select(Condition("kind = 'image'")).tolist()
        assert collection.store.columns()["kind"] == "text"
        assert np.isnan(collection.store.vectors("cloud", [item])).all()
        assert np.isfinite(collection.store.vectors("image", [item])).all()
        picture = collection.store.thumbnails([item])[item]
        assert picture.startswith(b"\xff\xd8")
    assert index(assets, only="cloud") == {"unchanged": ALL}
    assert index(assets / "skin.png") == {"added": ["skin.png"]}  # named, and thus wanted


def test_options_of_reading_are_part_of_what_is_known(index: Index, assets: Path):
    index(assets)
    assert index(assets, reading=Reading(points=500)) == {"replaced": ALL}
    assert index(assets, reading=Reading(points=500)) == {"unchanged": ALL}


def test_vectors_come_from_the_common_cache(model: Model, db: Path, cache: VectorCache, assets: Path):
    embed_files(model, sorted(assets.glob("*.off")), cache=cache)
    with Collection(db, model) as collection:
        report = collection.index(assets, cache=cache)
    assert (report.counts["added"], report.computed) == (4, 2)


def test_metadata_are_given_anew_without_embedding(index: Index, db: Path, assets: Path):
    index(assets, metadata={"split": "train"})
    assert index(assets / "tall.off", metadata={"split": "test", "stars": 3}) == {"unchanged": ["tall.off"]}
    assert metadata(db)["tall.off"] == {"split": "test", "stars": 3}
    assert metadata(db)["flat.off"] == {"split": "train"}


def test_rows_of_tables_that_are_of_no_file_are_told(
    model: Model, db: Path, cache: VectorCache, assets: Path, tmp_path: Path
):
    table = assets / "table.csv"
    table.write_text("path,n\ntall.off,1\ntal.off,2\ndeep/blue.obj,3\nred.mtl,4\n")
    with Collection(db, model) as collection:
        for _ in range(2):
            (said,) = collection.index(assets, tables=table, cache=cache).notes
            assert said == f"2 rows of the tables of metadata name no file of this run: {assets / 'tal.off'}, …"
        table.write_text("path,n\ntall.off,1\n")
        assert collection.index(assets, tables=table, cache=cache).notes == []


def test_tables_say_what_single_files_are(index: Index, db: Path, assets: Path):
    table = assets / "table.csv"
    blue = assets / "deep" / "blue.obj"
    table.write_text(f"path,height,old,tag\ntall.off,6,true,007\n{blue},1.5,false,x\nno.off,1,,\n")
    more = assets / "more.jsonl"
    more.write_text('{"path": "tall.off", "tag": "high"}\n{"path": "flat.off", "n": 3, "none": null}\n')
    done = index(assets, tables=[table, more], metadata={"split": "all", "tag": "none"})
    assert done["added"] == ALL
    assert metadata(db) == {
        "tall.off": {"split": "all", "height": 6.0, "old": True, "tag": "high"},
        "blue.obj": {"split": "all", "height": 1.5, "old": False, "tag": "x"},
        "flat.off": {"split": "all", "n": 3, "tag": "none"},
        "red.obj": {"split": "all", "tag": "none"},
    }


@pytest.mark.parametrize("name", ["path", "Kind", 'a"b', "", " x"])
def test_metadata_that_no_condition_could_name_are_refused(name: str, model: Model, db: Path, assets: Path):
    with Collection(db, model) as collection, pytest.raises(ShapeError):
        collection.index(assets, metadata={name: 1}, cache=VectorCache.disabled())


# Interruptions and other models


def test_an_interruption_keeps_what_was_told(
    model: Model, db: Path, cache: VectorCache, assets: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(indexing, "BATCH", 2)
    told: list[str] = []

    def interrupt(change: Change) -> None:
        told.append(change.path)
        if len(told) == 2:
            raise KeyboardInterrupt

    with Collection(db, model) as collection:
        with pytest.raises(KeyboardInterrupt):
            collection.index(assets, cache=cache, tell=interrupt)
        assert len(collection) == 2
        report = collection.index(assets, cache=cache)
        assert (report.counts["unchanged"], report.counts["added"]) == (2, 2)


def test_another_model_is_refused_with_how_to_reindex(index: Index, db: Path, assets: Path, tmp_path: Path):
    index(assets)
    other = Model(make_bundle(tmp_path / "other", name="other", space="elsewhere"))
    with pytest.raises(SpaceMismatch, match=r"test-space.*elsewhere.*--reindex"):
        Collection(db, other)
    with pytest.raises(ModelError, match=r"not embedded.*--model"):
        _ = Collection(db).model
    assert sorted(ids(db)) == ALL


def test_reindexing_makes_vectors_anew_and_goes_on_where_it_was_cut_short(
    index: Index, model: Model, db: Path, cache: VectorCache, assets: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    index(assets, metadata={"owner": "me"})
    before = ids(db)
    other = Model(make_bundle(tmp_path / "other", name="other", space="elsewhere"))
    monkeypatch.setattr(indexing, "BATCH", 1)
    told: list[str] = []

    def interrupt(change: Change) -> None:
        told.append(change.path)
        if len(told) == 2:
            raise KeyboardInterrupt

    with Collection(db, other, reindex=True) as collection, pytest.raises(KeyboardInterrupt):
        collection.index(cache=cache, tell=interrupt)
    with pytest.raises(SpaceMismatch):
        Collection(db, model)
    again: list[str] = []
    with Collection(db, other, reindex=True) as collection:
        report = collection.index(cache=cache, tell=lambda change: again.append(change.path))
        assert report.counts == {"replaced": 2}
        assert not set(again) & set(told)
        assert collection.header.space == "elsewhere"
        assert Path(collection.search("tall", k=1)[0].path).name == "tall.off"
    assert ids(db) == before
    assert metadata(db) == {name: {"owner": "me"} for name in ALL}
    assert index(assets, model=other) == {"unchanged": ALL}
    assert index(assets, model=other, reindex=True) == {"replaced": ALL}


@pytest.mark.parametrize("lost", ["gone", "broken"])
def test_reindexing_again_is_not_kept_from_it_by_a_file_that_was_lost(index: Index, assets: Path, lost: str):
    index(assets)
    if lost == "gone":
        (assets / "tall.off").unlink()
    else:
        (assets / "tall.off").write_text("OFF nonsense")
    settle()
    rest = [name for name in ALL if name != "tall.off"]
    for _ in range(2):
        assert index(assets, reindex=True)["replaced"] == rest


def test_reindexing_is_done_once_by_one_collection(model: Model, db: Path, cache: VectorCache, assets: Path):
    with Collection(db, model, reindex=True) as collection:
        collection.index(assets, cache=cache)
        assert collection.index(assets, cache=cache).counts == {"unchanged": 4}
        assert collection.index(cache=cache).counts == {}


def test_reindexing_clouds_alone_leaves_the_vectors_of_pictures(
    index: Index, model: Model, db: Path, cache: VectorCache, assets: Path, monkeypatch: pytest.MonkeyPatch
):
    Image.new("RGB", (40, 20), (250, 10, 10)).save(assets / "ball.png")
    settle()
    index(assets)
    for _ in range(2):
        assert index(assets, only="cloud", reindex=True) == {"replaced": ALL}
        assert index(assets) == {"unchanged": sorted([*ALL, "ball.png"])}
    monkeypatch.setattr(indexing, "BATCH", 1)

    def interrupt(change: Change) -> None:
        raise KeyboardInterrupt

    with Collection(db, model, reindex=True) as collection, pytest.raises(KeyboardInterrupt):
        collection.index(cache=cache, only="cloud", tell=interrupt)
    with Collection(db, model) as collection:
        assert len(collection.search("tall", k=9)) == 5  # old vectors serve until there are new ones
    assert len(index(assets, only="cloud", reindex=True)["replaced"]) == 3
    assert index(assets, reindex=True) == {"replaced": sorted([*ALL, "ball.png"])}


def test_items_that_a_run_does_not_take_are_told_from_those_that_are_gone(
    index: Index, db: Path, cache: VectorCache, assets: Path, tmp_path: Path
):
    Image.new("RGB", (40, 20), (250, 10, 10)).save(assets / "ball.png")
    settle()
    index(assets)
    (assets / "tall.off").unlink()
    other = Model(make_bundle(tmp_path / "other", name="other", space="elsewhere"))
    with Collection(db, other, reindex=True) as collection:
        report = collection.index(cache=cache, only="cloud")
    assert report.notes == [
        "1 items are still to be embedded: their files are not where they were last seen",
        "1 items are still to be embedded: this run takes no files but clouds",
    ]
    assert index(assets, model=other)["replaced"] == ["ball.png"]


def test_a_moved_file_of_a_model_that_was_replaced_keeps_its_record(
    index: Index, db: Path, assets: Path, tmp_path: Path
):
    index(assets, metadata={"owner": "me"})
    before = ids(db)
    (assets / "tall.off").rename(assets / "high.off")
    settle()
    other = Model(make_bundle(tmp_path / "other", name="other", space="elsewhere"))
    assert index(assets, model=other, reindex=True) == {"replaced": ["blue.obj", "flat.off", "high.off", "red.obj"]}
    assert ids(db)["high.off"] == before["tall.off"]
    assert metadata(db)["high.off"] == {"owner": "me"}


def test_a_full_disk_keeps_what_was_told(
    model: Model, db: Path, cache: VectorCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(24):
        write_off(folder / f"{i:02}.off", box(1, 1, 1 + i))
    settle()
    monkeypatch.setattr(indexing, "BATCH", 4)
    told: list[str] = []
    with Collection(db, model) as collection:
        collection.index(folder / "00.off", cache=cache)
        connection = collection.store._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 4}")
        with pytest.raises(DataError, match="disk is full"):
            collection.index(folder, cache=cache, tell=lambda change: told.append(change.path))
        assert 0 < len(told) < 24
    with Collection(db, model) as collection:
        assert {trace.path for _, trace in collection.store.traces()} == set(told)
        assert collection.index(folder, cache=cache).done == 24
        assert len(collection) == 24


def test_objects_by_uri_are_read_and_compared_by_content(model: Model, db: Path, cache: VectorCache, assets: Path):
    system = pytest.importorskip("fsspec").filesystem("memory")
    system.pipe("/assets/tall.off", (assets / "tall.off").read_bytes())
    with Collection(db, model) as collection:
        reports: list[Report] = [collection.index("memory://assets", cache=cache) for _ in range(2)]
        system.pipe("/assets/tall.off", (assets / "flat.off").read_bytes())
        reports.append(collection.index("memory://assets", cache=cache))
        (record,) = collection.store.records([1])
    system.rm("/assets", recursive=True)
    assert [dict(report.counts) for report in reports] == [{"added": 1}, {"unchanged": 1}, {"replaced": 1}]
    assert record.trace.path == "memory://assets/tall.off"


def test_a_collection_that_is_not_there_is_empty_and_stays_unmade(model: Model, db: Path):
    with Collection(db, model) as collection:
        assert len(collection) == 0
        with pytest.raises(DataError, match="no such collection"):
            collection.search("tall")
    assert not db.exists()


def test_a_stranger_cannot_name_a_model_to_load(index: Index, db: Path, assets: Path, bundle: Path):
    index(assets)
    with closing(sqlite3.connect(db)) as stranger, stranger:
        stranger.execute("UPDATE header SET model = ?", (f"{bundle}@1",))
    with pytest.raises(ModelError, match="not embedded"):
        _ = Collection(db).model


def test_a_stranger_cannot_make_a_run_hash_what_has_no_end(index: Index, db: Path, assets: Path):
    index(assets)
    with closing(sqlite3.connect(db)) as stranger, stranger:
        stranger.execute("UPDATE items SET sources = '[\"/dev/zero\"]', stamps = '[null]' WHERE name = 'tall.off'")
    assert index(assets) == {"unchanged": ALL}


def test_a_stranger_cannot_make_a_run_fetch_anything(index: Index, db: Path, assets: Path):
    index(assets)
    with closing(sqlite3.connect(db)) as stranger, stranger:
        stranger.execute("UPDATE items SET path = 'memory://nothing/tall.off', reading = '' WHERE id = 1")
    assert "failed" not in index(assets)


@pytest.mark.parametrize(
    ("path", "roots", "expected"),
    [
        ("/a/b/c.off", {"/a"}, True),
        ("/a/b/c.off", {"/a/b/c.off"}, True),
        ("/a/b/c.off", {"/"}, True),
        ("/a/bc.off", {"/a/b"}, False),
        ("/a/b", {"/a/b/c.off"}, False),
        ("s3://a/b.off", {"/"}, False),
        ("/a/b.off", set(), False),
    ],
)
def test_what_lies_below_a_folder(path: str, roots: set[str], expected: bool):
    assert vanished.below(path, roots) is expected


def test_what_lies_below_one_of_many_files_is_told_at_once():
    roots = {f"/files/{i}.off" for i in range(50_000)}
    start = time.process_time()
    assert not any(vanished.below(f"/files/old/{i}.off", roots) for i in range(2000))
    assert time.process_time() - start < 1


@pytest.mark.parametrize("points", [["0 0 0"], ["1 1 1"] * 5, ["0 0 0", "1 0 0"], ["0 0 0", "0 0 0", "1e30 0 0"]])
def test_odd_clouds_do_not_end_a_run(index: Index, assets: Path, points: list[str]):
    (assets / "odd.xyz").write_text("\n".join(points) + "\n")
    settle()
    done = index(assets)
    assert set(done.get("added", []) + done.get("failed", [])) == {*ALL, "odd.xyz"}
