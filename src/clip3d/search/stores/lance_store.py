"""A collection in LanceDB: for millions of items, in a folder or in object storage, with an index.

A change is one commit of LanceDB: there whole or not at all, whatever becomes of the process. It is not flushed to
the disk by force, so that a loss of power can take the last commits, as it cannot with a collection in SQLite.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import DataError, ShapeError
from clip3d.search.conditions.columns import FIXED
from clip3d.search.conditions.where import Condition
from clip3d.search.stores.kept_values import (
    check_asked,
    check_directions,
    check_header,
    check_vectors,
    metadata_text,
    now,
)
from clip3d.search.stores.lance_index import INDEX_FROM, has_index, index_facts, is_untidy, tend, tidy
from clip3d.search.stores.lance_place import Place, open_tables, told
from clip3d.search.stores.lance_reading import KnownKeys, ids_of_keys, ids_where, rows_by_id, tables_by_id
from clip3d.search.stores.lance_rows import (
    LENGTH,
    RECORD_COLUMNS,
    TRACE_COLUMNS,
    TYPES,
    VECTOR,
    Row,
    as_table,
    column_sql,
    header_of,
    header_text,
    metadata_columns,
    metadata_values,
    missing_fields,
    record_of,
    trace_of,
    trace_values,
    uncentred,
    vector_values,
    vectors_of,
)
from clip3d.search.stores.lance_search import nearest
from clip3d.search.stores.lance_state import LanceState
from clip3d.search.stores.store import Entry, Header, Record, Trace, Value

Array = NDArray[np.float32]
Ids = NDArray[np.int64]

log = logging.getLogger(__name__)

CHANGES_A_TIDYING = 1000  # each makes a file, and many small ones are slow to read


class LanceStore:
    """`clip3d.search.stores.store.Store` on LanceDB.

    Attributes:
        address: path or URI as it was given.
    """

    def __init__(
        self, address: str | os.PathLike[str], *, create: bool = False, read_only: bool = False, wait: float = 5.0
    ) -> None:
        """Open a collection.

        Args:
            address: a folder that ends in .lance, or a URI: s3://, gs://, az://, db:// or file://.
            create: make it where there is none.
            read_only: refuse to write even where that is possible.
            wait: seconds to wait for another writer.

        Raises:
            DataError: if it is missing, no collection, or cannot be opened.
            MissingExtra: without LanceDB.
        """
        self.address = os.fspath(address)
        self.place = Place.of(address)
        tables = open_tables(self.place, create=create, read_only=read_only)
        self._table = tables.records
        self._state = LanceState(tables.state, self.place)
        self._read_only = read_only
        self._wait = wait
        self._writing = 0
        self._changes = 0
        self._rare: set[str] = set()
        self._keys: KnownKeys | None = None
        self._next = 0

    def close(self) -> None:
        """Let go of the tables; closing twice does no harm."""
        self._table = self._state = None  # type: ignore[assignment]

    def header(self) -> Header | None:
        """What the vectors have in common; None while nothing was ever kept, or all vectors were forgotten."""
        with told(self.place):
            return self._now()[0]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Become the only writer until the end of the block; blocks may stand within each other.

        At its end small files are joined and the index takes up what is new, if that is much: minutes for millions.

        Raises:
            DataError: if another process writes and does not end within the time that the store was opened with,
                or the place cannot be written.
        """
        if self._read_only:
            raise DataError(self.place.uri, "the collection was opened for reading alone", "open it for writing")
        if self._writing:
            yield
            return
        with told(self.place):
            lock = self._state.only_writer(self._wait)
        with lock:
            with told(self.place):  # what another writer did a moment ago
                self._state.refresh()
                self._table.checkout_latest()
            self._writing, self._changes, self._keys = 1, 0, None
            try:
                yield
            finally:
                self._writing = 0
            self._tidy()  # not after an error or an interruption: it may take minutes, and the next run does it

    def begin(self, header: Header) -> None:
        """Set the header of an empty store, or of one whose records were all voided.

        Raises:
            ShapeError: if the mean is not of shape (d,), or not shorter than one.
            DataError: if it holds vectors of another model.
        """
        check_header(header)
        if not np.linalg.norm(header.mean) < 1:
            raise ShapeError("the mean of vectors of unit length is shorter than one")
        with self._changing():
            old, generation = self._now()
            if old is not None and self._table.count_rows(f"generation = {generation}"):
                raise DataError(self.place.uri, "it holds vectors of another model", "void them first")
            self._forget_vectors()
            self._state.write(header=header_text(header), generation=generation + 1, remaking="")

    def void(self) -> int:
        """Forget header and vectors, since another model is to make them anew; returns how many records there are.

        Metadata and thumbnails stay, and ids. The traces say that nothing was read, so that all are out of date.
        """
        with self._changing():
            # With this step all vectors are void, and the next only makes room.
            self._state.write(header=None, generation=self._now()[1] + 1, remaking="")
            self._forget_vectors()
            return int(self._table.count_rows())

    def note_remaking(self, what: str) -> None:
        """Note that all vectors of some kind are being made anew, or with an empty text that this is done."""
        with self._changing():
            self._state.write(remaking=what)

    def remaking(self) -> str:
        """What `note_remaking` noted; empty if nothing is being made anew."""
        with told(self.place):
            return str(self._state.read().get("remaking", ""))

    def put(self, entries: Sequence[Entry]) -> None:
        """Keep entries, all or none; one of a path and part that are there takes its place and id.

        Raises:
            ShapeError: if a vector or the metadata of an entry cannot be kept.
            DataError: if the store has no header, or the disk is full.
        """
        unique = {(entry.trace.path, entry.trace.part): entry for entry in entries}
        if not unique:
            return
        with self._changing():
            header, generation = self._now()
            if header is None:
                reason = "it was not said what model the vectors are of"
                raise DataError(self.place.uri, reason, "begin with a header")
            rows = _rows(list(unique.values()), header, generation)
            self._give_ids(rows)
            self._add_columns(rows, header)
            merge = self._table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
            merge.execute(as_table(rows, self._table.schema), on_bad_vectors="null")
            if self._changes % CHANGES_A_TIDYING == 0:
                tidy(self._table)

    def move(self, moved: Mapping[int, Trace]) -> None:
        """Give records, by id, the traces of their files' new places, all or none.

        Raises:
            DataError: if a record that is not moved is at one of the places.
        """
        with self._changing():
            rows = [{"id": int(item), **trace_values(trace)} for item, trace in moved.items()]
            there = ids_of_keys(self._table, [row["key"] for row in rows])
            if len({row["key"] for row in rows}) < len(rows) or set(there.values()) - {row["id"] for row in rows}:
                raise DataError(self.place.uri, "two records cannot be of one file and part", "remove one first")
            self._update(rows)
            if self._keys is not None:
                self._keys.add([row["key"] for row in rows])

    def describe(self, metadata: Mapping[int, Mapping[str, Value]]) -> None:
        """Replace the metadata of records, by id, all or none."""
        for said in metadata.values():
            metadata_text(said)
        with self._changing():
            rows = [{"id": int(item), **metadata_values(said)} for item, said in metadata.items()]
            self._add_columns(rows, None)
            typed = [name for name in self._table.schema.names if name.split("_", 1)[0] in TYPES and "_" in name]
            self._update([dict.fromkeys(typed) | row for row in rows])

    def remove(self, ids: Sequence[int]) -> None:
        """Forget records, all or none; ids that are not there are passed over."""
        with self._changing():
            gone = sorted({int(item) for item in ids})
            if not gone:
                return
            # The last id is not given again when its record is gone.
            self._state.write(next=self._next_id())
            self._table.delete(f"id IN ({', '.join(map(str, gone))})")

    def traces(self) -> Iterator[tuple[int, Trace]]:
        """Every record's id and trace, in the order of ids."""
        with told(self.place):
            generation = self._now()[1]
            for row in rows_by_id(self._table, TRACE_COLUMNS, ids_where(self._table)):
                yield row["id"], trace_of(row, void=row["generation"] != generation)

    def records(self, ids: Sequence[int]) -> list[Record]:
        """Records in the order of the ids; those that are gone are left out."""
        with told(self.place):
            generation = self._now()[1]
            rows = rows_by_id(self._table, [*RECORD_COLUMNS, "generation"], ids)
            found = {row["id"]: record_of(row, void=row["generation"] != generation) for row in rows}
        return [found[int(item)] for item in ids if int(item) in found]

    def thumbnails(self, ids: Sequence[int]) -> dict[int, bytes]:
        """Pictures by id, of those that have one."""
        with told(self.place):
            rows = rows_by_id(self._table, ["id", "thumbnail"], ids)
            return {row["id"]: row["thumbnail"] for row in rows if row["thumbnail"] is not None}

    def select(self, where: Condition | None = None) -> Ids:
        """Ids (n,) of the records that meet a condition, ascending.

        Raises:
            ConditionError: if the condition names a column that no record has, with those that there are.
            DataError: if it compares what cannot be compared, such as a text with a number.
        """
        with told(self.place):
            return ids_where(self._table, self._sql(where))

    def vectors(self, name: str, ids: Sequence[int]) -> Array:
        """Vectors (n, d) as they were kept but for rounding, NaN in the rows of records without one of the name."""
        with told(self.place):
            header, generation = self._now()
            found: Array = np.full((len(ids), header.dim if header else 0), np.nan, np.float32)
            if header is None or VECTOR + name not in self._table.schema.names:
                return found
            order = np.argsort(np.asarray(ids, np.int64), kind="stable")
            wanted = np.asarray(ids, np.int64)[order]
            lengths = [LENGTH + name] if header.stored == "raw" else []
            columns, valid = ["id", VECTOR + name, *lengths], f"generation = {generation}"
            for part in tables_by_id(self._table, columns, ids, valid):
                having, centred = vectors_of(part[VECTOR + name])
                long = np.asarray(part[LENGTH + name].to_numpy(), np.float32)[having] if lengths else None
                kept = uncentred(centred, header.mean, long)
                here = part["id"].to_numpy()[having]
                first, last = np.searchsorted(wanted, here), np.searchsorted(wanted, here, "right")
                for vector, start, stop in zip(kept, first, last, strict=True):
                    found[order[start:stop]] = vector
            return found

    def nearest(
        self, directions: Mapping[str, Array], k: int, where: Condition | None = None
    ) -> tuple[Ids, Array]:
        """The k best records that meet a condition, best first: ids (m,) int64 and scores (m,) float32.

        As `clip3d.search.stores.store.Store.nearest` says, and exact while there is no index. With one, scores are
        exact, but a few of the best records may be missing: of the ten best of a million, fewer than one in a
        hundred.

        Raises:
            ShapeError: if there is no direction, one is not of shape (d,), or k is less than 1.
        """
        check_asked(directions, k)
        with told(self.place):
            header, _ = self._now()
            condition = self._sql(where)
            none = np.zeros(0, np.int64), np.zeros(0, np.float32)
            if header is None:
                return none
            check_directions(directions, header)
            columns = [VECTOR + name for name in directions]
            if not set(columns) <= set(self._table.schema.names):
                return none
            indexed = has_index(self._table, columns)
            typed = {name: np.asarray(direction, np.float32) for name, direction in directions.items()}
            return nearest(self._table, typed, k, condition, indexed, self._rare)

    def columns(self) -> dict[str, str]:
        """Names that a condition may use, with the types of their values; one that has several is called text."""
        with told(self.place):
            found = metadata_columns(self._table.schema.names)
        return {**{name: kinds[0] if len(kinds) == 1 else "text" for name, kinds in sorted(found.items())}, **FIXED}

    def facts(self) -> Mapping[str, Any]:
        """What the store says of itself: kind, exactness, bytes on disk, vectors of each name, and its index."""
        with told(self.place):
            names = self._vector_columns()
            indexes = index_facts(self._table, names)
            return {
                "store": "lancedb",
                "exact": not indexes,
                "records": int(self._table.count_rows()),
                "vectors": {n.removeprefix(VECTOR): self._table.count_rows(f"`{n}` IS NOT NULL") for n in names},
                "bytes": None if self.place.folder is None else _size(self.place.folder),
                "index": indexes,
                "index_from": INDEX_FROM,
            }

    def _now(self) -> tuple[Header | None, int]:
        """The header, and the number that records with valid vectors bear."""
        state = self._state.read()
        text = state.get("header")
        return (header_of(text) if text else None), int(state.get("generation", 0))

    def _sql(self, where: Condition | None) -> str | None:
        if where is None:
            return None
        kinds = metadata_columns(self._table.schema.names)
        where.check([*FIXED, *kinds])
        return where.datafusion(lambda name: f"`{name}`" if name in FIXED else column_sql(name, kinds[name]))

    def _next_id(self) -> int:
        ids = ids_where(self._table)
        return max(int(ids[-1]) + 1 if len(ids) else 1, int(self._state.read().get("next", 1)))

    def _give_ids(self, rows: Sequence[Row]) -> None:
        if self._keys is None:  # what is there when one begins to write: nobody else changes it after that
            known = self._table.search().select(["key"]).limit(None).to_arrow()["key"]
            self._keys, self._next = KnownKeys(known), self._next_id()
        keys = [row["key"] for row in rows]
        there = ids_of_keys(self._table, [key for key in keys if key in self._keys])
        for row in rows:
            row["id"] = there.get(row["key"], self._next)
            self._next += row["key"] not in there
        self._keys.add(keys)

    def _add_columns(self, rows: Sequence[Row], header: Header | None) -> None:
        lacking = missing_fields(rows, header, self._table.schema.names)
        if lacking:
            self._table.add_columns(lacking)

    def _update(self, rows: Sequence[Row]) -> None:
        """Change some columns of records that are there, in one step."""
        if not rows:
            return
        import pyarrow as pa

        schema = pa.schema([self._table.schema.field(name) for name in rows[0]])
        self._table.merge_insert("id").when_matched_update_all().execute(as_table(rows, schema))

    def _forget_vectors(self) -> None:
        names = [name for name in self._table.schema.names if name.startswith((VECTOR, LENGTH))]
        if names:
            self._table.drop_columns(names)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        if not self._writing:
            raise RuntimeError("a collection is changed within `with store.writing():`")
        with told(self.place):
            self._state.renew()
            self._changes += 1
            yield

    def _tidy(self) -> None:
        with told(self.place):
            columns = self._vector_columns()
            if is_untidy(self._table, columns):
                self._state.renew(always=True)
                tidy(self._table)
            tend(self._table, self._state, columns)

    def _vector_columns(self) -> list[str]:
        return [name for name in self._table.schema.names if name.startswith(VECTOR)]


def _rows(entries: Sequence[Entry], header: Header, generation: int) -> list[Row]:
    for entry in entries:  # before anything is changed
        check_vectors(entry, header)
        metadata_text(entry.metadata)
    return [
        {
            **trace_values(entry.trace),
            **metadata_values(entry.metadata),
            **vectors,
            "kind": entry.kind,
            "indexed": now(),
            "generation": generation,
            "thumbnail": entry.thumbnail,
        }
        for entry, vectors in zip(entries, vector_values(entries, header), strict=True)
    ]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
