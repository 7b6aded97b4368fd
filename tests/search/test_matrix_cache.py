"""The vectors beside a collection: used when they agree with it, made anew when not, never a reason to fail."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from clip3d.search.stores import matrix_cache
from clip3d.search.stores.matrix import Matrix, Part, nearest
from clip3d.search.stores.matrix_cache import MatrixCache, State
from clip3d.search.stores.sqlite_store import SqliteStore
from clip3d.search.stores.store import Entry, Header, Trace
from clip3d.spaces import Space, unit

DIM = 8
HEADER = Header("test-space", DIM, np.full(DIM, 0.05, np.float32), "unit", "double@1", "1", {"cloud": "c"})
SPACE = Space("test-space", DIM, HEADER.mean)


def draw(n: int, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32))


def put(store: SqliteStore, vectors: np.ndarray, first: int = 0) -> None:
    store.put(
        [Entry("object", Trace(f"/{first + i}", "", "c", "r"), {"cloud": v}) for i, v in enumerate(vectors)]
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "a.db"
    with closing(SqliteStore(file, create=True)) as store, store.writing():
        store.begin(HEADER)
        put(store, draw(40))
    return file


DIRECTION = SPACE.centre(draw(1, seed=99))[0]


def found(file: Path) -> list[int]:
    with closing(SqliteStore(file)) as store:
        return store.nearest({"cloud": DIRECTION}, 6)[0].tolist()


def expected(file: Path) -> list[int]:
    """Without any cache."""
    with closing(SqliteStore(file)) as store:
        ids = store.select()
        scores = SPACE.scores(DIRECTION, store.vectors("cloud", ids))
    return ids[np.argsort(-scores, kind="stable")][:6].tolist()


def folder(file: Path) -> Path:
    return file.with_name("a.db.vectors")


def rows(file: Path) -> Path:
    (name,) = folder(file).glob("*.rows")
    return name


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many vectors were read from the database, each time."""
    counted: list[int] = []
    centred = SqliteStore._centred

    def count(self, name, header, since):
        for part in centred(self, name, header, since):
            counted.append(len(part.ids))
            yield part

    monkeypatch.setattr(SqliteStore, "_centred", count)
    return counted


def test_it_is_read_and_not_made_again(file: Path, reads: list[int]):
    assert found(file) == expected(file)
    assert found(file) == expected(file)
    assert reads == [40]


def test_it_grows_by_what_is_new_and_forgets_what_is_gone(file: Path, reads: list[int]):
    found(file)
    with closing(SqliteStore(file)) as store, store.writing():
        put(store, draw(3, seed=1), first=38)  # two in the place of others, one new
        store.remove([1, 2])
    assert found(file) == expected(file)
    assert reads == [40, 3]
    assert found(file) == expected(file)
    assert reads == [40, 3]


