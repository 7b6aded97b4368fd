"""G3D files that are written here."""

import struct

import numpy as np
import pytest

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.g3d import read_g3d

FIRST = ((0, 0, 0), (1, 0, 0), (0, 2, 0))


def g3d(
    *,
    meshes: int = 1,
    frames: int = 2,
    vertices: int = 3,
    indices: int = 3,
    corner: int = 2,
    picture: bytes = b"skin.png",
    team: bool = False,
    first: tuple[tuple[float, float, float], ...] = FIRST,
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


def test_the_first_frame_is_read_with_its_picture() -> None:
    (mesh,) = read_g3d(g3d(picture=b"..\\other/skin.png"))
    np.testing.assert_allclose(mesh.vertices, FIRST)
    assert mesh.faces.tolist() == [[0, 1, 2]]
    np.testing.assert_allclose(mesh.uv, [[[0, 0], [1, 0], [0, 1]]])
    assert (mesh.picture, mesh.team_colored) == ("skin.png", False)


def test_a_mesh_without_a_picture_has_a_colour() -> None:
    (mesh,) = read_g3d(g3d(picture=b"", team=True))
    np.testing.assert_allclose(mesh.color, [1, 0.5, 0])
    assert (mesh.picture, mesh.team_colored) == ("", True)


def test_several_meshes_follow_each_other() -> None:
    second = g3d()[7:]
    assert len(read_g3d(g3d(meshes=2) + second)) == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        g3d()[:100],
        g3d()[:-1],
        g3d(magic=b"G3D\x03"),
        g3d(meshes=2),
        g3d(frames=0),
        g3d(frames=2**32 - 1),
        g3d(vertices=2**32 - 1),
        g3d(vertices=2),
        g3d(indices=2**31),
        g3d(corner=3),
        g3d(first=((0, 0, float("inf")), *FIRST[1:])),
    ],
)
def test_a_hostile_file_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_g3d(data)
