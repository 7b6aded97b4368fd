"""`clip3d collection export` as users meet it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kept_items import described, keep
from small_files import json_lines

from clip3d.models.model import Model
from clip3d.search.stores.sqlite_store import SqliteStore


@pytest.fixture
def db(model: Model, tmp_path: Path) -> Path:
    path = tmp_path / "assets.db"
    store = SqliteStore(path, create=True)
    keep(store, model, [described(model, f"/data/{i}.off", "tall", size=i) for i in range(3)])
    store.close()
    return path


def test_a_collection_is_exported(command_line, db: Path, tmp_path: Path):
    done = command_line("collection", "export", tmp_path / "a.npz", "--db", db)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path / 'a.npz'}: 3 items, cloud vectors, space test-space\n"
    done = command_line("collection", "export", tmp_path / "b.npz", "--db", db, "--where", "size > 0", "--json")
    (record,) = json_lines(done.stdout)
    assert (record["n"], record["format"], record["vectors"]) == (2, "npz", ["cloud"])
    assert np.load(tmp_path / "b.npz")["ids"].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (("a.txt",), 2, "ends in none of .npz, .parquet, .rrd"),
        (("a.npz", "--thumbnails"), 2, "--thumbnails is for parquet"),
        (("a.rrd", "--colour", "nothing"), 2, "there is no column 'nothing'"),
        (("a.npz", "--where", "size > 9"), 1, "no item meets"),
        (("nowhere/a.npz",), 1, "nowhere/a.npz: it cannot be written"),
    ],
)
def test_what_cannot_be_exported(command_line, db: Path, arguments: tuple[str, ...], code: int, hint: str):
    done = command_line("collection", "export", *arguments, "--db", db)
    assert (done.returncode, done.stdout) == (code, "")
    assert hint in done.stderr
