"""glTF 2.0 and GLB: scenes with node transforms, materials and pictures. Always y up, in metres."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import (
    MAX_FACES,
    MAX_PARTS,
    MAX_POINTS,
    Contents,
    Malformed,
    Numbers,
    check_faces,
    make_mesh,
)
from clip3d.clouds.formats.gltf_accessors import Accessors
from clip3d.clouds.formats.gltf_materials import Materials, Surface
from clip3d.clouds.formats.gltf_nodes import scene_from_mesh
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.mesh import Mesh, Texture

UNDERSTOOD = {
    "KHR_texture_transform", "KHR_mesh_quantization", "KHR_materials_unlit", "KHR_materials_pbrSpecularGlossiness",
    "EXT_texture_webp", "KHR_materials_emissive_strength", "KHR_materials_ior", "KHR_materials_specular",
    "KHR_materials_transmission", "KHR_materials_volume", "KHR_materials_clearcoat", "KHR_materials_sheen",
    "KHR_lights_punctual", "KHR_materials_variants",
}  # fmt: skip
COMPRESSED = {
    "KHR_draco_mesh_compression": "Draco",
    "EXT_meshopt_compression": "meshopt",
    "KHR_meshopt_compression": "meshopt",
}
TRIANGLES, STRIP, FAN, POINTS = 4, 5, 6, 0


@dataclass(frozen=True, eq=False)
class Primitive:
    """A piece of a mesh in the mesh's own frame: a surface, or points with colours."""

    mesh: Mesh | None
    points: Numbers
    colors: Numbers | None


def read_glb(data: bytes, neighbours: Neighbours) -> Contents:
    """Read a binary glTF file: a JSON chunk and perhaps a chunk of bytes."""
    if data[:4] != b"glTF" or len(data) < 20:
        raise Malformed("it does not begin as a binary glTF file does")
    version, length = np.frombuffer(data, "<u4", 2, 4).tolist()
    if version != 2:
        raise Malformed(f"it is glTF version {version}; clip3d reads version 2", "export it as glTF 2.0")
    if length > len(data):
        raise Malformed(f"it should have {length:,} bytes but has {len(data):,}", "it is cut short: copy it again")
    size = int.from_bytes(data[12:16], "little")
    if data[16:20] != b"JSON" or 20 + size > length:
        raise Malformed("its first chunk is not JSON", "the file is damaged: export it again")
    rest = 20 + size
    chunk = None
    if rest + 8 <= length and data[rest + 4 : rest + 8] == b"BIN\x00":
        binary = int.from_bytes(data[rest : rest + 4], "little")
        if rest + 8 + binary > length:
            raise Malformed("its binary chunk is longer than the file", "the file is cut short: copy it again")
        chunk = data[rest + 8 : rest + 8 + binary]
    return _read(data[20:rest], chunk, neighbours)


def read_gltf(data: bytes, neighbours: Neighbours) -> Contents:
    """Read a glTF file in JSON; its buffers and pictures lie inside it or beside it."""
    return _read(data, None, neighbours)


