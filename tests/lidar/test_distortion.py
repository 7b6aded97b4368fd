"""Lens distortion against OpenCV's numbers, and against the formula itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import map_coordinates

from clip3d.errors import ShapeError
from clip3d.lidar.camera import Camera
from clip3d.lidar.distortion import distort, stored_pixels, undistort, undistorted_camera, undistorted_picture


def camera(focal: tuple[float, float], middle: tuple[float, float], lens: tuple[float, ...], size: tuple[int, int]):
    intrinsics = np.array([[focal[0], 0, middle[0]], [0, focal[1], middle[1]], [0, 0, 1]])
    return Camera("front", *size, intrinsics, np.eye(4), lens)


WIDE = camera((1400.3, 1401.1), (962.7, 531.4), (-0.3283, 0.1156, 0.0004, -0.0006, -0.0191), (1920, 1020))
RATIONAL = camera((800, 805), (640, 350), (0.12, -0.05, 0.001, -0.0005, 0.003, 0.25, -0.02, 0.001), (1280, 720))
FOUR = camera((500, 510), (310, 250), (0.08, -0.02, -0.001, 0.002), (640, 480))
CORNERS = {name: [(0, 0), (w - 1, 0), (w // 3, h // 2), (w - 1, h - 1), (w // 2, h // 4)]
           for name, w, h in (("wide", 1920, 1020), ("rational", 1280, 720), ("four", 640, 480))}  # fmt: skip


# Of OpenCV 5.0: getOptimalNewCameraMatrix with alpha 0, and initUndistortRectifyMap with that matrix.
GOLDEN = {
    "wide": (
        (1150.1253547, 1337.2126569, 961.6846508, 533.8282691),
        [(34.71, 88.9184), (1883.9802, 89.4233), (580.6747, 507.0956), (1890.3617, 936.7614), (960.6415, 243.4298)],
    ),
    "rational": (
        (718.546855, 783.0357361, 638.9214803, 349.9762265),
        [(18.6931, 36.7467), (1260.1094, 37.5207), (405.5373, 360.2614), (1259.3835, 680.7651),
         (641.1741, 176.4395)],
    ),
    "four": (
        (520.8935541, 532.1402218, 311.6411608, 249.2942324),
        [(0.0486, 1.688), (638.9999, 0.0), (215.1485, 241.0549), (637.8172, 478.9654), (318.1248, 125.4077)],
    ),
}
CAMERAS = {"wide": WIDE, "rational": RATIONAL, "four": FOUR}


# OpenCV stops after five steps of its inversion, which for a strong lens leaves a pixel of error in the matrix.
@pytest.mark.parametrize(("name", "tolerance"), [("wide", 0.8), ("rational", 0.05), ("four", 1e-4)])
def test_the_matrix_of_the_undistorted_picture_is_opencvs(name: str, tolerance: float) -> None:
    ideal = undistorted_camera(CAMERAS[name])
    assert np.allclose(ideal.intrinsics[[0, 1, 0, 1], [0, 1, 2, 2]], GOLDEN[name][0], atol=tolerance)
    assert ideal.distortion == ()


@pytest.mark.parametrize("name", GOLDEN)
def test_its_pixels_come_from_where_opencv_takes_them(name: str) -> None:
    seen, ((focal_x, focal_y, middle_x, middle_y), stored) = CAMERAS[name], GOLDEN[name]
    ideal = camera((focal_x, focal_y), (middle_x, middle_y), (), (seen.width, seen.height))
    assert np.allclose(stored_pixels(np.array(CORNERS[name], float), seen, ideal), stored, atol=2e-4)


@pytest.mark.parametrize("seen", [WIDE, RATIONAL, FOUR])
def test_every_pixel_of_it_was_seen_and_the_edges_are_reached(seen: Camera) -> None:
    width, height = seen.width, seen.height
    edge = [(x, y) for x in np.linspace(0, width - 1, 33) for y in (0, height - 1)]
    edge += [(x, y) for x in (0, width - 1) for y in np.linspace(0, height - 1, 33)]
    stored = stored_pixels(np.array(edge, float), seen, undistorted_camera(seen))
    assert stored.min() > -1
    assert (stored < [width, height]).all()
    assert min(stored[:, 0].min(), stored[:, 1].min()) < 1


@pytest.mark.parametrize("seen", [WIDE, RATIONAL, FOUR])
def test_a_picture_is_sampled_where_the_formula_says(seen: Camera) -> None:
    width, height = seen.width, seen.height
    small = np.random.default_rng(0).integers(0, 256, (height // 30, width // 30, 3)).astype(np.uint8)
    picture = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    region = (width // 4, height // 5, 3 * width // 4, height)
    found = np.asarray(undistorted_picture(picture, seen, region), float)
    columns, rows = np.meshgrid(np.arange(region[0], region[2]), np.arange(region[1], region[3]))
    pixels = np.stack([columns.reshape(-1), rows.reshape(-1)], 1).astype(float)
    x, y = stored_pixels(pixels, seen, undistorted_camera(seen)).T
    green = np.asarray(picture, float)[..., 1]
    expected = map_coordinates(green, [y, x], order=1, mode="nearest").reshape(columns.shape)
    assert np.abs(found[..., 1] - expected).mean() < 0.7
    assert np.abs(found[1:-1, 1:-1, 1] - expected[1:-1, 1:-1]).max() <= 3


def test_points_fall_on_what_they_belong_to() -> None:
    """A white spot that a distorting camera sees at a point's place lies, undistorted, where the point projects."""
    point = np.array([[0.35, -0.2, 1.0]]) * 7
    bent = distort(point[:, :2] / point[:, 2:], WIDE.distortion) @ WIDE.intrinsics[:2, :2].T
    bent += WIDE.intrinsics[:2, 2]
    stored = np.zeros((1020, 1920, 3), np.uint8)
    column, row = bent[0].round().astype(int)
    stored[row - 2 : row + 3, column - 2 : column + 3] = 255
    found = np.asarray(undistorted_picture(Image.fromarray(stored), WIDE), float)[..., 1]
    rows, columns = np.nonzero(found > 128)
    expected = undistorted_camera(WIDE).project(point)[0]
    assert np.abs([columns.mean(), rows.mean()] - expected).max() < 1


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-0.7, 0.7), st.floats(-0.5, 0.5)), min_size=1, max_size=8),
    st.floats(-0.25, 0.25),
    st.floats(-0.05, 0.05),
    st.floats(-0.003, 0.003),
)
def test_undistorting_undoes_distorting(rays: list[tuple[float, float]], k1: float, k2: float, p: float) -> None:
    rays_in = np.array(rays)
    assert np.allclose(undistort(distort(rays_in, (k1, k2, p, -p)), (k1, k2, p, -p)), rays_in, atol=1e-8)


def test_a_lens_that_folds_all_of_its_picture_is_refused_and_a_rectified_one_is_left_as_it_is() -> None:
    folded = camera((951, 950), (960, 510), (-0.33, 0.11, 0, 0, -0.02), (1920, 1020))
    with pytest.raises(ShapeError, match="no rectangle"):
        undistorted_camera(folded)
    plain = camera((951, 950), (960, 510), (), (1920, 1020))
    assert undistorted_camera(plain) is plain
