"""One content-addressed cache of vectors, for ad hoc search, teachers' features and collections alike.

A SQLite file holds two tables. `vectors` maps a key (what was encoded, by which tower, read how) to a vector.
`files` remembers for each path the files that make up the object, with their sizes and times, and the digest of
their content, as git's index does: what has not changed is not read again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from clip3d.models.fingerprint import Fingerprint, fingerprint

Array = NDArray[np.float32]
K = TypeVar("K")
T = TypeVar("T")

SCHEMA = 1
TABLES = """
CREATE TABLE vectors (key TEXT PRIMARY KEY, space TEXT NOT NULL, model TEXT NOT NULL, vector BLOB NOT NULL);
CREATE TABLE files (path BLOB PRIMARY KEY, content TEXT NOT NULL, facts TEXT NOT NULL);
"""
VARIABLES_A_QUERY = 500
BUSY_SECONDS = 20.0

log = logging.getLogger(__name__)


def default_path() -> Path:
    """The cache file: $CLIP3D_CACHE (a file, or a folder to put it in), or the user's cache folder."""
    if chosen := os.environ.get("CLIP3D_CACHE"):
        path = Path(chosen).expanduser()
        return path / "vectors.db" if path.is_dir() else path
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "clip3d" / "vectors.db"


def vector_key(content: str, tower: str, options: Mapping[str, object]) -> str:
    """Name of a vector: hex digest of what was encoded, by what, and how it was read.

    Args:
        content: digest of the content, such as `Fingerprint.content`.
        tower: `TowerCard.id`.
        options: everything else that decides the vector, such as the reader's options and version.
    """
    return hashlib.sha256(json.dumps([content, tower, options], sort_keys=True).encode()).hexdigest()


