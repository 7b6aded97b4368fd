"""Leaves and fences: pictures with holes on flat cards."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.mesh import Mesh
from clip3d.data.cutouts import read_skin, sample_opaque, skinned

CARD = Mesh(
    np.array([[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]], np.float32), np.array([[0, 1, 2], [0, 2, 3]], np.intp)
)
UV = CARD.vertices[CARD.faces][..., [0, 2]]


def picture(left_alpha: int, mode: str = "RGBA") -> bytes:
    """Red on the left and green on the right half, the left of some opacity."""
    image = Image.new("RGBA", (8, 8), (0, 255, 0, 255))
    image.paste((255, 0, 0, left_alpha), (0, 0, 4, 8))
    out = io.BytesIO()
    image.convert(mode).save(out, "PNG")
    return out.getvalue()


def test_points_lie_only_where_the_picture_is_opaque() -> None:
    cloud = sample_opaque([skinned(CARD, UV, read_skin(picture(0)))], 500, up="z")
    assert len(cloud) == 500
    assert cloud.points[:, 0].min() >= 0.5
    np.testing.assert_allclose(cloud.colors, np.tile([0, 1, 0], (500, 1)))


@pytest.mark.parametrize("data", [picture(255), picture(0, "RGB")])
def test_an_opaque_picture_covers_the_whole_card(data: bytes) -> None:
    cloud = sample_opaque([skinned(CARD, UV, read_skin(data))], 500, up="z")
    assert cloud.points[:, 0].min() < 0.1
    assert {tuple(c) for c in cloud.colors.tolist()} == {(1, 0, 0), (0, 1, 0)}


def test_a_picture_that_is_clear_all_over_means_something_else_by_its_alpha() -> None:
    clear = io.BytesIO()
    Image.new("RGBA", (8, 8), (9, 9, 9, 0)).save(clear, "PNG")
    assert len(sample_opaque([skinned(CARD, UV, read_skin(clear.getvalue()))], 100, up="z")) == 100


def test_a_mesh_without_a_skin_is_opaque_beside_one_with_holes() -> None:
    other = Mesh(CARD.vertices + 5, CARD.faces)
    cloud = sample_opaque([skinned(CARD, UV, read_skin(picture(0))), skinned(other, UV, None)], 300, up="y")
    assert 0.5 < (cloud.points[:, 0] > 4).mean() < 0.8


# The first is a DDS of a form that nobody knows, for which Pillow raises NotImplementedError; Pillow would hand the
# second to another program.
ODD_DDS = struct.pack("<4s7I44x2I4s104x", b"DDS ", 124, 0x1007, 4, 4, 0, 0, 0, 32, 4, b"ABCD")
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"


@pytest.mark.parametrize("data", [ODD_DDS, EPS, b"", b"GIF89a", picture(0)[:60]])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed, match="cannot be read") as raised:
        read_skin(data)
    assert "Ghostscript" not in str(raised.value)
