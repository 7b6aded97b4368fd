from __future__ import annotations

import numpy as np
import pytest

from clip3d.clouds.mesh import Mesh, Texture, sample_surface
from clip3d.errors import ShapeError

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=np.float32)
HALVES = np.array([[0, 1, 2], [0, 2, 3]])


def test_meshes_get_their_share_by_area() -> None:
    meshes = [Mesh(SQUARE, HALVES), Mesh(SQUARE * 2 + np.float32([10, 0, 0]), HALVES), Mesh(SQUARE * 0, HALVES)]
    points = sample_surface(meshes, 5000).points
    assert (points[:, 0] > 5).sum() == pytest.approx(4000, abs=1)
    assert np.allclose(points[points[:, 0] < 5].mean(0), (0.5, 0.5, 0), atol=0.03)


def test_no_face_of_fair_size_is_missed() -> None:
    corners = np.concatenate([SQUARE[:3] + np.float32([2 * i, 0, 0]) for i in range(100)])
    points = sample_surface([Mesh(corners, np.arange(300).reshape(-1, 3))], 200).points
    assert set((points[:, 0] // 2).astype(int)) == set(range(100))


def test_huge_and_tiny_triangles_have_areas() -> None:
    for scale in (1e30, 1e-30):
        sample = sample_surface([Mesh((SQUARE * np.float64(scale)).astype(np.float32), HALVES)], 100)
        assert np.isfinite(sample.points).all()
        assert np.allclose(sample.normals, (0, 0, 1))


def test_colours_of_each_mesh_and_grey_for_those_without() -> None:
    away = np.float32([10, 0, 0])
    red = np.tile(np.float32([1, 0, 0]), (2, 1))
    picture = np.array([[[0, 255, 0], [0, 255, 0]], [[0, 0, 255], [0, 0, 255]]], dtype=np.uint8)
    meshes = [
        Mesh(SQUARE, HALVES, face_colors=red),
        Mesh(SQUARE + away, HALVES),
        Mesh(SQUARE + 2 * away, HALVES, texture=Texture(picture, SQUARE[HALVES][..., :2])),
    ]
    sample = sample_surface(meshes, 900)
    assert sample.colors is not None
    x, y = sample.points[:, 0], sample.points[:, 1]
    assert np.allclose(sample.colors[x < 5], (1, 0, 0))
    assert np.allclose(sample.colors[(x > 5) & (x < 15)], 0.5)
    assert np.allclose(sample.colors[(x > 15) & (y > 0.51)], (0, 1, 0))
    assert np.allclose(sample.colors[(x > 15) & (y < 0.49)], (0, 0, 1))
    assert sample_surface(meshes[1:2], 5).colors is None


def test_no_area_is_an_error() -> None:
    for meshes in ([], [Mesh(SQUARE * 0, HALVES)], [Mesh(SQUARE, HALVES[:0])]):
        with pytest.raises(ShapeError, match="no area"):
            sample_surface(meshes, 5)


def test_faces_must_name_vertices() -> None:
    for index in (4, -1):
        with pytest.raises(ShapeError, match="names vertex"):
            Mesh(SQUARE, np.array([[0, 1, index]]))
