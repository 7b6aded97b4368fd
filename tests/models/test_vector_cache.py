from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from clip3d.models.fingerprint import fingerprint
from clip3d.models.vector_cache import VectorCache, default_path, vector_key

VECTOR = np.arange(4, dtype=np.float32) / 3


def put(cache: VectorCache, **vectors: np.ndarray) -> None:
    cache.put_many(vectors, space="s", model="m@1")


def settle(*paths: Path) -> None:
    """Give files a time well before now, as files have that were not written this very moment."""
    for path in paths:
        os.utime(path, ns=(10**18, 10**18))
    time.sleep(0.03)


def test_vectors_come_back_bit_for_bit_in_another_instance(tmp_path: Path):
    with VectorCache(tmp_path / "deep" / "c.db") as cache:
        put(cache, a=VECTOR, b=-VECTOR)
        put(cache, a=VECTOR * 2)
    many = {f"k{i}": np.float32([i, 1]) for i in range(1200)}
    with VectorCache(tmp_path / "deep" / "c.db") as cache:
        put(cache, **many)
        found = cache.get_many(["a", "b", "c", *many])
    assert found.keys() == {"a", "b", *many}, "more than one statement's worth"
    np.testing.assert_array_equal(found["a"], VECTOR * 2)
    assert found["a"].dtype == np.float32


def test_key_depends_on_content_tower_and_options():
    keys = {
        vector_key(c, t, {"points": p, "seed": 0}) for c in ("a", "b") for t in ("t", "u") for p in (512, 1024)
    }
    assert len(keys) == 8
    assert vector_key("a", "t", {"x": 1, "y": 2}) == vector_key("a", "t", {"y": 2, "x": 1})


def test_fingerprint_follows_content_of_all_sources_and_not_names(tmp_path: Path):
    (tmp_path / "a.obj").write_text("v 0 0 0")
    (tmp_path / "b.OBJ").write_text("v 0 0 0")
    (tmp_path / "a.ply").write_text("v 0 0 0")
    alone = fingerprint([tmp_path / "a.obj"]).content
    assert alone == fingerprint([tmp_path / "b.OBJ"]).content
    assert alone != fingerprint([tmp_path / "a.ply"]).content, "the suffix decides how it is read"
    without = fingerprint([tmp_path / "a.obj", tmp_path / "a.mtl"])
    assert without.is_current() is not without.written_since(without.taken_ns)
    (tmp_path / "a.mtl").write_text("newmtl m")
    assert not without.is_current(), "a missing source came into being"
    assert len({alone, without.content, fingerprint([tmp_path / "a.obj", tmp_path / "a.mtl"]).content}) == 3


def test_unchanged_files_are_not_opened_and_changed_ones_are_noticed(tmp_path: Path, monkeypatch):
    model, material = tmp_path / "a.obj", tmp_path / "a.mtl"
    model.write_text("v 0 0 0")
    material.write_text("Kd 1 0 0")
    settle(model, material)
    with VectorCache(tmp_path / "c.db") as cache:
        taken = fingerprint([model, material])
        cache.remember([taken])
        assert cache.contents([tmp_path / "other.obj", model]) == [None, taken.content]

        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", lambda *_: pytest.fail("an unchanged file was opened"))
            assert cache.contents([model]) == [taken.content]

        os.utime(material, ns=(2 * 10**18, 2 * 10**18))
        assert cache.contents([model]) == [taken.content], "touched only"
        material.write_text("Kd 0 1 0")
        os.utime(material, ns=(2 * 10**18, 2 * 10**18))
        assert cache.contents([model]) == [None], "same size and time of change, other content"
        material.unlink()
        assert cache.contents([model]) == [None]


def test_names_that_are_no_text_are_kept(tmp_path: Path):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.ply"))
    try:
        odd.write_bytes(b"x")
    except OSError:
        pytest.skip("the file system takes no such names")
    with VectorCache(tmp_path / "c.db") as cache:
        cache.remember([fingerprint([odd])])
        assert cache.contents([odd]) == [fingerprint([odd]).content]


@pytest.mark.parametrize("damage", ["text", "torn"])
def test_damaged_file_is_moved_aside_and_begun_anew(tmp_path: Path, caplog, damage: str):
    path = tmp_path / "c.db"
    with VectorCache(path) as cache:
        put(cache, **{f"k{i}": np.ones(512, np.float32) for i in range(200)})
    if damage == "text":
        path.write_text("this is no database, but it is long enough to look at" * 99)
    else:
        data = bytearray(path.read_bytes())
        data[4096:] = b"\xa5" * (len(data) - 4096)
        path.write_bytes(data)
    with caplog.at_level(logging.WARNING), VectorCache(path) as cache:
        assert cache.get_many(["k1"]) == {}
        put(cache, a=VECTOR)
        assert cache.get_many(["a"]).keys() == {"a"}
    assert len(caplog.messages) == 1
    assert "damaged" in caplog.messages[0]
    assert len(list(tmp_path.glob("c.db.damaged-*"))) == 1


def test_database_of_another_program_is_left_alone(tmp_path: Path, caplog):
    path = tmp_path / "accounts.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE accounts (name TEXT)")
    before = path.read_bytes()
    with VectorCache(path) as cache:
        put(cache, a=VECTOR)
        assert cache.get_many(["a"]) == {}
    assert "another program" in caplog.text
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("accounts",)]
    assert len(before) == path.stat().st_size


def test_place_that_cannot_be_written_means_no_cache_and_one_warning(tmp_path: Path, caplog):
    (tmp_path / "file").write_text("")
    with VectorCache(tmp_path / "file" / "c.db") as cache:
        put(cache, a=VECTOR)
        assert cache.get_many(["a"]) == {}
        assert cache.contents([tmp_path / "file"]) == [None]
    assert len(caplog.messages) == 1
    assert "working without the vector cache" in caplog.messages[0]


def test_processes_may_write_at_once(tmp_path: Path):
    program = """
import sys, numpy as np
from clip3d.models.vector_cache import VectorCache
me, path = sys.argv[1:]
for i in range(30):
    with VectorCache(path) as cache:
        cache.put_many({f"{me}-{i}": np.ones(8, np.float32)}, space="s", model="m")
"""
    path = tmp_path / "c.db"
    workers = [
        subprocess.Popen([sys.executable, "-c", program, str(me), str(path)], stderr=subprocess.PIPE) for me in "ab"
    ]
    for worker in workers:
        assert worker.communicate(timeout=120)[1] == b""
    with VectorCache(path) as cache:
        assert len(cache.get_many([f"{me}-{i}" for me in "ab" for i in range(30)])) == 60


def test_default_path_follows_the_environment(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("CLIP3D_CACHE", str(tmp_path))
    assert default_path() == tmp_path / "vectors.db", "a folder is where the file goes"
    monkeypatch.setenv("CLIP3D_CACHE", str(tmp_path / "my.db"))
    assert default_path() == tmp_path / "my.db"
    monkeypatch.delenv("CLIP3D_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_path() == tmp_path / "xdg" / "clip3d" / "vectors.db"
