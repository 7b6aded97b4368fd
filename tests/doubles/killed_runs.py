"""Runs of `clip3d index` that are killed at random moments, each a process of its own with the packages loaded.

Arguments: folder of the model, folder with the files, collection, number of runs to kill, seed. Before each run
some files change, move, vanish or come. After each, all that it told is compared with the collection. The first run
and the last two are let go on to their ends. What was seen is printed as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
from small_files import box, write_off
from tower_doubles import ARCHITECTURES

from clip3d.models.fingerprint import CLOCK_LAG, fingerprint
from clip3d.search.stores.sqlite_store import SqliteStore

SHARE = 1.0  # of the time that the first run took: until then, runs are killed


def main(model: str, folder: Path, db: Path, runs: int, seed: int) -> None:
    preload()
    chance = random.Random(seed)
    seen = {"alive when killed": 0, "told": 0, "moved": 0, "pruned": 0, "replaced": 0}
    ids: dict[str, int] = {}
    seconds = 0.0
    for number in range(runs + 3):
        disturb(folder, chance, number)
        told = db.with_name(f"told-{number}.jsonl")
        told.touch()  # a run may be killed before it opens it
        started = time.monotonic()
        child = start([folder, "--db", db, "--model", model, "--prune", "--json"], told)
        if 0 < number <= runs:
            time.sleep(chance.uniform(0, SHARE * seconds))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        seconds = time.monotonic() - started if number == 0 else seconds
        seen["alive when killed"] += os.WIFSIGNALED(status)
        for line in told.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                compare(json.loads(line), db, ids, seen)
    assert os.WEXITSTATUS(status) == 0, "the last run failed"
    finished(folder, db)
    sys.stdout.write(json.dumps(seen))


def preload() -> None:
    """What a run loads, and the towers of the model."""
    from importlib import import_module

    import torch

    from clip3d.towers import catalogue

    for name in ("scipy.ndimage", "scipy.sparse", "scipy.spatial", "clip3d.render.splat"):
        import_module(name)
    for name in ("cli.main", "cli.index", "search.keeping.indexing", "search.collection"):
        import_module(f"clip3d.{name}")
    torch.set_num_threads(1)
    catalogue.ARCHITECTURES.update(ARCHITECTURES)


def start(arguments: list[object], told: Path) -> int:
    """The command in a process of its own, its answers in a file."""
    child = os.fork()
    if child:
        return child
    out = os.open(told, os.O_WRONLY | os.O_CREAT)
    os.dup2(out, 1)
    from clip3d.cli.main import run

    code = 99
    try:
        code = run(["index", *(str(argument) for argument in arguments)])
        sys.stdout.flush()
    finally:
        os._exit(code)


def disturb(folder: Path, chance: random.Random, number: int) -> None:
    """Change, move and delete some files, and add others."""
    files = sorted(folder.rglob("*.off"))
    chance.shuffle(files)
    for i, file in enumerate(files[:12]):
        if i < 7:
            write_off(file, box(1, 1, chance.uniform(1, 9)))
        elif i < 10:
            file.rename(file.with_name(f"moved-{number}-{i}.off"))
        else:
            file.unlink()
    for i in range(22 if number == 0 else 4):
        write_off(folder / f"new-{number}-{i}.off", box(1, 1, chance.uniform(1, 9)))
    time.sleep(2 * CLOCK_LAG / 1e9)


def compare(told: dict, db: Path, ids: dict[str, int], seen: dict[str, int]) -> None:
    """What was told is in the collection, once, with its vector; a moved record has the id that it had."""
    if told["status"] == "done":
        return
    seen["told"] += 1
    seen[told["status"]] = seen.get(told["status"], 0) + 1
    with closing(sqlite3.connect(db)) as connection:
        rows = connection.execute("SELECT id, content FROM items WHERE path = ?", (told["path"],)).fetchall()
        if told["status"] == "pruned":
            assert rows == [], told
            ids.pop(told["path"], None)
            return
        ((item, content),) = rows
        n = connection.execute("SELECT count(*) FROM vectors WHERE item = ?", (item,)).fetchone()[0]
    assert n == 1, told
    assert content == fingerprint([told["path"]]).content, told
    earlier = ids.pop(told.get("source", told["path"]), None)
    assert earlier in (None, item), told
    ids[told["path"]] = item


def finished(folder: Path, db: Path) -> None:
    """Every file is there once, as it is, and nothing else; the database is whole."""
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        loose = "SELECT count(*) FROM vectors WHERE item NOT IN (SELECT id FROM items)"
        assert connection.execute(loose).fetchone() == (0,)
    with closing(SqliteStore(db)) as store:
        traces = [trace for _, trace in store.traces()]
        assert np.isfinite(store.vectors("cloud", store.select())).all()
    there = {str(file): fingerprint([file]).content for file in folder.rglob("*.off")}
    assert {trace.path: trace.content for trace in traces} == there
    assert len(traces) == len(there)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
