"""PLY: ascii and binary, points and meshes, colours of vertices and faces."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import Axis, Unit
from clip3d.clouds.formats.contents import MAX_POINTS, Contents, Malformed, Numbers, fan, make_mesh, to_unit_range
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.formats.ply_body import Column, Element, Property, Ragged, Tables, read_ascii, read_binary

MAX_HEADER_BYTES = 256 * 1024
ENCODINGS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8", "int8": "i1",
    "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4", "float32": "f4", "float64": "f8",
}  # fmt: skip
COLOR_NAMES = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))


@dataclass
class Header:
    """A parsed PLY header: `order` is "" for ascii, "<" or ">" for binary; `body` is where the data begin."""

    order: str = ""
    elements: list[Element] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    body: int = 0


def read_ply(data: bytes, neighbours: Neighbours) -> Contents:
    """Read a PLY file; a frame comment, as `clip3d.clouds.writing` leaves it, states up axis and unit."""
    header, tables = _tables(data)
    vertex = tables["vertex"]
    up, unit = _frame(header.comments)
    points = _triple(vertex, ("x", "y", "z"))
    if points is None:
        raise Malformed("its vertices have no x, y and z")
    colors = _colors(vertex)
    faces = _faces(tables)
    if faces is None or not len(faces[0]):
        return Contents(points=points, colors=colors, normals=_triple(vertex, ("nx", "ny", "nz")), up=up, unit=unit)
    triangles, owner, corners = faces
    face_colors = _colors(tables["face"]) if "face" in tables else None
    picture, uv = _texture(tables, header.comments, neighbours, triangles, corners)
    mesh = make_mesh(
        points,
        triangles,
        vertex_colors=colors,
        face_colors=None if face_colors is None else face_colors[owner],
        picture=picture,
        uv=uv,
    )
    return Contents(meshes=[mesh], up=up, unit=unit)


def vertex_columns(data: bytes) -> dict[str, Numbers]:
    """All plain properties (p,) of a PLY file's vertices by their names, each of its own type."""
    _, tables = _tables(data)
    return {name: column for name, column in tables["vertex"].items() if isinstance(column, np.ndarray)}


def _tables(data: bytes) -> tuple[Header, Tables]:
    header = _header(data)
    body = memoryview(data)[header.body :]
    if header.order:
        tables = read_binary(body, header.elements, header.order)
    else:
        tables = read_ascii(bytes(body), header.elements)
    if "vertex" not in tables:
        raise Malformed("it has no element named vertex")
    return header, tables


def _header(data: bytes) -> Header:
    end = re.compile(rb"\nend_header[ \t]*\r?\n").search(data, 0, MAX_HEADER_BYTES)
    if end is None and not data.startswith(b"ply"):
        raise Malformed("it does not begin as PLY files do", "rename it after what it is, or export it again")
    if end is None:
        raise Malformed("its header has no end", "the file is cut short or damaged: export it again")
    header = Header(body=end.end())
    lines = data[: end.start()].decode("latin-1").splitlines()
    stated = False

    def known(*types: str) -> bool:
        return all(name in TYPES for name in types)

    for line in lines[1:]:
        words = line.split()
        match words:
            case ["format", encoding, *_] if encoding in ENCODINGS:
                header.order, stated = ENCODINGS[encoding], True
            case ["comment" | "obj_info", *_]:
                header.comments.append(line.strip().partition(" ")[2].strip())
            case ["element", name, count]:
                if not count.isdecimal() or len(count) > 15:
                    raise Malformed(f"its header declares {count[:40]} elements named {name[:40]}")
                header.elements.append(Element(name, int(count), []))
            case ["property", "list", of_count, of_item, name] if header.elements and known(of_count, of_item):
                if TYPES[of_count][0] == "f":
                    raise Malformed("a list in its header is counted in fractions")
                header.elements[-1].properties.append(Property(name, TYPES[of_item], TYPES[of_count]))
            case ["property", of_item, name] if header.elements and known(of_item):
                header.elements[-1].properties.append(Property(name, TYPES[of_item], None))
            case []:
                pass
            case _:
                raise Malformed(f"its header has a line that PLY does not know: {line[:60]!r}")
    if not stated:
        raise Malformed("its header does not say ascii or binary")
    for element in header.elements:
        if element.count > MAX_POINTS:
            raise Malformed(f"it declares {element.count:,} rows of {element.name[:40]}, more than {MAX_POINTS:,}")
        names = [p.name for p in element.properties]
        if len(set(names)) != len(names):
            raise Malformed(f"its header names a property of {element.name[:40]} twice")
    return header


