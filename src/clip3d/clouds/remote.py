"""Files that fsspec reaches (s3://, https://, memory://, zip://...): named by URIs, copied here to be read."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from clip3d.errors import CloudError, FileProblem, MissingExtra

MAX_COPIED_BYTES = 4 * 1024**3
MAX_LISTED = 200_000
MAX_DEPTH = 30
BLOCK_BYTES = 1 << 20
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+(::[A-Za-z][A-Za-z0-9+.\-]+)*://")


class RemotePath(type(Path())):  # type: ignore[misc]
    """A URI where files are named by paths: it has a name and a suffix, and as text it is the URI.

    It names no file here; `local_copy` gives one.
    """

    _uri: str

    def __new__(cls, uri: str) -> RemotePath:
        """A path for a URI, which a `Path` would take for a folder named for the protocol."""
        made: RemotePath = super().__new__(cls, uri)
        made._uri = uri
        return made

    def __str__(self) -> str:
        return self._uri

    def __fspath__(self) -> str:
        return self._uri

    def __eq__(self, other: object) -> bool:
        """Whether it is the same URI: letters' case and double slashes tell keys of a bucket apart."""
        return isinstance(other, RemotePath) and self._uri == other._uri

    def __hash__(self) -> int:
        return hash(self._uri)

    def __reduce__(self) -> tuple[type[RemotePath], tuple[str]]:
        return RemotePath, (self._uri,)

    @property
    def name(self) -> str:
        """The last part of the first URI of a chain: of zip://a.ply::s3://b/c.zip it is a.ply."""
        part = _chain(self._uri)[1]
        place = part.partition("://")[2]
        if part.startswith("http"):
            place = re.split(r"[?#]", place)[0]
        return place.rstrip("/").rpartition("/")[2]


def as_path(path: str | os.PathLike[str]) -> Path:
    """The path of a file here, or a `RemotePath` for a URI."""
    if isinstance(path, Path):
        return path
    text = os.fspath(path)
    return RemotePath(text) if URI.match(text) else Path(text)


@contextmanager
def local_copy(path: Path) -> Iterator[Path]:
    """A file here with the content of `path`, for as long as the block lasts: the file itself if it is here.

    Problems with files in the block are raised with the URI instead. The copy has the name of the file, but for
    signs that lead out of a folder on some system.

    Raises:
        CloudError: if the file cannot be copied, or holds more than 4 GiB. Its cause is a MissingExtra
            without fsspec.
    """
    if not isinstance(path, RemotePath):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="clip3d-") as folder:
        copy = Path(folder) / _safe(path.name)
        _copy(path, copy)
        try:
            yield copy
        except FileProblem as error:
            raise type(error)(path, error.reason, error.remedy) from error.__cause__


def list_files(path: RemotePath) -> list[RemotePath] | None:
    """All files in a folder and below it, sorted, without hidden ones; None if it is a file.

    Raises:
        CloudError: if there is no such place, or it cannot be listed.
    """
    with _named(path):
        system, root = _system(path)
        if not system.isdir(root):
            if not system.exists(root):
                raise FileNotFoundError
            return None
        found = list(islice(_walk(system, root), MAX_LISTED + 1))
    if len(found) > MAX_LISTED:
        raise CloudError(path, f"more than {MAX_LISTED:,} files are in this folder", "name folders below it")
    return [_below(path, name) for name in sorted(found)]


def _chain(uri: str) -> tuple[str, str, str]:
    """The first part of a chain that names a place, and what stands before and after it."""
    parts = uri.split("::")
    at = next((i for i, part in enumerate(parts) if "://" in part), 0)
    return "".join(part + "::" for part in parts[:at]), parts[at], "".join("::" + part for part in parts[at + 1 :])


def _walk(system: Any, root: str) -> Iterator[str]:
    """Names of files, relative to the folder."""
    start = len(root.rstrip("/"))
    for place, _, names in system.walk(root, maxdepth=MAX_DEPTH):
        inside = place[start:].strip("/")
        for name in names:
            relative = f"{inside}/{name}" if inside else name
            if name and not any(part.startswith(".") for part in relative.split("/")):
                yield relative


def _below(path: RemotePath, name: str) -> RemotePath:
    before, part, after = _chain(str(path))
    part = part if part.endswith("://") else part.rstrip("/") + "/"
    return RemotePath(before + part + name + after)


def _safe(name: str) -> str:
    """A name of a file on any system, of at most 100 letters; its end stays as it is."""
    return re.sub(r"[^\w. -]", "_", name)[-100:].lstrip(". ") or "file"


def _copy(path: RemotePath, copy: Path) -> None:
    with _named(path):
        system, place = _system(path)
        left = MAX_COPIED_BYTES
        with system.open(place, "rb") as source, copy.open("wb") as target:
            while block := source.read(BLOCK_BYTES):
                left -= len(block)
                if left < 0:
                    raise CloudError(path, "it holds more than 4 GiB", "copy it here to read it")
                target.write(block)


def _system(path: RemotePath) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingExtra("reading from URIs", "fsspec", "remote") from error
    system, place = url_to_fs(str(path))
    return system, place


@contextmanager
def _named(path: RemotePath) -> Iterator[None]:
    """Turn whatever a file system raises into an error that names the URI."""
    protocol = str(path).partition(":")[0]
    try:
        yield
    except CloudError:
        raise
    except MissingExtra as error:
        raise CloudError(path, str(error)) from error
    except ImportError as error:
        raise CloudError(path, f"fsspec needs another package for it: {error}", "install it with pip") from error
    except FileNotFoundError as error:
        raise CloudError(path, "there is no such file or folder", "check the spelling of the URI") from error
    except Exception as error:  # every file system raises errors of its own
        detail = " ".join(str(error).split())[:200]
        reason = f"it cannot be reached by {protocol}: {type(error).__name__}: {detail}"
        raise CloudError(path, reason.rstrip(": "), "check the URI, the network and the access rights") from error
