"""Pictures of meshes: every face where a ray meets it, coloured and lit as it should be."""

from __future__ import annotations

import numpy as np
import pytest
from small_files import BOX_FACES
from small_files import box as unit_box

from clip3d.clouds.mesh import Mesh, Texture
from clip3d.errors import ShapeError
from clip3d.render.creases import corner_normals
from clip3d.render.depth import camera_rotation
from clip3d.render.raster import _project as project
from clip3d.render.raster import _visible as visible
from clip3d.render.raster import draw_surface, surface_of

Z_UP = np.eye(3, dtype=np.float32)


def soup(faces: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.uniform(-0.5, 0.5, (faces, 1, 3)) + rng.uniform(-0.3, 0.3, (faces, 3, 3))).astype(np.float32)


def mesh_of(corners: np.ndarray, **color: object) -> Mesh:
    return Mesh(corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3), **color)


def box(low: tuple[float, ...], high: tuple[float, ...], **color: object) -> Mesh:
    corners = np.array(unit_box(1, 1, 1)) * (np.array(high) - low) + low
    return Mesh(corners.astype(np.float32), np.array(BOX_FACES), **color)


def slow_faces(flat: np.ndarray, inverse: np.ndarray, side: int) -> np.ndarray:
    """The nearest face of each pixel, asking every face about every pixel."""
    best, face = np.zeros((side, side)), np.full((side, side), -1)
    rows, columns = np.mgrid[:side, :side] + 0.5
    for number, ((a, b, c), depth) in enumerate(zip(flat.astype(float), inverse.astype(float), strict=True)):
        area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        v = ((columns - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (rows - a[1])) / area
        w = ((b[0] - a[0]) * (rows - a[1]) - (columns - a[0]) * (b[1] - a[1])) / area
        near = (1 - v - w) * depth[0] + v * depth[1] + w * depth[2]
        wins = (v >= 0) & (w >= 0) & (v + w <= 1) & (near > best)
        best[wins], face[wins] = near[wins], number
    return face


def test_every_pixel_shows_the_face_that_is_nearest_there() -> None:
    corners = soup(60)
    camera = camera_rotation(35, 20).astype(np.float32)
    flat, inverse = project(corners @ camera.T, 96)
    face, front = visible(flat, inverse, 96)
    wanted = slow_faces(flat, inverse, 96).reshape(-1)
    assert (wanted >= 0).mean() > 0.2
    assert (face != wanted).mean() < 0.002  # but for pixels whose centre lies on an edge
    assert np.array_equal(np.isfinite(front), face >= 0)


def test_many_faces_in_portions_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    flat, inverse = project(soup(500, 1) @ camera_rotation(10, 10).astype(np.float32).T, 80)
    whole = visible(flat, inverse, 80)
    monkeypatch.setattr("clip3d.render.raster.FRAGMENTS", 500)
    for one, two in zip(whole, visible(flat, inverse, 80), strict=True):
        np.testing.assert_array_equal(one, two)


def test_convention_z_is_up_and_y_lies_to_the_right_of_an_eye_on_x() -> None:
    red = np.tile(np.float32([1, 0, 0]), (12, 1))
    blue = np.tile(np.float32([0, 0, 1]), (12, 1))
    above = box((0, 0, 1), (0.2, 0.2, 1.2), face_colors=red)
    right = box((0, 1, 0), (0.2, 1.2, 0.2), face_colors=blue)
    picture = draw_surface(surface_of([above, right], Z_UP), (0, 0), size=64).astype(int)
    first = np.argwhere(picture[..., 0] > picture[..., 2] + 60).mean(axis=0)
    second = np.argwhere(picture[..., 2] > picture[..., 0] + 60).mean(axis=0)
    assert first[0] < second[0]
    assert first[1] < second[1]


def test_other_axes_may_point_up() -> None:
    from clip3d.clouds.cloud import Z_UP_FROM

    upright = box((0, 0, 0), (1, 2, 4))
    lying = Mesh(upright.vertices @ Z_UP_FROM["y"], upright.faces)
    one = draw_surface(surface_of([upright], Z_UP), (30, 15), size=48)
    two = draw_surface(surface_of([lying], Z_UP_FROM["y"]), (30, 15), size=48)
    np.testing.assert_allclose(one, two, atol=2)


def test_textures_stand_the_right_way_up() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    image[:4] = (0, 255, 0)  # the upper half of the picture
    image[4:] = (255, 0, 0)
    wall = np.float32([[[0, 0, 0], [0, 1, 0], [0, 1, 1]], [[0, 0, 0], [0, 1, 1], [0, 0, 1]]])
    uv = np.float32([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]])
    surface = surface_of([mesh_of(wall, texture=Texture(image, uv))], Z_UP)
    picture = draw_surface(surface, (0, 0), size=64).astype(int)
    assert picture[16, 32, 1] > picture[16, 32, 0] + 100
    assert picture[48, 32, 0] > picture[48, 32, 1] + 100


