"""OBJ: polygons with materials, pictures and vertex colours."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Contents, Malformed, check_faces, fan, make_mesh, to_unit_range
from clip3d.clouds.formats.mtl import Material, read_materials
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.formats.text import integers, numbers
from clip3d.clouds.mesh import Mesh

# How the corners of a face are written: the fields of a corner, and the number of slashes in one.
FORMS = {"v": 1, "v/t": 2, "v//n": 2, "v/t/n": 3}


@dataclass
class Faces:
    """The face lines that write their corners in one form."""

    lines: list[bytes] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    materials: list[int] = field(default_factory=list)


@dataclass
class Lines:
    """The lines of an OBJ file, sorted by what they state."""

    vertices: list[bytes] = field(default_factory=list)
    uvs: list[bytes] = field(default_factory=list)
    faces: dict[str, Faces] = field(default_factory=dict)
    materials: dict[bytes, int] = field(default_factory=dict)
    libraries: list[bytes] = field(default_factory=list)


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
    return Contents(meshes=_meshes(vertices, colors, triangles, uv, material, materials, neighbours))


def _sort(data: bytes) -> Lines:
    if b"\\\n" in data or b"\\\r\n" in data:
        data = data.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
    lines = Lines()
    material = -1
    for line in data.splitlines():
        parts = line.split(None, 1)
        if len(parts) < 2:
            continue
        word, rest = parts
        if word == b"v":
            lines.vertices.append(rest)
        elif word == b"f":
            _add_face(lines, rest, material)
        elif word == b"vt":
            lines.uvs.append(rest)
        elif word == b"usemtl":
            material = lines.materials.setdefault(rest.strip(), len(lines.materials))
        elif word == b"mtllib":
            lines.libraries.append(rest.strip())
    return lines


def _add_face(lines: Lines, rest: bytes, material: int) -> None:
    if b"#" in rest:
        rest = rest.split(b"#", 1)[0]
    if b"-" in rest:
        rest = _from_the_start(rest, len(lines.vertices), len(lines.uvs))
    corners, slashes, double = len(rest.split()), rest.count(b"/"), b"//" in rest
    if not slashes:
        form = "v"
    elif slashes == corners and not double:
        form = "v/t"
    elif slashes == 2 * corners:
        form = "v//n" if double else "v/t/n"
    else:
        form = "other"
    if form == "other" or (double and rest.count(b"//") != corners):
        raise Malformed(f"a face is written in mixed forms: {rest[:60].decode('latin-1')!r}", "export it again")
    faces = lines.faces.setdefault(form, Faces())
    faces.lines.append(rest)
    faces.counts.append(corners)
    faces.materials.append(material)


def _from_the_start(rest: bytes, vertices: int, uvs: int) -> bytes:
    """A face line with indices that count back from its place turned into indices that count from the start."""
    corners = []
    for corner in rest.split():
        fields = corner.split(b"/")
        for index, known in enumerate((vertices, uvs)[: len(fields)]):
            if fields[index].startswith(b"-"):
                fields[index] = b"%d" % (known + 1 + int(fields[index]))
        corners.append(b"/".join(fields))
    return b" ".join(corners)


def _vertices(lines: list[bytes]) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
    """Points (v, 3) and, when every vertex states one, colours (v, 3)."""
    if not lines:
        raise Malformed("it has no vertices")
    rows, width = _rows(lines, 3)
    return rows[:, :3], to_unit_range(rows[:, 3:6]) if width >= 6 else None


def _rows(lines: list[bytes], least: int) -> tuple[NDArray[np.float64], int]:
    """The numbers of each line, as many as the shortest line has (at least `least`)."""
    if any(b"#" in line for line in lines):
        lines = [line.split(b"#", 1)[0] for line in lines]
    values = numbers(b" ".join(lines))
    widths = np.array([len(line.split()) for line in lines])
    width = int(widths.min())
    if width < least:
        raise Malformed(f"a vertex has {width} numbers, expected {least} or more", "export it again")
    if widths.sum() != len(values):
        raise Malformed("its vertices cannot be told apart")
    return values[(np.cumsum(widths) - widths)[:, None] + np.arange(min(width, 7))], width


def _triangles(groups: dict[str, Faces]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Vertex indices (f, 3), texture indices (f, 3; -1 where none) and materials (f,; -1 where none)."""
    vertex, uv, material = [], [], []
    for form, faces in groups.items():
        flat = integers(numbers(b" ".join(faces.lines).replace(b"/", b" ")), "a face names a vertex")
        counts = np.array(faces.counts)
        if len(flat) != FORMS[form] * counts.sum():
            raise Malformed("a face leaves out a number", "the file is damaged: export it again")
        fields = flat.reshape(-1, FORMS[form])
        corners, owner = fan(counts)
        vertex.append(fields[corners, 0] - 1)
        uv.append(fields[corners, 1] - 1 if form in ("v/t", "v/t/n") else np.full(corners.shape, -1))
        material.append(np.array(faces.materials)[owner])
    return np.concatenate(vertex), np.concatenate(uv), np.concatenate(material)


def _texture_coordinates(lines: list[bytes], index: NDArray[np.intp]) -> NDArray[np.float64] | None:
    """Texture coordinates (f, 3, 2), zero for faces without; None when the file has none."""
    if not lines or not (index >= 0).any():
        return None
    rows, _ = _rows(lines, 1)
    if index.max() >= len(rows):
        raise Malformed(f"a face names texture coordinate {int(index.max()) + 1}, but there are {len(rows)}")
    pairs = np.zeros((len(rows), 2))
    pairs[:, : min(rows.shape[1], 2)] = rows[:, :2]
    return np.where((index >= 0)[..., None], pairs[index], 0)


def _meshes(
    vertices: NDArray[np.float64],
    colors: NDArray[np.float32] | None,
    triangles: NDArray[np.intp],
    uv: NDArray[np.float64] | None,
    material: NDArray[np.intp],
    materials: list[Material | None],
    neighbours: Neighbours,
) -> list[Mesh]:
    """One mesh a picture, and one for all that is without."""
    pictures = [None if m is None or not m.picture else neighbours.picture(m.picture) for m in materials]
    plain = np.ones(len(triangles), dtype=bool)
    meshes = []
    for index, picture in enumerate(pictures):
        if picture is None or uv is None:
            continue
        mine = material == index
        plain &= ~mine
        if mine.any():
            meshes.append(make_mesh(vertices, triangles[mine], picture=picture, uv=uv[mine]))
    if plain.any():
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
