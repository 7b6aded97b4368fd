"""Shaded pictures of clouds: points as soft discs that blend into a surface (Zwicker et al. 2001, simplified)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.neighbors import nearest_neighbors
from clip3d.clouds.normalizing import normalize_unit_sphere
from clip3d.render.depth import camera_rotation
from clip3d.render.shading import EYE, MARGIN, UNCOLORED, occlusion, shade, smaller, to_bytes, turned_to_eye

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]
View = tuple[float, float]

FRONT: View = (35.0, 20.0)
AROUND: tuple[View, ...] = ((35.0, 20.0), (125.0, 20.0), (215.0, 20.0), (305.0, 20.0))

OVERSAMPLING = 2
NORMAL_NEIGHBORS = 10
DISC_RADIUS = 1.2  # in distances to the fourth neighbour: few holes in surfaces sampled at random
MAX_SLOPE = 3.0  # beyond this a surface is seen edge on


def splat(
    points: Array,
    colors: Array | None = None,
    normals: Array | None = None,
    *,
    view: View = FRONT,
    size: int = 224,
    background: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Picture:
    """A shaded picture of a cloud that fills the frame.

    Args:
        points: (p, 3), z up, any unit.
        colors: (p, 3) in [0, 1] sRGB; a light grey where None.
        normals: (p, 3), of either sign; estimated from the neighbours where None.
        view: azimuth of the eye in degrees from the x axis towards y, and elevation above the horizon.
        size: pixels of a side.
        background: sRGB in [0, 1].

    Returns:
        (size, size, 3) uint8.
    """
    pictures = splat_views(points, colors, normals, views=[view], size=size, background=background)
    return np.asarray(pictures[0])


def splat_views(
    points: Array,
    colors: Array | None = None,
    normals: Array | None = None,
    *,
    views: Sequence[View] = AROUND,
    size: int = 224,
    background: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Picture:
    """Pictures from several sides (v, size, size, 3) uint8; arguments as for `splat`."""
    surface = _surface(points, colors, normals)
    layers = np.stack([_draw(surface, view, size) for view in views])
    behind = np.asarray(background, dtype=np.float32) * (1 - layers[..., 3:])
    return to_bytes(layers[..., :3] + behind)


def splat_cutout(
    points: Array, colors: Array | None = None, normals: Array | None = None, *, view: View = FRONT, size: int = 224
) -> Picture:
    """A picture with transparent surroundings (size, size, 4) uint8, straight alpha; arguments as for `splat`."""
    layer = _draw(_surface(points, colors, normals), view, size)
    color = layer[..., :3] / np.maximum(layer[..., 3:], 1e-6)
    return to_bytes(np.concatenate([color, layer[..., 3:]], axis=-1))


@dataclass(frozen=True, eq=False)
class _Surface:
    """Points in the unit sphere, their colours and normals, and the usual distance between neighbours."""

    points: Array
    colors: Array
    normals: Array
    spacing: float


def _surface(points: Array, colors: Array | None, normals: Array | None) -> _Surface:
    points = normalize_unit_sphere(points).points
    neighbors, distance = nearest_neighbors(points, points, min(NORMAL_NEIGHBORS, len(points)))
    spacing = float(np.median(distance[:, min(4, distance.shape[1] - 1)]))
    if colors is None:
        colors = np.full_like(points, UNCOLORED)
    if normals is None:
        normals = _normals(points, neighbors)
    return _Surface(points, np.asarray(colors, np.float32), np.asarray(normals, np.float32), spacing)


def _normals(points: Array, neighbors: NDArray[np.intp]) -> Array:
    """Direction of least spread among each point's neighbours (p, 3), of either sign."""
    spread = points[neighbors] - points[neighbors].mean(axis=1, keepdims=True)
    covariance = spread.transpose(0, 2, 1) @ spread
    return np.asarray(np.linalg.eigh(covariance)[1][..., 0], dtype=np.float32)


