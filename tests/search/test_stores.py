"""What every store of a collection does, whichever it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clip3d.errors import ConditionError, DataError, ShapeError
from clip3d.search.conditions.where import Condition
from clip3d.search.stores.store import Entry, Header, Store, Trace
from clip3d.spaces import Space, unit

DIM = 8
KINDS = {"sqlite": "collection.db", "lance": "collection.lance"}
RNG = np.random.default_rng(5)
MEAN = (0.6 * unit(RNG.standard_normal((1, DIM)).astype(np.float32))[0]).astype(np.float32)
HEADER = Header("space", DIM, MEAN, "unit", "model@1", "abc", {"cloud": "tower-1", "image": "tower-2"})
Open = Callable[..., Store]


def open_store(address: str | os.PathLike[str], **options: Any) -> Store:
    if str(address).endswith(".lance"):
        pytest.importorskip("lancedb")
        from clip3d.search.stores.lance_store import LanceStore

        return LanceStore(address, **options)
    from clip3d.search.stores.sqlite_store import SqliteStore

    return SqliteStore(address, **options)


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / KINDS[request.param]


@pytest.fixture
def store(address: Path) -> Iterator[Store]:
    opened = open_store(address, create=True)
    yield opened
    opened.close()


@pytest.fixture
def filled(store: Store) -> Store:
    """Items 1 to 4, of which the third has no vector of a picture."""
    entries = [
        entry("/a/chair.off", 1, split="train", height=1.5),
        entry("/a/table.off", 2, split="test", height=3),
        entry("/b/lamp.off", 3, split="test", night=True),
        entry("/b/scan.ply", 4, part="2", note="it's 100 %"),
    ]
    entries[2] = replace(entries[2], vectors={"cloud": vector(3)})
    with store.writing():
        store.begin(HEADER)
        store.put(entries)
    return store


def vector(seed: int, dim: int = DIM) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((1, dim)).astype(np.float32))[0]


def trace(path: str, part: str = "", content: str = "c0", reading: str = "r0") -> Trace:
    return Trace(path, part, content, reading, (path,), ((10, 20, 30), None), 7)


def entry(path: str, seed: int, part: str = "", **metadata: Any) -> Entry:
    vectors = {"cloud": vector(seed), "image": vector(seed + 100)}
    return Entry("object", trace(path, part, f"c{seed}"), vectors, metadata, b"png%d" % seed)


def centred(vectors: np.ndarray) -> np.ndarray:
    return Space("space", DIM, MEAN).centre(vectors)


def ids_where(store: Store, text: str) -> list[int]:
    return store.select(Condition(text)).tolist()


def test_a_new_store_is_empty(store: Store):
    assert store.header() is None
    assert list(store.traces()) == []
    assert store.select().tolist() == []
    ids, scores = store.nearest({"cloud": vector(1)}, 3)
    assert (ids.dtype, scores.dtype, len(ids)) == (np.int64, np.float32, 0)


def test_what_was_put_comes_back(filled: Store):
    header = filled.header()
    assert header is not None
    assert replace(header, mean=MEAN) == replace(HEADER, mean=MEAN)
    np.testing.assert_array_equal(header.mean, MEAN)
    assert [(item, where.path, where.part) for item, where in filled.traces()] == [
        (1, "/a/chair.off", ""),
        (2, "/a/table.off", ""),
        (3, "/b/lamp.off", ""),
        (4, "/b/scan.ply", "2"),
    ]
    last, first = filled.records([4, 77, 1])
    assert first.trace == trace("/a/chair.off", content="c1")
    assert first.metadata == {"split": "train", "height": 1.5}
    assert type(filled.records([2])[0].metadata["height"]) is int
    assert (last.kind, last.metadata) == ("object", {"note": "it's 100 %"})
    assert first.indexed > 1e9
    assert filled.thumbnails([1, 3, 9]) == {1: b"png1", 3: b"png3"}


def test_it_is_there_when_opened_again(filled: Store, address: Path):
    filled.close()
    again = open_store(address, read_only=True)
    assert len(list(again.traces())) == 4
    with pytest.raises(DataError, match="reading"), again.writing():
        pass
    again.close()


def test_vectors_come_back_as_they_were_kept(filled: Store):
    kept = filled.vectors("image", [4, 3, 99, 1, 1])
    np.testing.assert_allclose(kept[[0, 3, 4]], np.stack([vector(104), vector(101), vector(101)]), atol=1e-6)
    assert np.isnan(kept[[1, 2]]).all()
    assert np.isnan(filled.vectors("lidar", [1])).all()


def test_raw_vectors_keep_their_length(store: Store):
    given = {"cloud": 40 * vector(1), "image": np.zeros(DIM, np.float32)}
    with store.writing():
        store.begin(replace(HEADER, stored="raw"))
        store.put([replace(entry("/a", 1), vectors=given), replace(entry("/b", 2), vectors={"cloud": MEAN})])
    for name, expected in given.items():
        np.testing.assert_allclose(store.vectors(name, [1])[0], expected, atol=1e-4)
    np.testing.assert_allclose(store.vectors("cloud", [2])[0], MEAN, atol=1e-6)


def test_nearest_are_those_of_a_slow_search(store: Store):
    cloud, image = (unit(RNG.standard_normal((60, DIM)).astype(np.float32)) for _ in range(2))
    with store.writing():
        store.begin(HEADER)
        store.put(
            [
                replace(entry(f"/{i}", 1, fold=i % 3), vectors={"cloud": cloud[i], "image": image[i]})
                for i in range(60)
            ]
        )
    one, other = unit(RNG.standard_normal((2, DIM)).astype(np.float32))
    for directions in ({"cloud": one}, {"cloud": 0.7 * one, "image": -0.4 * other}):
        scores = sum(
            centred({"cloud": cloud, "image": image}[name]) @ direction for name, direction in directions.items()
        )
        for where, allowed in ((None, np.arange(60)), (Condition("fold = 1"), np.arange(1, 60, 3))):
            ids, found = store.nearest(directions, 7, where)
            expected = allowed[np.argsort(-scores[allowed])][:7]
            assert ids.tolist() == (expected + 1).tolist()
            np.testing.assert_allclose(found, scores[expected], atol=1e-5)
    assert len(store.nearest({"cloud": one}, 500)[0]) == 60


def test_equal_scores_stand_in_the_order_of_ids(store: Store):
    with store.writing():
        store.begin(HEADER)
        store.put([replace(entry(f"/{i:03}", 1), vectors={"cloud": vector(i // 100)}) for i in range(200)])
    ids, scores = store.nearest({"cloud": centred(vector(1)[None])[0]}, 5)
    assert ids.tolist() == [101, 102, 103, 104, 105]
    assert len(set(scores.tolist())) == 1
    assert store.nearest({"cloud": np.zeros(DIM, np.float32)}, 3)[0].tolist() == [1, 2, 3]


def test_records_without_one_of_the_vectors_are_left_out(filled: Store):
    both = {"cloud": vector(1), "image": vector(2)}
    assert sorted(filled.nearest(both, 9)[0].tolist()) == [1, 2, 4]
    assert sorted(filled.nearest({"cloud": vector(1)}, 9)[0].tolist()) == [1, 2, 3, 4]
    assert len(filled.nearest({"lidar": vector(1)}, 9)[0]) == 0


def test_a_direction_of_another_shape_is_refused(filled: Store):
    for directions, k in (({"cloud": np.ones(3, np.float32)}, 1), ({}, 1), ({"cloud": vector(1)}, 0)):
        with pytest.raises(ShapeError):
            filled.nearest(directions, k)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("split = 'test'", [2, 3]),
        ("split <> 'test'", [1]),
        ("split IN ('train', 'test') AND height > 1.6", [2]),
        ("height BETWEEN 1 AND 2 OR night", [1, 3]),
        ("NOT night", []),
        ("night = TRUE", [3]),
        ("split IS NULL", [4]),
        ("height IS NOT NULL", [1, 2]),
        ("path LIKE '/a/%'", [1, 2]),
        ("name = 'scan.ply' AND part = '2'", [4]),
        ("note LIKE '%100 \\%' ESCAPE '\\'", [4]),
        ("note = 'it''s 100 %'", [4]),
        ("kind = 'object' AND content = 'c3'", [3]),
        ("indexed > '2020-01-01'", [1, 2, 3, 4]),
        ("height / 2 > 1", [2]),
        ("height % 2 = 1", [1, 2]),
        ("upper(split) = 'TEST'", [2, 3]),
    ],
)
def test_conditions(filled: Store, condition: str, expected: list[int]):
    assert ids_where(filled, condition) == expected
    found = filled.nearest({"cloud": vector(9)}, 9, Condition(condition))[0]
    assert sorted(found.tolist()) == expected


def test_names_of_metadata_may_be_odd(filled: Store):
    odd = {"Größe": 2, "größe": 3, "a.b": "x", "from": "y", "with space": "z", "a_b": "w", "A": 1, "a": 2}
    with filled.writing():
        filled.describe({1: odd})
    assert filled.records([1])[0].metadata == odd
    for name, value in odd.items():
        assert ids_where(filled, f'"{name}" = ' + (f"'{value}'" if isinstance(value, str) else str(value))) == [1]


def test_an_unknown_column_is_answered_with_those_there_are(filled: Store):
    for ask in (filled.select, lambda where: filled.nearest({"cloud": vector(1)}, 1, where)):
        with pytest.raises(ConditionError, match=r"split.*there are: .*height"):
            ask(Condition("splitt = 'test'"))


def test_columns_have_types(filled: Store):
    expected = {"split": "text", "height": "number", "night": "boolean", "note": "text"}
    fixed = {"path": "text", "name": "text", "part": "text", "kind": "text", "content": "text", "indexed": "number"}
    assert filled.columns() == expected | fixed


def test_a_name_may_have_values_of_several_types(filled: Store):
    with filled.writing():
        filled.describe({1: {"mark": "high"}, 2: {"mark": 2.5}})
    assert filled.columns()["mark"] == "text"
    assert [record.metadata for record in filled.records([1, 2])] == [{"mark": "high"}, {"mark": 2.5}]
    assert ids_where(filled, "mark = 'high'") == [1]
    assert ids_where(filled, "mark IS NOT NULL") == [1, 2]


def test_an_item_takes_the_place_of_the_earlier_one(filled: Store):
    with filled.writing():
        filled.put([replace(entry("/a/table.off", 50, split="train"), thumbnail=None)])
    assert len(list(filled.traces())) == 4
    (record,) = filled.records([2])
    assert (record.trace.content, record.metadata) == ("c50", {"split": "train"})
    assert filled.thumbnails([2]) == {}
    np.testing.assert_allclose(filled.vectors("cloud", [2])[0], vector(50), atol=1e-6)
    assert filled.nearest({"cloud": centred(vector(50)[None])[0]}, 1)[0].tolist() == [2]


def test_a_file_of_one_batch_twice_is_one_item(filled: Store):
    with filled.writing():
        filled.put([entry("/c", 8), entry("/c", 9), entry("/c", 10, part="1")])
    assert [where.part for _, where in filled.traces() if where.path == "/c"] == ["", "1"]
    assert filled.records([5])[0].trace.content == "c9"


def test_ids_are_never_used_twice(filled: Store, address: Path):
    with filled.writing():
        filled.remove([4, 3, 1234])
        filled.put([entry("/new", 7)])
    filled.close()
    again = open_store(address)
    with again.writing():
        new = max(item for item, _ in again.traces())
        again.remove([new])
    again.close()
    last = open_store(address)
    with last.writing():
        last.put([entry("/newer", 8)])
    assert [item for item, _ in last.traces()] == [1, 2, new + 1]
    assert new > 4
    last.close()


def test_removed_items_are_gone(filled: Store):
    with filled.writing():
        filled.remove([2])
        filled.remove([])
    assert filled.select().tolist() == [1, 3, 4]
    assert filled.records([2]) == []
    assert 2 not in filled.nearest({"cloud": centred(vector(2)[None])[0]}, 9)[0]
    assert filled.thumbnails([2]) == {}


def test_moved_items_keep_all_but_their_place(filled: Store):
    with filled.writing():
        filled.move({1: trace("/b/lamp.off", content="c1"), 3: trace("/z/chair.ply", content="c3")})
    moved, other = filled.records([1, 3])
    assert (moved.trace.path, other.trace.path) == ("/b/lamp.off", "/z/chair.ply")
    assert moved.metadata == {"split": "train", "height": 1.5}
    assert ids_where(filled, "name = 'chair.ply'") == [3]
    np.testing.assert_allclose(filled.vectors("cloud", [1])[0], vector(1), atol=1e-6)
    with filled.writing():
        filled.put([entry("/z/chair.ply", 3)])
    assert len(list(filled.traces())) == 4
    with pytest.raises(DataError), filled.writing():
        filled.move({1: trace("/a/table.off")})


def test_metadata_are_replaced(filled: Store):
    with filled.writing():
        filled.describe({1: {"colour": "red"}, 3: {}, 99: {"colour": "blue"}})
    assert [record.metadata for record in filled.records([1, 2, 3])] == [
        {"colour": "red"},
        {"split": "test", "height": 3},
        {},
    ]
    assert ids_where(filled, "split = 'test'") == [2]
    assert ids_where(filled, "colour IS NOT NULL") == [1]
    assert filled.nearest({"cloud": centred(vector(1)[None])[0]}, 1, Condition("colour = 'red'"))[0].tolist() == [1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"metadata": {"a": float("nan")}},
        {"metadata": {"a": [1]}},
        {"vectors": {}},
        {"vectors": {"cloud": np.ones(3, np.float32)}},
        {"vectors": {"cloud": np.full(DIM, np.nan, np.float32)}},
        {"vectors": {"../cloud": np.ones(DIM, np.float32)}},
    ],
)
def test_a_batch_with_one_bad_entry_is_not_kept(filled: Store, wrong: dict[str, Any]):
    with pytest.raises(ShapeError), filled.writing():
        filled.put([entry("/good", 1), replace(entry("/bad", 2), **wrong)])
    assert len(list(filled.traces())) == 4


@pytest.mark.parametrize("name", ["", "../cloud", "a b", "x" * 65])
def test_a_header_with_odd_names_of_vectors_is_refused(store: Store, name: str):
    with store.writing(), pytest.raises(ShapeError, match="named"):
        store.begin(replace(HEADER, towers={name: "tower"}))


def test_voided_records_keep_their_metadata_and_are_out_of_date(filled: Store):
    wider = Header("other", 5, np.zeros(5, np.float32), "unit", "model@2", "def", {"cloud": "tower-9"})
    with filled.writing():
        with pytest.raises(DataError, match="another model"):
            filled.begin(wider)
        assert filled.void() == 4
    assert filled.header() is None
    assert {where.reading for _, where in filled.traces()} == {""}
    assert np.isnan(filled.vectors("cloud", [1, 2])).all()
    assert len(filled.nearest({"cloud": vector(1)}, 3)[0]) == 0
    assert ids_where(filled, "split = 'test'") == [2, 3]
    with filled.writing():
        filled.begin(wider)
        filled.put([replace(entry("/a/table.off", 2, split="test"), vectors={"cloud": vector(3, 5)})])
    assert filled.nearest({"cloud": vector(3, 5)}, 9)[0].tolist() == [2]
    assert [where.reading for _, where in filled.traces()] == ["", "r0", "", ""]
    assert filled.records([1])[0].trace.reading == ""


def test_what_is_being_made_anew_is_noted_until_it_is_done(filled: Store, address: Path):
    assert filled.remaking() == ""
    with filled.writing():
        filled.note_remaking("all")
    assert open_store(address, read_only=True).remaking() == "all"
    with filled.writing():
        filled.note_remaking("")
        assert filled.remaking() == ""
        filled.note_remaking("cloud")
        filled.void()
        filled.begin(HEADER)
    assert filled.remaking() == ""


def test_paths_may_be_no_unicode(store: Store):
    path = os.fsdecode(b"/a/caf\xe9/\xff.off")
    with store.writing():
        store.begin(HEADER)
        store.put([entry(path, 1), entry("/a/'quoted\".off", 2)])
        store.put([entry(path, 3)])
    assert [where.path for _, where in store.traces()] == [path, "/a/'quoted\".off"]
    assert store.records([1])[0].trace.sources == (path,)


def test_changes_need_the_right_to_write(filled: Store):
    with pytest.raises(RuntimeError, match="writing"):
        filled.put([entry("/c", 1)])


def test_a_second_writer_is_refused_and_readers_are_not(filled: Store, address: Path):
    other = open_store(address, wait=0.05)
    with filled.writing():
        filled.put([entry("/c", 5)])
        assert len(other.select()) == 5
        with pytest.raises(DataError, match="another process is writing"), other.writing():
            pass
    with other.writing():
        other.remove([5])
    assert len(filled.select()) == 4
    other.close()


def test_a_second_writer_waits(filled: Store, address: Path):
    other = open_store(address, wait=20)
    entered, leave = threading.Event(), threading.Event()

    def write() -> None:
        mine = open_store(address)
        with mine.writing():
            entered.set()
            leave.wait(20)
            mine.put([entry("/first", 6)])
        mine.close()

    thread = threading.Thread(target=write)
    thread.start()
    entered.wait(20)
    threading.Timer(0.2, leave.set).start()
    with other.writing():
        other.put([entry("/second", 7)])
    thread.join()
    assert [where.path for _, where in other.traces()][4:] == ["/first", "/second"]
    other.close()


def test_what_is_no_collection_is_refused(address: Path):
    with pytest.raises(DataError, match="no such collection"):
        open_store(address)
    assert not address.exists()
    address.parent.joinpath("folder.lance").mkdir()
    (address.parent / "folder.lance" / "holiday.jpg").write_bytes(b"x")
    address.with_name("file").write_bytes(b"not a database at all")
    for other in ("folder.lance", "file"):
        with pytest.raises(DataError):
            open_store(address.with_name(other), create=True)
    assert (address.parent / "folder.lance" / "holiday.jpg").exists()


def test_facts_say_what_there_is(filled: Store):
    facts = filled.facts()
    assert facts["store"] in ("sqlite", "lancedb")
    assert (facts["records"], facts["vectors"], facts["exact"]) == (4, {"cloud": 4, "image": 3}, True)
    assert facts["bytes"] > 100


WRITER = """
import sys
sys.path.insert(0, {folder!r})
from test_stores import HEADER, entry, open_store
store = open_store({address!r}, create=True, wait=20)
with store.writing():
    if store.header() is None:
        store.begin(HEADER)
    batch = len(store.select()) // 5
    print("start", batch, flush=True)
    while True:
        store.put([entry(f"/{{batch}}/{{i}}", i, batch=batch) for i in range(5)])
        print("kept", batch, flush=True)
        batch += 1
"""


def test_killed_writers_leave_whole_batches(address: Path):
    """What was said to be kept is there, nothing is there twice, and the next writer goes on."""
    open_store(address, create=True).close()
    code = WRITER.format(folder=str(Path(__file__).parent), address=str(address))
    kept = -1
    for round_ in range(3):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        threading.Timer(30, process.kill).start()
        lines = [process.stdout.readline() for _ in range(2 + round_)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        process.wait()
        said = [line.split() for line in lines if line.endswith("\n")]
        kept = max(kept, *(int(batch) for word, batch in said if word == "kept"))
        store = open_store(address)
        traces = [where for _, where in store.traces()]
        whole = len(traces) // 5
        assert {where.path for where in traces} == {f"/{batch}/{i}" for batch in range(whole) for i in range(5)}
        assert len(traces) == 5 * whole
        assert whole > kept
        assert not np.isnan(store.vectors("cloud", store.select().tolist())).any()
        store.close()
