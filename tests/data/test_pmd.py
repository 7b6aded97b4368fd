"""PMD files, whole and damaged."""

import numpy as np
import pytest
from model_files import PMD_TRIANGLE, pmd

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.pmd import read_pmd


def test_a_mesh_is_read_with_its_texture_coordinates() -> None:
    mesh = read_pmd(pmd(uv_sets=2))
    np.testing.assert_allclose(mesh.vertices, PMD_TRIANGLE)
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
        pmd(corners=((0, 0, float("nan")), *PMD_TRIANGLE[1:])),
    ],
)
def test_a_hostile_file_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_pmd(data)
