"""How surfaces look near by: grain, courses of bricks, dirt, wear and leaves, as patterns over the world."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.driving.snapshot import MATERIAL

Array = NDArray[np.float32]

SIDE = 1024
FINE = 0.012  # metres of one cell of the pattern at its finest use
BRICK_HIGH, BRICK_LONG, JOINT = 0.075, 0.24, 0.012


@functools.cache
def _pattern(seed: int, slope: float) -> Array:
    """A square of noise (SIDE, SIDE) that repeats, with mean 0 and deviation 1; `slope` 0 is white."""
    rng = np.random.default_rng(seed)
    across = np.fft.fftfreq(SIDE)[:, None]
    down = np.fft.rfftfreq(SIDE)[None, :]
    frequency = np.hypot(across, down)
    frequency[0, 0] = 1
    shape = np.maximum(frequency, 4 / SIDE) ** -slope * np.exp(-((frequency / 0.35) ** 4))
    shape[0, 0] = 0
    noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((SIDE, SIDE))) * shape, s=(SIDE, SIDE))
    return np.ascontiguousarray(noise / noise.std(), dtype=np.float32)


def _at(pattern: Array, u: Array, v: Array, cell: float) -> Array:
    """Values (n,) of a pattern at places (n,), (n,) in metres, one cell being `cell` metres wide."""
    row = np.floor(v * np.float32(1 / cell)).astype(np.int64) & (SIDE - 1)
    column = np.floor(u * np.float32(1 / cell)).astype(np.int64) & (SIDE - 1)
    return np.asarray(pattern.ravel()[row * SIDE + column])


def _smoothly(pattern: Array, u: Array, v: Array, cell: float) -> Array:
    """As `_at`, between the cells' middles."""
    x, y = u / np.float32(cell), v / np.float32(cell)
    left, top = np.floor(x), np.floor(y)
    a, b = x - left, y - top
    i, j = left.astype(np.int64), top.astype(np.int64)
    flat = pattern.ravel()
    row, below = (j & (SIDE - 1)) * SIDE, ((j + 1) & (SIDE - 1)) * SIDE
    column, right = i & (SIDE - 1), (i + 1) & (SIDE - 1)
    upper = flat[row + column] * (1 - a) + flat[row + right] * a
    lower = flat[below + column] * (1 - a) + flat[below + right] * a
    return np.asarray(upper * (1 - b) + lower * b, dtype=np.float32)


def clouds(places: Array) -> tuple[Array, Array]:
    """Thickness (n,) and fine structure (n,) of clouds over places (n, 2) of a plane one unit up."""
    wide = _smoothly(_pattern(6, 1.9), places[:, 0], places[:, 1], 0.03)
    fine = _smoothly(_pattern(2, 1.2), places[:, 0], places[:, 1], 0.011)
    return wide, fine


def stains(x: Array, y: Array) -> Array:
    """Slow noise (n,), mean 0 and deviation 1, over places (n,), (n,) of the ground in metres."""
    return _smoothly(_pattern(1, 1.6), x, y, 0.05)


def leafless(positions: Array) -> NDArray[np.bool_]:
    """Where a crown or a hedge lets the light through (n,), about a third of places (n, 3)."""
    pattern = _pattern(3, 0.35)
    x, y, z = positions.T
    sum_ = _at(pattern, x, y, 0.035) + _at(pattern, y + 7, z, 0.035) + _at(pattern, z + 3, x, 0.035)
    return np.asarray(sum_ > 0.9)


def along(positions: Array, normals: Array) -> tuple[Array, Array]:
    """Coordinates (n,), (n,) in metres within a surface: x, y on flat ground, else along the wall and up."""
    flat = np.abs(normals[:, 2]) > 0.7
    length = np.maximum(np.hypot(normals[:, 0], normals[:, 1]), 1e-6)
    wall = (positions[:, 1] * normals[:, 0] - positions[:, 0] * normals[:, 1]) / length
    return np.where(flat, positions[:, 0], wall), np.where(flat, positions[:, 1], positions[:, 2])


def albedo(
    colors: Array, materials: NDArray[np.uint8], positions: Array, normals: Array, footprint: Array
) -> Array:
    """Share of light (n, 3) that surfaces give back.

    Args:
        colors: (n, 3) linear light, of the bare surface.
        materials: (n,), places in MATERIALS.
        positions: (n, 3) in the world, metres.
        normals: (n, 3), unit length.
        footprint: (n,) metres of the surface that one pixel covers: finer patterns fade out.
    """
    found = colors.copy()
    for name, texture in _TEXTURES.items():
        chosen = np.flatnonzero(materials == MATERIAL[name])
        if len(chosen):
            u, v = along(positions.take(chosen, axis=0), normals.take(chosen, axis=0))
            found[chosen] = texture(colors.take(chosen, axis=0), u, v, footprint[chosen])
    return np.asarray(np.clip(found, 0.004, 0.92))


