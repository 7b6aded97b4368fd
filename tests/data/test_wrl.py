"""VRML files as KiCad's parts are written, whole and damaged."""

import numpy as np
import pytest
from model_files import wrl

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.wrl import read_wrl


def test_a_shape_has_its_triangles_and_the_colour_of_its_own_material() -> None:
    (mesh,) = read_wrl(wrl() + b"Shape { appearance Appearance{material DEF X Material {diffuseColor 0 0 1}}}")
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3]]
    np.testing.assert_allclose(mesh.face_colors, [[1, 0.5, 0]] * 2)


def test_an_unknown_material_is_grey_and_the_last_end_mark_may_be_left_out() -> None:
    (mesh,) = read_wrl(wrl("0,1,2,-1,0,2,3", name="ELSE"))
    np.testing.assert_allclose(mesh.face_colors, np.full((2, 3), 0.5))


@pytest.mark.parametrize(
    "data",
    [
        b"#VRML V1.0 ascii",
        wrl("0,1,2,3,-1"),
        wrl("0,1,9,-1"),
        wrl("0,1,-5,-1"),
        wrl("0,1,nan,-1"),
        wrl("zero,1,2,-1"),
        wrl().replace(b"0 0 1]", b"0 0]"),
        wrl().replace(b"0 0 1]", b"0 0 inf]"),
        wrl().replace(b"1.0 0.5 0.0", b"1.0 red 0.0"),
    ],
)
def test_a_hostile_file_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_wrl(data)
