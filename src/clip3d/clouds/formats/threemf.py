"""3MF: a zip of XML parts with objects, components and simple colours. Always z up, in the unit that it states."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import Unit
from clip3d.clouds.formats.contents import MAX_FACES, MAX_PARTS, Contents, Malformed, Numbers, make_mesh
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.formats.npy import check_inflation
from clip3d.clouds.formats.threemf_model import Model, Shape, parse_model
from clip3d.clouds.mesh import Mesh

MAX_MODEL_BYTES = 128 * 1024**2
MAX_STEPS = 8 * MAX_PARTS
# The units of 3MF, each as a unit of clouds and what its coordinates are multiplied by.
UNITS: dict[str, tuple[Unit, float]] = {
    "micron": ("mm", 0.001),
    "millimeter": ("mm", 1.0),
    "centimeter": ("cm", 1.0),
    "inch": ("in", 1.0),
    "foot": ("ft", 1.0),
    "meter": ("m", 1.0),
}


def read_3mf(data: bytes, neighbours: Neighbours) -> Contents:
    """Read what a 3MF file builds, or all its objects where it builds nothing."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        package = Package(archive)
        root = package.root()
        model = package.model(root)
        if model.unit not in UNITS:
            raise Malformed(f"its unit is {model.unit[:40]!r}, expected one of {', '.join(UNITS)}")
        unit, scale = UNITS[model.unit]
        meshes = _built(package, root, model, scale)
    return Contents(meshes=meshes, up="z", unit=unit)


class Package:
    """The model parts of one 3MF file, each parsed once, within a budget of bytes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = {name.lstrip("/").lower(): name for name in archive.namelist()}
        self._models: dict[str, Model] = {}
        self._bytes_left = MAX_MODEL_BYTES

    def root(self) -> str:
        """The name of the part that says what to build."""
        relations = self._bytes("_rels/.rels", limit=1 << 20) if "_rels/.rels" in self._names else b""
        for relation in re.findall(rb"<[^<>]*Relationship\s[^<>]*>", relations):
            target = re.search(rb"Target\s*=\s*[\"']([^\"']+)[\"']", relation)
            if target and re.search(rb"Type\s*=\s*[\"'][^\"']*/3dmodel[\"']", relation):
                return target[1].decode("utf-8", "replace")
        return "3D/3dmodel.model"

    def model(self, name: str) -> Model:
        """The parsed model part of that name."""
        key = _key(name)
        if key not in self._models:
            if key not in self._names:
                raise Malformed(f"it has no part named {name[:80]!r}", "export it again")
            self._models[key] = parse_model(self._bytes(key, limit=self._bytes_left))
        return self._models[key]

    def _bytes(self, key: str, limit: int) -> bytes:
        info = self._archive.getinfo(self._names[key])
        check_inflation([info], limit)
        self._bytes_left -= info.file_size
        with self._archive.open(info) as stream:
            return stream.read(limit)


def _key(name: str) -> str:
    return posixpath.normpath("/" + name.replace("\\", "/")).lstrip("/").lower()


@dataclass(frozen=True, eq=False)
class Placed:
    """An object of a part, and its transform (4, 3) for row vectors."""

    part: str
    id: str
    matrix: NDArray[np.float64]


def _built(package: Package, root: str, model: Model, scale: float) -> list[Mesh]:
    start = np.vstack([np.eye(3), np.zeros(3)]) * scale
    items = [Placed(item.part or root, item.id, _after(item.matrix, start)) for item in model.items]
    todo = list(reversed(items or [Placed(root, id_, start) for id_ in model.shapes]))
    uses: list[tuple[Model, Shape, NDArray[np.float64]]] = []
    faces = steps = 0
    while todo:
        placed = todo.pop()
        steps += 1
        part = package.model(placed.part)
        shape = part.shapes.get(placed.id)
        if shape is None:
            raise Malformed(f"it uses object {placed.id[:40]!r}, which it does not hold", "export it again")
        for component in reversed(shape.components):
            matrix = _after(component.matrix, placed.matrix)
            todo.append(Placed(component.part or placed.part, component.id, matrix))
        if len(shape.triangles):
            uses.append((part, shape, placed.matrix))
            faces += max(len(shape.triangles), len(shape.vertices) // 3)
        if faces > MAX_FACES or len(uses) > MAX_PARTS or steps + len(todo) > MAX_STEPS:
            raise Malformed(f"it unfolds to more than {MAX_FACES:,} triangles or {MAX_PARTS:,} parts")
    return [_mesh(part, shape, matrix) for part, shape, matrix in uses]


def _after(first: NDArray[np.float64], then: NDArray[np.float64]) -> NDArray[np.float64]:
    """The transform (4, 3) that applies `first` and `then` to row vectors."""
    joined = first @ then[:3]
    joined[3] += then[3]
    return joined


def _mesh(part: Model, shape: Shape, matrix: NDArray[np.float64]) -> Mesh:
    vertices = shape.vertices @ matrix[:3] + matrix[3]
    faces = shape.triangles if np.linalg.det(matrix[:3]) >= 0 else shape.triangles[:, ::-1]
    return make_mesh(vertices, faces, face_colors=_face_colors(part, shape))


def _face_colors(part: Model, shape: Shape) -> Numbers | None:
    """Colours (f, 3) by what each triangle states, or else its object; None where neither has a colour."""
    pairs = [*shape.marks, (shape.group, shape.index)]
    colors = [part.color(group, index) for group, index in pairs]
    if all(color is None for color in colors) or len(shape.marked) != len(shape.triangles):
        return None
    grey = np.full(3, 0.5, dtype=np.float32)
    palette = np.array([grey if color is None else color for color in colors])
    return palette[np.frombuffer(shape.marked, dtype=np.intc)]