def _kept(footprint: Array, size: float) -> Array:
    """How much of a pattern of this size, in metres, is left where a pixel covers `footprint` metres (n,)."""
    return np.asarray(np.clip(size * 2 / footprint, 0, 1), dtype=np.float32)


def _stained(u: Array, v: Array, footprint: Array, fine: float, coarse: float) -> Array:
    """A factor (n,) around 1: grain, and stains of metres."""
    stains = _at(_pattern(1, 1.6), u, v, 0.05)
    grain = _at(_pattern(4, 0.4), u, v, FINE) * _kept(footprint, FINE)
    return np.asarray(np.maximum(1 + coarse * stains + fine * grain, 0.15))


def _asphalt(color: Array, u: Array, v: Array, footprint: Array) -> Array:
    shade = _stained(u, v, footprint, 0.13, 0.06)
    cracked = np.abs(_at(_pattern(5, 1.7), u, v, 0.04)) < 0.012
    shade[cracked] *= 1 - 0.35 * _kept(footprint[cracked], 0.04)
    # Even dark asphalt is full of pale stones.
    return np.asarray((color + np.float32(0.025)) * shade[:, None])


def _paint(color: Array, u: Array, v: Array, footprint: Array) -> Array:
    worn = np.clip((_at(_pattern(4, 0.4), u, v, 0.03) + _at(_pattern(1, 1.6), u, v, 0.05) - 1.3) * 2, 0, 0.8)
    return np.asarray(color * (1 - worn[:, None]) + np.float32(0.09) * worn[:, None])


def _concrete(color: Array, u: Array, v: Array, footprint: Array) -> Array:
    return np.asarray(color * _stained(u, v, footprint, 0.08, 0.08)[:, None])


def _grass(color: Array, u: Array, v: Array, footprint: Array) -> Array:
    dry = np.clip(_at(_pattern(1, 1.6), u, v, 0.06) * 0.3, -0.3, 0.6)[:, None]
    found = _faded(color) * _stained(u, v, footprint, 0.3, 0.1)[:, None]
    return np.asarray(found * (1 + dry * np.array([0.9, 0.3, -0.3], np.float32)))


def _faded(color: Array) -> Array:
    """Greens (n, 3) as leaves have them: greyer and more yellow than paint."""
    grey = color.mean(axis=1, keepdims=True)
    return np.asarray(color * np.float32(0.62) + grey * np.array([0.46, 0.4, 0.22], np.float32))


def _foliage(color: Array, u: Array, v: Array, footprint: Array) -> Array:
    leaves = _at(_pattern(3, 0.6), u, v, 0.05) * _kept(footprint, 0.1)
    fine = _at(_pattern(4, 0.4), u, v, 0.02) * _kept(footprint, 0.03)
    return np.asarray(_faded(color) * np.clip(0.95 + 0.35 * leaves + 0.25 * fine, 0.15, 2)[:, None])


def _streaked(color: Array, u: Array, v: Array, footprint: Array) -> Array:
    streaks = _at(_pattern(4, 0.4), u * 5, v * 0.4, 0.03) * _kept(footprint, 0.03)
    return np.asarray(color * np.maximum(1 + 0.2 * streaks, 0.3)[:, None])


def _bricks(color: Array, u: Array, v: Array, footprint: Array) -> Array:
    course = np.floor(v / BRICK_HIGH)
    shifted = u / BRICK_LONG + 0.5 * (course % 2)
    stone = np.floor(shifted)
    tint = _at(_pattern(2, 0.0), stone, course, 1.0) * 0.16 * _kept(footprint, BRICK_HIGH)
    joint = (v - course * BRICK_HIGH < JOINT) | ((shifted - stone) * BRICK_LONG < JOINT)
    # Where a pixel covers whole bricks, joints are a fifth of the wall.
    share = np.where(footprint > BRICK_HIGH / 2, 0.2, joint)[:, None]
    mortar = np.float32(0.35)
    laid = color * np.maximum(1 + tint, 0.3)[:, None]
    return np.asarray((laid * (1 - share) + mortar * share) * _stained(u, v, footprint, 0.05, 0.08)[:, None])


def _plaster(color: Array, u: Array, v: Array, footprint: Array) -> Array:
    run = np.clip(_at(_pattern(4, 0.4), u * 3, v * 0.06, 0.1), -2, 2) * 0.04
    splashed = np.clip(1 - v / 0.8, 0, 1) * 0.2
    shade = _stained(u, v, footprint, 0.04, 0.05) - run - np.where(v > -0.5, splashed, 0)
    return np.asarray(color * shade[:, None])


_TEXTURES = {
    "asphalt": _asphalt,
    "concrete": _concrete,
    "road paint": _paint,
    "grass": _grass,
    "soil": _grass,
    "foliage": _foliage,
    "bark": _streaked,
    "wood": _streaked,
    "brick": _bricks,
    "plaster": _plaster,
}
