"""Small files of a log: read within bounds, and whatever is wrong with them becomes a FrameError."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from clip3d.errors import FrameError

MAX_TEXT_BYTES = 64 * 1024**2
DAMAGED = "it may be damaged or cut short: copy it again"


def read_bytes(path: Path, limit: int) -> bytes:
    """All bytes of a file that has no more than `limit`.

    Raises:
        FrameError: if it is missing, larger, or cannot be opened.
    """
    try:
        if not path.is_file():
            raise FrameError(path, "there is no such file", "copy the log again with all its files")
        size = path.stat().st_size
        if size > limit:
            raise FrameError(path, f"it holds {size:,} bytes, more than {limit:,}", "it is no such file of a log")
        return path.read_bytes()
    except OSError as error:
        reason = f"it cannot be opened: {error.strerror or error}"
        raise FrameError(path, reason, "check its permissions") from error


def read_text(path: Path, limit: int = MAX_TEXT_BYTES) -> str:
    """Its text, UTF-8."""
    try:
        return read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FrameError(path, "it is no text in UTF-8", DAMAGED) from error


def read_json(path: Path, limit: int = MAX_TEXT_BYTES) -> Any:
    """Its JSON."""
    try:
        return json.loads(read_text(path, limit))
    except (ValueError, RecursionError) as error:
        raise FrameError(path, f"it is no valid JSON: {str(error)[:200]}", DAMAGED) from error


def read_toml(path: Path) -> dict[str, Any]:
    """Its TOML."""
    try:
        import tomllib
    except ImportError:
        import tomli as tomllib  # type: ignore[import-not-found, no-redef, unused-ignore]
    try:
        return tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FrameError(path, f"it is no valid TOML: {str(error)[:200]}", "correct that line") from error


def listed(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """Files of a folder with one of the suffixes, sorted by name, hidden ones left out; none if it is no folder."""
    wanted = tuple(suffixes)
    try:
        names = [name for name in os.listdir(folder) if name[0] != "." and name.lower().endswith(wanted)]  # noqa: PTH208
    except OSError:
        return []
    return [folder / name for name in sorted(names)]


def inside(root: Path, name: object) -> Path:
    """The path below `root` that a table of the log names.

    Raises:
        FrameError: if the name would lead out of it.
    """
    pure = PurePosixPath(str(name))
    if not isinstance(name, str) or not name or pure.is_absolute() or ".." in pure.parts or "\x00" in name:
        raise FrameError(root, f"a table names the file {str(name)[:80]!r}, which would lie outside", DAMAGED)
    return root / pure


def floats(words: Iterable[object], count: int | None = None) -> list[float]:
    """Finite numbers, as many as said.

    Raises:
        ValueError: for anything else.
    """
    numbers = [float(word) for word in words]  # type: ignore[arg-type]
    if count is not None and len(numbers) != count:
        raise ValueError(f"{len(numbers)} numbers where {count} are needed")
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("a number that is not finite")
    return numbers