def test_fine_textures_do_not_sparkle() -> None:
    image = np.zeros((1024, 1024, 3), np.uint8)
    image[::2] = 255
    wall = np.float32([[[0, 0, 0], [0, 1, 0], [0, 1, 1]], [[0, 0, 0], [0, 1, 1], [0, 0, 1]]])
    uv = np.float32([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]])
    picture = draw_surface(surface_of([mesh_of(wall, texture=Texture(image, uv))], Z_UP, size=64), (0, 0), size=64)
    assert np.ptp(picture[20:44, 20:44].astype(int)) < 12


def test_what_is_black_shows_its_form_and_what_has_no_colour_is_clay() -> None:
    black = box((0, 0, 0), (1, 1, 1), face_colors=np.zeros((12, 3), np.float32))
    dark = draw_surface(surface_of([black], Z_UP), (30, 30), size=32).astype(int)
    body = dark[dark.max(axis=2) < 100]
    assert len(np.unique(body[:, 0])) > 2
    clay = draw_surface(surface_of([box((0, 0, 0), (1, 1, 1))], Z_UP), (30, 30), size=32).astype(int)
    seen = clay[clay.min(axis=2) < 240]
    assert (seen[:, 2] > seen[:, 0]).all()


def test_the_edge_is_smooth_and_the_object_fills_the_frame() -> None:
    picture = draw_surface(surface_of([box((0, 0, 0), (3, 3, 3))], Z_UP), (30, 30), size=64)
    rows, columns = np.nonzero((picture < 250).any(axis=2))
    assert max(np.ptp(rows), np.ptp(columns)) > 52
    assert picture[0, 0].tolist() == [255, 255, 255]
    assert len(np.unique(picture[..., 0])) > 10


def test_normals_are_smooth_over_a_ball_and_broken_at_the_edges_of_a_box() -> None:
    angle = np.radians(np.arange(0, 361, 15))
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=1)
    low, high = ring * 0.7 + [0, 0, -0.5], ring * 0.7 + [0, 0, 0.5]
    tube = [[low[i], low[i + 1], high[i]] for i in range(24)]
    tube += [[high[i], low[i + 1], high[i + 1]] for i in range(24)]
    normals = corner_normals(np.float32(tube))
    outward = np.float32(tube) * [1, 1, 0] / 0.7
    assert (np.abs((normals * outward).sum(axis=2)) > 0.999).all()
    cube = box((-0.5, -0.5, -0.5), (0.5, 0.5, 0.5))
    flat = np.abs(corner_normals(cube.corners()))
    np.testing.assert_allclose(np.sort(flat, axis=2), np.broadcast_to([0, 0, 1], flat.shape), atol=1e-6)


def test_faces_that_are_wound_the_other_way_do_not_cancel() -> None:
    square = np.float32([[[0, 0, 0], [1, 0, 0], [1, 1, 0]], [[0, 0, 0], [0, 1, 0], [1, 1, 0]]])
    normals = corner_normals(square)
    np.testing.assert_allclose(np.abs(normals[..., 2]), 1, atol=1e-6)


def test_meshes_without_extent_are_refused() -> None:
    with pytest.raises(ShapeError, match="no face"):
        surface_of([Mesh(np.zeros((3, 3), np.float32), np.zeros((0, 3), np.intp))], Z_UP)
    with pytest.raises(ShapeError, match="no extent"):
        surface_of([Mesh(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]]))], Z_UP)


def test_faces_without_an_area_are_harmless() -> None:
    corners = np.concatenate([soup(5), np.repeat(soup(3, 2)[:, :1], 3, axis=1)])
    picture = draw_surface(surface_of([mesh_of(corners)], Z_UP), (0, 90), size=32)
    assert (picture < 250).any()
