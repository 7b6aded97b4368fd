"""Points such as a camera sees of a street, for towers of sweeps."""

from __future__ import annotations

import numpy as np


def street(seed: int, points: int = 400) -> np.ndarray:
    """Points (p, 4) float32 ahead, most on the ground, thin far away; a tenth lie outside the towers' extent."""
    rng = np.random.default_rng(seed)
    azimuth, distance = rng.uniform(-0.7, 0.7, points), 3 + rng.exponential(8, points)
    z = np.where(rng.random(points) < 0.6, -1.6 + rng.normal(0, 0.03, points), rng.uniform(-1.6, 2, points))
    z[rng.random(points) < 0.1] = 6
    columns = [distance * np.cos(azimuth), distance * np.sin(azimuth), z, rng.random(points)]
    return np.stack(columns, axis=1).astype(np.float32)
