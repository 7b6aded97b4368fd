"""Members of zip archives that others wrote: none larger than asked for, and one kind of error for all damage."""

from __future__ import annotations

import lzma
import zipfile
import zlib

from clip3d.clouds.formats.contents import Malformed

MAX_MEMBER_BYTES = 64 * 2**20


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
