"""Records and vectors in one SQLite file: kept together, found exactly, never lost, and safe to open."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from clip3d.errors import ConditionError, DataError, ShapeError
from clip3d.search.conditions.where import Condition
from clip3d.search.stores import sqlite_file, sqlite_store
from clip3d.search.stores.sqlite_store import SqliteStore
from clip3d.search.stores.store import Entry, Header, Trace
from clip3d.spaces import Space

DIM = 16
MEAN = np.linspace(-0.1, 0.1, DIM).astype(np.float32)
HEADER = Header("test-space", DIM, MEAN, "unit", "double@1234", "1234", {"cloud": "c", "image": "i"})
SPACE = Space("test-space", DIM, MEAN)


def draw(n: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def entry(name: str, vector: np.ndarray, **metadata: object) -> Entry:
    path = f"/assets/{name}"
    trace = Trace(path, "", f"content of {name}", "reading", (path,), ((1, 2, 3),), 4)
    return Entry("object", trace, {"cloud": vector}, metadata, b"picture of " + name.encode())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "assets.db"


def fill(file: Path, vectors: np.ndarray, **metadata: object) -> None:
    with closing(SqliteStore(file, create=True)) as store, store.writing():
        if store.header() is None:
            store.begin(HEADER)
        store.put([entry(f"{i}.off", v, number=i, even=i % 2 == 0, **metadata) for i, v in enumerate(vectors)])


def read_all(file: Path) -> None:
    with closing(SqliteStore(file)) as store:
        list(store.traces())
        store.vectors("cloud", range(1, 401))
        store.nearest({"cloud": draw(1)[0]}, 3)


def by_hand(vectors: np.ndarray, direction: np.ndarray, k: int) -> list[int]:
    return [int(i) + 1 for i in np.argsort(-SPACE.scores(direction, vectors), kind="stable")[:k]]


def test_records_and_vectors_come_back_as_they_were_put(file: Path):
    vectors = draw(3)
    fill(file, vectors, split="test", weight=1.5, note=None)
    with closing(SqliteStore(file)) as store:
        header = store.header()
        assert header is not None
        assert (header.space, header.dim, header.stored) == ("test-space", DIM, "unit")
        assert header.towers == HEADER.towers
        np.testing.assert_array_equal(header.mean, MEAN)
        (third, first) = store.records([3, 1, 99][:2])
        assert third.trace == entry("2.off", vectors[2]).trace
        assert first.metadata == {"number": 0, "even": True, "split": "test", "weight": 1.5, "note": None}
        assert first.metadata["even"] is True
        np.testing.assert_array_equal(store.vectors("cloud", [2, 1]), vectors[[1, 0]])
        assert np.isnan(store.vectors("image", [2])).all()
        assert store.thumbnails([2, 77]) == {2: b"picture of 1.off"}
        assert [item for item, _ in store.traces()] == [1, 2, 3]


def test_the_nearest_are_those_of_a_plain_loop(file: Path):
    vectors = draw(300)
    fill(file, vectors)
    with closing(SqliteStore(file)) as store:
        for seed in range(5):
            direction = SPACE.centre(draw(1, seed=100 + seed))[0]
            ids, scores = store.nearest({"cloud": direction}, 12)
            assert ids.tolist() == by_hand(vectors, direction, 12)
            np.testing.assert_allclose(scores, SPACE.scores(direction, vectors)[ids - 1], atol=1e-6)


def test_equal_scores_stand_in_the_order_of_ids_wherever_their_rows_are(file: Path):
    fill(file, np.repeat(draw(1), 50, axis=0))
    with closing(SqliteStore(file)) as store:
        direction = SPACE.centre(draw(1))[0]
        assert store.nearest({"cloud": direction}, 7)[0].tolist() == [1, 2, 3, 4, 5, 6, 7]
        with store.writing():
            store.put([entry("1.off", draw(1)[0])])  # its row is now the last one
        assert store.nearest({"cloud": direction}, 60)[0].tolist() == list(range(1, 51))


def test_a_condition_narrows_the_search(file: Path):
    vectors = draw(200)
    fill(file, vectors)
    direction = SPACE.centre(draw(1, seed=5))[0]
    with closing(SqliteStore(file)) as store:
        even = store.select(Condition("even"))
        assert even.tolist() == list(range(1, 200, 2))
        ids, _ = store.nearest({"cloud": direction}, 5, Condition("even AND number < 100"))
        expected = [i for i in by_hand(vectors, direction, 200) if (i - 1) % 2 == 0 and i - 1 < 100][:5]
        assert ids.tolist() == expected
        assert store.nearest({"cloud": direction}, 5, Condition("number < 0"))[0].tolist() == []
        with pytest.raises(ConditionError, match="number"):
            store.select(Condition("numbr = 3"))


def test_two_vectors_of_a_record_are_searched_as_one(file: Path):
    clouds, images = draw(20), draw(20, seed=1)
    with closing(SqliteStore(file, create=True)) as store:
        with store.writing():
            store.begin(HEADER)
            for i in range(20):
                both = {"cloud": clouds[i]} if i == 4 else {"cloud": clouds[i], "image": images[i]}
                store.put([Entry("frame", Trace(f"/log/{i}", "", "c", "r"), both)])
        directions = {"cloud": SPACE.centre(draw(1, seed=7))[0], "image": SPACE.centre(draw(1, seed=8))[0] / 2}
        scores = SPACE.centre(clouds) @ directions["cloud"] + SPACE.centre(images) @ directions["image"]
        scores[4] = -9  # has no image
        ids, found = store.nearest(directions, 19)
        assert ids.tolist() == (np.argsort(-scores)[:19] + 1).tolist()
        np.testing.assert_allclose(found, np.sort(scores)[::-1][:19], atol=1e-6)
        assert len(store.nearest(directions, 50)[0]) == 19


def test_a_path_is_one_record_and_keeps_its_id(file: Path):
    vectors = draw(3)
    fill(file, vectors)
    new = draw(1, seed=9)[0]
    with closing(SqliteStore(file)) as store:
        with store.writing():
            store.put([Entry("object", Trace("/assets/1.off", "", "new", "reading"), {"image": new}, {"a": 1})])
        (record,) = store.records([2])
        assert (record.trace.content, record.metadata) == ("new", {"a": 1})
        assert np.isnan(store.vectors("cloud", [2])).all()
        np.testing.assert_array_equal(store.vectors("image", [2])[0], new)
        assert store.thumbnails([2]) == {}
        assert store.nearest({"cloud": SPACE.centre(vectors)[1]}, 9)[0].tolist() in ([1, 3], [3, 1])


def test_ids_are_never_used_twice(file: Path):
    fill(file, draw(3))
    with closing(SqliteStore(file)) as store, store.writing():
        store.remove([3, 99])
        store.put([entry("new.off", draw(1)[0])])
        assert [item for item, _ in store.traces()] == [1, 2, 4]


def test_files_that_changed_places_are_moved_at_once(file: Path):
    fill(file, draw(2))
    with closing(SqliteStore(file)) as store, store.writing():
        traces = dict(store.traces())
        store.move({1: traces[2], 2: traces[1]})
        assert [record.trace.path for record in store.records([1, 2])] == ["/assets/1.off", "/assets/0.off"]
        with pytest.raises(DataError):
            store.move({1: traces[1]})
        assert dict(store.traces()) == {1: traces[2], 2: traces[1]}


def test_forgotten_vectors_leave_what_users_said(file: Path):
    fill(file, draw(2), split="test")
    other = Header("other-space", 4, np.zeros(4, np.float32), "raw", "other@9", "9", {"cloud": "c"})
    with closing(SqliteStore(file)) as store:
        store.nearest({"cloud": draw(1)[0]}, 1)
        with store.writing():
            with pytest.raises(DataError, match="another model"):
                store.begin(other)
            assert store.void() == 2
            assert store.header() is None
            assert store.nearest({"cloud": np.ones(4, np.float32)}, 1)[0].tolist() == []
            store.begin(other)
            store.put([Entry("object", Trace("/assets/1.off", "", "c", "r"), {"cloud": np.ones(4, np.float32)})])
        assert store.records([1])[0].metadata["split"] == "test"
        assert store.records([1])[0].trace.reading == ""
        assert store.nearest({"cloud": np.ones(4, np.float32) / 2}, 9)[0].tolist() == [2]


def test_columns_are_those_that_someone_gave(file: Path):
    fill(file, draw(2), split="test")
    with closing(SqliteStore(file)) as store:
        assert store.columns()["split"] == "text"
        assert store.columns()["even"] == "boolean"
        assert store.columns()["number"] == "number"
        assert store.columns()["path"] == "text"
        with store.writing():
            store.describe({1: {"number": "many"}, 2: {"number": 2}})
        assert store.columns()["number"] == "text"
        assert "split" not in store.columns()


def test_names_that_are_no_text_are_kept(file: Path):
    path = b"/assets/\xff\xfe.off".decode("utf-8", "surrogateescape")
    trace = Trace(path, "", "c", "r", (path,), (None,))
    with closing(SqliteStore(file, create=True)) as store, store.writing():
        store.begin(HEADER)
        store.put([Entry("object", trace, {"cloud": draw(1)[0]}, {"größe": "groß"})])
        store.put([Entry("object", trace, {"cloud": draw(1)[0]}, {"größe": "groß"})])
        assert dict(store.traces()) == {1: trace}
        assert store.select(Condition("größe = 'groß'")).tolist() == [1]


@pytest.mark.parametrize(
    "bad",
    [
        {"vectors": {}},
        {"vectors": {"cloud": np.ones(3, np.float32)}},
        {"vectors": {"cloud": np.full(DIM, np.nan, np.float32)}},
        {"metadata": {"size": float("inf")}},
        {"metadata": {"size": 2**70}},
        {"metadata": {"size": [1]}},
        {"metadata": {"size": "\udcff"}},
        {"metadata": {"size": "a\0b"}},
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_with_it_kept(file: Path, bad: dict):
    good = {"kind": "object", "trace": Trace("/a", "", "c", "r"), "vectors": {"cloud": draw(1)[0]}}
    with closing(SqliteStore(file, create=True)) as store, store.writing():
        store.begin(HEADER)
        with pytest.raises(ShapeError):
            store.put([Entry(**good), Entry(**{**good, "trace": Trace("/b", "", "c", "r"), **bad})])
        assert list(store.traces()) == []


def test_changing_needs_to_be_the_writer(file: Path):
    with closing(SqliteStore(file, create=True)) as store, pytest.raises(RuntimeError, match="writing"):
        store.begin(HEADER)


def test_a_second_writer_is_refused_in_one_line_and_readers_are_not(file: Path):
    vectors = draw(3)
    fill(file, vectors)
    with closing(SqliteStore(file)) as first, closing(SqliteStore(file, wait=0.05)) as second, first.writing():
        with pytest.raises(DataError, match="another process is writing"), second.writing():
            pass
        first.put([entry("new.off", draw(1, seed=3)[0])])
        assert len(second.select()) == 4
        assert len(second.nearest({"cloud": SPACE.centre(vectors)[0]}, 9)[0]) == 4


def test_a_disk_that_is_full_loses_nothing(file: Path):
    fill(file, draw(5))
    with closing(SqliteStore(file)) as store, store.writing():
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        big = Entry("object", Trace("/big", "", "c", "r"), {"cloud": draw(1)[0]}, {}, bytes(200_000))
        with pytest.raises(DataError, match="disk is full"):
            store.put([entry("small.off", draw(1)[0]), big])
        assert len(store.select()) == 5
        store._connection.execute("PRAGMA max_page_count = 1000000")
        store.put([entry("small.off", draw(1)[0]), big])
        assert len(store.select()) == 7


# Opening


def test_a_missing_collection_is_told_and_not_made(file: Path):
    with pytest.raises(DataError, match="no such collection"):
        SqliteStore(file)
    assert not file.exists()


@pytest.mark.parametrize("content", [b"hello, I am a text\n" * 100, b"SQLite format 3\x00", b"\x00" * 4096])
def test_files_of_other_kinds_are_refused_and_left_alone(file: Path, content: bytes):
    file.write_bytes(content)
    with pytest.raises(DataError):
        SqliteStore(file, create=True)
    assert file.read_bytes() == content
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("mark", [0, 0x12345678])
def test_databases_of_other_programs_are_refused_and_left_alone(file: Path, mark: int):
    with closing(sqlite3.connect(file)) as other:
        other.execute(f"PRAGMA application_id = {mark}")
        other.execute("CREATE TABLE notes (text)")
    before = file.read_bytes()
    with pytest.raises(DataError, match="another program"):
        SqliteStore(file, create=True)
    assert file.read_bytes() == before


def test_a_collection_of_a_later_version_is_refused(file: Path):
    fill(file, draw(1))
    with closing(sqlite3.connect(file)) as later:
        later.execute("PRAGMA user_version = 99")
    with pytest.raises(DataError, match="later version"):
        SqliteStore(file)


@pytest.mark.parametrize(
    "trap",
    [
        "CREATE TRIGGER trap AFTER INSERT ON items BEGIN DELETE FROM items; END",
        "CREATE VIEW trap AS SELECT load_extension('evil')",
        "CREATE TABLE more (x)",
        "DROP INDEX vectors_of_item",
        "ALTER TABLE items ADD COLUMN trap TEXT GENERATED ALWAYS AS (lower(path))",
    ],
)
def test_a_file_with_tables_of_its_own_is_refused(file: Path, trap: str):
    fill(file, draw(1))
    with closing(sqlite3.connect(file)) as stranger:
        stranger.execute(trap)
        stranger.commit()
    with pytest.raises(DataError, match="its tables are not those"):
        SqliteStore(file)


def test_statistics_of_sqlite_do_no_harm(file: Path):
    fill(file, draw(20))
    with closing(sqlite3.connect(file)) as careful:
        careful.execute("ANALYZE")
    with closing(SqliteStore(file)) as store:
        assert len(store.select()) == 20


def test_a_file_of_an_earlier_version_is_brought_up_to_date(file: Path, monkeypatch: pytest.MonkeyPatch):
    vectors = draw(3)
    fill(file, vectors)
    later = (*sqlite_file.MIGRATIONS, ("ALTER TABLE items ADD COLUMN stars INTEGER", "CREATE TABLE likes (item)"))
    monkeypatch.setattr(sqlite_file, "MIGRATIONS", later)
    sqlite_file._schema_of.cache_clear()
    with pytest.raises(DataError, match=r"earlier version.* read-only"):
        SqliteStore(file, read_only=True)
    with closing(SqliteStore(file)) as store:
        assert store.nearest({"cloud": SPACE.centre(vectors)[1]}, 1)[0].tolist() == [2]
        assert store._connection.execute("SELECT count(stars), count(*) FROM items").fetchone() == (0, 3)
    with closing(SqliteStore(file, read_only=True)) as store:
        assert len(store.select()) == 3
    sqlite_file._schema_of.cache_clear()
    monkeypatch.undo()
    with pytest.raises(DataError, match="later version"):
        SqliteStore(file)


def test_a_file_of_the_first_version_goes_on(file: Path, monkeypatch: pytest.MonkeyPatch):
    with closing(sqlite3.connect(file)) as first, first:
        for statement in sqlite_file.MIGRATIONS[0]:
            first.execute(statement)
        row = (1, "test-space", DIM, MEAN.astype("<f4").tobytes(), "unit", "double@1234", "1234", '{"cloud": "c"}')
        first.execute("INSERT INTO header VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        first.execute(f"PRAGMA application_id = {sqlite_file.APPLICATION_ID}")
        first.execute("PRAGMA user_version = 1")
    fill(file, draw(3))
    with closing(SqliteStore(file)) as store:
        assert store.remaking() == ""
        assert len(store.nearest({"cloud": draw(1)[0]}, 3)[0]) == 3


def test_a_failed_update_leaves_the_earlier_version(file: Path, monkeypatch: pytest.MonkeyPatch):
    fill(file, draw(3))
    with monkeypatch.context() as patch:
        broken = (*sqlite_file.MIGRATIONS, ("CREATE TABLE likes (item)", "CREATE TABLE likes (item)"))
        patch.setattr(sqlite_file, "MIGRATIONS", broken)
        with pytest.raises(DataError):
            SqliteStore(file)
    sqlite_file._schema_of.cache_clear()
    with closing(SqliteStore(file)) as store:
        assert len(store.select()) == 3


def test_a_damaged_collection_is_told_and_left_alone(file: Path):
    fill(file, draw(400))
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:20000] + b"\xa5" * (len(whole) - 20000)):
        file.write_bytes(damaged)
        with pytest.raises(DataError, match=r"damaged|not those"):
            read_all(file)
        assert file.read_bytes() == damaged


def test_reading_alone_changes_nothing(file: Path):
    fill(file, draw(3))
    before = file.read_bytes()
    with closing(SqliteStore(file, read_only=True)) as store:
        assert len(store.nearest({"cloud": draw(1)[0]}, 3)[0]) == 3
        with pytest.raises(DataError, match="reading alone"), store.writing():
            pass
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        "path = x'00ff'",
        "sources = '[3]'",
        "sources = '{'",
        "stamps = '[1, 2]'",
        "stamps = 'null'",
        "metadata = '[1]'",
        "kind = 'virus'",
        "taken_ns = 'soon'",
        "sources = '" + "[" * 50_000 + "'",
        "sources = '\"abc\"'",
        "stamps = '[[1]]'",
        "stamps = '[[1, 2, \"3\"]]'",
        """metadata = '{"tags": ["a"]}'""",
        """metadata = '{"size": NaN}'""",
        "metadata = '" + '{"a":' * 50_000 + "'",
        "indexed = 'never'",
        "content = x'00'",
    ],
)
def test_rows_of_a_stranger_that_make_no_sense_are_told(file: Path, change: str):
    fill(file, draw(2))
    with closing(sqlite3.connect(file)) as stranger, stranger:
        stranger.execute(f"UPDATE items SET {change} WHERE id = 2")
    with closing(SqliteStore(file)) as store, pytest.raises(DataError, match="damaged"):
        store.records([1, 2])


@pytest.mark.parametrize(
    "change",
    [
        "towers = '[]'",
        "towers = '" + "[" * 50_000 + "'",
        "model = x'00'",
        "mean = 'soon'",
        "mean = x'" + "0000c07f" * DIM + "'",  # not a number
        "dim = 2",
    ],
)
def test_a_header_of_a_stranger_that_makes_no_sense_is_told(file: Path, change: str):
    fill(file, draw(2))
    with closing(sqlite3.connect(file)) as stranger, stranger:
        stranger.execute(f"UPDATE header SET {change}")
    with closing(SqliteStore(file)) as store, pytest.raises(DataError, match="damaged"):
        store.header()


def test_a_picture_of_a_stranger_that_is_none_is_told(file: Path):
    fill(file, draw(2))
    with closing(sqlite3.connect(file)) as stranger, stranger:
        stranger.execute("UPDATE thumbnails SET picture = 'text'")
    with closing(SqliteStore(file)) as store, pytest.raises(DataError, match="damaged"):
        store.thumbnails([1])


def test_metadata_that_are_no_object_are_told(file: Path):
    fill(file, draw(2))
    with closing(sqlite3.connect(file)) as stranger, stranger:
        stranger.execute("UPDATE items SET metadata = '[1]' WHERE id = 2")
    with closing(SqliteStore(file)) as store, pytest.raises(DataError, match="damaged"):
        store.columns()


@pytest.mark.parametrize("name", ["../../precious", "a/b", "", "x" * 65, "cloud\\n"])
def test_a_stranger_cannot_name_files_that_are_written(file: Path, tmp_path: Path, name: str):
    precious = tmp_path / "precious.json"
    precious.write_text("mine")
    (tmp_path / "a").mkdir()
    inner = tmp_path / "a" / "assets.db"
    fill(inner, draw(2))
    with closing(sqlite3.connect(inner)) as stranger, stranger:
        stranger.execute("UPDATE header SET towers = json_object(?, 'c')", (name,))
        stranger.execute("UPDATE vectors SET name = ?", (name,))
    with closing(SqliteStore(inner)) as store, pytest.raises(DataError, match=r"damaged.*names"):
        store.nearest({name: draw(1)[0]}, 1)
    assert precious.read_text() == "mine"


def test_what_a_writer_did_not_commit_is_never_read(file: Path, monkeypatch: pytest.MonkeyPatch):
    fill(file, draw(2))
    monkeypatch.setattr(sqlite_store, "LEAST_WAIT", 0.05)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("PRAGMA cache_size = 1")  # pages of the transaction reach the file
        other.execute("BEGIN EXCLUSIVE")
        other.execute("DELETE FROM items")
        with pytest.raises(DataError, match="another process is writing"):
            SqliteStore(file, read_only=True, wait=0.05)
        other.execute("ROLLBACK")


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_a_file_with_a_journal_is_not_read_without_it(file: Path, suffix: str, monkeypatch: pytest.MonkeyPatch):
    fill(file, draw(2))

    def bar(uri: str, *options: object) -> object:
        if "immutable" not in uri:
            raise sqlite3.OperationalError("unable to open database file")
        return configured(uri, *options)

    configured = sqlite_file._configured
    monkeypatch.setattr(sqlite_file, "_configured", bar)
    with closing(SqliteStore(file)) as store:
        assert len(store.select()) == 2
    file.with_name(file.name + suffix).write_bytes(b"pages")
    with pytest.raises(DataError, match="unable to open"):
        SqliteStore(file)


def test_a_vector_of_another_length_is_told(file: Path):
    fill(file, draw(2))
    with closing(sqlite3.connect(file)) as stranger, stranger:
        stranger.execute("UPDATE vectors SET vector = x'00'")
    with closing(SqliteStore(file)) as store, pytest.raises(DataError, match="another length"):
        store.nearest({"cloud": draw(1)[0]}, 1)


def test_a_closed_store_says_so(file: Path):
    fill(file, draw(1))
    store = SqliteStore(file)
    store.close()
    store.close()
    with pytest.raises(DataError, match="closed"):
        store.select()
