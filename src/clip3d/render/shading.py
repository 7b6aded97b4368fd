"""What all shaded pictures share: the eye, the light, and the way from fine pixels to a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]

UNCOLORED = (0.66, 0.71, 0.79)  # sRGB of what has no colours: a light clay
MARGIN = 0.06  # of the picture's side that stays free around the object
EYE = 4.0  # distance of the eye from the centre, in radii: a mild perspective
LIGHT = np.array([-0.45, 0.65, 0.62]) / np.linalg.norm([-0.45, 0.65, 0.62])  # camera frame: right, up, to the eye
FLOOR_LIGHT = 0.42  # share of the light that reaches a surface turned away


def turned_to_eye(normals: Array) -> Array:
    """Normals (p, 3) in the camera frame with the sign that makes their last entry positive."""
    return normals * np.where(normals[:, 2:] < 0, np.float32(-1), np.float32(1))


def shade(facing: Array) -> Array:
    """Light (p,) on surfaces with these normals in the camera frame; some of it reaches around corners."""
    wrapped = (facing @ LIGHT.astype(np.float32) + 0.35) / 1.35
    return np.asarray(FLOOR_LIGHT + (1.06 - FLOOR_LIGHT) * np.clip(wrapped, 0, 1), dtype=np.float32)


def smaller(image: Array, times: int) -> Array:
    """Mean over squares of `times` pixels a side: (h, w, c) becomes (h / times, w / times, c)."""
    parts = [image[row::times, column::times] for row in range(times) for column in range(times)]
    return np.asarray(sum(parts[1:], parts[0]) / np.float32(times**2))


def occlusion(front: Array) -> Array:
    """Share of light (h, w) left in hollows: a pixel behind its surroundings is darker (Luft et al. 2006).

    Args:
        front: (h, w) depth in radii of the nearest surface; infinite where there is none.
    """
    from scipy.ndimage import uniform_filter

    depth = np.where(np.isinf(front), front[np.isfinite(front)].max(initial=0), front)
    hidden = np.clip(depth - uniform_filter(depth, len(front) // 12, mode="nearest"), 0, 0.25)
    return np.asarray(1 - 1.6 * hidden, dtype=np.float32)


def to_bytes(image: Array) -> Picture:
    """Levels in [0, 1] as bytes."""
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
