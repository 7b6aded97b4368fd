"""Columns of a collection: those that every item has, and the names that users may give to metadata."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from clip3d.errors import ShapeError

FIXED = {"path": "text", "name": "text", "part": "text", "kind": "text", "content": "text", "indexed": "number"}
"""Columns that every item has, with the types of their values; `name` is the last part of the path."""

LONGEST_NAME = 100
NOT_IN_NAMES = '"\\`'


def check_name(name: str) -> str:
    """Raise ShapeError unless a name may be that of metadata, and thus of a column; gives it back.

    It has 1 to 100 printable characters, none of them a double quote, a backtick or a backslash, no space at
    its ends, and is not one of `FIXED`, in whatever case.
    """
    if not 1 <= len(name) <= LONGEST_NAME:
        raise ShapeError(f"a name of metadata has 1 to {LONGEST_NAME} characters, got {len(name)}: {name[:20]!r}")
    if name != name.strip() or not name.isprintable() or any(sign in name for sign in NOT_IN_NAMES):
        raise ShapeError(f"a name of metadata has no quotes, backslashes or spaces at its ends: {name!r}")
    if name.lower() in FIXED:
        raise ShapeError(f"metadata cannot be named {name!r}: every item has a column of that name")
    return name


def nearest_name(name: str, known: Sequence[str]) -> str | None:
    """The known name that was probably meant."""
    folded = {other.lower(): other for other in reversed(known)}
    near = difflib.get_close_matches(name.lower(), folded, n=1)
    return folded[near[0]] if near else None


def as_utf8(text: str) -> str:
    """A text whose bytes were no UTF-8, written so that they can be told."""
    return text.encode("utf-8", "backslashreplace").decode()
