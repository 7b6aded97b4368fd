"""MJCF bodies joined from parts, made here."""

import numpy as np
import pytest
from model_files import stl

from clip3d.clouds.formats.contents import Malformed
from clip3d.data.mjcf import Definitions, read_mjcf

ASSETS = b"""<mujocoinclude><asset>
  <mesh file="part.stl" name="part" scale="2 1 1"/>
  <material name="red" rgba="1 0 0 1"/>
</asset></mujocoinclude>"""


def read(body: str, assets: bytes = ASSETS) -> np.ndarray:
    meshes = read_mjcf(f"<mujocoinclude>{body}</mujocoinclude>".encode(), Definitions(assets, stl))
    return np.concatenate([mesh.vertices for mesh in meshes])


def test_a_mesh_is_scaled_turned_and_moved_by_its_bodies() -> None:
    body = """<body pos="0 0 5"><body pos="1 0 0" euler="0 0 1.5707963267948966">
        <geom mesh="part" material="red" pos="0 0 1"/></body></body>"""
    np.testing.assert_allclose(read(body), [[1, 0, 6], [1, 2, 6], [0, 0, 6]], atol=1e-6)


def test_convention_euler_angles_turn_about_axes_as_turned_so_far_and_agree_with_quaternions() -> None:
    turns = '<body euler="1.5707963267948966 1.5707963267948966 0"><geom mesh="part"/></body>'
    quat = '<body quat="0.5 0.5 0.5 0.5"><geom mesh="part"/></body>'
    np.testing.assert_allclose(read(turns), read(quat), atol=1e-6)
    np.testing.assert_allclose(read(turns)[1], [0, 2, 0], atol=1e-6)


def test_solids_have_half_sizes_and_collision_shapes_are_left_out() -> None:
    body = """<body><geom type="box" size="1 2 3" rgba="0 1 0 1"/>
        <geom class="some_col" type="sphere" size="9"/></body>"""
    np.testing.assert_allclose(read(body).min(axis=0), [-1, -2, -3])
    np.testing.assert_allclose(read(body).max(axis=0), [1, 2, 3])
    for kind in ("cylinder", "capsule"):
        points = read(f'<body><geom type="{kind}" size="0.5 2"/></body>')
        assert points[:, 2].max() == pytest.approx(-points[:, 2].min())
        assert points[:, 2].max() >= 2


@pytest.mark.parametrize(
    "body",
    [
        '<body><geom mesh="none"/></body>',
        '<body><geom mesh="part" material="none"/></body>',
        '<body><geom mesh="part" pos="0 0"/></body>',
        '<body><geom type="sphere" size=" "/></body>',
        '<body><geom mesh="part" pos="0 0 nan"/></body>',
        '<body><geom mesh="part" pos="0 0 x"/></body>',
        '<body><geom type="mesh"/></body>',
        "<body>" * 60 + '<geom type="sphere"/>' + "</body>" * 60,
        "<body>",
    ],
)
def test_a_hostile_file_is_refused(body: str) -> None:
    with pytest.raises(Malformed):
        read(body)
