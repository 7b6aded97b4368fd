"""G3D files, whole and damaged."""

import numpy as np
import pytest
from model_files import G3D_FIRST, g3d

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.g3d import read_g3d


def test_the_first_frame_is_read_with_its_picture() -> None:
    (mesh,) = read_g3d(g3d(picture=b"..\\other/skin.png"))
    np.testing.assert_allclose(mesh.vertices, G3D_FIRST)
    assert mesh.faces.tolist() == [[0, 1, 2]]
    np.testing.assert_allclose(mesh.uv, [[[0, 0], [1, 0], [0, 1]]])
    assert (mesh.picture, mesh.team_colored) == ("skin.png", False)
    assert read_g3d(g3d(picture=b"skin.png\0left over"))[0].picture == "skin.png"


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
        g3d(first=((0, 0, float("inf")), *G3D_FIRST[1:])),
    ],
)
def test_a_hostile_file_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_g3d(data)
