"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What `replacing` and `making_folder` name that which is not whole yet.
_PART = re.compile(r"\..+\.[0-9a-f]{8}\.part")


def clear_parts(folder: Path) -> None:
    """Remove the files that `replacing` left in a folder when its process was killed; others are not touched.

    Only for a folder into which nobody else writes at the time.
    """
    for path in folder.iterdir():
        if _PART.fullmatch(path.name) and (path.is_symlink() or path.is_file()):
            path.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a new name beside `path` to write to; it takes the place of `path` when the block ends well.

    If the block raises, `path` stays as it was and the new file is removed. The folder must exist.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def making_folder(path: Path) -> Iterator[Path]:
    """Give a new empty folder beside `path` to fill; it becomes `path` when the block ends well.

    If the block raises, the new folder is removed and `path` stays as it was. `path` must not exist or be an empty
    folder; folders above it are made.

    Raises:
        OSError: if `path` holds something when the block has ended.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    temporary.mkdir()
    try:
        yield temporary
        if path.is_dir():
            path.rmdir()
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
