"""Depth pictures of clouds as CLIP goes 3D draws them: soft discs, painted from far to near (Hegde et al. 2023)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import Z_UP_FROM
from clip3d.clouds.normalizing import normalize_unit_sphere

Array = NDArray[np.float32]
Turn = tuple[float, float, float]

# Degrees about z, x, y of a y-up cloud, in that notation: the three pictures of the published code.
PUBLISHED: tuple[Turn, ...] = ((110.0, 45.0, 0.0), (70.0, 135.0, 0.0), (180.0, 90.0, 0.0))
CANVAS = 500
UNIT = 200  # pixels a radius of the cloud
DISC = 12  # pixels across
KEPT = 0.7  # of what was there before a disc is painted over it


def disc_depth_map(points: Array, turn: Turn = PUBLISHED[0]) -> Array:
    """One depth picture: orthographic, the nearer the lighter.

    The cloud is turned, brought into the unit sphere, and each point painted as a Gaussian disc from far to near:
    a pixel becomes 0.7 of itself and 0.3 of the disc times how near the point is, from 0 to 1. The whole is divided
    by its maximum.

    Args:
        points: (p, 3), z up, any unit.
        turn: degrees about z, x and y; the cloud is turned about z first, then y, then x, with y up before.

    Returns:
        (500, 500) float32 in [0, 1]; row 0 is the top where the turn about z is near 90.
    """
    turned = (points @ Z_UP_FROM["y"] @ _rotation(turn).T).astype(np.float32)
    seen = normalize_unit_sphere(turned).points.astype(np.float64)
    order = np.argsort(seen[:, 2], kind="stable")[::-1]
    seen = seen[order]
    behind = seen[:, 2] - seen[:, 2].min()
    near = 1 - behind / max(behind.max(), 1e-12)

    rows, columns, strength = _disc()
    corner = np.round(CANVAS / 2 + seen[:, :2] * UNIT).astype(np.int64)
    pixel = ((corner[:, :1] + rows) * CANVAS + corner[:, 1:] + columns).reshape(-1)
    paint = ((1 - KEPT) * near[:, None] * strength).reshape(-1)
    image = np.bincount(pixel, paint * KEPT ** _painted_after(pixel), minlength=CANVAS * CANVAS)
    return np.asarray(image / max(image.max(), 1e-12), np.float32).reshape(CANVAS, CANVAS)


def random_turn(rng: np.random.Generator) -> Turn:
    """A turn from which things are seen at most 20 degrees from above or below, from any side."""
    return float(rng.uniform(70, 110)), float(rng.uniform(0, 360)), 0.0


def _painted_after(pixel: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each entry's pixel comes again further on (m,)."""
    order = np.argsort(pixel, kind="stable")
    last = np.cumsum(np.bincount(pixel))[pixel[order]] - 1
    after = np.zeros(len(pixel), np.int64)
    after[order] = last - np.arange(len(pixel))
    return after


def _disc() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Rows and columns (m,) of a disc, and its strength (m,) there."""
    radius = (DISC - 1) / 2
    rows, columns = np.mgrid[:DISC, :DISC]
    squared = (rows - radius) ** 2 + (columns - radius) ** 2
    inside = squared <= radius**2
    return rows[inside], columns[inside], np.exp(-squared[inside] / radius**2)


def _rotation(turn: Turn) -> NDArray[np.float64]:
    z, x, y = np.radians(turn)
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    return np.asarray(about_x @ about_y @ about_z)
