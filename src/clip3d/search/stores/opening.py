"""Which store an address names: a file of SQLite, or a folder or URI of LanceDB."""

from __future__ import annotations

import os
from pathlib import Path

from clip3d.search.stores.store import Store


def open_store(
    address: str | os.PathLike[str], *, create: bool = False, read_only: bool = False, wait: float = 5.0
) -> Store:
    """Open the store of a collection.

    Args:
        address: path of its file; or, for LanceDB, of a folder that ends in .lance, or a URI.
        create: make it where there is none.
        read_only: refuse to write even where that is possible.
        wait: seconds to wait for another writer.

    Raises:
        DataError: if it is missing, no collection, or cannot be opened.
        MissingExtra: for LanceDB, where it is not installed.
    """
    if _is_lance(address):
        from clip3d.search.stores.lance_store import LanceStore

        return LanceStore(address, create=create, read_only=read_only, wait=wait)
    from clip3d.search.stores.sqlite_store import SqliteStore

    return SqliteStore(address, create=create, read_only=read_only, wait=wait)


def is_there(address: str | os.PathLike[str]) -> bool:
    """Whether there is anything at the address of a collection.

    Raises:
        DataError: if it is a URI that cannot be reached.
        MissingExtra: for LanceDB, where it is not installed.
    """
    if _is_lance(address):
        from clip3d.search.stores.lance_place import Place, is_made

        return is_made(Place.of(address))
    return Path(address).exists()


def _is_lance(address: str | os.PathLike[str]) -> bool:
    text = os.fspath(address)
    return "://" in text or text.rstrip("/\\").endswith(".lance")
