"""STL: ascii, and binary whatever its first word."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import MAX_FACES, Contents, Malformed, make_mesh
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.formats.text import numbers

TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
HEADER_BYTES = 84


def read_stl(data: bytes, neighbours: Neighbours) -> Contents:
    """Read an STL file; it is text if it begins so and its size is not that of a binary one."""
    declared = int.from_bytes(data[80:84], "little")
    fits = len(data) == HEADER_BYTES + declared * TRIANGLE.itemsize
    head = data.lstrip()[:4096].lower()
    text = head.startswith(b"solid") and (b"facet" in head or b"endsolid" in head)
    corners = _ascii(data) if text and not fits else _binary(data, declared)
    faces = np.arange(len(corners) * 3).reshape(-1, 3)
    return Contents(meshes=[make_mesh(corners.reshape(-1, 3), faces)])


def _binary(data: bytes, declared: int) -> NDArray[np.float32]:
    held = (len(data) - HEADER_BYTES) // TRIANGLE.itemsize
    if len(data) < HEADER_BYTES or declared > held:
        raise Malformed(
            f"it declares {declared:,} triangles but holds {max(held, 0):,}",
            "the file is cut short or not an STL file: copy or export it again",
        )
    if declared > MAX_FACES:
        raise Malformed(f"{declared:,} triangles, more than {MAX_FACES:,}", "simplify the mesh")
    return np.ascontiguousarray(np.frombuffer(data, TRIANGLE, declared, HEADER_BYTES)["corners"])


def _ascii(data: bytes) -> NDArray[np.float64]:
    """Corners (f, 3, 3): at once where every facet is written in the usual way, else vertex by vertex."""
    text = re.sub(rb"(?m)^[ \t]*(?:end)?solid[^\r\n]*", b"", data.lower())
    for words in (b"endfacet", b"endloop", b"facet normal", b"outer loop", b"vertex"):
        text = text.replace(words, b"")
    try:
        values = numbers(text)
    except Malformed:
        values = np.zeros(0)
    if len(values) and len(values) == 12 * data.lower().count(b"endfacet"):
        return values.reshape(-1, 12)[:, 3:].reshape(-1, 3, 3)
    vertices = re.findall(rb"(?i:vertex)[ \t]+([^\r\n]+)", data)
    values = numbers(b" ".join(vertices))
    if len(values) != 3 * len(vertices) or len(vertices) % 3:
        raise Malformed("it ends inside a triangle, or a corner does not have three numbers", "export it again")
    return values.reshape(-1, 3, 3)
