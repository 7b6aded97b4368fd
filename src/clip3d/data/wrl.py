"""WRL (VRML 2) as KiCad's parts are written: shapes of one material and one indexed set of triangles each."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.mesh import Mesh

Numbers = NDArray[np.float32]

HEADER = b"#VRML V2.0"
UNCOLORED = np.full(3, 0.5, np.float32)
# What matters, in the order of the file; all else (normals, shininess) is passed over.
TOKEN = re.compile(
    r"(?P<shape>\bShape\s*\{)|\bmaterial\s+USE\s+(?P<use>[^\s}]+)|\bmaterial\s+DEF\s+(?P<define>\S+)|"
    r"\bdiffuseColor\s+(?P<color>\S+\s+\S+\s+[^\s}]+)|"
    r"\bcoordIndex\s*\[(?P<faces>[^\]]*)\]|\bpoint\s*\[(?P<points>[^\]]*)\]"
)


def read_wrl(data: bytes) -> list[Mesh]:
    """The shapes of a file with their diffuse colours, z up, in the file's own unit.

    Raises:
        Malformed: if the file is of another kind, has faces other than triangles, or names missing vertices.
    """
    if not data.startswith(HEADER):
        raise Malformed("it is no VRML 2 file")
    materials: dict[str, Numbers] = {}
    shapes: list[dict[str, Numbers]] = []
    name = ""
    for match in TOKEN.finditer(data.decode("latin-1")):
        kind = match.lastgroup or ""
        if kind == "shape":
            shapes.append({})
            name = ""
        elif kind == "define":
            name = match[kind]
        elif shapes and kind == "use":
            shapes[-1]["color"] = materials.get(match[kind], UNCOLORED)
        elif shapes:
            shapes[-1][kind] = _numbers(match[kind], kind)
            if kind == "color":
                materials[name] = shapes[-1][kind]
    return [_mesh(**shape) for shape in shapes if "points" in shape and "faces" in shape]


def _numbers(text: str, what: str) -> Numbers:
    try:
        return np.array(text.replace(",", " ").split(), dtype=np.float64).astype(np.float32)
    except ValueError as error:
        raise Malformed(f"its {what} are not numbers") from error


def _mesh(points: Numbers, faces: Numbers, color: Numbers = UNCOLORED) -> Mesh:
    if len(points) % 3 or not np.isfinite(points).all():
        raise Malformed("its points are no triples of finite numbers")
    if len(faces) % 4 == 3:  # the last end mark may be left out
        faces = np.append(faces, np.float32(-1))
    if len(faces) % 4 or (faces.reshape(-1, 4)[:, 3] != -1).any():
        raise Malformed("it has faces other than triangles")
    triangles = faces.reshape(-1, 4)[:, :3]
    if len(triangles) and not (triangles.min() >= 0 and triangles.max() < len(points) // 3):
        raise Malformed("its faces name vertices that are not there")
    if len(color) != 3 or not np.isfinite(color).all():
        raise Malformed("a colour is not three finite numbers")
    tint = np.tile(np.clip(color, 0, 1), (len(triangles), 1))
    return Mesh(points.reshape(-1, 3), triangles.astype(np.intp), face_colors=tint)