def test_many_small_changes_leave_few_files(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(matrix_cache, "IN_USE_SECONDS", -1)
    with closing(SqliteStore(file)) as store, store.writing():
        for i in range(40):
            put(store, draw(1, seed=i), first=40 + i)
            store.nearest({"cloud": DIRECTION}, 1)
    assert found(file) == expected(file)
    assert len(list(folder(file).glob("*.rows"))) <= matrix_cache.MOST_PARTS


def test_when_most_is_gone_it_is_written_anew(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(matrix_cache, "IN_USE_SECONDS", -1)
    found(file)
    size = rows(file).stat().st_size
    with closing(SqliteStore(file)) as store, store.writing():
        store.remove(range(1, 31))
    assert found(file) == expected(file)
    assert rows(file).stat().st_size == size // 4


def no_rows(file: Path) -> None:
    rows(file).unlink()


def cut(file: Path) -> None:
    rows(file).write_bytes(rows(file).read_bytes()[:-40])


def flip(file: Path) -> None:
    data = bytearray(rows(file).read_bytes())
    data[100] ^= 1
    rows(file).write_bytes(data)


def no_json(file: Path) -> None:
    (folder(file) / "cloud.json").write_text("{")


def edit(**changes: object) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        manifest = folder(file) / "cloud.json"
        facts = {**json.loads(manifest.read_text()), **changes}
        facts.pop("check")
        manifest.write_text(json.dumps({**facts, "check": matrix_cache._digest(facts)}))

    damage.__name__ = "edit " + " ".join(changes)
    return damage


def other_place(file: Path) -> None:
    secret = file.parent / "secret-0123456789abcdef.rows"
    shutil.copy(rows(file), secret)
    entry = json.loads((folder(file) / "cloud.json").read_text())["parts"][0]
    edit(parts=[{**entry, "file": f"../{secret.name}"}])(file)


def a_folder(file: Path) -> None:
    (folder(file) / "cloud.json").unlink()
    (folder(file) / "cloud.json").mkdir()


DAMAGES = [no_rows, cut, flip, no_json, other_place, a_folder]
DAMAGES += [edit(parts=None), edit(parts=[3]), edit(removed="x"), edit(generation=10**30), edit(token="other")]
DAMAGES += [edit(generation=1), edit(header="other"), edit(format=99)]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_does_not_agree_is_made_anew(damage: Callable[[Path], None], file: Path, reads: list[int]):
    found(file)
    damage(file)
    assert found(file) == expected(file)
    assert reads == [40, 40]


def test_vectors_of_the_wrong_number_of_rows_are_made_anew(file: Path, reads: list[int]):
    found(file)
    entry = json.loads((folder(file) / "cloud.json").read_text())["parts"][0]
    edit(parts=[{**entry, "rows": 39}])(file)
    assert found(file) == expected(file)
    assert reads == [40, 40]


def test_a_copy_that_was_restored_and_went_on_is_told_apart(file: Path, tmp_path: Path):
    copy = tmp_path / "copy.db"
    shutil.copy(file, copy)
    with closing(SqliteStore(file)) as store, store.writing():
        put(store, draw(1, seed=1))
    found(file)
    shutil.copy(copy, file)
    with closing(SqliteStore(file)) as store, store.writing():
        put(store, draw(1, seed=2))  # as many changes as before, but others
    assert found(file) == expected(file)


def test_a_place_that_cannot_be_written_does_no_harm(file: Path, reads: list[int]):
    folder(file).write_text("a file is in the way")
    with closing(SqliteStore(file)) as store:
        assert store.nearest({"cloud": DIRECTION}, 6)[0].tolist() == expected(file)
        assert store.nearest({"cloud": DIRECTION}, 6)[0].tolist() == expected(file)
    assert reads == [40]
    assert folder(file).read_text() == "a file is in the way"


def test_damage_is_told(file: Path, caplog: pytest.LogCaptureFixture):
    found(file)
    flip(file)
    with caplog.at_level(logging.WARNING, "clip3d"):
        found(file)
    assert "damaged" in caplog.text


def test_deleting_it_does_no_harm(file: Path):
    before = found(file)
    shutil.rmtree(folder(file))
    assert found(file) == before


def test_a_crash_before_the_manifest_leaves_the_earlier_state(file: Path, monkeypatch: pytest.MonkeyPatch):
    found(file)
    with closing(SqliteStore(file)) as store, store.writing():
        put(store, draw(2, seed=1), first=40)
    with monkeypatch.context() as patch:
        patch.setattr(MatrixCache, "_write_manifest", lambda *_: (_ for _ in ()).throw(OSError("crash")))
        assert found(file) == expected(file)
    assert found(file) == expected(file)


def test_readers_keep_what_they_have_while_others_write(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(matrix_cache, "IN_USE_SECONDS", -1)
    with closing(SqliteStore(file)) as reader:
        before = reader.nearest({"cloud": DIRECTION}, 6)[0].tolist()
        matrix = reader._matrices["cloud"][1]
        with closing(SqliteStore(file)) as store, store.writing():
            store.remove(range(1, 31))
            store.nearest({"cloud": DIRECTION}, 6)
        assert nearest({"cloud": matrix}, {"cloud": DIRECTION}, 6)[0].tolist() == before
        assert reader.nearest({"cloud": DIRECTION}, 6)[0].tolist() == expected(file)


def test_two_collections_that_share_a_folder_do_not_mix(tmp_path: Path):
    cache = MatrixCache(tmp_path / "v", writable=True)
    part = Part(np.arange(3), draw(3))
    cache.keep("cloud", State(1, "a", "h"), Matrix([part], np.zeros(0, np.int64)))
    cache.keep("image", State(2, "b", "h"), Matrix([part], np.array([1])))
    loaded = cache.load("cloud", DIM)
    assert loaded is not None
    assert loaded[0] == State(1, "a", "h")
    assert loaded[1].live_ids.tolist() == [0, 1, 2]
    other = cache.load("image", DIM)
    assert other is not None
    assert other[1].live_ids.tolist() == [0, 2]
    assert cache.load("cloud", DIM + 1) is None
