"""A collection's store that forgets: the plain twin of those that keep."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from json import dumps
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from clip3d.search.conditions.columns import FIXED
from clip3d.search.conditions.where import Condition
from clip3d.search.stores.store import Entry, Header, Record, Trace, Value
from clip3d.spaces import Space

TABLE = "CREATE TABLE items (path TEXT, name TEXT, part TEXT, kind TEXT, content TEXT, indexed REAL, metadata TEXT)"
TYPES = {bool: "boolean", int: "number", float: "number"}


class MemoryStore:
    """Records in a dictionary, scores by a loop."""

    address = "memory.db"

    def __init__(self, header: Header | None = None) -> None:
        self.begun = header
        self.entries: dict[int, tuple[Record, Entry]] = {}
        self.asked: list[int] = []

    def header(self) -> Header | None:
        return self.begun

    def writing(self) -> nullcontext[None]:
        return nullcontext()

    def begin(self, header: Header) -> None:
        self.begun = header

    def put(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            number = max(self.entries, default=0) + 1
            record = Record(number, entry.kind, entry.trace, dict(entry.metadata), float(number))
            self.entries[number] = (record, entry)

    def describe(self, metadata: Mapping[int, Mapping[str, Value]]) -> None:
        for number, said in metadata.items():
            record, entry = self.entries[number]
            self.entries[number] = (Record(number, record.kind, record.trace, said, record.indexed), entry)

    def remove(self, ids: Sequence[int]) -> None:
        for number in ids:
            self.entries.pop(number, None)

    def traces(self) -> Iterator[tuple[int, Trace]]:
        return ((number, record.trace) for number, (record, _) in sorted(self.entries.items()))

    def records(self, ids: Sequence[int]) -> list[Record]:
        return [self.entries[number][0] for number in ids if number in self.entries]

    def thumbnails(self, ids: Sequence[int]) -> dict[int, bytes]:
        found = {number: self.entries[number][1].thumbnail for number in ids if number in self.entries}
        return {number: picture for number, picture in found.items() if picture}

    def select(self, where: Condition | None = None) -> np.ndarray:
        ids = sorted(self.entries)
        if where is None:
            return np.array(ids, np.int64)
        where.check(self.columns())
        text, parameters = where.sqlite()
        with _items() as connection:
            rows = [_row(self.entries[number][0]) for number in ids]
            connection.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            met = connection.execute(f"SELECT rowid FROM items WHERE {text} ORDER BY rowid", parameters)
            return np.array([ids[row - 1] for (row,) in met], np.int64)

    def vectors(self, name: str, ids: Sequence[int]) -> np.ndarray:
        assert self.begun is not None
        nothing = np.full(self.begun.dim, np.nan, np.float32)
        rows = [self.entries[n][1].vectors.get(name, nothing) if n in self.entries else nothing for n in ids]
        return np.array(rows, np.float32).reshape(len(ids), self.begun.dim)

    def nearest(
        self, directions: Mapping[str, np.ndarray], k: int, where: Condition | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        assert self.begun is not None
        self.asked.append(k)
        space = Space(self.begun.space, self.begun.dim, self.begun.mean)
        scores: dict[int, float] = {}
        for number in self.select(where).tolist():
            vectors = self.entries[number][1].vectors
            if set(directions) <= set(vectors):
                parts = [space.scores(d, vectors[name][None])[0] for name, d in directions.items()]
                scores[number] = float(np.float32(sum(parts)))
        best = sorted(scores, key=lambda number: (-scores[number], number))[:k]
        return np.array(best, np.int64), np.array([scores[number] for number in best], np.float32)

    def columns(self) -> dict[str, str]:
        kinds: dict[str, set[str]] = {}
        for record, _ in self.entries.values():
            for name, value in record.metadata.items():
                kinds.setdefault(name, set()).add(TYPES.get(type(value), "text"))
        return {**FIXED, **{name: found.pop() if len(found) == 1 else "text" for name, found in kinds.items()}}

    def facts(self) -> Mapping[str, Any]:
        return {"kind": "memory", "bytes": 0}

    def close(self) -> None:
        pass


def _row(record: Record) -> tuple[Any, ...]:
    trace = record.trace
    path = trace.path.encode("utf-8", "backslashreplace").decode()
    name = PurePosixPath(path).name
    said = dumps(dict(record.metadata), ensure_ascii=False)
    return path, name, trace.part, record.kind, trace.content, record.indexed, said


@contextmanager
def _items() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute(TABLE)
    yield connection
    connection.close()
