"""Training pictures: cut-out views of objects, framed, lit and flawed as photographs, renders and icons may be."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Array = NDArray[np.float32]
Picture = NDArray[np.uint8]


def random_picture(cutout: Picture, rng: np.random.Generator, size: int = 224) -> Picture:
    """A picture of an object: framing, mirroring, background, light and flaws at random.

    Args:
        cutout: (h, w, 4) uint8 with straight alpha; what is opaque is the object.
        rng: decides everything.
        size: pixels a side.

    Returns:
        (size, size, 3) uint8.
    """
    framed = np.asarray(_framed(cutout, rng, size), np.float32) / 255
    color, cover = framed[..., :3], framed[..., 3:]
    picture = np.asarray(color * cover + random_background(rng, size) * (1 - cover), np.float32)
    return _flaws(_jitter(picture, rng), rng)


def random_background(rng: np.random.Generator, size: int) -> Array:
    """White, one colour, a gradient, blurred blots, or a floor and a wall: (size, size, 3) in [0, 1]."""
    kind = rng.choice(["white", "plain", "gradient", "blots", "floor"], p=[0.3, 0.15, 0.2, 0.2, 0.15])
    one, other = (rng.uniform(0, 1, (2, 3)) * 0.5 + rng.uniform(0, 0.5, (2, 1))).astype(np.float32)
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


def _framed(cutout: Picture, rng: np.random.Generator, size: int) -> Image.Image:
    """The object on a clear square: its longer side takes 0.55 to 1.05 of the square, near the middle."""
    image = Image.fromarray(cutout, "RGBA")
    box = image.getchannel("A").point(lambda alpha: 255 * (alpha > 16)).getbbox()
    image = image.crop(box) if box else image
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    scale = rng.uniform(0.55, 1.05) * size / max(image.size)
    width, height = (max(1, round(side * scale * rng.uniform(0.93, 1.07))) for side in image.size)
    x, y = (round((size - side) / 2 + size * rng.uniform(-0.08, 0.08)) for side in (width, height))
    square = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    square.paste(image.resize((width, height), Image.Resampling.BICUBIC), (x, y))
    return square


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
    """Blur, loss of resolution and JPEG blocks, each now and then."""
    image = Image.fromarray(picture)
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
