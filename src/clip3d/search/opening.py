"""Which store an address names."""

from __future__ import annotations

import os

from clip3d.errors import DataError
from clip3d.search.store import Store


def open_store(
    address: str | os.PathLike[str], *, create: bool = False, read_only: bool = False, wait: float = 5.0
) -> Store:
    """Open the store of a collection.

    Args:
        address: path of its file.
        create: make it where there is none.
        read_only: refuse to write even where that is possible.
        wait: seconds to wait for another writer.

    Raises:
        DataError: if it is missing, no collection, or cannot be opened.
    """
    from clip3d.search.sqlite_store import SqliteStore

    if "://" in os.fspath(address):
        raise DataError(address, "collections are files", "name a file, such as assets.db")
    return SqliteStore(address, create=create, read_only=read_only, wait=wait)
