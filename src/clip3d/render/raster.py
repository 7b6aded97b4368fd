"""Shaded pictures of meshes: every triangle drawn with its texture, in perspective, without hidden surfaces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.mesh import Mesh
from clip3d.errors import ShapeError
from clip3d.render.creases import corner_normals
from clip3d.render.depth import camera_rotation
from clip3d.render.shading import EYE, MARGIN, UNCOLORED, occlusion, shade, smaller, to_bytes, turned_to_eye
from clip3d.render.textures import at_scale

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]
View = tuple[float, float]

OVERSAMPLING = 2
BLACKEST = np.float32(0.06)  # what is said to be black reflects so much, else its form would not show
MAX_FACES = 2_000_000  # beyond this the corners would fill the memory
FRAGMENTS = 1 << 20  # pixels of triangles that are looked at at a time


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles in the unit ball about the origin, z up, ready to be drawn from any side.

    Attributes:
        meshes: as they came, for their colours; in the order of the faces.
        corners: (f, 3, 3) float32.
        normals: (f, 3, 3) float32, of each corner, of unit length, of either sign.
        first: (m + 1,) the first face of each mesh, and f.
    """

    meshes: tuple[Mesh, ...]
    corners: Array
    normals: Array
    first: NDArray[np.intp]


def surface_of(meshes: Sequence[Mesh], z_up: Array, *, size: int = 224) -> Surface:
    """Bring meshes into the unit ball and find their normals, smooth but for creases.

    Args:
        meshes: in one frame.
        z_up: rotation (3, 3) that turns their up axis to z.
        size: pixels of a side that pictures will have; textures much finer than that are made coarser.

    Raises:
        ShapeError: if there is no face with an area, or there are more than 2 million faces.
    """
    faces = sum(len(mesh.faces) for mesh in meshes)
    if faces > MAX_FACES:
        raise ShapeError(f"{faces:,} faces are more than can be drawn, {MAX_FACES:,}")
    kept = [mesh for mesh in meshes if len(mesh.faces)]
    if not kept:
        raise ShapeError("there is no face to draw")
    corners = np.concatenate([mesh.corners() for mesh in kept]).astype(np.float64)
    low, high = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    centred = (corners - (low + high) / 2) @ z_up.T.astype(np.float64)
    radius = float(np.sqrt((centred**2).sum(axis=2).max()))
    if not radius > 0:
        raise ShapeError("the surface has no extent to draw")
    unit = (centred / radius).astype(np.float32)
    first = np.cumsum([0, *(len(mesh.faces) for mesh in kept)])
    parts = [at_scale(mesh, unit[a:b], size) for mesh, a, b in zip(kept, first[:-1], first[1:], strict=True)]
    return Surface(tuple(parts), unit, corner_normals(unit), first)


