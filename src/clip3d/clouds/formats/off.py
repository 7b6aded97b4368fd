"""OFF: polygons in text, with the colours of COFF, and ModelNet's header that runs into its counts."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import MAX_POINTS, Contents, Malformed, fan, make_mesh, to_unit_range
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.formats.text import integers, lines_of, numbers


def read_off(data: bytes, neighbours: Neighbours) -> Contents:
    """Read an OFF, COFF, NOFF or CNOFF file in text."""
    lines = lines_of(data)
    kind, counts = _header(lines)
    vertex_count, face_count = counts
    if vertex_count > MAX_POINTS or face_count > MAX_POINTS:
        raise Malformed(f"it declares {vertex_count:,} vertices and {face_count:,} faces")
    if len(lines) < vertex_count + face_count:
        raise Malformed(
            f"it declares {vertex_count:,} vertices and {face_count:,} faces but ends after {len(lines):,} lines",
            "the file is cut short: copy or export it again",
        )
    vertices, colors, normals = _vertices(lines[:vertex_count], kind)
    if not face_count:
        return Contents(points=vertices, colors=colors, normals=normals)
    faces, face_colors = _faces(lines[vertex_count : vertex_count + face_count])
    if not len(faces):
        return Contents(points=vertices, colors=colors, normals=normals)
    return Contents(meshes=[make_mesh(vertices, faces, vertex_colors=colors, face_colors=face_colors)])


def _header(lines: list[bytes]) -> tuple[str, tuple[int, int]]:
    """Take the header from the front of the lines: the letters before OFF, and the counts of vertices and faces."""
    found = re.match(rb"(ST)?(C?N?)(4?n?)OFF\b|(C?N?)OFF(?=[-+\d])|(?=\d)", lines[0]) if lines else None
    if found is None:
        raise Malformed("it does not begin with OFF")
    if found[3]:
        raise Malformed("it has points of more than three dimensions")
    kind = (found[2] or found[4] or b"").decode()
    rest = lines.pop(0)[found.end() :].strip()
    if rest.upper().startswith(b"BINARY"):
        raise Malformed("it is a binary OFF file, which clip3d does not read", "save it as text or as PLY")
    if not rest:
        if not lines:
            raise Malformed("it ends after its first line", "the file is cut short: copy or export it again")
        rest = lines.pop(0)
    counts = integers(numbers(rest), "its header has a count")
    if len(counts) < 2 or (counts < 0).any():
        raise Malformed(f"its header should count vertices and faces, but says {rest[:40].decode('latin-1')!r}")
    return kind + ("T" if found[1] else ""), (int(counts[0]), int(counts[1]))


def _vertices(
    lines: list[bytes], kind: str
) -> tuple[NDArray[np.float64], NDArray[np.float32] | None, NDArray[np.float64] | None]:
    """Points (v, 3), colours and normals; the letters N and C say which of these follow x, y and z."""
    values = numbers(b" ".join(lines))
    width = len(values) // len(lines) if lines else 3
    if width * len(lines) != len(values) or width < 3:
        raise Malformed("its vertices do not all have the same number of columns", "export it again")
    rows = values.reshape(-1, width)
    normals = rows[:, 3:6] if "N" in kind and width >= 6 else None
    at = 6 if "N" in kind else 3
    # Without the letter C, columns after x, y and z still hold colours in files that some exporters write.
    colored = width >= at + 3 and ("C" in kind or (not kind and width in (6, 7)))
    return rows[:, :3], to_unit_range(rows[:, at : at + 3]) if colored else None, normals


def _faces(lines: list[bytes]) -> tuple[NDArray[np.int64], NDArray[np.float32] | None]:
    """Triangles (f, 3) and, when every face states one, their colours (f, 3)."""
    values = numbers(b" ".join(lines))
    widths = np.array([len(line.split()) for line in lines])
    if widths.sum() != len(values):
        raise Malformed("its faces cannot be told apart")
    starts = np.cumsum(widths) - widths
    counts = integers(values[starts], "a face has a number of corners")
    if (counts < 0).any() or (counts > widths - 1).any():
        raise Malformed("a face names fewer corners than it declares", "the file is cut short or damaged")
    corners, owner = fan(counts)
    owner_start = starts[owner] + 1
    # `fan` counts corners as if the lists touched; here each list starts at its own place.
    first = (np.cumsum(counts) - counts)[owner]
    triangles = integers(values[owner_start[:, None] + (corners - first[:, None])], "a face names a vertex")
    colors = None
    if ((widths - 1 - counts) >= 3).all() and len(owner):
        colors = to_unit_range(values[(starts + 1 + counts)[:, None] + np.arange(3)])[owner]
    return triangles, colors
