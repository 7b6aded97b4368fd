"""PMD files that are written here."""

import struct

import numpy as np
import pytest

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.pmd import read_pmd

TRIANGLE = ((0, 0, 0), (4, 0, 0), (0, 0, 8))
HALF_TURN_ABOUT_Y = (0.0, 1.0, 0.0, 0.0)
STILL = (0.0, 0.0, 0.0, 1.0)


def pmd(
    *,
    corners: tuple[tuple[float, float, float], ...] = TRIANGLE,
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


def test_a_mesh_is_read_with_its_texture_coordinates() -> None:
    mesh = read_pmd(pmd(uv_sets=2))
    np.testing.assert_allclose(mesh.vertices, TRIANGLE)
    assert mesh.faces.tolist() == [[0, 1, 2]]
    np.testing.assert_allclose(mesh.uv, [[[0, 0], [1, 0], [0, 1]]])


def test_convention_a_place_on_a_bone_moves_with_the_bone() -> None:
    on_bone = read_pmd(pmd()).prop_points["hand"]
    np.testing.assert_allclose(on_bone[:3, 3], [-1, 5, 0], atol=1e-12)
    np.testing.assert_allclose(on_bone[:3, :3], np.diag([-1, 1, -1]), atol=1e-12)
    np.testing.assert_allclose(read_pmd(pmd(bone=255)).prop_points["hand"][:3, 3], [1, 0, 0])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PSMD",
        pmd()[:60],
        pmd()[:-20],
        b"PSMX" + pmd()[4:],
        pmd(version=3),
        pmd(vertices=2**32 - 1),
        pmd(vertices=2),
        pmd(faces=2**31),
        pmd(corner=3),
        pmd(uv_sets=9),
        pmd(bone=1),
        pmd(name=2**32 - 1),
        pmd(corners=((0, 0, float("nan")), *TRIANGLE[1:])),
    ],
)
def test_a_hostile_file_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_pmd(data)