def _read(text: bytes, chunk: bytes | None, neighbours: Neighbours) -> Contents:
    document = json.loads(text.decode("utf-8-sig"))
    if not isinstance(document, dict) or not isinstance(document.get("asset"), dict):
        raise Malformed("it has no asset, so it is not glTF")
    _check_extensions(document)
    accessors = Accessors(document, chunk, neighbours)
    materials = Materials(document, accessors, neighbours)
    pieces: dict[int, list[Primitive]] = {}
    placed: list[tuple[Primitive, NDArray[np.float64]]] = []
    faces = 0
    for index, matrix in scene_from_mesh(document):
        if index not in pieces:
            pieces[index] = _primitives(document, index, accessors, materials)
        placed += [(piece, matrix) for piece in pieces[index]]
        faces += sum(max(len(p.mesh.faces), len(p.mesh.vertices) // 3) for p in pieces[index] if p.mesh is not None)
        if faces > MAX_FACES or len(placed) > MAX_PARTS:
            raise Malformed(f"it unfolds to more than {MAX_FACES:,} triangles or {MAX_PARTS:,} parts")
    meshes = [_moved(piece.mesh, matrix) for piece, matrix in placed if piece.mesh is not None]
    if meshes:
        return Contents(meshes=meshes, up="y", unit="m")
    return _cloud(placed)


def _check_extensions(document: dict[str, Any]) -> None:
    required = set(document.get("extensionsRequired", []))
    for name in sorted(required - UNDERSTOOD):
        if name in COMPRESSED:
            _refuse_compressed(name)
        if not name.startswith("KHR_texture_"):  # a picture that cannot be decoded leaves the material's colour
            raise Malformed(f"it needs the extension {name[:60]}, which clip3d does not read", "export without it")


def _refuse_compressed(name: str) -> None:
    raise Malformed(
        f"its geometry is compressed with {COMPRESSED[name]}, which clip3d does not read",
        "export it without mesh compression, or decompress it with `gltf-transform`",
    )


def _primitives(
    document: dict[str, Any], index: int, accessors: Accessors, materials: Materials
) -> list[Primitive]:
    found = []
    entries = document["meshes"][index]["primitives"]
    if len(entries) > MAX_PARTS:
        raise Malformed(f"a mesh has more than {MAX_PARTS:,} primitives", "join them")
    for entry in entries:
        for name in COMPRESSED.keys() & entry.get("extensions", {}).keys():
            if not accessors.has_data(entry["attributes"]["POSITION"]):
                _refuse_compressed(name)
        mode = entry.get("mode", TRIANGLES)
        if mode in (TRIANGLES, STRIP, FAN, POINTS) and "POSITION" in entry["attributes"]:
            found.append(_primitive(entry, mode, accessors, materials))
    return found


def _primitive(entry: dict[str, Any], mode: int, accessors: Accessors, materials: Materials) -> Primitive:
    attributes = entry["attributes"]
    positions = accessors.read(attributes["POSITION"], width=3)
    colors = accessors.read(attributes["COLOR_0"], width=(3, 4)) if "COLOR_0" in attributes else None
    if colors is not None:
        colors = materials.displayed(colors[:, :3])
        if len(colors) != len(positions):
            raise Malformed("it has more or fewer vertex colours than vertices")
    if mode == POINTS:
        return Primitive(None, positions, colors)
    index = accessors.read(entry["indices"], width=1)[:, 0] if "indices" in entry else np.arange(len(positions))
    faces = _faces(index.astype(np.int64), mode)
    surface = materials.surface(entry.get("material"))
    uv = None
    if surface.picture is not None and f"TEXCOORD_{surface.uv_set}" in attributes:
        coordinates = accessors.read(attributes[f"TEXCOORD_{surface.uv_set}"], width=2)
        check_faces(faces, len(coordinates))
        uv = surface.turn(coordinates)[faces]
    mesh = make_mesh(positions, faces, **_coloring(surface, colors, uv, len(faces)))
    return Primitive(mesh, positions, colors)


def _coloring(surface: Surface, colors: Numbers | None, uv: Numbers | None, faces: int) -> dict[str, Any]:
    if surface.picture is not None and uv is not None:
        return {"picture": surface.picture, "uv": uv, "tint": surface.color}
    if colors is not None:
        return {"vertex_colors": colors if surface.color is None else colors * surface.color}
    if surface.color is not None:
        return {"face_colors": np.broadcast_to(surface.color, (faces, 3))}
    return {}


def _faces(index: NDArray[np.int64], mode: int) -> NDArray[np.int64]:
    if mode == TRIANGLES:
        return index[: len(index) // 3 * 3].reshape(-1, 3)
    if len(index) < 3:
        return np.zeros((0, 3), dtype=np.int64)
    if mode == FAN:
        return np.stack([np.full(len(index) - 2, index[0]), index[1:-1], index[2:]], axis=1)
    faces = np.stack([index[:-2], index[1:-1], index[2:]], axis=1)
    faces[1::2] = faces[1::2][:, [1, 0, 2]]
    return faces


def _moved(mesh: Mesh, scene_from_mesh: NDArray[np.float64]) -> Mesh:
    """The mesh in the frame of the scene; a mirroring turns its faces round, so that they keep facing outwards."""
    vertices = mesh.vertices.astype(np.float64) @ scene_from_mesh[:3, :3].T + scene_from_mesh[:3, 3]
    faces, texture = mesh.faces, mesh.texture
    if np.linalg.det(scene_from_mesh[:3, :3]) < 0:
        faces = faces[:, ::-1]
        texture = None if texture is None else Texture(texture.image, texture.uv[:, ::-1], texture.tint)
    moved = vertices.astype(np.float32)
    if not np.isfinite(moved).all():
        raise Malformed("a node's transform carries its mesh beyond all bounds", "check the export's scale")
    return Mesh(moved, faces, face_colors=mesh.face_colors, vertex_colors=mesh.vertex_colors, texture=texture)


def _cloud(placed: list[tuple[Primitive, NDArray[np.float64]]]) -> Contents:
    if not placed:
        return Contents(up="y", unit="m")
    if sum(len(piece.points) for piece, _ in placed) > MAX_POINTS:
        raise Malformed(f"it holds more than {MAX_POINTS:,} points", "thin the cloud out")
    points = [piece.points @ matrix[:3, :3].T + matrix[:3, 3] for piece, matrix in placed]
    colors = None
    if any(piece.colors is not None for piece, _ in placed):
        grey = np.float32(0.5)
        pieces = [piece for piece, _ in placed]
        colors = np.concatenate([np.full_like(p.points, grey) if p.colors is None else p.colors for p in pieces])
    return Contents(points=np.concatenate(points), colors=colors, up="y", unit="m")
