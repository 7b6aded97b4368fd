"""What the records of a collection in LanceDB have in common, by name; and the right to write.

In a folder a lock says who writes: it goes with the process that holds it. In object storage there is none, so a
writer puts its mark and a time into the table of the state, and renews them: to put a mark where there was none is
one step there, which two writers cannot both do. The mark of a process that died counts until its time is over.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from clip3d.errors import DataError
from clip3d.search.stores.lance_place import Place
from clip3d.search.stores.writer_lock import BUSY, WAIT, writer_lock

LEASE = 600.0  # seconds that a mark counts; a batch must be written within that time
RENEWED_AFTER = 60.0
BETWEEN_TRIES = 0.5


class LanceState:
    """Facts of a collection by name: `header`, `generation` of the vectors, `next` id, rows `trained` on, and what
    vectors a run is `remaking`."""

    def __init__(self, table: Any, place: Place) -> None:
        self._table = table
        self._place = place
        self._mark = ""
        self._renewed = 0.0

    def refresh(self) -> None:
        """See what others wrote, however short a time ago."""
        self._table.checkout_latest()

    def read(self) -> dict[str, Any]:
        """All facts."""
        rows = self._table.search().select(["name", "value"]).limit(None).to_arrow().to_pylist()
        return {row["name"]: json.loads(row["value"]) for row in rows}

    def write(self, **facts: Any) -> None:
        """Set facts by name, all or none."""
        rows = [{"name": name, "value": json.dumps(value)} for name, value in facts.items()]
        merge = self._table.merge_insert("name").when_matched_update_all().when_not_matched_insert_all()
        merge.execute(rows)

    @contextmanager
    def only_writer(self, wait: float) -> Iterator[None]:
        """Be the only one who writes.

        Raises:
            DataError: if another does, and does not end within `wait` seconds.
        """
        folder = self._place.folder
        with self._lease(wait) if folder is None else writer_lock(folder, wait):
            yield

    def renew(self, *, always: bool = False) -> None:
        """Say that one still writes, where that is needed; before each change, and always before what takes long.

        Raises:
            DataError: if another writer took over, since this one was silent for too long.
        """
        due = bool(self._mark) and (always or time.monotonic() - self._renewed > RENEWED_AFTER)
        if due and not self._put_mark(self._mark):
            remedy = "run again: what was done is kept"
            raise DataError(self._place.uri, "another process took over writing to the collection", remedy)

    @contextmanager
    def _lease(self, wait: float) -> Iterator[None]:
        mark, until = secrets.token_hex(16), time.monotonic() + wait
        if "writer" not in self.read():
            self._table.merge_insert("name").when_not_matched_insert_all().execute(
                [{"name": "writer", "value": _lease_text("", 0.0)}]
            )
        while not self._put_mark(mark):
            if time.monotonic() >= until:
                remedy = f"{WAIT}; a process that died is waited for up to {LEASE / 60:.0f} minutes"
                raise DataError(self._place.uri, BUSY, remedy)
            time.sleep(BETWEEN_TRIES)
        try:
            yield
        finally:
            self._mark = ""
            self._table.update(where=_marked(mark), values={"value": _lease_text("", 0.0)})

    def _put_mark(self, mark: str) -> bool:
        """Take or renew the right to write, unless another has it; one step, whoever else tries."""
        self.refresh()
        now = time.time()
        free = f"(name = 'writer' AND value < '{_lease_text('', now)}')"
        result = self._table.update(
            where=f"{_marked(mark)} OR {free}", values={"value": _lease_text(mark, now + LEASE)}
        )
        if result.rows_updated:
            self._mark, self._renewed = mark, time.monotonic()
        return bool(result.rows_updated)


def _lease_text(mark: str, until: float) -> str:
    """A time and a mark, so written that the order of texts is that of times."""
    return json.dumps(f"{until:020.3f} {mark}")


def _marked(mark: str) -> str:
    return f"(name = 'writer' AND value LIKE '% {mark}\"')"
