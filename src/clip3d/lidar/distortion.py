"""Lens distortion: pictures as a pinhole would have taken them, by the very matrix that projects the points.

The model is Brown's (1966) with the rational radial term, in OpenCV's order of coefficients; the matrix of the
undistorted picture is OpenCV's `getOptimalNewCameraMatrix` with alpha 0, which LidarCLIP's loader uses: the largest
picture in which every pixel was seen.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError
from clip3d.lidar.camera import Camera

if TYPE_CHECKING:
    from PIL.Image import Image

Array = NDArray[np.float64]
Region = tuple[float, float, float, float]
# Points along each side of the grid by which OpenCV measures a picture.
GRID = 9
MAX_STEPS = 50
PRECISION = 1e-12
# Pixels between the places where the lens is followed exactly; in between a bilinear form errs by under .1 pixel.
CELL = 16


def distort(rays: Array, coefficients: tuple[float, ...]) -> Array:
    """Where the lens puts rays: (n, 2) x / z and y / z in camera coordinates, before and after.

    Args:
        rays: of an ideal pinhole.
        coefficients: k1, k2, p1, p2[, k3[, k4, k5, k6]].
    """
    k1, k2, p1, p2, k3, k4, k5, k6 = (*coefficients, *[0.0] * (8 - len(coefficients)))
    x, y = rays[:, 0], rays[:, 1]
    square = x * x + y * y
    radial = (1 + square * (k1 + square * (k2 + square * k3))) / (1 + square * (k4 + square * (k5 + square * k6)))
    return np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x),
            y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y,
        ],
        axis=1,
    )


def undistort(rays: Array, coefficients: tuple[float, ...]) -> Array:
    """The inverse of `distort`, by Newton's method; NaN for what no ray of this lens comes to."""
    found = rays.copy()
    with np.errstate(all="ignore"):
        for _ in range(MAX_STEPS):
            error = distort(found, coefficients) - rays
            if float(np.abs(error).max(initial=0)) < PRECISION:
                break
            found = found - np.einsum("nij,nj->ni", _inverses(_slopes(found, coefficients)), error)
        error = np.abs(distort(found, coefficients) - rays).max(axis=1, initial=0)
        # Beyond the fold of a strong lens the formula turns back inwards: what it gives there was never seen.
        good = (error < 1e-6) & (np.linalg.det(_slopes(np.nan_to_num(found), coefficients)) > 0)
    found[~good] = np.nan
    return found


def _slopes(rays: Array, coefficients: tuple[float, ...]) -> Array:
    """The derivatives (n, 2, 2) of `distort`."""
    columns = []
    for step in (np.array([1e-6, 0]), np.array([0, 1e-6])):
        columns.append((distort(rays + step, coefficients) - distort(rays - step, coefficients)) / 2e-6)
    return np.stack(columns, axis=2)


def _inverses(slopes: Array) -> Array:
    determinant = slopes[:, 0, 0] * slopes[:, 1, 1] - slopes[:, 0, 1] * slopes[:, 1, 0]
    turned = np.stack([slopes[:, 1, 1], -slopes[:, 0, 1], -slopes[:, 1, 0], slopes[:, 0, 0]], axis=1)
    inverses: Array = (turned / determinant[:, None]).reshape(-1, 2, 2)
    return inverses


# One camera takes many pictures; cameras are told apart by identity, and nothing changes their numbers.
@lru_cache(maxsize=64)
def undistorted_camera(camera: Camera) -> Camera:
    """The camera of the undistorted picture, as large as the one that is stored, with no distortion left.

    Raises:
        ShapeError: if the distortion leaves no rectangle of the picture whole.
    """
    if not any(camera.distortion):
        return replace(camera, distortion=()) if camera.distortion else camera
    width, height = camera.width, camera.height
    across, down = np.linspace(0, width - 1, GRID), np.linspace(0, height - 1, GRID)
    pixels = np.stack([np.tile(across, GRID), np.repeat(down, GRID)], axis=1)
    grid = undistort(_rays(pixels, camera.intrinsics), camera.distortion).reshape(GRID, GRID, 2)
    # The largest rectangle inside of the undistorted edges. Corners that a strong lens never saw lie outside of it.
    edges = grid[:, 0, 0], -grid[:, -1, 0], grid[0, :, 1], -grid[-1, :, 1]
    left, right, top, bottom = (float(np.max(edge, initial=-np.inf, where=np.isfinite(edge))) for edge in edges)
    right, bottom = -right, -bottom
    if not (np.isfinite([left, right, top, bottom]).all() and right > left and bottom > top):
        raise ShapeError(f"the distortion of camera {camera.name} leaves no rectangle of its picture whole")
    focal_x, focal_y = (width - 1) / (right - left), (height - 1) / (bottom - top)
    intrinsics = np.array([[focal_x, 0, -focal_x * left], [0, focal_y, -focal_y * top], [0, 0, 1]])
    return replace(camera, intrinsics=intrinsics, distortion=())


def stored_pixels(pixels: Array, camera: Camera, ideal: Camera) -> Array:
    """Where pixels (n, 2) of the undistorted picture lie in the stored one.

    Args:
        pixels: of the picture of `ideal`.
        camera: of the stored picture.
        ideal: what `undistorted_camera` gives for it.
    """
    bent = distort(_rays(pixels, ideal.intrinsics), camera.distortion)
    moved: Array = bent @ camera.intrinsics[:2, :2].T + camera.intrinsics[:2, 2]
    return moved


def undistorted_picture(image: Image, camera: Camera, region: Region | None = None) -> Image:
    """The undistorted picture, or a region of it, sampled bilinearly from the stored one.

    Args:
        image: as stored, of the camera's size.
        camera: of the stored picture.
        region: left, top, right, bottom in pixels of the undistorted picture; by default all of it.

    Raises:
        ShapeError: if the picture has another size than the camera's.
    """
    from PIL import Image as Images

    if image.size != (camera.width, camera.height):
        size = f"{image.size[0]} x {image.size[1]}"
        raise ShapeError(f"a picture of {camera.name} has {size} pixels, not {camera.width} x {camera.height}")
    left, top, right, bottom = (round(side) for side in region or (0, 0, camera.width, camera.height))
    if not any(camera.distortion):
        return image.crop((left, top, right, bottom))
    across, down = _marks(right - left), _marks(bottom - top)
    # Pillow speaks of the edges of pixels, cameras of their middles.
    columns, rows = np.meshgrid(across + left - 0.5, down + top - 0.5)
    corners = np.stack([columns.reshape(-1), rows.reshape(-1)], axis=1)
    source = stored_pixels(corners, camera, undistorted_camera(camera)) + 0.5
    grid = source.reshape(len(down), len(across), 2)
    # Upper left, lower left, lower right, upper right of each cell, as Pillow wants them.
    quads = np.concatenate([grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]], axis=2).tolist()
    mesh = [
        ((int(across[j]), int(down[i]), int(across[j + 1]), int(down[i + 1])), tuple(quads[i][j]))
        for i in range(len(down) - 1)
        for j in range(len(across) - 1)
    ]
    return image.transform((right - left, bottom - top), Images.Transform.MESH, mesh, Images.Resampling.BILINEAR)


def _rays(pixels: Array, intrinsics: Array) -> Array:
    """x / z and y / z (n, 2) of pixels."""
    whole = np.concatenate([pixels, np.ones((len(pixels), 1))], axis=1)
    rays: Array = whole @ np.linalg.inv(intrinsics).T
    return rays[:, :2]


def _marks(length: int) -> NDArray[np.int64]:
    """Edges of cells along a side."""
    return np.append(np.arange(0, length, CELL), length)
