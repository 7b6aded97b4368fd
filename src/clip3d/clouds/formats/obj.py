"""OBJ: polygons with materials, pictures and vertex colours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Contents, Malformed, check_faces, fan, make_mesh, to_unit_range
from clip3d.clouds.formats.mtl import Material, read_materials
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.formats.text import integers, numbers
from clip3d.clouds.mesh import Mesh

# How the corners of a face are written, and how many fields each corner then has.
FORMS = {"v": 1, "v/t": 2, "v//n": 2, "v/t/n": 3}

# Runs of plain lines of one kind, which most of a file consists of; the bounds keep the matcher's memory small.
_ROWS = rb"(?:%s[ \t][-+.\deE \t]{1,400}\r?\n){1,1000}"
_POLYGONS = rb"(?:f(?:[ \t]{1,9}%s){1,40}[ \t]{0,9}\r?\n){1,1000}"
_INDEX = rb"-?\d{1,12}"
MAX_LINE = 1 << 20
_RUNS = {
    "vertices": _ROWS % b"v",
    "uvs": _ROWS % b"vt",
    "normals": _ROWS % b"vn",
    "v": _POLYGONS % _INDEX,
    "v/t": _POLYGONS % (_INDEX + b"/" + _INDEX),
    "v//n": _POLYGONS % (_INDEX + b"//" + _INDEX),
    "v/t/n": _POLYGONS % b"/".join([_INDEX] * 3),
}
RUN = re.compile(b"|".join(b"(" + pattern + b")" for pattern in _RUNS.values()))
KINDS = tuple(_RUNS)


@dataclass
class Faces:
    """The face lines that write their corners in one form: their text, and how many corners each has.

    Each of `runs` tells for some faces in a row: their number, their material, and how many vertices and texture
    coordinates stand before them, from which negative indices count back.
    """

    text: list[bytes] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    runs: list[tuple[int, int, int, int]] = field(default_factory=list)


@dataclass
class Rows:
    """Lines of numbers: their text without the keyword, and how many there are."""

    text: list[bytes] = field(default_factory=list)
    count: int = 0

    def add(self, text: bytes, count: int) -> None:
        """Add lines, each with its line end."""
        self.text.append(text)
        self.count += count


@dataclass
class Lines:
    """The lines of an OBJ file, sorted by what they state."""

    vertices: Rows = field(default_factory=Rows)
    uvs: Rows = field(default_factory=Rows)
    faces: dict[str, Faces] = field(default_factory=dict)
    materials: dict[bytes, int] = field(default_factory=dict)
    libraries: list[bytes] = field(default_factory=list)
    material: int = -1


def read_obj(data: bytes, neighbours: Neighbours) -> Contents:
    """Read an OBJ file; without faces it is a cloud of its vertices."""
    lines = _sort(data)
    vertices, colors = _vertices(lines.vertices)
    if not lines.faces:
        return Contents(points=vertices, colors=colors)
    triangles, uv_index, material = _triangles(lines.faces)
    check_faces(triangles, len(vertices))
    uv = _texture_coordinates(lines.uvs, uv_index)
    library = read_materials([name.decode("utf-8", "replace") for name in lines.libraries], neighbours)
    materials = [library.get(name.decode("utf-8", "replace")) for name in lines.materials]
    # One array for all meshes; float32 now, so that no mesh makes a copy of its own.
    shared = vertices.astype(np.float32)
    return Contents(meshes=_meshes(shared, colors, triangles, uv, material, materials, neighbours))


def _sort(data: bytes) -> Lines:
    if b"\\\n" in data or b"\\\r\n" in data:
        data = data.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    lines = Lines()
    at = 0
    while at < len(data):
        run = RUN.match(data, at)
        if run is not None and run.lastindex is not None:
            _add_run(lines, KINDS[run.lastindex - 1], run[0])
            at = run.end()
        else:
            end = data.find(b"\n", at) + 1 or len(data)
            if end - at > MAX_LINE:
                raise Malformed(f"a line has {end - at:,} characters", "the file is damaged: export it again")
            _add_line(lines, data[at:end].split(b"#", 1)[0].split(None, 1))
            at = end
    return lines


def _add_run(lines: Lines, kind: str, text: bytes) -> None:
    if kind == "vertices":
        lines.vertices.add(text.replace(b"v", b""), text.count(b"\n"))
    elif kind == "uvs":
        lines.uvs.add(text.replace(b"vt", b""), text.count(b"\n"))
    elif kind in FORMS:
        text = text.replace(b"f", b"")
        _add_faces(lines, kind, text, [len(line.split()) for line in text.splitlines()])


def _add_faces(lines: Lines, form: str, text: bytes, counts: list[int]) -> None:
    faces = lines.faces.setdefault(form, Faces())
    faces.text.append(text)
    faces.counts += counts
    faces.runs.append((len(counts), lines.material, lines.vertices.count, lines.uvs.count))


def _add_line(lines: Lines, parts: list[bytes]) -> None:
    if len(parts) < 2:
        return
    word, rest = parts[0], parts[1].strip()
    if word == b"v":
        lines.vertices.add(rest + b"\n", 1)
    elif word == b"f":
        _add_face(lines, rest)
    elif word == b"vt":
        lines.uvs.add(rest + b"\n", 1)
    elif word == b"usemtl":
        lines.material = lines.materials.setdefault(rest, len(lines.materials))
    elif word == b"mtllib":
        lines.libraries.append(rest)


def _add_face(lines: Lines, rest: bytes) -> None:
    corners = rest.split()
    fields = {(corner.count(b"/"), b"//" in corner) for corner in corners}
    forms = {(0, False): "v", (1, False): "v/t", (2, True): "v//n", (2, False): "v/t/n"}
    if len(fields) != 1 or not fields <= forms.keys():
        raise Malformed(f"a face is written in mixed forms: {rest[:60].decode('latin-1')!r}", "export it again")
    _add_faces(lines, forms[fields.pop()], rest + b"\n", [len(corners)])


def _vertices(lines: Rows) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
    """Points (v, 3) and, when every vertex states one, colours (v, 3)."""
    if not lines.count:
        raise Malformed("it has no vertices")
    rows = _table(lines, 3)
    return rows[:, :3], to_unit_range(rows[:, 3:6]) if rows.shape[1] >= 6 else None


def _table(lines: Rows, least: int) -> NDArray[np.float64]:
    """The numbers of each line, as many as the shortest line has (at least `least`, at most 7)."""
    text = b"".join(lines.text)
    values = numbers(text)
    widths = np.array([len(line.split()) for line in text.splitlines()])
    width = int(widths.min())
    if width < least:
        raise Malformed(f"a vertex has {width} numbers, expected {least} or more", "export it again")
    if widths.sum() != len(values) or len(widths) != lines.count:
        raise Malformed("its vertices cannot be told apart")
    table: NDArray[np.float64] = values[(np.cumsum(widths) - widths)[:, None] + np.arange(min(width, 7))]
    return table


def _triangles(groups: dict[str, Faces]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Vertex indices (f, 3), texture indices (f, 3; -1 where none) and materials (f,; -1 where none)."""
    vertex, uv, material = [], [], []
    for form, faces in groups.items():
        flat = integers(numbers(b"".join(faces.text).replace(b"/", b" ")), "a face names a vertex")
        counts, runs = np.array(faces.counts), np.array(faces.runs)
        if len(flat) != FORMS[form] * counts.sum():
            raise Malformed("a face leaves out a number", "the file is damaged: export it again")
        fields = flat.reshape(-1, FORMS[form])
        stated = np.repeat(runs[:, 1:], runs[:, 0], axis=0)  # (faces, 3)
        corners, owner = fan(counts)
        vertex.append(_from_zero(fields[:, 0], stated[:, 1], counts)[corners])
        if form in ("v/t", "v/t/n"):
            uv.append(_from_zero(fields[:, 1], stated[:, 2], counts)[corners])
        else:
            uv.append(np.full(corners.shape, -1))
        material.append(stated[owner, 0])
    return np.concatenate(vertex), np.concatenate(uv), np.concatenate(material)