class VectorCache:
    """Vectors that need not be computed again; safe to share between processes, and never a reason to fail.

    A damaged file is moved aside and begun anew; where the file cannot be used at all, nothing is kept. Either is
    told once, as a warning of this module's logger. An instance belongs to the thread that made it.

    Attributes:
        path: the SQLite file, or None for a cache that keeps nothing.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path: Path | None = default_path() if path is None else Path(path)
        self._connection: sqlite3.Connection | None = None
        self._connection = self._open()

    @classmethod
    def disabled(cls) -> VectorCache:
        """A cache that keeps nothing."""
        cache = cls.__new__(cls)
        cache.path = cache._connection = None
        return cache

    def __enter__(self) -> VectorCache:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what is asked later is not found, what is put later is not kept."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def contents(self, paths: Sequence[str | os.PathLike[str]]) -> list[str | None]:
        """For each file the digest of its content, as `fingerprint` gives it, or None where it must be read.

        A file whose size and times are as remembered is not opened. One that was touched is hashed again, and
        so is one that changed within the clock's grain of being hashed; None if the content is another.
        """
        keys = [_path_key(path) for path in paths]
        rows = self._select("SELECT path, content, facts FROM files WHERE path IN ({})", keys)
        known: dict[bytes, str | None] = {}
        renewed = []
        for key, content, facts in rows:
            known[key], again = _verify(_fingerprint_of(content, facts))
            if again is not None:
                renewed.append(again)
        self.remember(renewed)
        return [known.get(key) for key in keys]

    def remember(self, fingerprints: Iterable[Fingerprint]) -> None:
        """Remember the content of files, each under the path of its first source, in one transaction."""
        rows = [
            (_path_key(f.sources[0]), f.content, json.dumps([f.sources, f.stamps, f.taken_ns]))
            for f in fingerprints
        ]
        self._write("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows)

    def get_many(self, keys: Iterable[str]) -> dict[str, Array]:
        """The vectors (d,) float32 that are known, by `vector_key`."""
        rows = self._select("SELECT key, vector FROM vectors WHERE key IN ({})", list(dict.fromkeys(keys)))
        return {key: np.frombuffer(blob, dtype="<f4").astype(np.float32) for key, blob in rows}

    def known(self, keys: Mapping[K, str]) -> dict[K, Array]:
        """Of things with the `vector_key` of each, the vectors (d,) float32 of those that are known."""
        found = self.get_many(keys.values())
        return {thing: found[key] for thing, key in keys.items() if key in found}

    def put_many(self, vectors: Mapping[str, Array], *, space: str, model: str) -> None:
        """Keep vectors (d,) by `vector_key`, in one transaction, signed with the ids of their space and model."""
        rows = [(key, space, model, np.asarray(v, dtype="<f4").tobytes()) for key, v in vectors.items()]
        self._write("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)

    def _select(self, statement: str, keys: Sequence[object]) -> list[tuple[Any, ...]]:
        def run(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            rows: list[tuple[Any, ...]] = []
            for start in range(0, len(keys), VARIABLES_A_QUERY):
                part = keys[start : start + VARIABLES_A_QUERY]
                rows += connection.execute(statement.format(",".join("?" * len(part))), part).fetchall()
            return rows

        return self._guarded(run) or []

    def _write(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        def run(connection: sqlite3.Connection) -> None:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(statement, rows)

        if rows:
            self._guarded(run)

    def _guarded(self, run: Callable[[sqlite3.Connection], T]) -> T | None:
        """Run on the connection; a damaged file is begun anew, any other failure switches the cache off."""
        if self._connection is None:
            return None
        try:
            return run(self._connection)
        except sqlite3.OperationalError as error:
            self._give_up(error)
        except sqlite3.DatabaseError as error:
            self.close()
            self._connection = self._rebuild(error)
        return None

    def _open(self) -> sqlite3.Connection | None:
        assert self.path is not None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return _connect(self.path)
        except (OSError, sqlite3.OperationalError, _ForeignFile) as error:
            self._give_up(error)
        except sqlite3.DatabaseError as error:
            return self._rebuild(error)
        return None

    def _rebuild(self, error: sqlite3.DatabaseError) -> sqlite3.Connection | None:
        assert self.path is not None
        aside = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}")
        log.warning("the vector cache %s is damaged (%s): moved to %s, begun anew", self.path, error, aside.name)
        try:
            for ending in ("-wal", "-shm", ""):
                file = self.path.with_name(self.path.name + ending)
                if file.exists():
                    file.rename(aside.with_name(aside.name + ending))
            return _connect(self.path)
        except (OSError, sqlite3.Error, _ForeignFile) as again:
            self._give_up(again)
        return None

    def _give_up(self, error: Exception) -> None:
        log.warning("working without the vector cache %s: %s", self.path, error)
        self.close()


class _ForeignFile(Exception):
    """The file is a database, but not one that this version may write to."""


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        _ensure_tables(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        with suppress(sqlite3.OperationalError):  # another process is switching it over at this moment
            connection.execute("PRAGMA journal_mode = WAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _ensure_tables(connection: sqlite3.Connection) -> None:
    if _version(connection) == SCHEMA:
        return
    connection.execute("BEGIN IMMEDIATE")  # another process may be making them at this moment
    with connection:
        version = _version(connection)
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version not in (0, SCHEMA) or (version == 0 and tables):
            raise _ForeignFile("it is a database of another program or a later version")
        if version == 0:
            for statement in TABLES.strip().split("\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _verify(known: Fingerprint) -> tuple[str | None, Fingerprint | None]:
    """The content if it is still the same, and the fingerprint where it was taken again."""
    if known.is_current():
        return known.content, None
    again = fingerprint(known.sources)
    return (known.content, again) if again.content == known.content else (None, None)


def _fingerprint_of(content: str, facts: str) -> Fingerprint:
    sources, stamps, taken_ns = json.loads(facts)
    typed = tuple(None if stamp is None else (stamp[0], stamp[1], stamp[2]) for stamp in stamps)
    return Fingerprint(content, tuple(sources), typed, taken_ns)


def _path_key(path: str | os.PathLike[str]) -> bytes:
    return os.fsencode(os.path.abspath(path))  # noqa: PTH100 - must not resolve links
