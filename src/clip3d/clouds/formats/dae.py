"""DAE (COLLADA): scenes with node transforms, materials and pictures, parsed by pycollada."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import METRES_PER_UNIT, Axis, Unit
from clip3d.clouds.formats.contents import (
    MAX_FACES,
    MAX_PARTS,
    Contents,
    Malformed,
    Numbers,
    check_faces,
    fan,
    make_mesh,
    to_unit_range,
)
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.formats.xml_guard import check_xml
from clip3d.clouds.mesh import Mesh

UP: dict[str, Axis] = {"X_UP": "x", "Y_UP": "y", "Z_UP": "z"}


def read_dae(data: bytes, neighbours: Neighbours) -> Contents:
    """Read a COLLADA file; without a scene, its geometries stand where they are."""
    check_xml(data)
    import collada
    from collada.common import DaeBrokenRefError, DaeIncompleteError, DaeUnsupportedError

    unimportant = [DaeBrokenRefError, DaeIncompleteError, DaeUnsupportedError]
    document = collada.Collada(io.BytesIO(data), ignore=unimportant)
    unit, scale = _unit(document.assetInfo.unitmeter)
    meshes: list[Mesh] = []
    faces = 0
    placed = list(islice(_placed(document), MAX_PARTS + 1))
    if len(placed) > MAX_PARTS:
        raise Malformed(f"it unfolds to more than {MAX_PARTS:,} parts", "simplify the scene")
    for geometry, matrix, materials in placed:
        moved: dict[int, Numbers] = {}
        for primitive in geometry.primitives:
            mesh = _mesh(primitive, _vertices(primitive, matrix, scale, moved), materials, neighbours)
            if mesh is None:
                continue
            meshes.append(mesh)
            faces += max(len(mesh.faces), len(mesh.vertices) // 3)
            if faces > MAX_FACES or len(meshes) > MAX_PARTS:
                raise Malformed(f"it unfolds to more than {MAX_FACES:,} triangles or {MAX_PARTS:,} parts")
    if not meshes and document.errors:
        detail = " ".join(str(document.errors[0]).split())[:160]
        raise Malformed(f"its geometry is incomplete: {detail}", "export it again")
    return Contents(meshes=meshes, up=UP.get(str(document.assetInfo.upaxis), "y"), unit=unit)


def _unit(metres: object) -> tuple[Unit, float]:
    """The unit of a file whose unit is so many metres, and what its coordinates are multiplied by."""
    if metres is None:
        return "m", 1.0
    value = float(str(metres))
    for name, length in METRES_PER_UNIT.items():
        if abs(value - length) < 1e-6 * length:
            unit: Unit = name  # type: ignore[assignment]
            return unit, 1.0
    if not 0 < value < float("inf"):
        raise Malformed(f"its unit is {value} metres", "state a positive unit, or export it again")
    return "m", value


def _placed(document: Any) -> Iterator[tuple[Any, NDArray[np.float64], dict[str, Any]]]:
    """Every geometry once a use, with its transform (4, 4) and its materials by symbol."""
    from collada.scene import ControllerNode, GeometryNode, Node, NodeNode

    if document.scene is None or not document.scene.nodes:
        yield from ((geometry, np.eye(4), {}) for geometry in document.geometries)
        return
    todo: list[tuple[Any, NDArray[np.float64]]] = [(node, np.eye(4)) for node in reversed(document.scene.nodes)]
    steps = 0
    while todo:
        node, parent = todo.pop()
        steps += 1
        if steps > 8 * MAX_PARTS:
            raise Malformed(f"its scene unfolds to more than {8 * MAX_PARTS:,} nodes", "simplify the scene")
        if isinstance(node, NodeNode):
            todo.append((node.node, parent))
        elif isinstance(node, Node):
            matrix = parent @ np.asarray(node.matrix, dtype=np.float64)
            todo += [(child, matrix) for child in reversed(node.children)]
        elif isinstance(node, GeometryNode):
            yield node.geometry, parent, {m.symbol: m.target for m in node.materials}
        elif isinstance(node, ControllerNode) and hasattr(node.controller, "bind_shape_matrix"):
            matrix = parent @ np.asarray(node.controller.bind_shape_matrix, dtype=np.float64).reshape(4, 4)
            yield node.controller.geometry, matrix, {m.symbol: m.target for m in node.materials}


def _vertices(
    primitive: Any, matrix: NDArray[np.float64], scale: float, moved: dict[int, Numbers]
) -> Numbers | None:
    """A primitive's vertices (v, 3) in the scene; primitives that share a source share the array in `moved`."""
    inputs = getattr(primitive, "sources", {}).get("VERTEX")
    if not inputs:
        return None
    source = inputs[0][4]
    if id(source) not in moved:
        turn, shift = matrix[:3, :3].T * scale, matrix[:3, 3] * scale
        blocks = np.array_split(np.asarray(source.data)[:, :3], len(source.data) // 100_000 + 1)
        moved[id(source)] = np.concatenate([(block @ turn + shift).astype(np.float32) for block in blocks])
    return moved[id(source)]


def _mesh(
    primitive: Any, vertices: Numbers | None, materials: dict[str, Any], neighbours: Neighbours
) -> Mesh | None:
    """One primitive as a mesh; None for lines and for primitives without faces."""
    index = _corners(primitive)
    if index is None or not len(index) or vertices is None:
        return None
    faces = index[..., primitive.sources["VERTEX"][0][0]]
    color, picture = _surface(materials.get(primitive.material), neighbours)
    uv = None if picture is None else _input(primitive, "TEXCOORD", index)
    if uv is not None and uv.shape[-1] >= 2:
        return make_mesh(vertices, faces, picture=picture, uv=uv[..., :2])
    painted = _input(primitive, "COLOR", index)
    if painted is not None and painted.shape[-1] >= 3:
        return _painted(vertices, faces, painted[..., :3])
    flat = None if color is None else np.broadcast_to(color, (len(faces), 3))
    return make_mesh(vertices, faces, face_colors=flat)


def _corners(primitive: Any) -> Numbers | None:
    """The indices of every triangle's corners, one an input: (f, 3, inputs). None where there are no faces."""
    if hasattr(primitive, "vcounts"):
        counts, index = np.asarray(primitive.vcounts), np.asarray(primitive.index)
        if (counts < 0).any() or counts.sum(dtype=np.int64) > len(index):
            raise Malformed("its polygons have more corners than it lists", "it is damaged: export it again")
        corners: Numbers = index[fan(counts)[0]]
        return corners
    return np.asarray(primitive.index) if hasattr(primitive, "ntriangles") else None


def _input(primitive: Any, semantic: str, index: Numbers) -> Numbers | None:
    """The values (f, 3, width) of the first input of a semantic, or None if there is none."""
    inputs = primitive.sources.get(semantic)
    if not inputs:
        return None
    offset, values = inputs[0][0], np.asarray(inputs[0][4].data)
    which = index[..., offset]
    if values.ndim != 2 or which.min() < 0 or which.max() >= len(values):
        return None
    found: Numbers = values[which]
    return found


def _painted(vertices: Numbers, faces: Numbers, colors: Numbers) -> Mesh:
    """A mesh whose corners have colours (f, 3, 3) of their own: every corner becomes a vertex."""
    check_faces(faces, len(vertices))
    apart = np.arange(faces.size).reshape(-1, 3)
    return make_mesh(vertices[faces.reshape(-1)], apart, vertex_colors=to_unit_range(colors.reshape(-1, 3)))


def _surface(material: Any, neighbours: Neighbours) -> tuple[Numbers | None, NDArray[np.uint8] | None]:
    """A material's diffuse colour (3,) and picture, each None where it has none that can be used."""
    diffuse = getattr(getattr(material, "effect", None), "diffuse", None)
    if diffuse is None:
        return None, None
    surface = getattr(getattr(diffuse, "sampler", None), "surface", None)
    if surface is not None:
        return None, neighbours.picture(str(surface.image.path).removeprefix("file://"))
    try:
        color = np.array([float(value) for value in diffuse[:3]], dtype=np.float32)
    except (TypeError, ValueError):
        return None, None
    return (color, None) if color.shape == (3,) else (None, None)
