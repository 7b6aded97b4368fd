"""MD2 files that are written here."""

import struct

import numpy as np
import pytest

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.md2 import read_md2


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


def test_the_first_frame_is_unpacked_with_its_skin() -> None:
    model = read_md2(md2())
    np.testing.assert_allclose(model.vertices, [[0, 0, 0], [10, 0, 0], [0, 0, 20]])
    assert model.faces.tolist() == [[0, 1, 2]]
    assert model.skins == (".skin",)


def test_convention_texture_rows_count_downwards_and_v_upwards() -> None:
    np.testing.assert_allclose(read_md2(md2()).uv[0], [[0, 1], [1, 1], [0, 0]])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        md2()[:100],
        md2(magic=b"IDPO"),
        md2(vertices=2**30),
        md2(vertices=-1),
        md2(faces=10**6),
        md2(skins=10**6),
        md2(corner=3),
    ],
)
def test_a_hostile_file_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_md2(data)
