"""XYZ, TXT and CSV: a table of numbers, with or without names for its columns."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.columns import split_columns
from clip3d.clouds.formats.contents import Contents, Malformed, to_unit_range
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.formats.text import numbers

NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf)", re.IGNORECASE)
MAX_HEADER_LINES = 10_000
MAX_LINE = 1 << 16
POSITIONS = (("x", "y", "z"), ("px", "py", "pz"))
COLORS = (("r", "g", "b"), ("red", "green", "blue"))
NORMALS = (("nx", "ny", "nz"), ("normal_x", "normal_y", "normal_z"))


def read_xyz(data: bytes, neighbours: Neighbours) -> Contents:
    """Read columns parted by white space, commas or semicolons; a first line of names says what they hold.

    Without names, `split_columns` tells colours from normals. A semicolon beside commas makes these decimal commas.
    """
    names, body = _header(_plain(data))
    table = _table(body)
    if names and len(names) == table.shape[1]:
        return _named(names, table)
    return split_columns(table)


def is_table(path: Path) -> bool:
    """Whether the first lines of a file are rows of three or more numbers, perhaps below a line of names."""
    try:
        with path.open("rb") as stream:
            head = stream.read(4096)
    except OSError:
        return False
    whole = head if len(head) < 4096 else head[: head.rfind(b"\n") + 1]
    try:
        names, body = _header(_plain(whole))
        return _table(body).shape[1] >= 3 and (not names or "x" in names or "px" in names)
    except Malformed:
        return False


def _plain(data: bytes) -> bytes:
    """The text with its columns parted by white space only, and without comments."""
    if b"\x00" in data[:4096]:
        raise Malformed("it is not a text file", "save it as text")
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"\n")
    if b"//" in data:
        data = re.sub(rb"//[^\n]*", b"", data)
    first = data[:4096]
    if b";" in first:
        decimal_commas = b"," in first and b"." not in first
        data = data.replace(b",", b"." if decimal_commas else b" ").replace(b";", b" ")
    return data.replace(b",", b" ").lstrip()


def _header(data: bytes) -> tuple[list[str], bytes]:
    """Names from a first line that is not numbers (perhaps a comment), and the text without it."""
    names: list[str] = []
    at = 0
    for _ in range(MAX_HEADER_LINES):
        end = data.find(b"\n", at) + 1 or len(data)
        if end - at > MAX_LINE:
            raise Malformed(f"its first line has {end - at:,} characters", "put each point on a line of its own")
        line = data[at:end].strip()
        words, comment = line.split(), line.startswith(b"#")
        if words and not comment and all(NUMBER.fullmatch(word) for word in words):
            # Some scanners write the number of points on a line of its own.
            return names, data[end:] if len(words) == 1 else data[at:]
        if words and names and not comment:
            raise Malformed("it holds words where numbers should stand", "remove them or name the columns once")
        found = [word.strip('"#').lower() for word in line.decode("utf-8", "replace").split() if word != "#"]
        if words and (not comment or "x" in found):
            names = found
        at = end
        if at >= len(data):
            break
    raise Malformed("it holds no numbers")


def _table(body: bytes) -> NDArray[np.float64]:
    if b"#" in body:
        body = re.sub(rb"#[^\n]*", b"", body)
    body = body.strip()
    width = len(body.partition(b"\n")[0].split())
    values = numbers(body)
    if not len(values):
        raise Malformed("it holds no numbers")
    rows = body.count(b"\n") + 1
    if rows * width != len(values):
        rows = sum(1 for line in body.splitlines() if line.strip())
    if rows * width != len(values):
        raise Malformed(f"its lines do not all have {width} columns, as the first one has", "export it again")
    if width < 3:
        raise Malformed(f"its lines have {width} columns, expected x, y, z or more")
    return values.reshape(rows, width)


def _named(names: list[str], table: NDArray[np.float64]) -> Contents:
    points = _columns(names, table, POSITIONS)
    if points is None:
        return split_columns(table)
    colors = _columns(names, table, COLORS)
    return Contents(
        points=points,
        colors=None if colors is None else to_unit_range(colors),
        normals=_columns(names, table, NORMALS),
    )


def _columns(
    names: list[str], table: NDArray[np.float64], choices: tuple[tuple[str, str, str], ...]
) -> NDArray[np.float64] | None:
    for choice in choices:
        if all(name in names for name in choice):
            return table[:, [names.index(name) for name in choice]]
    return None
