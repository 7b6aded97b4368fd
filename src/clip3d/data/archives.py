"""Members of zip archives that others wrote: none larger than asked for, and one kind of error for all damage."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from clip3d.clouds.formats.contents import Malformed
from clip3d.errors import DataError

MAX_MEMBER_BYTES = 64 * 2**20


@contextmanager
def opened(package: Path, inside: str, stream: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """The archive `inside` a package, from its content.

    Raises:
        DataError: if it is damaged, or `read_member` refuses a member and the block lets that pass.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            yield archive
    except (zipfile.BadZipFile, Malformed) as error:
        raise DataError(package, f"its archive {inside} is damaged: {error}", "fetch it again") from error


def read_member(archive: zipfile.ZipFile, path: str, *, most: int = MAX_MEMBER_BYTES) -> bytes:
    """Content of the file at `path` in the archive.

    Raises:
        Malformed: if it is not there, unpacks to more than `most` bytes, is damaged, encrypted or packed in a way
            that is not known.
    """
    try:
        info = archive.getinfo(path)
        if info.file_size > most:
            raise Malformed(f"{path} is larger than {most} bytes")
        return archive.read(info)
    except KeyError as error:
        raise Malformed(f"{path} is not in the archive") from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError) as error:
        raise Malformed(f"{path} cannot be unpacked: {error}") from error
