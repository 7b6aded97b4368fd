"""The file of a collection: opened with care, made, and brought up to date.

A database may come from a stranger. Nothing in it is run: a file is used only if its tables are word for word those
that this module makes, without a view or a trigger, and SQLite is told to trust no function in a schema.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from clip3d.errors import DataError

APPLICATION_ID = 0x63334443  # "c3DC" in the header of the file: what `file` and other programs know it by
PAGE_SIZE = 8192
CACHE_KIB = 32_768
MAGIC = b"SQLite format 3\x00"
HEADER_BYTES = 100
APPLICATION_ID_AT = 68

# What brings a file from each version to the next; the first makes it. What was published is never changed.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE header (one INTEGER PRIMARY KEY CHECK (one = 1), space TEXT NOT NULL, dim INTEGER NOT NULL,
        mean BLOB NOT NULL, stored TEXT NOT NULL, model TEXT NOT NULL, weights TEXT NOT NULL,
        towers TEXT NOT NULL)""",
        # What conditions look at stands first, where SQLite finds it soonest.
        """CREATE TABLE items (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, metadata TEXT NOT NULL,
        name TEXT NOT NULL, path TEXT NOT NULL, part TEXT NOT NULL, indexed REAL NOT NULL, content TEXT NOT NULL,
        reading TEXT NOT NULL, sources TEXT NOT NULL, stamps TEXT NOT NULL, taken_ns INTEGER NOT NULL,
        UNIQUE (path, part))""",
        """CREATE TABLE vectors (item INTEGER NOT NULL, name TEXT NOT NULL, generation INTEGER NOT NULL,
        vector BLOB NOT NULL)""",
        "CREATE UNIQUE INDEX vectors_of_item ON vectors (item, name)",
        "CREATE INDEX vectors_since ON vectors (name, generation, item)",
        "CREATE TABLE thumbnails (item INTEGER PRIMARY KEY, picture BLOB NOT NULL)",
        "CREATE TABLE generations (number INTEGER PRIMARY KEY, token TEXT NOT NULL)",
    ),
    ("ALTER TABLE header ADD COLUMN remaking TEXT NOT NULL DEFAULT ''",),
)
# SQLite makes these itself.
OWN_OF_SQLITE = {
    ("table", "sqlite_sequence", "CREATE TABLE sqlite_sequence(name,seq)"),
    ("table", "sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"),
    ("table", "sqlite_stat4", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"),
}

FOREIGN = "choose another file: this one is left as it is"


@dataclass(frozen=True)
class Opened:
    """A connection to a collection's file, and whether it can be written."""

    connection: sqlite3.Connection
    writable: bool


def open_file(path: Path, *, create: bool, read_only: bool, wait: float) -> Opened:
    """Connect to a collection's file; in autocommit mode, text that is no UTF-8 as `os.fsdecode` gives it.

    Args:
        path: the file, links resolved.
        create: make it where there is none.
        read_only: open it for reading even where it can be written.
        wait: seconds to wait for another process's transaction.

    Raises:
        DataError: if it is missing, no collection, of a later version, damaged, or cannot be opened.
    """
    if not _exists(path) and not (create and not read_only):
        raise DataError(path, "there is no such collection", f"make it: clip3d index FOLDER --db {path}")
    try:
        _check_first_bytes(path)
        opened = _connect(path, create=create, read_only=read_only, wait=wait)
    except OSError as error:
        raise DataError(path, f"it cannot be opened: {error.strerror or error}") from error
    try:
        _make_current(path, opened)
    except BaseException as error:
        opened.connection.close()
        if isinstance(error, sqlite3.Error):
            raise as_data_error(path, error) from error
        raise
    return opened


def as_data_error(path: Path, error: sqlite3.Error) -> DataError:
    """What SQLite says, as an error of a file with a remedy."""
    said = str(error)
    if "locked" in said or "busy" in said:
        return DataError(path, "another process is writing to it", "try again when that has ended")
    if "readonly" in said:
        return DataError(path, "it cannot be written", "check the permissions of the file and its folder")
    if "full" in said:
        return DataError(path, "the disk is full", "make room and run again: what was done is kept")
    if isinstance(error, sqlite3.IntegrityError):
        return DataError(path, f"two items cannot be in one place: {said}")
    if isinstance(error, sqlite3.ProgrammingError):  # closed, or used in another thread
        return DataError(path, f"it cannot be used: {said}")
    if isinstance(error, sqlite3.OperationalError) and "disk I/O" not in said:
        return DataError(path, f"it cannot be used: {said}")
    remedy = "it is left as it is: restore a copy, or index into another file"
    return DataError(path, f"the collection is damaged: {said}", remedy)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise DataError(path, f"it cannot be opened: {error.strerror or error}") from error


def _check_first_bytes(path: Path) -> None:
    """Refuse what is plainly another program's before SQLite touches it, and with it that program's journal."""
    if not path.exists():
        return
    if not path.is_file():
        raise DataError(path, "it is no file", "name the file of a collection, such as assets.db")
    with path.open("rb") as stream:
        head = stream.read(HEADER_BYTES)
    if not head or path.with_name(path.name + "-journal").exists():
        return  # empty, or in the middle of being made: told by SQLite
    if not head.startswith(MAGIC):
        raise DataError(path, "it is no collection of clip3d, nor any SQLite file", FOREIGN)
    if len(head) < HEADER_BYTES:
        raise DataError(path, "the collection is damaged: it is cut short", "restore a copy")
    if int.from_bytes(head[APPLICATION_ID_AT : APPLICATION_ID_AT + 4], "big") not in (0, APPLICATION_ID):
        raise DataError(path, "it is a database of another program", FOREIGN)


def _connect(path: Path, *, create: bool, read_only: bool, wait: float) -> Opened:
    uri = path.as_uri()
    mode = "rwc" if create and not read_only else "rw"
    try:
        return _configured(f"{uri}?mode={mode}", read_only, wait)
    except sqlite3.OperationalError as error:
        # Where no file may be made beside it, SQLite opens a file that has no writer, and only if told so. A file
        # that is locked, or has a journal, has one: what is in it may never be committed.
        barred = any(said in str(error) for said in ("unable to open", "readonly"))
        if not barred or not path.exists() or _has_journal(path):
            raise as_data_error(path, error) from error
    except sqlite3.Error as error:
        raise as_data_error(path, error) from error
    try:
        return _configured(f"{uri}?mode=ro&immutable=1", True, wait)
    except sqlite3.Error as error:
        raise as_data_error(path, error) from error


def _has_journal(path: Path) -> bool:
    journals = [path.with_name(path.name + suffix) for suffix in ("-wal", "-journal")]
    return any(journal.exists() and journal.stat().st_size for journal in journals)


def _configured(uri: str, read_only: bool, wait: float) -> Opened:
    connection = sqlite3.connect(uri, uri=True, timeout=wait, isolation_level=None)
    try:
        connection.text_factory = _text
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return Opened(connection, not read_only)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _make_current(path: Path, opened: Opened) -> None:
    """Check the version and the tables; make them, or bring them up to date, in one transaction."""
    connection = opened.connection
    version = _check(path, connection)
    if version == len(MIGRATIONS):
        _write_ahead(opened)
        return
    if not opened.writable:
        if version == 0:
            raise DataError(path, "it is an empty file, no collection", "index something into it first")
        reason = f"it was made by an earlier version of clip3d (schema {version} of {len(MIGRATIONS)})"
        raise DataError(path, f"{reason} and is read-only", "copy it to where it can be written, and open the copy")
    if version == 0:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _check(path, connection)  # another process may have been quicker
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    # After the tables: whoever reads the first bytes finds them, and no other file is needed to tell whose it is.
    _write_ahead(opened)


def _write_ahead(opened: Opened) -> None:
    """Let readers go on while something is written; where a file system has no such thing, they wait."""
    if opened.writable:
        with suppress(sqlite3.OperationalError):  # another process has it open in the other mode at this moment
            opened.connection.execute("PRAGMA journal_mode = WAL")


def _check(path: Path, connection: sqlite3.Connection) -> int:
    """The version of the file's tables, 0 for none, when they are as that version makes them."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    tables = _schema(connection)
    if application == 0 and version == 0 and not tables:
        return 0
    if application != APPLICATION_ID:
        raise DataError(path, "it is a database of another program", FOREIGN)
    if version > len(MIGRATIONS):
        reason = f"it was made by a later version of clip3d (schema {version}, this one knows {len(MIGRATIONS)})"
        raise DataError(path, reason, "upgrade clip3d")
    if version < 1 or tables != _schema_of(version):
        remedy = "do not use it if you do not know where it comes from"
        raise DataError(path, "its tables are not those of a collection of clip3d", remedy)
    return version


def _schema(connection: sqlite3.Connection) -> set[tuple[str, str, str]]:
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    written = {(kind, name, " ".join((sql or "").split())) for kind, name, sql in rows}
    automatic = {row for row in written if row[1].startswith("sqlite_autoindex_") and not row[2]}
    return written - automatic - OWN_OF_SQLITE


@cache
def _schema_of(version: int) -> frozenset[tuple[str, str, str]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for statements in MIGRATIONS[:version]:
            for statement in statements:
                connection.execute(statement)
        return frozenset(_schema(connection))
