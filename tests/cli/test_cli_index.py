"""`clip3d index` as a user has it: what it says, what it leaves behind, and what it does when it is cut short."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from small_files import box, json_lines, make_bundle, settle, write_off

from clip3d.models.model import Model
from clip3d.search import collection
from clip3d.search.keeping.reporting import Change
from clip3d.search.stores.sqlite_store import SqliteStore

DOUBLES = Path(__file__).parent.parent / "doubles"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "assets.db"


def test_a_folder_is_indexed_and_searched(run_cli, assets: Path, db: Path):
    done = run_cli("index", assets, "--db", db, "--meta", "split=test")
    assert done.returncode == 0
    assert done.stdout.startswith(f"{db}: 4 added; 4 items, model double@")
    found = run_cli("search", "tall", "--db", db, "-k", "1", "--where", "split = 'test'", "--json")
    assert json_lines(found.stdout)[0]["path"] == str(assets / "tall.off")


def test_json_has_a_line_a_change_and_one_of_counts(run_cli, assets: Path, db: Path):
    first = json_lines(run_cli("index", assets, "--db", db, "--json").stdout)
    assert [line["status"] for line in first] == ["added"] * 4 + ["done"]
    (assets / "tall.off").rename(assets / "high.off")
    (assets / "flat.off").unlink()
    (assets / "red.obj").write_text((assets / "red.obj").read_text().replace("v 1", "v 2"))
    (assets / "bad.off").write_text("OFF\n1 1 0\n")
    settle()
    again = run_cli("index", assets, "--db", db, "--json")
    lines = {line["status"]: line for line in json_lines(again.stdout)}
    assert again.returncode == 1
    assert lines["moved"]["path"] == str(assets / "high.off")
    assert lines["moved"]["source"] == str(assets / "tall.off")
    assert lines["replaced"]["path"] == str(assets / "red.obj")
    assert lines["vanished"]["path"] == str(assets / "flat.off")
    assert lines["failed"]["path"] == str(assets / "bad.off")
    assert lines["failed"]["reason"]
    counts = {"added": 0, "replaced": 1, "moved": 1, "unchanged": 1, "vanished": 1, "pruned": 0, "failed": 1}
    assert counts.items() <= lines["done"].items()
    assert lines["done"]["items"] == 4
    assert str(assets / "bad.off") in again.stderr


def test_vanished_files_are_named_and_pruned_on_demand(run_cli, assets: Path, db: Path):
    run_cli("index", assets, "--db", db)
    (assets / "flat.off").unlink()
    done = run_cli("index", assets, "--db", db)
    assert f"vanished   {assets / 'flat.off'}" in done.stdout
    assert "1 files vanished; --prune removes their items" in done.stderr
    assert "1 pruned; 3 items" in run_cli("index", assets, "--db", db, "--prune").stdout
    assert "3 unchanged; 3 items" in run_cli("index", assets, "--db", db, "--prune").stdout


def test_a_collection_in_lancedb_follows_its_files_as_well(run_cli, assets: Path, tmp_path: Path):
    pytest.importorskip("lancedb")
    db = tmp_path / "assets.lance"
    assert "4 added; 4 items" in run_cli("index", assets, "--db", db, "--meta", "split=test").stdout
    (assets / "tall.off").rename(assets / "high.off")
    (assets / "flat.off").unlink()
    settle()
    done = run_cli("index", assets, "--db", db, "--prune")
    assert "1 moved, 2 unchanged, 1 pruned; 3 items" in done.stdout
    found = run_cli("search", "tall", "--db", db, "-k", "1", "--where", "split = 'test'", "--json")
    assert json_lines(found.stdout)[0]["path"] == str(assets / "high.off")


@pytest.mark.parametrize("command", ["index", "search", "stats"])
def test_the_device_is_that_of_the_collections_own_model(
    command: str, run_cli, command_line, assets: Path, db: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
):
    run_cli("index", assets / "tall.off", "--db", db)
    own = Model(bundle)
    monkeypatch.setattr(collection, "_embedded", lambda address, header: own)
    words = {"index": [assets], "search": ["tall"], "stats": []}[command]
    command_line(command, *words, "--db", db, "--device", "no-such-device")
    assert own.device == "no-such-device"


def test_verbose_names_every_file(run_cli, assets: Path, db: Path):
    run_cli("index", assets, "--db", db)
    done = run_cli("index", assets, "--db", db, "-v")
    assert [line.split()[0] for line in done.stdout.splitlines()[:-1]] == ["unchanged"] * 4


def test_another_model_is_refused_with_the_command_that_takes_it(run_cli, assets: Path, db: Path, tmp_path: Path):
    run_cli("index", assets, "--db", db, "--meta", "owner=me")
    other = make_bundle(tmp_path / "other", name="other", space="elsewhere")
    refused = run_cli("index", assets, "--db", db, "--model", other)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    command = f"clip3d index --db {db} --model {other} --reindex"
    assert command in refused.stderr
    done = run_cli(*command.split()[1:], "--json")
    assert [line["status"] for line in json_lines(done.stdout)] == ["replaced"] * 4 + ["done"]
    assert "4 unchanged" in run_cli("index", assets, "--db", db, "--model", other).stdout


@pytest.mark.parametrize(
    "arguments",
    [[], ["--meta", "split"], ["--meta", "path=x"], ["--only", "sounds"], ["--wait", "-1"]],
)
def test_wrong_commands_are_told_and_make_no_file(run_cli, assets: Path, db: Path, arguments: list[str]):
    paths = [assets] if arguments else []
    done = run_cli("index", *paths, "--db", db, *arguments)
    assert done.returncode == 2
    assert not db.exists()


def test_a_table_that_cannot_be_read_is_told_before_anything_is_done(run_cli, assets: Path, db: Path):
    table = assets / "table.csv"
    table.write_text("file,split\ntall.off,test\n")
    done = run_cli("index", assets, "--db", db, "--metadata", table)
    assert done.returncode == 1
    assert "column path" in done.stderr
    assert not db.exists()


def test_the_databases_of_others_are_refused_in_one_line(run_cli, assets: Path, tmp_path: Path):
    notes = tmp_path / "notes.txt"
    notes.write_text("my notes, long enough to be taken for a file of some kind\n" * 10)
    before = notes.read_text()
    done = run_cli("index", assets, "--db", notes)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert notes.read_text() == before


def test_an_interruption_says_what_is_kept(run_cli, assets: Path, db: Path, monkeypatch: pytest.MonkeyPatch):
    from clip3d.search.collection import Collection

    def interrupted(self, paths, *, tell, **options):
        tell(Change("added", "a.off"))
        raise KeyboardInterrupt

    monkeypatch.setattr(Collection, "index", interrupted)
    done = run_cli("index", assets, "--db", db)
    assert done.returncode == 130
    assert "1 files are done and kept; run it again to go on" in done.stderr


def test_a_second_writer_is_refused_in_one_line(run_cli, assets: Path, db: Path):
    run_cli("index", assets, "--db", db)
    with closing(SqliteStore(db)) as store, store.writing():
        done = run_cli("index", assets, "--db", db, "--wait", "0.1")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{db}: another process is writing to the collection (run again")


def test_a_second_writer_waits_for_the_first(run_cli, assets: Path, db: Path):
    run_cli("index", assets / "tall.off", "--db", db)
    begun = threading.Event()

    def write() -> None:
        with closing(SqliteStore(db)) as store, store.writing():
            begun.set()
            time.sleep(0.3)

    first = threading.Thread(target=write)
    first.start()
    begun.wait(10)
    done = run_cli("index", assets, "--db", db, "--wait", "20")
    first.join()
    assert "3 added, 1 unchanged; 4 items" in done.stdout


def test_searching_goes_on_while_something_is_written(run_cli, assets: Path, db: Path):
    run_cli("index", assets, "--db", db)
    with closing(SqliteStore(db)) as store, store.writing(), store._transaction() as connection:
        connection.execute("DELETE FROM vectors")
        found = run_cli("search", "tall", "--db", db, "-k", "1", "--json")
    assert json_lines(found.stdout)[0]["path"] == str(assets / "tall.off")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_runs_killed_at_random_moments_lose_and_double_nothing(bundle: Path, cache_file: Path, tmp_path: Path):
    folder = tmp_path / "many"
    folder.mkdir()
    write_off(folder / "first.off", box(1, 1, 1))
    program, db, seed = DOUBLES / "killed_runs.py", tmp_path / "a.db", str(os.getpid())
    command = [sys.executable, program, bundle, folder, db, "20", seed]
    environment = {**os.environ, "CLIP3D_CACHE": str(cache_file)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["alive when killed"] >= 5, seen
    assert min(seen["told"], seen["moved"], seen["pruned"], seen["replaced"]) > 0, seen


@pytest.mark.skipif(not hasattr(os, "setuid") or os.geteuid() != 0, reason="needs to become another user")
def test_a_collection_in_a_folder_that_cannot_be_written_is_searched(run_cli, assets: Path, db: Path):
    run_cli("index", assets, "--db", db)
    assert not db.with_name(db.name + "-wal").exists()
    program = (
        "import os, sys; import numpy as np; from clip3d.search.stores.sqlite_store import SqliteStore\n"
        "def look(path):\n"
        "    store = SqliteStore(path)\n"
        "    ids, scores = store.nearest({'cloud': np.ones(8, np.float32)}, 9)\n"
        "    return store, (len(ids), len(store.records(ids)))\n"
        "store, _ = look(sys.argv[2])  # all is loaded: the other user may not be able to read the packages\n"
        "with store.writing(): pass\n"
        "os.setuid(65534)\n"
        "store, found = look(sys.argv[1])\n"
        "print(*found)\n"
        "try:\n    with store.writing(): pass\n"
        "except Exception as error: print(error)\n"
    )
    for folder in (db.parent, *db.parent.parents):
        if folder.stat().st_mode & 0o005 != 0o005:
            copied = Path("/tmp") / f"clip3d-read-only-{os.getpid()}"
            copied.mkdir(mode=0o755)
            break
    else:
        copied = db.parent
    try:
        file = shutil.copy(db, copied / "a.db") if copied != db.parent else db
        Path(file).chmod(0o644)
        command = [sys.executable, "-c", program, file, shutil.copy(db, db.with_name("other.db"))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert sorted(path.name for path in copied.glob("a.db*")) == ["a.db"]
    finally:
        if copied != db.parent:
            shutil.rmtree(copied)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "4 4"
    assert "cannot be written" in done.stdout
