"""Training pictures: objects drawn from their surface points, as photographs, renders and icons might show them."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]

# Standard deviation of a splat in pixels at a side of 224, for 16,000 points; fewer points get wider splats.
_FALLOFF = 1.6
_FALLOFF_POINTS = 16_000
_FALLOFF_SIDE = 224


@dataclass(frozen=True, eq=False)
class Surface:
    """Points of one object's surface, z up, in the unit sphere.

    Attributes:
        points: (p, 3) float32.
        colors: (p, 3) float32 in [0, 1].
        normals: (p, 3) float32 of unit length; their sign does not matter.
    """

    points: Array
    colors: Array
    normals: Array


def random_picture(surface: Surface, rng: np.random.Generator, size: int = 224) -> Picture:
    """A picture (size, size, 3) uint8 of the object: view, light, framing, background and flaws at random."""
    image, cover = draw(
        surface,
        azimuth=rng.uniform(0, 360),
        elevation=rng.choice([rng.uniform(-5, 20), rng.uniform(15, 45), rng.uniform(40, 75)], p=[0.4, 0.5, 0.1]),
        distance=rng.uniform(2.5, 6.0),
        fill=rng.uniform(0.55, 1.05),
        shift=rng.uniform(-0.08, 0.08, 2),
        light=rng.normal(size=3),
        ambient=rng.uniform(0.35, 0.8),
        size=size,
    )
    background = random_background(rng, size)
    picture = image + background * (1 - cover)
    return _flaws(_jitter(picture, rng), rng)


def draw(
    surface: Surface,
    *,
    azimuth: float,
    elevation: float,
    distance: float = 4.0,
    fill: float = 0.9,
    shift: Array | NDArray[np.float64] | tuple[float, float] = (0.0, 0.0),
    light: Array | NDArray[np.float64] | tuple[float, float, float] = (0.3, 0.6, 0.7),
    ambient: float = 0.5,
    size: int = 224,
) -> tuple[Array, Array]:
    """Draw an object in perspective.

    Args:
        surface: the object.
        azimuth: of the camera about the up axis, degrees.
        elevation: of the camera above the ground plane, degrees.
        distance: of the camera from the origin, in radii of the object.
        fill: share of the picture's side that the longer side of the object takes.
        shift: of the object's middle from the picture's, in sides, right and down.
        light: direction towards the light in the camera's frame: right, up, towards the camera.
        ambient: share of the light that comes from all sides.
        size: pixels a side.

    Returns:
        Colours (size, size, 3) multiplied by the cover, and the cover (size, size, 1), both in [0, 1].
    """
    camera = _camera(azimuth, elevation)
    right, up, near = (surface.points @ camera.T).T
    scale = 1 / (distance - near)
    flat = np.stack([right * scale, -up * scale], 1)  # (p, 2) right, down
    low, high = flat.min(0), flat.max(0)
    flat = (flat - (low + high) / 2) * (fill / max(float((high - low).max()), 1e-6)) + 0.5 + np.asarray(shift)
    facing = np.abs((surface.normals @ camera.T) @ (np.asarray(light) / np.linalg.norm(light)))
    shaded = surface.colors * (ambient + (1 - ambient) * facing)[:, None]
    return _splat((flat * size).astype(np.float32), near, shaded.astype(np.float32), size)


def random_background(rng: np.random.Generator, size: int) -> Array:
    """White, one colour, a gradient, blurred blots, or a floor and a wall: (size, size, 3) in [0, 1]."""
    kind = rng.choice(["white", "plain", "gradient", "blots", "floor"], p=[0.3, 0.15, 0.2, 0.2, 0.15])
    one, other = rng.uniform(0, 1, (2, 3)) * 0.5 + rng.uniform(0, 0.5, (2, 1))
    if kind == "white":
        return np.full((size, size, 3), rng.choice([1.0, rng.uniform(0.9, 1.0)]), np.float32)
    if kind == "plain":
        return np.broadcast_to(one, (size, size, 3)).astype(np.float32)
    if kind == "blots":
        return _blots(rng, size)
    ramp = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    if kind == "floor":
        steepness, horizon = rng.uniform(20, 200), rng.uniform(0.4, 0.8)
        ramp = np.tanh((ramp - horizon) * np.float32(steepness)) / 2 + 0.5
    return np.broadcast_to(one + (other - one) * ramp, (size, size, 3)).astype(np.float32)


def _camera(azimuth: float, elevation: float) -> Array:
    """Rows: right, up, towards the camera, in the frame of the object."""
    a, e = np.deg2rad(azimuth), np.deg2rad(elevation)
    near = np.array([np.cos(e) * np.sin(a), -np.cos(e) * np.cos(a), np.sin(e)])
    right = np.array([np.cos(a), np.sin(a), 0.0])
    return np.stack([right, np.cross(near, right), near]).astype(np.float32)


def _splat(flat: Array, near: Array, colors: Array, size: int) -> tuple[Array, Array]:
    """Blend the splats that lie within a little of the nearest one at each pixel."""
    falloff = _FALLOFF * np.sqrt(_FALLOFF_POINTS / len(flat)) * size / _FALLOFF_SIDE
    reach = np.arange(-int(1.7 * falloff), int(1.7 * falloff) + 1)
    dx, dy = (grid.ravel() for grid in np.meshgrid(reach, reach))
    x, y = np.floor(flat[:, :1]).astype(int) + dx, np.floor(flat[:, 1:]).astype(int) + dy  # (p, r * r)
    weight = np.exp(-((x + 0.5 - flat[:, :1]) ** 2 + (y + 0.5 - flat[:, 1:]) ** 2) / (2 * falloff**2))
    inside = (x >= 0) & (x < size) & (y >= 0) & (y < size)
    pixel = np.where(inside, y * size + x, size * size)
    front = np.full(size * size + 1, -np.inf, np.float32)
    order = np.argsort(near)
    front[pixel[order].ravel()] = np.repeat(near[order], len(dx))  # of equal indices the last, the nearest, stays
    weight = weight * (inside & (near[:, None] > front[pixel] - 0.06))
    kept = weight > 0.02
    pixel, weight = pixel[kept], weight[kept]
    source = np.nonzero(kept)[0]
    total = np.bincount(pixel, weight, size * size + 1)[:-1]
    mixed = [np.bincount(pixel, weight * colors[source, c], size * size + 1)[:-1] for c in range(3)]
    cover = np.clip(total / 0.5, 0, 1)
    image = np.stack(mixed, 1) / np.maximum(total, 1e-6)[:, None] * cover[:, None]
    return image.reshape(size, size, 3).astype(np.float32), cover.reshape(size, size, 1).astype(np.float32)


def _blots(rng: np.random.Generator, size: int) -> Array:
    cells = int(rng.choice([4, 8, 16, 56]))
    coarse = Image.fromarray((rng.uniform(0, 1, (cells, cells, 3)) * 255).astype(np.uint8))
    fine = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC), np.float32) / 255
    return np.asarray(fine * rng.uniform(0.3, 1.0) + rng.uniform(0, 0.2), np.float32).clip(0, 1)


def _jitter(picture: Array, rng: np.random.Generator) -> Picture:
    """Brightness, contrast, tint and saturation; one picture in fifteen loses its colour."""
    picture = picture * rng.uniform(0.85, 1.15, 3).astype(np.float32)
    grey = picture.mean(2, keepdims=True)
    picture = grey + (picture - grey) * (0.0 if rng.random() < 1 / 15 else rng.uniform(0.5, 1.4))
    picture = (picture - 0.5) * rng.uniform(0.7, 1.3) + 0.5 + rng.uniform(-0.1, 0.1)
    return np.asarray((picture.clip(0, 1) * 255).round(), np.uint8)


def _flaws(picture: Picture, rng: np.random.Generator) -> Picture:
    """Mirroring, blur, loss of resolution and JPEG blocks, each now and then."""
    image = Image.fromarray(picture)
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))
    if rng.random() < 0.2:
        side = int(rng.integers(64, 200))
        image = image.resize((side, side), Image.Resampling.BILINEAR).resize(image.size, Image.Resampling.BICUBIC)
    if rng.random() < 0.4:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=int(rng.integers(30, 95)))
        image = Image.open(stream).convert("RGB")
    return np.asarray(image, np.uint8)
