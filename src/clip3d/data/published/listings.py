"""Small text files that list classes and shapes."""

from __future__ import annotations

from pathlib import Path

from clip3d.errors import DataError

MAX_BYTES = 2**26


def lines(path: Path) -> list[str]:
    """The lines of a text file without blanks at their ends; empty ones are left out.

    Raises:
        DataError: if the file cannot be read, is no text, or holds more than 64 MiB.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(path, f"it holds more than {MAX_BYTES:,} bytes, too many for a list")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(path, "there is no such file", "unpack the set again") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(path, f"it cannot be read as text: {error}") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def class_names(path: Path) -> list[str]:
    """One class a line, with spaces for underscores.

    Raises:
        DataError: as `lines`, or if there is none, or one comes twice.
    """
    names = [line.replace("_", " ") for line in lines(path)]
    if not names or len(set(names)) != len(names):
        raise DataError(path, "it must name each class once" if names else "it names no class")
    return names
