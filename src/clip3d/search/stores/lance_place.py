"""Where a collection of LanceDB lies: a folder that ends in .lance, or a URI; and its two tables, opened with care.

LanceDB takes the credentials of object storage and of its cloud from the environment. A folder may come from a
stranger: a table is used only if its columns are those of a collection, and if it names no function to be called.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from clip3d.errors import Clip3dError, DataError, MissingExtra
from clip3d.search.stores.kept_values import Damaged
from clip3d.search.stores.lance_rows import check_columns, fixed_schema, state_schema

SCHEMES = ("s3", "gs", "az", "db", "file")
SUFFIX = ".lance"
RECORDS, STATE = "records", "state"
FRESH_FOR = timedelta(seconds=5)  # how old what is read from object storage may be: looking costs a request


@dataclass(frozen=True)
class Place:
    """Where a collection lies.

    Attributes:
        uri: as LanceDB takes it.
        folder: the same as a path; None for object storage and the cloud.
    """

    uri: str
    folder: Path | None

    @classmethod
    def of(cls, address: str | os.PathLike[str]) -> Place:
        """The place of a path or URI.

        Raises:
            DataError: if it is a URI that cannot be one.
        """
        text = os.fspath(address)
        scheme = _scheme(text)
        if scheme == "file":
            parts = urlsplit(text)
            if parts.netloc not in ("", "localhost"):
                raise DataError(text, "a file of another machine cannot be opened", "write file:///path")
            text = unquote(parts.path)
        elif scheme is not None:
            if scheme not in SCHEMES:
                known = ", ".join(f"{name}://" for name in SCHEMES)
                raise DataError(text, f"there is no store for {scheme}://", f"choose a path, or one of {known}")
            return cls(text.rstrip("/"), None)
        folder = Path(text).resolve()
        return cls(str(folder), folder)


def _scheme(text: str) -> str | None:
    scheme, found, _ = text.partition("://")
    return scheme.lower() if found and scheme.isalnum() else None


@dataclass(frozen=True)
class Tables:
    """The two tables of a collection: its records, and by name what they have in common."""

    records: Any
    state: Any


def open_tables(place: Place, *, create: bool, read_only: bool) -> Tables:
    """Open a collection's tables; make them where there are none, if asked to.

    Raises:
        DataError: if there is no collection, something else is at the place, or it cannot be opened.
        MissingExtra: without LanceDB.
    """
    may_make = create and not read_only
    if place.folder is not None:
        _check_folder(place.folder, may_make)
    with told(place):
        database = _connected(place)
        there = set(database.list_tables().tables)
        if not {RECORDS, STATE} <= there:
            if there - {RECORDS} or not may_make:
                raise _missing(place, bool(there))
            # The table of the state comes last: with it the collection is whole.
            database.create_table(RECORDS, schema=fixed_schema(), exist_ok=True)
            database.create_table(STATE, schema=state_schema(), exist_ok=True)
        tables = Tables(database.open_table(RECORDS), database.open_table(STATE))
        for table, schema in ((tables.records, fixed_schema()), (tables.state, state_schema())):
            check_columns(table.schema, schema, place.uri)
    return tables


def is_made(place: Place) -> bool:
    """Whether there is anything at a place.

    Raises:
        DataError: if it cannot be reached.
        MissingExtra: without LanceDB.
    """
    if place.folder is not None:
        return place.folder.exists()
    with told(place):
        return bool(_connected(place).list_tables().tables)


def _connected(place: Place) -> Any:
    try:
        import lancedb
    except ImportError as error:
        raise MissingExtra("a collection by URI or in a .lance folder", "lancedb", "store") from error
    age = timedelta(0) if place.folder is not None else FRESH_FOR
    return lancedb.connect(place.uri, read_consistency_interval=age)


def _check_folder(folder: Path, may_make: bool) -> None:
    # Before LanceDB is asked: it would make the folder.
    try:
        if folder.exists() and not folder.is_dir():
            raise DataError(folder, "it is a file; a collection of LanceDB is a folder", "choose another name")
        if not folder.exists() and not may_make:
            raise _missing(Place(str(folder), folder), False)
        if (folder / "_versions").exists():
            remedy = "name the folder that it lies in, or make a collection with clip3d index"
            raise DataError(folder, "it is a single table of Lance, no collection", remedy)
        if may_make and folder.is_dir() and (strange := _strangers(folder)):
            reason = f"it is a folder of other things ({strange[0]} …), no collection"
            raise DataError(folder, reason, "choose a folder that is not there yet")
    except OSError as error:
        raise DataError(folder, f"it cannot be opened: {error.strerror or error}") from error


def _strangers(folder: Path) -> list[str]:
    own = {f"{RECORDS}{SUFFIX}", f"{STATE}{SUFFIX}"}
    return sorted(path.name for path in folder.iterdir() if path.name not in own)[:1]


def _missing(place: Place, other: bool) -> DataError:
    if other:
        return DataError(place.uri, "its tables are not those of a collection of clip3d", "choose another place")
    return DataError(
        place.uri, "there is no such collection", f"make it: clip3d index FOLDER --db {place.uri}"
    )


@contextmanager
def told(place: Place) -> Iterator[None]:
    """Turn what LanceDB raises into an error of the collection."""
    try:
        yield
    except Clip3dError:
        raise
    except Damaged as error:
        raise DataError(place.uri, f"the collection is damaged: {error}", "restore a copy of it") from error
    # pyarrow's errors are ValueErrors or OSErrors
    except (RuntimeError, ValueError, OSError, LookupError, TypeError) as error:
        raise _as_data_error(place, error) from error


def _as_data_error(place: Place, error: Exception) -> DataError:
    said = " ".join(str(error).split(", /")[0].split())[:300]
    low = said.lower()
    if "conflict" in low or "concurrent" in low:
        remedy = "run again when that has ended: what was done before is kept"
        return DataError(place.uri, "another process changed the collection at the same time", remedy)
    if "no space left" in low:
        return DataError(place.uri, "the disk is full", "make room and run again: what was done is kept")
    if "permission denied" in low or "read-only file system" in low:
        return DataError(place.uri, "it cannot be written", "check the permissions of the folder")
    if "filter" in low or "literal" in low:
        return DataError(place.uri, f"the condition cannot be answered: {said}", "compare like with like")
    return DataError(place.uri, f"LanceDB says: {said}")
