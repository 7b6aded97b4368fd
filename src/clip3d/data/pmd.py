"""PMD version 4, the mesh form of 0 A.D.: a skin in its rest pose, bones, and places where props are hung.

Layout: header, vertices, faces, bones, prop points, each table after its count. The frame is left-handed, y up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.posing import quaternion_rotation
from clip3d.data.records import Cursor

NO_BONE = 255
MAX_UV_SETS = 8
POSE = np.dtype([("shift", "<f4", 3), ("turn", "<f4", 4)])


@dataclass(frozen=True, eq=False)
class Pmd:
    """One mesh, metres.

    Attributes:
        vertices: (v, 3) float32, finite.
        faces: (f, 3) indices of vertices.
        uv: (f, 3, 2) float32, v upwards; the first set.
        prop_points: pose of each place where another mesh may be hung by the place's name, 4x4: mesh from prop.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.intp]
    uv: NDArray[np.float32]
    prop_points: dict[str, NDArray[np.float64]]


def read_pmd(data: bytes) -> Pmd:
    """The mesh of a PMD file in its rest pose.

    Raises:
        Malformed: if the file is of another kind, cut short, or its faces or bones name what is not there.
    """
    cursor = Cursor(data)
    if cursor.take(1, "S4", "header")[0] != b"PSMD" or cursor.number("header") != 4:
        raise Malformed("it is no PMD file of version 4")
    cursor.number("header")  # size of what follows, which the counts tell better
    vertex_count, uv_sets = cursor.number("header"), cursor.number("header")
    if not 1 <= uv_sets <= MAX_UV_SETS:
        raise Malformed(f"its vertices have {uv_sets} texture coordinates")
    # Four bones and four weights close a vertex; in the rest pose they are of no account.
    vertex = np.dtype([("xyz", "<f4", 3), ("normal", "<f4", 3), ("uv", "<f4", (uv_sets, 2)), ("skin", "V20")])
    rows = cursor.take(vertex_count, vertex, "vertices")
    faces = cursor.take(cursor.number("faces"), ("<u2", 3), "faces").astype(np.intp)
    if not np.isfinite(rows["xyz"]).all() or (len(faces) and faces.max() >= vertex_count):
        raise Malformed("a vertex is not finite, or its faces name vertices that are not there")
    bones = [pose(bone) for bone in cursor.take(cursor.number("bones"), POSE, "bones")]
    uv = np.nan_to_num(rows["uv"][:, 0])[faces]
    return Pmd(np.ascontiguousarray(rows["xyz"]), faces, uv, _prop_points(cursor, bones))


def _prop_points(cursor: Cursor, bones: list[NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    found = {}
    for _ in range(cursor.number("prop points")):
        name = cursor.take(cursor.number("prop name"), "u1", "prop name").tobytes().decode("latin-1")
        own, bone = pose(cursor.take(1, POSE, "prop point")[0]), cursor.number("prop point", "u1")
        if bone != NO_BONE and bone >= len(bones):
            raise Malformed(f"prop point {name!r} hangs on bone {bone} of {len(bones)}")
        found[name] = own if bone == NO_BONE else bones[bone] @ own
    return found


def pose(record: NDArray[np.void]) -> NDArray[np.float64]:
    """The 4x4 of a shift and a turn, a quaternion x, y, z, w of any length."""
    x, y, z, w = record["turn"].astype(np.float64) / max(float(np.linalg.norm(record["turn"])), 1e-12)
    matrix = np.eye(4)
    matrix[:3, :3] = quaternion_rotation(w, x, y, z)
    matrix[:3, 3] = record["shift"]
    return matrix
