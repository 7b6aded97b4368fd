"""SPM, the model format of SuperTuxKart: a list of materials and a few indexed meshes, y up.

The game's axes are left-handed; the third is turned round here, so that nothing comes out mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.records import Cursor

WHITE = 128
SKINNED = 1
SKINNING_BYTES = 16


@dataclass(frozen=True, eq=False)
class SpmPart:
    """One mesh of a file.

    Attributes:
        vertices: (v, 3) float32, y up, right-handed.
        faces: (f, 3) indices into vertices.
        colors: (v, 3) float32 in [0, 1].
        uv: (f, 3, 2) float32, v upwards, or None where the part has no picture.
        picture: name of its picture, or "".
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.intp]
    colors: NDArray[np.float32]
    uv: NDArray[np.float32] | None
    picture: str


def read_spm(data: bytes) -> list[SpmPart]:
    """The parts of an SPM file in the pose that it stores.

    Raises:
        Malformed: if the file is of another kind, cut short, or its faces name what is not there.
    """
    cursor = Cursor(data)
    if cursor.take(2, "u1", "magic").tobytes() != b"SP":
        raise Malformed("it is no SPM file")
    kind, flags = cursor.take(2, "u1", "header").tolist()
    cursor.take(6, "<f4", "bounds")
    pictures = [(_name(cursor), _name(cursor)) for _ in range(cursor.number("materials", "<u2"))]
    parts = []
    for _ in range(cursor.number("sectors", "<u2")):
        for _ in range(cursor.number("meshes", "<u2")):
            vertices, indices = cursor.take(2, "<u4", "counts").tolist()
            material = cursor.number("material", "<u2")
            if material >= len(pictures):
                raise Malformed("a mesh names a material that is not there")
            parts.append(_part(cursor, vertices, indices, flags, pictures[material], kind & 7 == SKINNED))
    return parts


def _name(cursor: Cursor) -> str:
    length = cursor.number("name", "u1")
    return cursor.take(length, "u1", "name").tobytes().decode("utf-8", "replace")


def _part(
    cursor: Cursor, count: int, indices: int, flags: int, pictures: tuple[str, str], skinned: bool
) -> SpmPart:
    if count * 12 > len(cursor.data) or indices > len(cursor.data) or indices % 3:
        raise Malformed(f"{count:,} vertices and {indices:,} indices do not fit into {len(cursor.data):,} bytes")
    vertices, colors = np.zeros((count, 3), np.float32), np.ones((count, 3), np.float32)
    uv = np.zeros((count, 2), np.float32)
    behind = 4 * ((pictures[1] != "") + (flags >> 2 & 1)) if pictures[0] else 0
    for row in range(count):  # records differ in length
        vertices[row] = cursor.take(3, "<f4", "vertices")
        cursor.take(4 * (flags & 1), "u1", "normals")
        if flags >> 1 & 1 and cursor.number("colours", "u1") != WHITE:
            colors[row] = cursor.take(3, "u1", "colours") / np.float32(255)
        if pictures[0]:
            uv[row] = cursor.take(2, "<f2", "texture coordinates")
        cursor.take(behind + SKINNING_BYTES * skinned, "u1", "vertices")
    faces = cursor.take(indices, "u1" if count <= 255 else "<u2", "faces").reshape(-1, 3).astype(np.intp)
    if len(faces) and faces.max() >= count:
        raise Malformed("its faces name vertices that are not there")
    if not (np.isfinite(vertices).all() and np.isfinite(uv).all()):
        raise Malformed("its vertices are not finite")
    vertices[:, 2] *= -1
    uv[:, 1] = 1 - uv[:, 1]
    return SpmPart(vertices, faces, colors, uv[faces] if pictures[0] else None, pictures[0])
