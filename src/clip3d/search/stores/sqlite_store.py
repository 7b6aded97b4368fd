"""A collection in one SQLite file: records and vectors, and exact search.

Beside the file lie a folder with the vectors ready for use, see `clip3d.search.stores.matrix_cache`, and an empty
file whose lock says that one writes.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import Clip3dError, DataError
from clip3d.search.conditions.columns import FIXED
from clip3d.search.conditions.where import Condition
from clip3d.search.stores.kept_values import (
    Damaged,
    check_asked,
    check_directions,
    check_header,
    metadata_text,
    now,
)
from clip3d.search.stores.matrix import Array, Ids, Matrix, Part, nearest
from clip3d.search.stores.matrix_cache import MatrixCache, State
from clip3d.search.stores.sqlite_file import MIGRATIONS, as_data_error, open_file
from clip3d.search.stores.sqlite_rows import (
    HEADER_COLUMNS,
    RECORD_COLUMNS,
    TRACE_COLUMNS,
    header_of,
    header_row,
    record_of,
    trace_of,
    trace_row,
    vector_blobs,
    vectors_of,
)
from clip3d.search.stores.store import Entry, Header, Record, Trace, Value
from clip3d.search.stores.writer_lock import writer_lock

VARIABLES_A_QUERY = 500
ROWS_A_BLOCK = 4096
GENERATIONS_KEPT = 100_000
LEAST_WAIT = 1.0  # for what takes but a moment, such as the tables that another process is making
TYPES = {"text": "text", "integer": "number", "real": "number", "true": "boolean", "false": "boolean"}
PUT = """INSERT INTO items (path, part, content, reading, sources, stamps, taken_ns, name, kind, metadata, indexed)
VALUES (CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?)
ON CONFLICT (path, part) DO UPDATE SET content = excluded.content, reading = excluded.reading,
sources = excluded.sources, stamps = excluded.stamps, taken_ns = excluded.taken_ns, kind = excluded.kind,
metadata = excluded.metadata, indexed = excluded.indexed"""
ID = "SELECT id FROM items WHERE path = CAST(? AS TEXT) AND part = CAST(? AS TEXT)"
MOVE = """UPDATE items SET path = CAST(? AS TEXT), part = CAST(? AS TEXT), content = ?, reading = ?, sources = ?,
stamps = ?, taken_ns = ?, name = CAST(? AS TEXT) WHERE id = ?"""


class SqliteStore:
    """`clip3d.search.stores.store.Store` in one SQLite file. An instance belongs to the thread that made it.

    Attributes:
        address: path as it was given.
        path: the file, links resolved.
    """

    def __init__(
        self, address: str | os.PathLike[str], *, create: bool = False, read_only: bool = False, wait: float = 5.0
    ) -> None:
        """Open a collection's file.

        Args:
            address: path of the file.
            create: make it where there is none.
            read_only: refuse to write even where that is possible.
            wait: seconds to wait for another writer.

        Raises:
            DataError: if it is missing, no collection, of a later version, damaged, or cannot be opened.
        """
        self.address = os.fspath(address)
        self.path = Path(address).resolve()
        opened = open_file(self.path, create=create, read_only=read_only, wait=max(wait, LEAST_WAIT))
        self._connection = opened.connection
        self._writable = opened.writable
        self._wait = wait
        self._writing = 0
        self._cache = MatrixCache(self.path.with_name(self.path.name + ".vectors"), writable=opened.writable)
        self._matrices: dict[str, tuple[State, Matrix]] = {}
        self._columns: tuple[tuple[int, int], dict[str, str]] | None = None
        self._latest: dict[str, tuple[tuple[int, int], Ids]] = {}

    def close(self) -> None:
        """Let go of the file; closing twice does no harm."""
        self._matrices.clear()
        self._connection.close()

    def header(self) -> Header | None:
        """What the vectors have in common; None while nothing was ever kept, or all vectors were forgotten."""
        with self._told():
            row = self._connection.execute(f"SELECT {HEADER_COLUMNS} FROM header").fetchone()
            return None if row is None else header_of(row)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Become the only writer until the end of the block; blocks may stand within each other.

        Raises:
            DataError: if another process writes and does not end within the time that the store was opened with,
                or the file cannot be written.
        """
        if not self._writable:
            remedy = "check the permissions of the file and its folder"
            raise DataError(self.path, "the collection was opened for reading alone, or cannot be written", remedy)
        with nullcontext() if self._writing else writer_lock(self.path, self._wait):
            self._writing += 1
            try:
                yield
            finally:
                self._writing -= 1

    def begin(self, header: Header) -> None:
        """Set the header of an empty store, or of one whose records were all voided."""
        check_header(header)
        with self._transaction() as connection:
            if connection.execute("SELECT 1 FROM vectors LIMIT 1").fetchone():
                raise DataError(self.path, "it holds vectors of another model", "void them first")
            row = header_row(header)
            connection.execute(f"REPLACE INTO header ({HEADER_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            self._new_generation(connection)

    def void(self) -> int:
        """Forget header and vectors, since another model is to make them anew; returns how many records there are.

        Metadata and thumbnails stay, and ids. The traces say that nothing was read, so that all are out of date.
        """
        with self._transaction() as connection:
            connection.execute("DELETE FROM vectors")
            connection.execute("DELETE FROM header")
            connection.execute("UPDATE items SET reading = ''")
            self._new_generation(connection)
            return int(connection.execute("SELECT count(*) FROM items").fetchone()[0])

    def note_remaking(self, what: str) -> None:
        """Note that all vectors of some kind are being made anew, or with an empty text that this is done."""
        with self._transaction() as connection:
            connection.execute("UPDATE header SET remaking = ?", (what,))

    def remaking(self) -> str:
        """What `note_remaking` noted; empty if nothing is being made anew."""
        with self._told():
            row = self._connection.execute("SELECT remaking FROM header").fetchone()
            return "" if row is None else str(row[0])

    def put(self, entries: Sequence[Entry]) -> None:
        """Keep entries, all or none; one of a path and part that are there takes its place and id.

        Raises:
            ShapeError: if a vector or the metadata of an entry cannot be kept.
            DataError: if the store has no header, or the disk is full.
        """
        header = self.header()
        if header is None:
            raise DataError(self.path, "it was not said what model the vectors are of", "begin with a header")
        rows = [(*trace_row(e.trace), e.kind, metadata_text(e.metadata), now()) for e in entries]
        blobs = [vector_blobs(entry, header) for entry in entries]
        with self._transaction() as connection:
            generation = self._new_generation(connection)
            for entry, row, vectors in zip(entries, rows, blobs, strict=True):
                connection.execute(PUT, row)
                (item,) = connection.execute(ID, row[:2]).fetchone()
                connection.execute("DELETE FROM vectors WHERE item = ?", (item,))
                connection.executemany(
                    "INSERT INTO vectors VALUES (?, ?, ?, ?)",
                    [(item, name, generation, blob) for name, blob in vectors.items()],
                )
                connection.execute("DELETE FROM thumbnails WHERE item = ?", (item,))
                if entry.thumbnail is not None:
                    connection.execute("INSERT INTO thumbnails VALUES (?, ?)", (item, entry.thumbnail))

    def move(self, moved: Mapping[int, Trace]) -> None:
        """Give records, by id, the traces of their files' new places, all or none.

        Raises:
            DataError: if a record that is not moved is at one of the places.
        """
        with self._transaction() as connection:
            # Out of the way first: two files may have changed places.
            connection.executemany("UPDATE items SET path = '', part = id WHERE id = ?", [(i,) for i in moved])
            connection.executemany(MOVE, [(*trace_row(trace), item) for item, trace in moved.items()])

    def describe(self, metadata: Mapping[int, Mapping[str, Value]]) -> None:
        """Replace the metadata of records, by id, all or none."""
        rows = [(metadata_text(said), item) for item, said in metadata.items()]
        with self._transaction() as connection:
            connection.executemany("UPDATE items SET metadata = ? WHERE id = ?", rows)

    def remove(self, ids: Sequence[int]) -> None:
        """Forget records, all or none; ids that are not there are passed over."""
        rows = [(int(item),) for item in ids]
        with self._transaction() as connection:
            self._new_generation(connection)
            for table, column in (("vectors", "item"), ("thumbnails", "item"), ("items", "id")):
                connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", rows)

    def traces(self) -> Iterator[tuple[int, Trace]]:
        """Every record's id and trace, in the order of ids."""
        with self._told():
            for row in self._connection.execute(f"SELECT id, {TRACE_COLUMNS} FROM items ORDER BY id"):
                yield row[0], trace_of(row[1:])

    def records(self, ids: Sequence[int]) -> list[Record]:
        """Records in the order of the ids; those that are gone are left out."""
        with self._told():
            rows = self._by_ids(f"SELECT {RECORD_COLUMNS} FROM items WHERE id IN ({{}})", ids)
            found = {row[0]: record_of(row) for row in rows}
        return [found[int(item)] for item in ids if int(item) in found]

    def thumbnails(self, ids: Sequence[int]) -> dict[int, bytes]:
        """Pictures by id, of those that have one."""
        with self._told():
            found = dict(self._by_ids("SELECT item, picture FROM thumbnails WHERE item IN ({})", ids))
            if not all(isinstance(picture, bytes) for picture in found.values()):
                raise Damaged("the picture of an item is none")
        return found

    def select(self, where: Condition | None = None) -> NDArray[np.int64]:
        """Ids (n,) of the records that meet a condition, ascending.

        Raises:
            ConditionError: if the condition names a column that no record has, with those that there are.
        """
        if where is None:
            return self._selected("1")
        selected = self._latest.get(where.text)
        if selected is None or selected[0] != self._version():
            where.check(self.columns())
            selected = self._version(), self._selected(*where.sqlite())
            self._latest = {where.text: selected}
        return selected[1]

    def vectors(self, name: str, ids: Sequence[int]) -> Array:
        """Vectors (n, d) as they were kept, NaN in the rows of records without one of that name."""
        header = self.header()
        found: Array = np.full((len(ids), header.dim if header else 0), np.nan, np.float32)
        if header is None:
            return found
        with self._told():
            statement = "SELECT item, vector FROM vectors WHERE name = ? AND item IN ({})"
            rows = dict(self._by_ids(statement, ids, name))
            kept = [i for i, item in enumerate(ids) if int(item) in rows]
            found[kept] = vectors_of([rows[int(ids[i])] for i in kept], header.dim)
        return found

    def nearest(
        self, directions: Mapping[str, Array], k: int, where: Condition | None = None
    ) -> tuple[NDArray[np.int64], Array]:
        """The k best records that meet a condition, best first: ids (m,) int64, scores (m,) float32, m at most k.

        Exact: as `clip3d.search.stores.store.Store.nearest` says.

        Raises:
            ShapeError: if there is no direction, one is not of shape (d,), or k is less than 1.
        """
        check_asked(directions, k)
        with self._snapshot():
            header = self.header()
            if header is None:
                return np.zeros(0, np.int64), np.zeros(0, np.float32)
            check_directions(directions, header)
            allowed = None if where is None else self.select(where)
            matrices = {name: self._matrix(name, header) for name in directions}
        return nearest(matrices, {name: np.asarray(d, np.float32) for name, d in directions.items()}, k, allowed)

    def columns(self) -> dict[str, str]:
        """Names that a condition may use, with the types of their values; one that has several is called text."""
        version = self._version()
        if self._columns is None or self._columns[0] != version:
            self._columns = version, self._read_columns()
        return dict(self._columns[1])

    def facts(self) -> Mapping[str, Any]:
        """What the store says of itself: kind, exactness, bytes on disk, schema, and vectors of each name."""
        with self._told():
            records = self._connection.execute("SELECT count(*) FROM items").fetchone()[0]
            names = self._connection.execute("SELECT name, count(*) FROM vectors GROUP BY name").fetchall()
        files = [self.path, self.path.with_name(self.path.name + "-wal")]
        return {
            "store": "sqlite",
            "exact": True,
            "records": records,
            "vectors": dict(names),
            "bytes": sum(file.stat().st_size for file in files if file.exists()),
            "cache_bytes": self._cache.size(),
            "schema": len(MIGRATIONS),
        }

    def _selected(self, condition: str, parameters: Sequence[object] = ()) -> Ids:
        with self._told():
            rows = self._connection.execute(f"SELECT id FROM items WHERE {condition} ORDER BY id", parameters)
            return np.fromiter((row[0] for row in rows), np.int64)

    def _read_columns(self) -> dict[str, str]:
        with self._told():
            rows = self._connection.execute(
                "SELECT DISTINCT each.key, each.type FROM items, json_each(items.metadata) AS each"
            ).fetchall()
            rows.sort()  # not all keys are texts where metadata are none
        types: dict[str, set[str]] = {}
        for name, kind in rows:
            types.setdefault(name, set()).update([TYPES[kind]] if kind in TYPES else [])
        mixed = {name: kinds.pop() if len(kinds) == 1 else "text" for name, kinds in types.items()}
        return {**FIXED, **mixed}

    def _version(self) -> tuple[int, int]:
        """Another pair of numbers whenever something may have changed, by this store or by another process."""
        with self._told():
            by_others = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return int(by_others), self._connection.total_changes

    def _matrix(self, name: str, header: Header) -> Matrix:
        """The centred vectors of one name as they are in this snapshot, from what is at hand and what changed."""
        state = self._state(header)
        held = self._matrices.get(name)
        if held is None or held[0] != state:
            held = held or self._cache.load(name, header.dim)
            if held is None or held[0] != state:
                start = held if held and self._comes_after(held[0], state) else None
                held = state, self._cache.keep(name, state, self._extended(name, header, start))
            self._matrices[name] = held
        return held[1]

    def _extended(self, name: str, header: Header, start: tuple[State, Matrix] | None) -> Matrix:
        since, parts = (start[0].generation, list(start[1].parts)) if start else (-1, [])
        new = list(self._centred(name, header, since))
        if new:
            ids, vectors = [part.ids for part in new], [part.vectors for part in new]
            parts.append(Part(np.concatenate(ids), np.concatenate(vectors)))
        rows = self._connection.execute("SELECT item FROM vectors WHERE name = ?", (name,))
        there = np.fromiter((row[0] for row in rows), np.int64)
        old: Ids = np.concatenate([part.ids for part in parts]) if parts else there
        return Matrix(parts, np.setdiff1d(old, there))

    def _centred(self, name: str, header: Header, since: int) -> Iterator[Part]:
        space = header.own_space()
        # in no order, since SQLite would sort the vectors themselves
        statement = "SELECT item, vector FROM vectors WHERE name = ? AND generation > ?"
        cursor = self._connection.execute(statement, (name, since))
        while rows := cursor.fetchmany(ROWS_A_BLOCK):
            vectors = space.centre(vectors_of([blob for _, blob in rows], header.dim))
            yield Part(np.array([item for item, _ in rows], np.int64), vectors)

    def _state(self, header: Header) -> State:
        row = self._connection.execute("SELECT max(number), token FROM generations").fetchone()
        what = hashlib.sha256(repr((header.space, header.dim, header.mean.tobytes())).encode()).hexdigest()
        return State(int(row[0] or 0), row[1] or "", what)

    def _comes_after(self, earlier: State, state: State) -> bool:
        """Whether this file was once in an earlier state, so that only what changed since need be looked at."""
        if earlier.generation > state.generation:
            return False
        known = (earlier.generation, earlier.token)
        statement = "SELECT 1 FROM generations WHERE number = ? AND token = ?"
        return earlier.header == state.header and self._connection.execute(statement, known).fetchone() is not None

    def _new_generation(self, connection: sqlite3.Connection) -> int:
        last = connection.execute("SELECT max(number) FROM generations").fetchone()[0] or 0
        connection.execute("INSERT INTO generations VALUES (?, ?)", (last + 1, secrets.token_hex(8)))
        connection.execute("DELETE FROM generations WHERE number <= ?", (last + 1 - GENERATIONS_KEPT,))
        return int(last + 1)

    def _by_ids(self, statement: str, ids: Sequence[int], *before: object) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for start in range(0, len(ids), VARIABLES_A_QUERY):
            part = [int(item) for item in ids[start : start + VARIABLES_A_QUERY]]
            marks = ",".join("?" * len(part))
            rows += self._connection.execute(statement.format(marks), [*before, *part]).fetchall()
        return rows

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if not self._writing:
            raise RuntimeError("a collection is changed within `with store.writing():`")
        with self._told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Several statements that see one state."""
        with self._told():
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise as_data_error(self.path, error) from error
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            if isinstance(error, Clip3dError):  # of what was asked, not of the file
                raise
            raise DataError(self.path, f"the collection is damaged: {error}", "restore a copy of it") from error