def draw_surface(
    surface: Surface,
    view: View,
    *,
    size: int = 224,
    background: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Picture:
    """A shaded picture (size, size, 3) uint8 that the object fills; all sides of faces are seen.

    Args:
        surface: what is drawn.
        view: azimuth of the eye in degrees from the x axis towards y, and elevation above the horizon.
        size: pixels of a side.
        background: sRGB in [0, 1].
    """
    camera = camera_rotation(*view).astype(np.float32)
    side = size * OVERSAMPLING
    flat, inverse = _project(surface.corners @ camera.T, side)
    face, front = _visible(flat, inverse, side)

    pixel = np.flatnonzero(face >= 0)
    face = face[pixel]
    weights = _shares(flat[face], pixel % side, pixel // side) * inverse[face]
    weights /= weights.sum(axis=1, keepdims=True)
    normals = np.einsum("pc,pcd->pd", weights, surface.normals[face]) @ camera.T
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    colors = BLACKEST + (1 - BLACKEST) * _colors(surface, face, weights)
    image = np.zeros((side * side, 4), np.float32)
    image[pixel, :3] = colors * shade(turned_to_eye(normals))[:, None]
    image[pixel, 3] = 1
    drawn = smaller(image.reshape(side, side, 4), OVERSAMPLING)
    drawn[..., :3] *= occlusion(front.reshape(side, side)[::OVERSAMPLING, ::OVERSAMPLING])[..., None]
    return to_bytes(drawn[..., :3] + np.asarray(background, np.float32) * (1 - drawn[..., 3:]))


def _project(seen: Array, side: int) -> tuple[Array, Array]:
    """Pixel coordinates (f, 3, 2) (column, row) and one over the depth (f, 3) of corners in the camera frame."""
    inverse = np.asarray(1 / (EYE - seen[..., 2]), np.float32)
    flat = seen[..., :2] * np.array([1, -1], np.float32) * (EYE * inverse[..., None])
    low, high = flat.min(axis=(0, 1)), flat.max(axis=(0, 1))
    scale = side * (1 - 2 * MARGIN) / max(float((high - low).max()), 1e-6)
    return (flat - (low + high) / 2) * np.float32(scale) + np.float32(side / 2), inverse


def _visible(flat: Array, inverse: Array, side: int) -> tuple[NDArray[np.intp], Array]:
    """The nearest face (side * side,) of each pixel, -1 for none, and its depth, infinite for none."""
    nearest = np.zeros(side * side, np.float32)  # one over the depth, which is linear along a row
    face = np.full(side * side, -1, np.intp)
    for triangle, row, start, stop in _spans(flat, side):
        length = stop - start
        first = _closeness(flat, inverse, triangle, start, row)
        rise = (_closeness(flat, inverse, triangle, stop - 1, row) - first) / np.maximum(length - 1, 1)
        run = np.repeat(np.arange(len(triangle)), length)
        step = np.arange(len(run)) - np.repeat(np.cumsum(length) - length, length)
        pixel = (row * side + start)[run] + step
        closeness = first[run] + rise.astype(np.float32)[run] * step.astype(np.float32)
        np.maximum.at(nearest, pixel, closeness)
        wins = np.flatnonzero(closeness == nearest[pixel])
        face[pixel[wins]] = triangle[run[wins]]
    with np.errstate(divide="ignore"):
        return face, np.asarray(1 / nearest, np.float32)


def _closeness(
    flat: Array, inverse: Array, triangle: NDArray[np.intp], column: NDArray[np.intp], row: NDArray[np.intp]
) -> Array:
    """One over the depth (s,) of triangles at the centres of pixels."""
    return np.asarray((_shares(flat[triangle], column, row) * inverse[triangle]).sum(axis=1))


def _spans(
    flat: Array, side: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]]:
    """Runs of pixels whose centres lie in a triangle: triangle, row, first column and the one behind the last (s,).

    In portions of about `FRAGMENTS` pixels.
    """
    top = np.ceil(flat[..., 1].min(axis=1) - 0.5).astype(np.intp)
    rows = np.maximum(np.floor(flat[..., 1].max(axis=1) - 0.5).astype(np.intp) - top + 1, 0)
    width = np.ptp(flat[..., 0], axis=1) + 1
    portion = (np.cumsum(rows * width) / FRAGMENTS).astype(np.intp)
    for some in np.split(np.arange(len(flat)), np.flatnonzero(np.diff(portion)) + 1):
        triangle = np.repeat(some, rows[some])
        behind = np.cumsum(rows[some])
        row = top[triangle] + np.arange(len(triangle)) - np.repeat(behind - rows[some], rows[some])
        left, right = _crossed(flat[triangle], row.astype(np.float32) + np.float32(0.5))
        start = np.maximum(np.ceil(left - 0.5), 0).astype(np.intp)
        stop = np.minimum(np.floor(right - 0.5) + 1, side).astype(np.intp)
        kept = (stop > start) & (row >= 0) & (row < side)
        yield triangle[kept], row[kept], start[kept], stop[kept]


def _crossed(corners: Array, height: Array) -> tuple[Array, Array]:
    """Where lines at heights (s,) enter and leave triangles (s, 3, 2): two arrays (s,)."""
    left, right = np.full(len(corners), np.inf, np.float32), np.full(len(corners), -np.inf, np.float32)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        (x0, y0), (x1, y1) = corners[:, a].T, corners[:, b].T
        run = y1 - y0
        along = (height - y0) / np.where(run == 0, np.float32(1), run)
        x = x0 + along * (x1 - x0)
        crossing = (run != 0) & (along >= 0) & (along <= 1)
        left = np.where(crossing, np.minimum(left, x), left)
        right = np.where(crossing, np.maximum(right, x), right)
    empty = left > right
    return np.where(empty, np.float32(0), left), np.where(empty, np.float32(-1), right)


def _shares(corners: Array, column: NDArray[np.intp], row: NDArray[np.intp]) -> Array:
    """Weights (n, 3) of the corners (n, 3, 2) of flat triangles at the centres of pixels, each in [0, 1]."""
    (ax, ay), (bx, by), (cx, cy) = corners[:, 0].T, corners[:, 1].T, corners[:, 2].T
    x, y = column.astype(np.float32) + np.float32(0.5) - ax, row.astype(np.float32) + np.float32(0.5) - ay
    area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    area = np.where(area == 0, np.float32(1e-12), area)
    b = np.clip((x * (cy - ay) - (cx - ax) * y) / area, 0, 1)
    c = np.clip(((bx - ax) * y - x * (by - ay)) / area, 0, 1 - b)
    return np.stack([1 - b - c, b, c], axis=1)


def _colors(surface: Surface, face: NDArray[np.intp], weights: Array) -> Array:
    """sRGB (n, 3) of the surface; clay where no mesh has colours, grey for meshes without beside coloured ones."""
    if not any(mesh.has_color for mesh in surface.meshes):
        return np.full((len(face), 3), UNCOLORED, np.float32)
    colors = np.zeros((len(face), 3), np.float32)
    owner = np.searchsorted(surface.first, face, side="right") - 1
    for number in np.unique(owner):
        mine = np.flatnonzero(owner == number)
        colors[mine] = surface.meshes[number].colors_at(face[mine] - surface.first[number], weights[mine])
    return np.clip(colors, 0, 1)