def _draw(surface: _Surface, view: View, size: int) -> Array:
    """One picture (size, size, 4) float32 in [0, 1], colours multiplied by alpha."""
    camera = camera_rotation(*view).astype(np.float32)
    side = size * OVERSAMPLING
    xy, depth, scale = _project(surface.points @ camera.T, side, DISC_RADIUS * surface.spacing)
    radius = float(np.clip(DISC_RADIUS * surface.spacing * scale, 1.5, side / 32))
    facing = turned_to_eye(surface.normals @ camera.T)
    tolerance = np.float32(radius / scale) * (1 + _slope(facing))

    rough, _ = _discs(xy / np.float32(OVERSAMPLING), radius / OVERSAMPLING, size)
    seen = depth <= _front(rough, depth, size)[rough[:, rough.shape[1] // 2]] + tolerance
    xy, depth, tolerance = xy[seen], depth[seen], tolerance[seen]
    shaded = surface.colors[seen] * shade(facing[seen])[:, None]

    pixel, weight = _discs(xy, radius, side)
    front = _front(pixel, depth, side)
    weight = np.where((depth - tolerance)[:, None] <= front[pixel], weight, np.float32(0))
    image = smaller(_blend(pixel, shaded, weight, side).reshape(side, side, 4), OVERSAMPLING)
    image[..., :3] *= occlusion(front.reshape(side, side)[::OVERSAMPLING, ::OVERSAMPLING])[..., None]
    return _close_gaps(image, 1 + 2 * round(radius / OVERSAMPLING / 2))


def _project(seen: Array, side: int, disc: float) -> tuple[Array, Array, float]:
    """Pixel coordinates (p, 2) (column, row), depth (p,) in radii, and pixels a radius at the centre."""
    depth = EYE - seen[:, 2]
    flat = seen[:, :2] * np.array([1, -1], dtype=np.float32) * (EYE / depth[:, None])
    low, high = flat.min(axis=0), flat.max(axis=0)
    extent = max(float((high - low).max()) + 2 * disc, 1e-6)
    scale = side * (1 - 2 * MARGIN) / extent
    return (flat - (low + high) / 2) * np.float32(scale) + np.float32(side / 2), depth, scale


def _slope(facing: Array) -> Array:
    """Change of depth along a surface (p,): a disc stays in the picture where its own surface slopes away."""
    flat = np.hypot(facing[:, 0], facing[:, 1])
    return np.asarray(np.minimum(flat / np.maximum(facing[:, 2], 1e-3), MAX_SLOPE), dtype=np.float32)


def _discs(xy: Array, radius: float, side: int) -> tuple[NDArray[np.intp], Array]:
    """The m pixels of a disc about each point (p, m), the middle one in the middle, and their weights (m,)."""
    reach = int(np.ceil(radius))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    squared = (rows**2 + columns**2) / (radius + 0.5) ** 2
    inside = squared < 1
    center = np.clip(xy.astype(np.intp), reach, side - 1 - reach)
    pixel = (center[:, 1] * side + center[:, 0])[:, None] + (rows * side + columns)[inside]
    return pixel, ((1 - squared[inside]) ** 2).astype(np.float32)


def _front(pixel: NDArray[np.intp], depth: Array, side: int) -> Array:
    """Depth (side * side,) of the nearest disc; infinite where there is none."""
    front = np.full(side * side, np.inf, dtype=np.float32)
    order = np.argsort(-depth)
    front[pixel[order]] = depth[order, None]  # of equal indices the last one counts: the nearest
    return front


def _blend(pixel: NDArray[np.intp], color: Array, weight: Array, side: int) -> Array:
    """Weighted mean colour and coverage of each pixel: (side * side, 4) float32."""
    from scipy.sparse import csc_matrix

    starts = pixel.shape[1] * np.arange(len(pixel) + 1)
    spread = csc_matrix((weight.reshape(-1), pixel.reshape(-1), starts), shape=(side * side, len(pixel)))
    image = np.asarray(spread @ np.column_stack([color, np.ones(len(color), dtype=np.float32)]))
    image[:, :3] /= np.maximum(image[:, 3:], 1e-12)
    image[:, 3] = image[:, 3] > 0
    return image


def _close_gaps(image: Array, size: int) -> Array:
    """Fill gaps narrower than `size` pixels, which lie between samples of one surface, with the colours around."""
    from scipy.ndimage import maximum_filter, minimum_filter, uniform_filter

    whole = image[..., 3] > 0.99
    closed = minimum_filter(maximum_filter(whole, size, mode="constant"), size, mode="constant")
    around = uniform_filter(image, (2 * size + 1, 2 * size + 1, 1), mode="constant")
    fill = np.where(closed[..., None], around / np.maximum(around[..., 3:], 1e-6), 0)
    return np.asarray(image + (1 - image[..., 3:]) * fill, dtype=np.float32)
