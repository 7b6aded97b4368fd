"""The lock beside a collection that lets one process write at a time; it goes with the process that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clip3d.errors import DataError

BUSY = "another process is writing to the collection"
WAIT = "run again when that has ended, or wait longer with --wait"


@contextmanager
def writer_lock(place: Path, wait: float) -> Iterator[None]:
    """Be the only one who writes to a collection's file or folder; the lock is a file beside it.

    Raises:
        DataError: if another does, and does not end within `wait` seconds, or no file can be made there.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(place.with_name(place.name + ".lock"), timeout=wait)
    try:
        lock.acquire()
    except Timeout as error:
        raise DataError(place, BUSY, WAIT) from error
    except OSError as error:
        raise DataError(place, f"it cannot be written: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()
