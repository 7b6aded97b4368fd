"""`clip3d stats` as users meet it."""

from __future__ import annotations

from pathlib import Path

import pytest
from kept_items import described, keep
from small_files import json_lines

from clip3d.models.model import Model
from clip3d.search.stores.sqlite_store import SqliteStore


@pytest.fixture
def db(model: Model, tmp_path: Path) -> Path:
    path = tmp_path / "assets.db"
    store = SqliteStore(path, create=True)
    words = ["tall red", "tall red", "flat blue", "green"]
    entries = [described(model, f"/data/{i}.off", word, split="test", size=i) for i, word in enumerate(words)]
    keep(store, model, entries)
    store.close()
    return path


def test_what_is_in_a_collection(command_line, db: Path, bundle: Path, tmp_path: Path):
    words = tmp_path / "words.txt"
    words.write_text("red\nblue\ngreen\n")
    done = command_line("stats", "--db", db, "--model", bundle, "--vocabulary", words, "--near", 0.9)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["items", "4"] in lines
    assert ["object", "4"] in lines
    assert ["off", "4"] in lines
    assert ["size", "number", "4", "4", "0", "to", "3"] in lines
    assert ["split", "text", "4", "1", "test", "4"] in lines
    assert "near-duplicates among 4 cloud vectors, cosine at least 0.9: 1 groups of 2" in done.stdout
    assert ["red", "2", "/data/0.off"] in lines or ["red", "2", "/data/1.off"] in lines

    (record,) = json_lines(command_line("stats", "--db", db, "--model", bundle, "--json").stdout)
    assert (record["items"], record["kinds"], record["model"].split("@")[0]) == (4, {"object": 4}, "double")
    assert record["coverage"]["cloud"]["words"] > 200
    assert record["metadata"][1]["frequent"] == [{"value": "test", "count": 4}]


def test_counts_need_no_model(command_line, db: Path):
    done = command_line("stats", "--db", db, "--counts", "--where", "size > 1", "--json")
    assert done.returncode == 0, done.stderr
    (record,) = json_lines(done.stdout)
    assert (record["items"], record["near_duplicates"], record["coverage"]) == (2, {}, {})

    told = command_line("stats", "--db", db)
    assert told.returncode == 0
    assert "what is in it cannot be told in words" in told.stderr
    assert "near-duplicates among 4 cloud vectors" in told.stdout


@pytest.mark.parametrize("option", ["--near", "--vocabulary"])
def test_what_counts_leave_out_is_not_asked_for(command_line, db: Path, option: str):
    refused = command_line("stats", "--db", db, "--counts", option, "0.9")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"--counts leaves out what {option} is for" in refused.stderr


def test_wrong_commands(command_line, db: Path, tmp_path: Path):
    assert command_line("stats").returncode == 2
    wrong = command_line("stats", "--db", db, "--where", "sise > 1")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "did you mean size?" in wrong.stderr
    missing = command_line("stats", "--db", tmp_path / "none.db")
    assert missing.returncode == 1
    assert "none.db" in missing.stderr