def _from_zero(index: NDArray[np.int64], before: NDArray[np.intp], counts: NDArray[np.intp]) -> NDArray[np.intp]:
    """Indices that count from 0, out of indices that count from 1 or back from what stands before a face."""
    if index.size and index.min() < 0:
        return np.where(index < 0, index + np.repeat(before, counts), index - 1)
    return index - 1


def _texture_coordinates(lines: Rows, index: NDArray[np.intp]) -> NDArray[np.float64] | None:
    """Texture coordinates (f, 3, 2), zero for faces without; None when the file has none."""
    if not lines.count or not (index >= 0).any():
        return None
    table = _table(lines, 1)
    if index.max() >= len(table):
        raise Malformed(f"a face names texture coordinate {int(index.max()) + 1}, but there are {len(table)}")
    pairs = np.zeros((len(table), 2))
    pairs[:, : min(table.shape[1], 2)] = table[:, :2]
    return np.where((index >= 0)[..., None], pairs[index], 0)


def _meshes(
    vertices: NDArray[np.float32],
    colors: NDArray[np.float32] | None,
    triangles: NDArray[np.intp],
    uv: NDArray[np.float64] | None,
    material: NDArray[np.intp],
    materials: list[Material | None],
    neighbours: Neighbours,
) -> list[Mesh]:
    """One mesh a picture, and one for all that is without."""
    names = [m.picture if m is not None and uv is not None else "" for m in materials]
    usable = {name for name in names if name and neighbours.picture(name) is not None}
    numbered = {name: number for number, name in enumerate(sorted(usable))}
    painted = np.array([*(numbered.get(name, -1) for name in names), -1])[material]  # (f,)
    meshes = []
    order = np.argsort(painted, kind="stable")
    bounds = np.searchsorted(painted[order], np.arange(len(numbered) + 1))
    for name, number in numbered.items():
        mine = order[bounds[number] : bounds[number + 1]]
        if len(mine) and uv is not None:
            # Each takes the vertices of its own faces along, lest many pictures each go through all vertices.
            corners = vertices[triangles[mine].reshape(-1)]
            own = np.arange(len(corners)).reshape(-1, 3)
            meshes.append(make_mesh(corners, own, picture=neighbours.picture(name), uv=uv[mine]))
    plain = order[: bounds[0]]
    if len(plain):
        face_colors = None if colors is not None else _material_colors(material[plain], materials)
        meshes.append(make_mesh(vertices, triangles[plain], vertex_colors=colors, face_colors=face_colors))
    return meshes


def _material_colors(material: NDArray[np.intp], materials: list[Material | None]) -> NDArray[np.float32] | None:
    """Colours (f, 3) of faces by material, grey where a face has none; None when no face has one."""
    known = [m is not None and m.color is not None for m in materials]
    if not any(known):
        return None
    grey = (0.5, 0.5, 0.5)
    palette = np.array([(m.color if m is not None else None) or grey for m in materials] + [grey], dtype=np.float32)
    return palette[material]
