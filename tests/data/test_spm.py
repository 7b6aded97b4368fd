"""SPM files, whole and damaged."""

import numpy as np
import pytest
from model_files import spm

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.spm import read_spm


@pytest.mark.parametrize("kind", [9, 10])
def test_a_static_and_an_animated_file_have_their_parts(kind: int) -> None:
    (part,) = read_spm(spm(kind=kind))
    assert part.faces.tolist() == [[0, 1, 2]]
    assert part.picture == "a.png"
    np.testing.assert_allclose(part.colors, [[1, 1, 1], [1, 0, 0], [1, 1, 1]])


def test_convention_the_third_axis_is_turned_round_and_v_grows_upwards() -> None:
    (part,) = read_spm(spm())
    np.testing.assert_allclose(part.vertices, [[0, 0, 0], [1, -1, 0], [0, -1, -1]])
    assert part.uv is not None
    np.testing.assert_allclose(part.uv[0], [[1, 1], [0, 0], [0, 1]])


def test_a_part_without_a_picture_has_no_texture_coordinates() -> None:
    assert read_spm(spm(picture=b""))[0].uv is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK" + spm()[2:],
        spm()[:-1],
        spm()[:40],
        spm(corner=3),
        spm(material=1),
        spm(vertices=2**32 - 1),
        spm(indices=2**32 - 1),
        spm(indices=4),
        spm(vertices=100),
    ],
)
def test_a_hostile_file_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_spm(data)
