"""Parts that bathroom and kitchen fixtures share: hollow bowls and taps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.chance import Rng, steel
from clip3d.simulation.moving import merge, move
from clip3d.simulation.shapes import Color, loft, rod, tube


def rounded(x: float, y: float, power: float, n: int = 24) -> NDArray[np.float64]:
    """A superellipse of half-axes x and y, (n, 2): power 2 is an ellipse, larger powers near a rectangle."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    return np.column_stack([x * np.sign(c) * np.abs(c) ** (2 / power), y * np.sign(s) * np.abs(s) ** (2 / power)])


def hollow(levels: list[tuple[float, float, float, float]], color: Color, power: float = 2.0) -> Mesh:
    """A skin over superellipses given as (half x, half y, height, shift in x), outside upwards and inside down."""
    rings = [
        np.column_stack([rounded(x, y, power) + np.array([shift, 0.0]), np.full(24, z)])
        for x, y, z, shift in levels
    ]
    return loft(np.stack(rings), color)


def tap(rng: Rng, at: tuple[float, float, float], size: float = 1.0) -> Mesh:
    """A tap that bows towards positive x, standing at `at`."""
    color = steel(rng)
    high, reach = rng.uniform(0.1, 0.22) * size, rng.uniform(0.1, 0.16) * size
    neck = tube(
        [(0, 0, 0), (0, 0, high), (reach * 0.4, 0, high * 1.15), (reach, 0, high * 0.85)], 0.012 * size, color
    )
    grips = [rod((0, s * 0.06 * size, 0), (0, s * 0.07 * size, 0.05 * size), 0.014 * size, color) for s in (-1, 1)]
    return move(merge([neck, *grips]), at)
