"""G3D version 4, the mesh form of Glest and MegaGlest: meshes with frames of motion, of which the first is read.

Layout: a short header, then each mesh with its own header, file names of its pictures, vertices and normals of all
frames, texture coordinates, indices. Y is up.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.records import Cursor

MESH = np.dtype([
    ("name", "S64"), ("frames", "<u4"), ("vertices", "<u4"), ("indices", "<u4"), ("diffuse", "<f4", 3),
    ("specular", "<f4", 3), ("power", "<f4"), ("opacity", "<f4"), ("properties", "<u4"), ("pictures", "<u4"),
])  # fmt: skip
TEAM_COLORED = 1
PICTURE_KINDS = 5  # colours, gloss, normals, and two that are not in use


@dataclass(frozen=True, eq=False)
class G3dMesh:
    """One mesh in its first frame.

    Attributes:
        vertices: (v, 3) float32, finite.
        faces: (f, 3) indices of vertices.
        uv: (f, 3, 2) float32, v upwards; zeros where the mesh has no picture.
        picture: plain name of the picture file beside the model, or "".
        color: (3,) float32 in [0, 1], where there is no picture.
        team_colored: whether clear parts of the picture show the team's colour.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.intp]
    uv: NDArray[np.float32]
    picture: str
    color: NDArray[np.float32]
    team_colored: bool


def read_g3d(data: bytes) -> list[G3dMesh]:
    """The meshes of a G3D file.

    Raises:
        Malformed: if the file is of another kind, cut short, or its faces name what is not there.
    """
    cursor = Cursor(data)
    if cursor.take(1, "S4", "header")[0] != b"G3D\x04":
        raise Malformed("it is no G3D file of version 4")
    count = cursor.number("header", "<u2")
    cursor.number("header", "u1")  # the kind of model: there is only one
    return [_mesh(cursor) for _ in range(count)]


def _mesh(cursor: Cursor) -> G3dMesh:
    header = cursor.take(1, MESH, "mesh header")[0]
    frames, vertices, indices, pictures = (int(header[k]) for k in ("frames", "vertices", "indices", "pictures"))
    if frames < 1:
        raise Malformed("it has a mesh without frames")
    names = [cursor.take(1, "S64", "picture names")[0] for kind in range(PICTURE_KINDS) if pictures >> kind & 1]
    xyz = cursor.take(vertices, ("<f4", 3), "vertices")
    cursor.take((2 * frames - 1) * vertices, ("<f4", 3), "frames")  # the other frames, and the normals of all
    flat = cursor.take(vertices if names else 0, ("<f4", 2), "texture coordinates")
    faces = cursor.take(indices // 3, ("<u4", 3), "faces").astype(np.intp)
    cursor.take(indices % 3, "<u4", "faces")
    if not np.isfinite(xyz).all() or (len(faces) and faces.max() >= vertices):
        raise Malformed("a vertex is not finite, or its faces name vertices that are not there")
    picture = names[0].split(b"\0")[0].decode("latin-1") if pictures & 1 else ""
    return G3dMesh(
        vertices=xyz,
        faces=faces,
        uv=np.nan_to_num(flat)[faces] if names else np.zeros((len(faces), 3, 2), np.float32),
        picture=PurePosixPath(picture.replace("\\", "/")).name,
        color=np.clip(np.nan_to_num(header["diffuse"]), 0, 1).astype(np.float32),
        team_colored=bool(header["properties"] & TEAM_COLORED),
    )
