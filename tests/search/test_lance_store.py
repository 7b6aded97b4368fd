"""What a collection in LanceDB does beside what every store does: its index, its place, writers without locks."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clip3d.errors import DataError
from clip3d.search.conditions.where import Condition
from clip3d.search.stores import lance_index, lance_search, lance_state
from clip3d.search.stores.opening import is_there, open_store
from clip3d.search.stores.store import Entry, Header, Trace
from clip3d.spaces import Space, unit

lancedb = pytest.importorskip("lancedb")

from clip3d.search.stores.lance_place import Place, open_tables  # noqa: E402
from clip3d.search.stores.lance_rows import header_text  # noqa: E402
from clip3d.search.stores.lance_state import LanceState  # noqa: E402
from clip3d.search.stores.lance_store import LanceStore  # noqa: E402

DIM = 32
MEAN = np.full(DIM, 0.1, np.float32)
HEADER = Header("space", DIM, MEAN, "unit", "model@1", "abc", {"cloud": "tower", "image": "tower-2"})
SPACE = Space("space", DIM, MEAN)


def draw(n: int, seed: int) -> np.ndarray:
    return unit(np.random.default_rng(seed).standard_normal((n, DIM)).astype(np.float32))


def entries(cloud: np.ndarray, image: np.ndarray, start: int = 0) -> list[Entry]:
    return [
        Entry("object", Trace(f"/{i}.off", "", f"c{i}", "r"), {"cloud": a, "image": b}, {"fold": i % 10})
        for i, (a, b) in enumerate(zip(cloud, image, strict=True), start)
    ]


@pytest.fixture
def address(tmp_path: Path) -> Path:
    return tmp_path / "many.lance"


@pytest.fixture
def indexed(address: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[LanceStore, np.ndarray, np.ndarray]:
    """A store of 2,000 items with an index; vectors of clouds and pictures."""
    monkeypatch.setattr(lance_index, "INDEX_FROM", 1000)
    cloud, image = draw(2000, 1), draw(2000, 2)
    store = LanceStore(address, create=True)
    with store.writing():
        store.begin(HEADER)
        store.put(entries(cloud, image))
    return store, cloud, image


def share_found(store: LanceStore, directions: dict[str, np.ndarray], scores: np.ndarray, where: str = "") -> float:
    allowed = np.arange(len(scores)) if not where else np.flatnonzero(np.arange(len(scores)) % 10 < 2)
    ids, found = store.nearest(directions, 10, Condition(where) if where else None)
    np.testing.assert_allclose(found, scores[ids - 1], atol=1e-5)
    best = allowed[np.argsort(-scores[allowed])][:10] + 1
    return len(set(ids.tolist()) & set(best.tolist())) / 10


def test_many_vectors_get_an_index_that_finds_nearly_all(indexed):
    store, cloud, image = indexed
    facts = store.facts()
    assert facts["exact"] is False
    assert facts["index"]["cloud"] == {"kind": "IVF_RQ", "vectors": 2000, "not_yet": 0}
    centred, pictures = SPACE.centre(cloud), SPACE.centre(image)
    for where in ("", "fold < 2"):
        shares = [share_found(store, {"cloud": q}, centred @ q, where) for q in draw(20, 3)]
        assert np.mean(shares) >= 0.95
        both = [
            share_found(store, {"cloud": q, "image": -0.5 * p}, centred @ q - 0.5 * pictures @ p, where)
            for q, p in zip(draw(10, 4), draw(10, 5), strict=True)
        ]
        assert np.mean(both) >= 0.95


def test_what_most_records_meet_is_found_as_well_and_only_that(indexed):
    store, cloud, _ = indexed
    centred, folds = SPACE.centre(cloud), np.arange(2000) % 10
    shares = []
    for query in draw(20, 7):
        ids, found = store.nearest({"cloud": query}, 10, Condition("fold < 7"))
        assert (folds[ids - 1] < 7).all()
        scores = np.where(folds < 7, centred @ query, -2)
        np.testing.assert_allclose(found, scores[ids - 1], atol=1e-5)
        shares.append(len(set(ids.tolist()) & set((np.argsort(-scores)[:10] + 1).tolist())) / 10)
    assert np.mean(shares) >= 0.95


def test_few_that_meet_a_condition_are_all_found(indexed):
    store, _, _ = indexed
    for query in draw(3, 6):
        ids, _ = store.nearest({"cloud": query}, 10, Condition("path IN ('/5.off', '/700.off', '/1999.off')"))
        assert sorted(ids.tolist()) == [6, 701, 2000]


def test_an_index_that_a_run_was_killed_over_is_made_by_the_next(address: Path, monkeypatch: pytest.MonkeyPatch):
    cloud = draw(1200, 1)
    store = LanceStore(address, create=True)
    with store.writing():
        store.begin(HEADER)
        store.put(entries(cloud, cloud))
    assert store.facts()["exact"]
    monkeypatch.setattr(lance_index, "INDEX_FROM", 1000)
    with store.writing():
        pass
    assert store.facts()["index"]["image"]["vectors"] == 1200


def test_what_comes_after_the_index_is_found_at_once_and_taken_up(indexed, monkeypatch: pytest.MonkeyPatch):
    store, _, _ = indexed
    monkeypatch.setattr(lance_index, "MOST_NOT_INDEXED", 3)
    new = draw(3, 9)
    with store.writing():
        store.put(entries(new, new, 5000))
        assert store.nearest({"cloud": SPACE.centre(new)[1]}, 1)[0].tolist() == [2002]
    assert store.facts()["index"]["cloud"] == {"kind": "IVF_RQ", "vectors": 2000, "not_yet": 3}
    with store.writing():
        store.put(entries(new, new, 6000))
    assert store.facts()["index"]["cloud"] == {"kind": "IVF_RQ", "vectors": 2006, "not_yet": 0}


def test_metadata_and_places_change_without_the_index(indexed):
    store, cloud, _ = indexed
    with store.writing():
        store.describe({item: {"colour": "red"} for item in range(1, 500)})
        store.move({3: Trace("/elsewhere", "", "c", "r")})
        store.remove([7])
    query = SPACE.centre(cloud)
    for item, where in ((5, "colour = 'red'"), (3, "path = '/elsewhere'"), (1500, "fold = 9")):
        assert store.nearest({"cloud": query[item - 1]}, 1, Condition(where))[0].tolist() == [item]
    assert 7 not in store.nearest({"cloud": query[6]}, 10)[0]
    assert store.facts()["index"]["cloud"]["not_yet"] <= 1  # LanceDB may write single rows anew


def test_four_times_the_vectors_make_the_index_anew(indexed):
    store, _, _ = indexed
    assert set(store._state.read()["trained"].values()) == {2000}
    more = draw(6000, 8)
    with store.writing():
        store.put(entries(more, more, 2000))
    assert store.facts()["index"]["cloud"]["vectors"] == 8000
    assert set(store._state.read()["trained"].values()) == {8000}


def test_a_uri_of_a_file_is_a_folder(tmp_path: Path):
    uri = (tmp_path / "my things.lance").as_uri()
    assert not is_there(uri)
    with pytest.raises(DataError, match="no such collection"):
        open_store(uri)
    open_store(uri, create=True).close()
    assert is_there(uri)
    assert is_there(tmp_path / "my things.lance")
    assert isinstance(open_store(uri), LanceStore)
    assert isinstance(open_store(f"{tmp_path}/other.lance/", create=True), LanceStore)


@pytest.mark.parametrize("address", ["ftp://host/x.lance", "http://host/x", "file://host/share/x.lance"])
def test_a_uri_that_no_store_is_for_is_refused(address: str):
    with pytest.raises(DataError, match=r"store for|another machine"):
        open_store(address, create=True)


def test_tables_of_others_are_refused(address: Path):
    database = lancedb.connect(address)
    database.create_table("holidays", [{"place": "sea"}])
    for create in (False, True):
        with pytest.raises(DataError, match=r"not those of a collection|other things"):
            open_store(address, create=create)
    database.create_table("records", [{"id": 1}])
    database.create_table("state", [{"name": "header", "value": "null"}])
    with pytest.raises(DataError, match="not those of a collection"):
        open_store(address)
    with pytest.raises(DataError, match="a single table"):
        open_store(address / "records.lance")


def test_a_table_that_asks_for_a_function_is_refused(address: Path):
    open_store(address, create=True).close()
    database = lancedb.connect(address)
    schema = database.open_table("records").schema
    database.create_table("records", schema=schema.with_metadata({"embedding_functions": "[]"}), mode="overwrite")
    with pytest.raises(DataError, match="not those of a collection"):
        open_store(address)


def test_a_condition_that_compares_a_text_with_a_number_is_told(indexed):
    store, _, _ = indexed
    with store.writing():
        store.describe({1: {"colour": "red"}})
    with pytest.raises(DataError, match="condition"):
        store.select(Condition("colour > 2"))


@pytest.fixture
def far(address: Path) -> tuple[Any, Any, Place]:
    """The state of a collection twice, as two machines have it, where no file can be locked."""
    place = Place.of(address)
    first = open_tables(place, create=True, read_only=False).state
    return first, open_tables(place, create=False, read_only=False).state, replace(place, folder=None)


def test_without_locks_a_second_writer_is_refused_until_the_first_ends(far):
    first, second, place = far
    one, other = LanceState(first, place), LanceState(second, place)
    with one.only_writer(0):
        with pytest.raises(DataError, match="another process is writing"), other.only_writer(0):
            pass
        one.renew()
    with other.only_writer(0):
        pass


def test_without_locks_a_writer_that_died_is_succeeded_and_may_not_go_on(far, monkeypatch: pytest.MonkeyPatch):
    first, second, place = far
    one, other = LanceState(first, place), LanceState(second, place)
    monkeypatch.setattr(lance_state, "LEASE", 0.2)
    monkeypatch.setattr(lance_state, "RENEWED_AFTER", 0.0)
    silent = one.only_writer(0)
    silent.__enter__()
    time.sleep(0.3)
    with other.only_writer(0):
        with pytest.raises(DataError, match="took over"):
            one.renew()
        monkeypatch.setattr(lance_state, "LEASE", 60)
        other.renew()


def test_without_locks_ids_follow_what_another_writer_did_a_moment_ago(
    address: Path, monkeypatch: pytest.MonkeyPatch
):
    here = Place.of(address)
    monkeypatch.setattr(Place, "of", classmethod(lambda cls, address: replace(here, folder=None)))
    cloud = draw(4, 1)
    one, other = LanceStore(address, create=True), LanceStore(address)
    with one.writing():
        one.begin(HEADER)
        one.put(entries(cloud[:1], cloud[:1]))
    with other.writing():
        other.put(entries(cloud[1:3], cloud[1:3], 1))
    with one.writing():
        one.put(entries(cloud[3:], cloud[3:], 3))
    assert [(item, trace.path) for item, trace in LanceStore(address).traces()] == [
        (i + 1, f"/{i}.off") for i in range(4)
    ]


def test_an_interruption_does_not_start_what_takes_long(address: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lance_index, "INDEX_FROM", 1000)
    cloud = draw(1200, 1)
    store = LanceStore(address, create=True)
    with pytest.raises(KeyboardInterrupt), store.writing():  # noqa: PT012
        store.begin(HEADER)
        store.put(entries(cloud, cloud))
        raise KeyboardInterrupt
    assert store.facts()["exact"]
    with store.writing():
        pass
    assert not store.facts()["exact"]


def test_without_locks_an_index_is_not_made_once_another_writer_took_over(
    address: Path, monkeypatch: pytest.MonkeyPatch
):
    here = Place.of(address)
    monkeypatch.setattr(Place, "of", classmethod(lambda cls, address: replace(here, folder=None)))
    monkeypatch.setattr(lance_index, "INDEX_FROM", 1000)
    monkeypatch.setattr(lance_state, "LEASE", 0.01)
    cloud = draw(1200, 1)
    one, other = LanceStore(address, create=True), LanceStore(address)
    with pytest.raises(DataError, match="took over"), one.writing():  # noqa: PT012
        one.begin(HEADER)
        one.put(entries(cloud, cloud))
        time.sleep(0.02)
        monkeypatch.setattr(lance_state, "LEASE", 60)
        taken = other._state.only_writer(0)
        taken.__enter__()
    assert LanceStore(address).facts()["exact"]


@pytest.mark.parametrize(
    "change",
    [
        {"trace": "[" * 50_000},
        {"trace": "[]"},
        {"trace": '["/a", "", ["/a"], [[1]], 1]'},
        {"trace": '["/a", "", [1], [], 1]'},
        {"metadata": '{"tags": ["a"]}'},
        {"kind": "virus"},
    ],
)
def test_rows_of_a_stranger_that_make_no_sense_are_told(address: Path, change: dict[str, str]):
    cloud = draw(2, 1)
    store = LanceStore(address, create=True)
    with store.writing():
        store.begin(HEADER)
        store.put(entries(cloud, cloud))
    lancedb.connect(address).open_table("records").update(where="id = 2", values=change)
    with pytest.raises(DataError, match="damaged"):
        store.records([1, 2])


def test_names_of_vectors_of_a_stranger_are_told(address: Path):
    open_store(address, create=True).close()
    text = header_text(HEADER).replace('"cloud"', '"../cloud"')
    lancedb.connect(address).open_table("state").add([{"name": "header", "value": json.dumps(text)}])
    with pytest.raises(DataError, match=r"damaged.*names"):
        LanceStore(address).header()


def test_many_equal_rows_are_read_in_turn(address: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lance_search, "MOST_TIED", 100)
    cloud = np.repeat(draw(1, 1), 900, axis=0)
    store = LanceStore(address, create=True)
    with store.writing():
        store.begin(HEADER)
        store.put(entries(cloud, cloud))
    most: list[int] = []
    candidates = lance_search._candidates

    def noted(*given: Any) -> Any:
        most.append(given[3])
        return candidates(*given)

    monkeypatch.setattr(lance_search, "_candidates", noted)
    assert store.nearest({"cloud": SPACE.centre(cloud[:1])[0]}, 3)[0].tolist() == [1, 2, 3]
    assert max(most) <= 4 * (3 + lance_search.SPARE)


def test_the_commands_take_such_a_collection(run_cli: Any, bundle: Path, assets: Path, address: Path):
    done = run_cli("index", assets, "--db", address, "--meta", "split=test", "--model", bundle)
    assert (done.returncode, "4 added" in done.stdout) == (0, True), done.stdout
    again = run_cli("index", assets, "--db", address.as_uri(), "--model", bundle)
    assert "4 unchanged" in again.stdout
    where = ("--where", "split = 'test'")
    found = run_cli("search", "--like", assets / "tall.off", "--db", address, *where, "-k", "2")
    assert (found.returncode, found.stdout.count(".o")) == (0, 2), found.stderr
    missing = run_cli("search", "red", "--db", address.with_name("other.lance"))
    assert missing.returncode
    assert "no such collection" in missing.stderr
