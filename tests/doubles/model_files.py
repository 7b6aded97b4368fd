"""Files of model formats, small and whole unless a test asks for damage."""

from __future__ import annotations

import struct

import numpy as np

WRL_MATERIAL = """#VRML V2.0 utf8
Shape {
    appearance Appearance {material DEF RED-01 Material {
        ambientIntensity 0.2
        diffuseColor 1.0 0.5 0.0
        specularColor 0.1 0.1 0.1
    }}
}
"""
WRL_SHAPE = """Shape { geometry IndexedFaceSet
{ creaseAngle 0.5 coordIndex [FACES]
coord Coordinate { point [0 0 0,1 0 0,0 1 0,0 0 1]
}}
appearance Appearance{material USE NAME }}
"""
PMD_TRIANGLE = ((0, 0, 0), (4, 0, 0), (0, 0, 8))
HALF_TURN_ABOUT_Y = (0.0, 1.0, 0.0, 0.0)
STILL = (0.0, 0.0, 0.0, 1.0)
G3D_FIRST = ((0, 0, 0), (1, 0, 0), (0, 2, 0))


def spm(
    *,
    kind: int = 10,
    picture: bytes = b"a.png",
    corner: int = 2,
    vertices: int = 3,
    indices: int = 3,
    material: int = 0,
) -> bytes:
    """One triangle 0, x, z with normals and colours; its second vertex is red, the others white."""
    data = b"SP" + bytes([kind, 3]) + struct.pack("<6f", *range(6))
    data += struct.pack("<HB", 1, len(picture)) + picture + b"\0"
    data += struct.pack("<HHIIH", 1, 1, vertices, indices, material)
    colors = (b"\x80", b"\xff\xff\0\0", b"\x80")
    for position, color, uv in zip(np.eye(3)[[1, 0, 2]] - np.eye(3)[1], colors, np.eye(3, 2), strict=True):
        data += struct.pack("<3f", *position) + bytes(4) + color
        data += struct.pack("<2e", *uv) * bool(picture) + bytes(16) * (kind & 7 == 1)
    return data + bytes([0, 1, corner])


def md2(*, vertices: int = 3, faces: int = 1, skins: int = 1, corner: int = 2, magic: bytes = b"IDP2") -> bytes:
    """One triangle (0, 0, 0), (10, 0, 0), (0, 0, 20) with a skin of 4 by 8 pixels."""
    skin_at = 68
    st_at = skin_at + 64
    face_at = st_at + 12
    frame_at = face_at + 12
    counts = (4, 8, 52, skins, vertices, 3, faces, 0, 1)
    header = struct.pack("<4s16i", magic, 8, *counts, skin_at, st_at, face_at, frame_at, 0, 0)
    st = struct.pack("<6h", 0, 0, 4, 0, 0, 8)
    face = struct.pack("<6H", 0, 1, corner, 0, 1, 2)
    frame = struct.pack("<6f16s", 1, 1, 2, 0, 0, 0, b"stand") + bytes([0, 0, 0, 9, 10, 0, 0, 9, 0, 0, 10, 9])
    return header + b".skin".ljust(64, b"\0") + st + face + frame


def stl(path: str) -> bytes:
    """A triangle with corners 0, x and y."""
    assert path == "part.stl"
    return bytes(80) + struct.pack("<I12fH", 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0)


def wrl(faces: str = "0,1,2,-1,0,2,3,-1", name: str = "RED-01") -> bytes:
    return (WRL_MATERIAL + WRL_SHAPE.replace("FACES", faces).replace("NAME", name)).encode()


def pmd(
    *,
    corners: tuple[tuple[float, float, float], ...] = PMD_TRIANGLE,
    vertices: int | None = None,
    faces: int = 1,
    corner: int = 2,
    uv_sets: int = 1,
    bone: int = 0,
    name: int = 4,
    version: int = 4,
) -> bytes:
    """A triangle with a bone, turned by half about y and 5 up, that carries a place "hand" one metre along x."""
    skin = bytes(4) + struct.pack("<4f", 1, 0, 0, 0)
    rows = b"".join(
        struct.pack("<6f", *xyz, 0, 1, 0) + struct.pack("<2f", *uv) * uv_sets + skin
        for xyz, uv in zip(corners, ((0, 0), (1, 0), (0, 1)), strict=True)
    )
    bones = struct.pack("<I7f", 1, 0, 5, 0, *HALF_TURN_ABOUT_Y)
    place = struct.pack("<II", 1, name) + b"hand" + struct.pack("<7f", 1, 0, 0, *STILL) + bytes([bone])
    return (
        struct.pack("<4s4I", b"PSMD", version, 0, len(corners) if vertices is None else vertices, uv_sets)
        + rows
        + struct.pack("<I3H", faces, 0, 1, corner)
        + bones
        + place
    )


def g3d(
    *,
    meshes: int = 1,
    frames: int = 2,
    vertices: int = 3,
    indices: int = 3,
    corner: int = 2,
    picture: bytes = b"skin.png",
    team: bool = False,
    first: tuple[tuple[float, float, float], ...] = G3D_FIRST,
    magic: bytes = b"G3D\x04",
) -> bytes:
    """One triangle that moves by ten along x in its second frame."""
    pictures = 1 if picture else 0
    header = struct.pack("<64s3I", b"body", frames, vertices, indices)
    look = struct.pack("<3f3f2f2I", 1, 0.5, 0, 0, 0, 0, 9, 1, int(team), pictures)
    moved = [(x + 10, y, z) for x, y, z in first]
    xyz = b"".join(struct.pack("<3f", *v) for v in (*first, *moved))
    uv = struct.pack("<6f", 0, 0, 1, 0, 0, 1) if picture else b""
    name = picture.ljust(64, b"\0") if picture else b""
    faces = struct.pack("<3I", 0, 1, corner)
    return magic + struct.pack("<HB", meshes, 0) + header + look + name + xyz * 2 + uv + faces
