"""Water before a camera: rain that falls, and drops that stand on the lens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def streaks(light: Array, rain: float, rng: np.random.Generator) -> Array:
    """Light (h, w, 3) behind rain of so many millimetres an hour: short bright lines where drops fall.

    Drops are as bright as what is above them, since each shows nearly the whole scene upside down (Garg and Nayar
    2007, section 3).
    """
    from scipy.ndimage import gaussian_filter1d

    height, width = light.shape[:2]
    lean = rng.normal(0, 0.12)
    found = np.zeros((height, width), np.float32)
    for size in (1.0, 2.2):
        many = rng.poisson(min(rain, 80) * 0.00035 * height * width / size**2 * (320 / width) ** 0.5)
        y, x = rng.integers(0, height, many), rng.integers(0, width, many)
        layer = np.zeros((height, width), np.float32)
        np.add.at(layer, (y, x), rng.uniform(0.3, 1.0, many).astype(np.float32))
        long = 0.012 * height * size
        layer = gaussian_filter1d(layer, max(long, 1), axis=0) * max(long, 1) * 2
        if size > 1.5 and width > 200:
            layer = gaussian_filter1d(layer, 0.5 * width / 320, axis=1)
        found += layer * np.float32(0.12 * size**0.5)
    rows = np.arange(height)
    shift = np.round(lean * (rows - height / 2)).astype(np.intp)
    columns = (np.arange(width)[None] + shift[:, None]) % width
    found = np.clip(np.take_along_axis(found, columns, axis=1), 0, 0.3)[..., None]
    above = np.minimum(light[: max(height // 3, 1)].mean(axis=(0, 1)), light.mean(axis=(0, 1)) * 4)
    return np.asarray(light * (1 - found) + above * found, dtype=np.float32)


def drops(light: Array, rng: np.random.Generator) -> Array:
    """Light (h, w, 3) through a lens on which water stands.

    A drop on the glass is far out of focus: it shows a blurred, upside-down, shrunken view of what lies around it,
    with a darker rim.
    """
    from scipy.ndimage import gaussian_filter, map_coordinates

    height, width = light.shape[:2]
    found = light.copy()
    soft = gaussian_filter(light, (width * 0.006, width * 0.006, 0), mode="nearest")
    for _ in range(int(rng.integers(8, 26))):
        radius = width * float(rng.lognormal(np.log(0.018), 0.5))
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        tall = rng.uniform(1.0, 1.35)
        left, right = max(int(x - radius - 2), 0), min(int(x + radius + 3), width)
        top, bottom = max(int(y - radius * tall - 2), 0), min(int(y + radius * tall + 3), height)
        if left >= right or top >= bottom:
            continue
        rows, columns = np.mgrid[top:bottom, left:right].astype(np.float32)
        across, down = (columns - x) / radius, (rows - y) / (radius * tall)
        wobble = 1 + 0.08 * np.sin(3 * np.arctan2(down, across) + x)
        out = np.hypot(across, down) / wobble
        bent = 1 + 2.5 * out**2
        source = np.stack([y - down * radius * tall * bent, x - across * radius * bent])
        seen = np.stack([map_coordinates(soft[..., c], source, order=1, mode="nearest") for c in range(3)], axis=-1)
        seen *= (1.05 - 0.45 * np.clip(out, 0, 1) ** 4)[..., None]
        amount = np.clip((1 - out) * radius / max(0.25 * radius, 1.5), 0, 1)[..., None] * 0.92
        part = found[top:bottom, left:right]
        found[top:bottom, left:right] = part * (1 - amount) + seen * amount
    return np.asarray(found, dtype=np.float32)
