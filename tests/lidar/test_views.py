"""Crops of pictures with the frusta behind them."""

from __future__ import annotations

import numpy as np
import pytest
from driving_logs import camera, sweep
from PIL import Image

from clip3d.errors import ShapeError
from clip3d.lidar.camera import Camera
from clip3d.lidar.frame import Frame, Picture
from clip3d.lidar.frustum import frustum, square_tiles
from clip3d.lidar.views import views

LENS = (-0.1, 0.01, 0.0, 0.0)


def coordinates(width: int, height: int) -> Image.Image:
    """A picture whose red is the column and whose green is the row, each divided by the picture's side."""
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    table = np.stack([columns * 255 / width, rows * 255 / height, np.zeros_like(rows)], axis=2)
    return Image.fromarray(table.round().astype(np.uint8))


def frame(seen: Camera, image: Image.Image | None = None) -> Frame:
    image = image or coordinates(seen.width, seen.height)
    return Frame("a", 0.0, lambda: sweep(1, n=20_000), {seen.name: Picture(seen, 0.0, lambda: image)})


def test_the_central_square_is_cropped_from_both() -> None:
    (view,) = views(frame(camera()))
    assert view.region == (16, 0, 80, 64)
    assert view.image.size == (64, 64)
    red = np.asarray(view.image, float)[..., 0]
    assert red[0, [0, -1]] == pytest.approx([16 * 255 / 96, 79 * 255 / 96], abs=1)
    assert np.array_equal(view.frustum.points, frustum(sweep(1, n=20_000), camera()).points)


def test_tiles_cover_the_picture_and_together_keep_all_that_it_shows() -> None:
    wide = Camera("front", 310, 93, np.array([[180, 0, 155], [0, 180, 46], [0, 0, 1]]), camera().camera_from_lidar)
    parts, (whole,) = list(views(frame(wide), tiling="tiles")), views(frame(wide), tiling="whole")
    assert [part.tile for part in parts] == [0, 1, 2, 3]
    assert [part.region[0] for part in parts] == [0, 72, 145, 217]
    assert all(part.image.size == (93, 93) for part in parts)
    found = np.unique(np.concatenate([part.frustum.index for part in parts]))
    assert np.array_equal(found, np.sort(whole.frustum.index))


@pytest.mark.parametrize(
    ("size", "count"), [((1242, 375), 4), ((1600, 900), 2), ((1920, 1020), 2), ((100, 95), 1), ((90, 200), 3)]
)
def test_tiles_are_squares_that_leave_no_column_out(size: tuple[int, int], count: int) -> None:
    tiles = square_tiles(*size)
    assert len(tiles) == count
    seen = np.zeros(size, bool)
    for left, top, right, bottom in tiles:
        assert right - left == bottom - top == min(size)
        seen[int(left) : int(right), int(top) : int(bottom)] = True
    assert seen.all() or count == 1


def test_a_tiles_frustum_faces_its_middle_and_its_motion_still_brings_points_there() -> None:
    wide = Camera("front", 310, 93, np.array([[180, 0, 155], [0, 180, 46], [0, 0, 1]]), camera().camera_from_lidar)
    points = sweep(1, n=20_000)
    for part in views(frame(wide), points, tiling="tiles"):
        seen = part.frustum
        motion = seen.frustum_from_lidar
        brought = points.points[seen.index] @ motion[:3, :3].T + motion[:3, 3]
        assert np.allclose(brought, seen.points[:, :3], atol=1e-4)
        angles = np.degrees(np.arctan2(seen.points[:, 1], seen.points[:, 0]))
        assert abs(angles.min() + angles.max()) < 4
        assert np.allclose(motion[2, :3] @ np.linalg.inv(wide.camera_from_lidar[:3, :3])[:, 1], -1)  # z stays up


def test_the_whole_picture_is_filled_up_to_a_square() -> None:
    (view,) = views(frame(camera()), tiling="whole")
    image = np.asarray(view.image)
    assert image.shape == (96, 96, 3)
    assert (image[0, 0] == (122, 116, 104)).all()
    assert (image[16:80, :, 2] == 0).all()


def test_of_a_distorted_picture_crop_and_points_are_those_of_the_undistorted_one() -> None:
    bent = camera(distortion=LENS)
    (view,) = views(frame(bent))
    assert not view.camera.distortion
    assert view.image.size == (64, 64)
    assert not np.allclose(view.camera.intrinsics, bent.intrinsics)
    with pytest.raises(ShapeError, match="is distorted"):
        frustum(sweep(), bent)


def test_nothing_is_read_where_nothing_is_asked_for() -> None:
    def no() -> Image.Image:
        raise AssertionError

    lonely = Frame("a", 0.0, no, {})
    assert list(views(lonely)) == []
    pictured = Frame("a", 0.0, sweep, {"front": Picture(camera(), 0.0, no)})
    assert list(views(pictured, cameras=["rear"])) == []
    assert len(list(views(pictured))) == 1
    with pytest.raises(ShapeError, match="square, tiles, whole"):
        list(views(pictured, tiling="both"))
