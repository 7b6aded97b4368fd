"""Scans in a collection, part by part."""

from __future__ import annotations

from pathlib import Path

import pytest
from box_rooms import furnished_room
from small_files import box, settle, write_off

import clip3d
from clip3d.errors import DataError, ShapeError
from clip3d.models.model import Model
from clip3d.scenes import collecting
from clip3d.scenes.collecting import ask_scenes, index_scenes
from clip3d.search.collection import Collection
from clip3d.search.conditions.where import Condition
from clip3d.search.stores.store import Record

ROOM = furnished_room(8000).cloud


@pytest.fixture
def scan(tmp_path: Path, cache_file: Path) -> Path:
    path = clip3d.write(ROOM, tmp_path / "room.ply")
    settle()
    return path


@pytest.fixture
def collection(tmp_path: Path, scan: Path, bundle: Path):
    with Collection(tmp_path / "building.db", Model(bundle)) as opened:
        index_scenes(opened, scan, metadata={"storey": 2})
        yield opened


def parts(collection: Collection) -> list[Record]:
    store = collection.store
    return store.records(store.select(Condition("kind = 'segment'")).tolist())


@pytest.mark.parametrize("name", ["area", "on_wall", "room", "Width", "unit"])
def test_metadata_that_are_named_like_a_fact_of_parts_are_refused(collection: Collection, scan: Path, name: str):
    with pytest.raises(ShapeError, match=f"{name}.*fact of each part"):
        index_scenes(collection, scan, metadata={name: 7})


@pytest.mark.parametrize("value", [float("nan"), [1], 2**80])
def test_metadata_that_cannot_be_kept_are_refused_before_a_scan_is_parted(
    collection: Collection, scan: Path, value: object, monkeypatch: pytest.MonkeyPatch
):
    clip3d.write(furnished_room(9000, seed=1).cloud, scan)
    monkeypatch.setattr(collecting, "open_scene", pytest.fail)
    with pytest.raises(ShapeError, match="storey"):
        index_scenes(collection, scan, metadata={"storey": value})


def test_what_is_said_anew_of_a_scan_that_did_not_change_is_kept(
    collection: Collection, scan: Path, monkeypatch: pytest.MonkeyPatch
):
    before = parts(collection)
    monkeypatch.setattr(collecting, "open_scene", pytest.fail)
    report = index_scenes(collection, scan, metadata={"storey": 3, "wing": "east"})
    after = parts(collection)
    assert (report.counts["unchanged"], report.described) == (1, len(before))
    assert [record.id for record in after] == [record.id for record in before]
    assert all(record.metadata["storey"] == 3 and record.metadata["wing"] == "east" for record in after)
    assert [record.metadata["area"] for record in after] == [record.metadata["area"] for record in before]
    assert index_scenes(collection, scan).described == 0


def test_what_was_said_of_all_parts_stays_when_a_scan_is_parted_anew(collection: Collection, scan: Path):
    first = parts(collection)[0]
    with collection.store.writing():
        collection.store.describe({first.id: {**first.metadata, "broken": True}})
    clip3d.write(furnished_room(9000, seed=1).cloud, scan)
    assert index_scenes(collection, scan).counts["replaced"] == 1
    assert {record.metadata["storey"] for record in parts(collection)} == {2}
    assert not any("broken" in record.metadata for record in parts(collection))


def test_parts_of_an_older_form_are_told_and_brought_up_to_date(collection: Collection, scan: Path):
    new = ("area", "on_wall", "to_wall")
    old = {r.id: {k: v for k, v in r.metadata.items() if k not in new} for r in parts(collection)}
    with collection.store.writing():
        collection.store.describe(old)
    with pytest.raises(DataError, match=r"building\.db.*without area, on_wall, to_wall.*--only scenes"):
        ask_scenes(collection, "green")
    assert index_scenes(collection, scan).counts["replaced"] == 1
    assert ask_scenes(collection, "green", threshold=0.0)


def test_objects_that_cannot_be_made_anew_beside_scans_are_told(
    collection: Collection, scan: Path, tmp_path: Path, bundle: Path
):
    thing = write_off(tmp_path / "thing.off", box(1, 1, 1))
    collection.add(thing)
    with collection.store.writing():
        collection.store.void()
    thing.write_text("no mesh")
    told = []
    report = index_scenes(collection, scan, tell=told.append)
    assert [problem.path for problem in report.problems] == [str(thing)]
    assert ("failed", str(thing)) in [(change.status, change.path) for change in told]
