"""MD2, the model format of Quake II: one indexed mesh with a skin, and frames of it as bytes in a box.

Layout: 17 integers (magic, version, skin width and height, frame size, counts, offsets), then tables. Z is up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.records import table

MAGIC = 0x32504449  # "IDP2"
VERSION = 8


@dataclass(frozen=True, eq=False)
class Md2:
    """The first frame of a model: vertices (v, 3), faces (f, 3), uv (f, 3, 2) with v upwards, skin names."""

    vertices: NDArray[np.float32]
    faces: NDArray[np.intp]
    uv: NDArray[np.float32]
    skins: tuple[str, ...]


def read_md2(data: bytes) -> Md2:
    """The first frame of an MD2 file, z up, in the file's own unit.

    Raises:
        Malformed: if the file is of another kind, cut short, or its faces name what is not there.
    """
    header = table(data, 0, 17, "<i4", "header").tolist()
    magic, version, width, height = header[:4]
    if magic != MAGIC or version != VERSION:
        raise Malformed("it is no MD2 file of version 8")
    skin_count, vertex_count, corner_count, face_count = header[5:9]
    skin_at, corner_at, face_at, frame_at = header[11:15]
    if header[10] < 1 or width < 1 or height < 1:
        raise Malformed("it has no frame or no skin size")
    scale, shift = table(data, frame_at, 6, "<f4", "frame").reshape(2, 3)
    packed = table(data, frame_at + 40, vertex_count, ("u1", 4), "vertices")[:, :3]
    corners = table(data, corner_at, corner_count, ("<i2", 2), "texture coordinates")
    faces = table(data, face_at, face_count, ("<u2", 6), "faces").astype(np.intp)
    if len(faces) and (faces[:, :3].max() >= vertex_count or faces[:, 3:].max() >= corner_count):
        raise Malformed("its faces name vertices that are not there")
    uv = corners[faces[:, 3:]] / np.array([width, height], np.float32)
    return Md2(
        vertices=(packed * scale + shift).astype(np.float32),
        faces=faces[:, :3],
        uv=np.stack([uv[..., 0], 1 - uv[..., 1]], axis=-1).astype(np.float32),
        skins=tuple(_text(s) for s in table(data, skin_at, skin_count, "S64", "skins")),
    )


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("latin-1")
