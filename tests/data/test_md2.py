"""MD2 files, whole and damaged."""

import numpy as np
import pytest
from model_files import md2

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.md2 import read_md2


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