def _frame(comments: list[str]) -> tuple[Axis | None, Unit | None]:
    for comment in comments:
        match comment.split():
            case ["clip3d", "up", up, "unit", unit] if up in get_args(Axis) and unit in get_args(Unit):
                return cast(Axis, up), cast(Unit, unit)
    return None, None


def _triple(table: dict[str, Column], names: tuple[str, ...]) -> Numbers | None:
    columns = [table.get(name) for name in names]
    arrays = [column for column in columns if isinstance(column, np.ndarray)]
    return np.stack(arrays, axis=1) if len(arrays) == len(names) else None


def _colors(table: dict[str, Column]) -> NDArray[np.float32] | None:
    for names in COLOR_NAMES:
        found = _triple(table, names)
        if found is not None:
            return to_unit_range(found)
    return None


def _faces(
    tables: dict[str, dict[str, Column]],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]] | None:
    """Triangles (f, 3), the face (f,) of each, and where its corners stand in the running list (f, 3)."""
    for name in ("vertex_indices", "vertex_index"):
        polygons = tables.get("face", {}).get(name)
        if isinstance(polygons, Ragged):
            corners, owner = fan(polygons.counts)
            return polygons.values.astype(np.intp)[corners], owner, corners
    strips = tables.get("tristrips", {}).get("vertex_indices")
    if isinstance(strips, Ragged):
        return _strips(strips.values.astype(np.intp))
    return None


def _strips(run: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Triangles of strips that -1 parts: each run of three neighbours is one, every second turned round."""
    at = np.arange(max(len(run) - 2, 0))
    corners = np.stack([at, at + 1, at + 2], axis=1)
    breaks = np.flatnonzero(run == -1)
    start = np.concatenate([[0], breaks + 1])[np.searchsorted(breaks, at)]
    odd = (at - start) % 2 == 1
    corners[odd] = corners[odd][:, [1, 0, 2]]
    corners = corners[(run[corners] != -1).all(axis=1)]
    return run[corners], np.arange(len(corners)), corners


def _texture(
    tables: dict[str, dict[str, Column]],
    comments: list[str],
    neighbours: Neighbours,
    triangles: NDArray[np.intp],
    corners: NDArray[np.intp],
) -> tuple[NDArray[np.uint8] | None, Numbers | None]:
    """The picture that a TextureFile comment names, and the texture coordinates (f, 3, 2) of faces or vertices."""
    named = [comment.partition(" ")[2] for comment in comments if comment.lower().startswith("texturefile ")]
    uv = None
    per_face, vertex = tables.get("face", {}).get("texcoord"), tables["vertex"]
    if isinstance(per_face, Ragged):
        polygons = next(v for k, v in tables["face"].items() if k in ("vertex_indices", "vertex_index"))
        if isinstance(polygons, Ragged) and np.array_equal(per_face.counts, 2 * polygons.counts):
            uv = per_face.values.reshape(-1, 2)[corners]
    for names in (("s", "t"), ("u", "v"), ("texture_u", "texture_v")):
        per_vertex = _triple(vertex, names)
        if uv is None and per_vertex is not None and triangles.min() >= 0 and triangles.max() < len(per_vertex):
            uv = per_vertex[triangles]
    if uv is None or len(named) != 1:
        return None, None
    return neighbours.picture(named[0]), uv
