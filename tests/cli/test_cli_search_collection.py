"""`clip3d search --db` as users meet it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from kept_items import described, keep
from small_files import json_lines

from clip3d.models.model import Model
from clip3d.search.questions.answer_files import link_hits
from clip3d.search.questions.answers import Answers, Hit
from clip3d.search.questions.query import make_query
from clip3d.search.stores.sqlite_store import SqliteStore
from clip3d.search.stores.store import Record

PNG = bytes.fromhex("89504e470d0a1a0a") + b"not looked at any closer"


@pytest.fixture
def db(model: Model, assets: Path, tmp_path: Path) -> Path:
    """A collection of five objects, one of them a copy, one remote."""
    path = tmp_path / "assets.db"
    store = SqliteStore(path, create=True)
    entries = [
        described(model, str(assets / "tall.off"), "tall", split="test", size=3),
        described(model, str(assets / "flat.off"), "flat", split="train", night=True),
        described(model, str(assets / "red.obj"), "red", split="test"),
        described(model, str(assets / "gone.obj"), "tall red", split="train", content="one"),
        described(model, "s3://bucket/tall red.obj", "tall red", split="train", content="one"),
    ]
    object.__setattr__(entries[0], "thumbnail", PNG)
    keep(store, model, entries)
    store.close()
    return path


def test_words_are_answered_from_the_collection(run_cli, db: Path, assets: Path):
    done = run_cli("search", "a tall thing", "--db", db, "-k", 3, "--show", "split", "--show", "folder")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["rank", "score", "split", "folder", "path"]
    assert lines[1][2:] == ["test", str(assets), str(assets / "tall.off")]
    assert len(lines) == 4
    assert f"collection {db}; model double@" in done.stderr

    hits = json_lines(run_cli("search", "red", "--db", db, "--json", "--where", "split = 'test'").stdout)
    assert [Path(hit["path"]).name for hit in hits] == ["red.obj", "tall.off"]
    assert hits[1]["metadata"] == {"split": "test", "size": 3}
    assert set(hits[0]) >= {"rank", "id", "path", "part", "kind", "score", "scores", "fit", "copies", "model"}


def test_weights_negatives_items_and_pages(run_cli, db: Path, assets: Path):
    def names(*arguments: object) -> list[str]:
        done = run_cli("search", "--db", db, "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return [Path(hit["path"]).name for hit in json_lines(done.stdout)]

    assert names("tall^9", "--text", "red", "-k", 1) == ["tall.off"]
    assert names("tall", "--text", "red^30", "-k", 1) == ["red.obj"]
    assert names("tall", "--not", "red", "-k", 1) == ["tall.off"]
    assert names("--hit", 1, "-k", 2) == names("--hit", assets / "tall.off", "-k", 2)
    assert "tall.off" not in names("--hit", 1)
    whole = names("tall", "-k", 5)
    assert names("tall", "-k", 2) + names("tall", "-k", 3, "--offset", 2) == whole
    assert len(names("tall", "--unique")) == 4
    assert len(names("tall", "--group", "split")) == 2
    assert sorted(names("tall", "--diversity", 0.5)) == sorted(whole)
    table = run_cli("search", "tall red", "--db", db, "--near", 0.99, "-k", 1).stdout.splitlines()
    assert table[0].split() == ["rank", "score", "copies", "path"]
    assert table[1].split()[2] == "1"


def test_answers_as_files(run_cli, db: Path, assets: Path, tmp_path: Path):
    page, table, links = tmp_path / "page.html", tmp_path / "hits.csv", tmp_path / "links"
    done = run_cli("search", "tall", "--db", db, "-k", 4, "--html", page, "--csv", table, "--links", links)
    assert done.returncode == 1, "two of the hits cannot be linked to"
    assert "gone.obj: the file is gone" in done.stderr
    assert "s3://bucket/tall red.obj: it is remote" in done.stderr
    text = page.read_text(encoding="utf-8")
    assert "data:image/png;base64," in text
    assert "no picture" in text
    assert "split train" in text
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4"]
    assert rows[0] | {"score": ""} == {
        "rank": "1", "id": "1", "path": str(assets / "tall.off"), "part": "", "kind": "object", "score": "",
        "fit": "", "copies": "", "group": "", "night": "", "size": "3", "split": "test",
    }  # fmt: skip
    made = sorted(path for path in links.iterdir() if path.is_symlink())
    assert made[0].name == "1-tall.off"
    assert made[0].resolve() == assets / "tall.off"

    again = run_cli("search", "flat", "--db", db, "-k", 1, "--links", links, "-q")
    assert again.returncode == 0, again.stderr
    assert [path.name for path in links.iterdir() if path.is_symlink()] == ["1-flat.off"]
    (links / "my notes.txt").write_text("mine")
    refused = run_cli("search", "flat", "--db", db, "--links", links)
    assert refused.returncode == 1
    assert "it holds 1 other things, such as my notes.txt" in refused.stderr
    assert (links / "1-flat.off").is_symlink()

    printed = run_cli("search", "flat", "--db", db, "--csv", "-", "-k", 2)
    assert printed.stdout.startswith("rank,id,path,")
    assert len(printed.stdout.splitlines()) == 3


def test_links_are_listed_once_for_all(tmp_path: Path, assets: Path, model: Model, monkeypatch: pytest.MonkeyPatch):
    trace = described(model, str(assets / "tall.off"), "tall").trace
    hits = tuple(Hit(rank, 0.5, Record(rank, "object", trace)) for rank in range(1, 30))
    lists: list[str] = []
    write = Path.write_text
    monkeypatch.setattr(Path, "write_text", lambda path, *a, **k: lists.append(path.name) or write(path, *a, **k))
    assert link_hits(tmp_path / "links", Answers(hits, make_query("tall"), "model", "assets.db")) == []
    assert len(lists) == 1
    assert sum(path.is_symlink() for path in (tmp_path / "links").iterdir()) == 29


def test_answers_as_parquet(run_cli, db: Path, tmp_path: Path):
    parquet = pytest.importorskip("pyarrow.parquet")
    done = run_cli("search", "tall", "--db", db, "-k", 3, "--parquet", tmp_path / "hits.parquet")
    assert done.returncode == 0, done.stderr
    table = parquet.read_table(tmp_path / "hits.parquet")
    assert table.column("rank").to_pylist() == [1, 2, 3]
    assert table.column("size").to_pylist() == [3, None, None]
    assert table.schema.metadata[b"query"] == b"tall"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("a", "chair", "--db", "DB"), 'put all of the query in quotes: "a chair"'),
        (("--db", "DB"), "a search needs a query"),
        (("a chair", "assets/", "--where", "x = 1"), "--where asks a collection: name it with --db"),
        (("a chair", "assets/", "--offset", "2"), "--offset asks a collection"),
        (("red", "--db", "DB", "--where", "split = = 1"), "is wrong at character 9, '=': it is not one"),
        (("red", "--db", "DB", "--where", "splt = 'test'"), "did you mean split?"),
        (("red", "--db", "DB", "--show", "nothing"), "no column 'nothing' to show; there are: folder, path"),
        (("red", "--db", "DB", "--csv", "-", "--json"), "--csv - and --json both want stdout"),
        (("red", "--db", "DB", "--json", "--show", "split"), "--show adds columns to the table; --json"),
        (("red", "--db", "DB", "--csv", "-", "--show", "split"), "--show adds columns to the table; --csv -"),
        (("red", "--db", "DB", "--hit", "9" * 20), "has no item 99"),
        (("red", "--db", "DB", "--lidar", "x"), "the collection has no lidar vectors; it has: cloud"),
        (("red", "--db", "DB", "--hit", "77"), "has no item 77"),
        (("red", "--db", "DB", "--near", "2"), "near is a cosine"),
        (("red", "--db", "DB", "--confident"), "cannot tell that no label fits"),
        (("--image", "a.png", "--image", "b.png", "assets/"), "a collection takes several"),
    ],
)
def test_wrong_commands_are_explained_with_exit_code_2(run_cli, db: Path, arguments: tuple[str, ...], hint: str):
    done = run_cli("search", *(db if word == "DB" else word for word in arguments))
    assert (done.returncode, done.stdout) == (2, "")
    assert hint in done.stderr


def test_a_file_that_is_no_collection_is_named(run_cli, tmp_path: Path):
    for name in ("none.db", "text.db"):
        (tmp_path / "text.db").write_text("no database")
        done = run_cli("search", "red", "--db", tmp_path / name)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"{tmp_path / name}: ")


def test_a_search_of_a_collection_loads_nothing_heavy(run_process, db: Path, tmp_path: Path):
    modules = tmp_path / "modules.txt"
    words = ("search", "red", "--db", db, "--json", "--where", "split = 'test'", "--near", "0.99")
    done = run_process(*words, MODULES_TO=str(modules))
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in modules.read_text().split()}
    assert not loaded & {"torch", "trimesh", "scipy", "PIL", "tokenizers", "pyarrow", "lancedb", "rich"}
