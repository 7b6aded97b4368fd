"""Chance with taste: choices, and colours that suit a material."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from clip3d.simulation.shapes import Color

Rng = np.random.Generator
T = TypeVar("T")

PAINTS: dict[str, Color] = {
    "red": (0.75, 0.12, 0.1),
    "blue": (0.12, 0.25, 0.7),
    "green": (0.15, 0.5, 0.2),
    "yellow": (0.92, 0.78, 0.12),
    "orange": (0.92, 0.48, 0.1),
    "purple": (0.45, 0.2, 0.55),
    "pink": (0.92, 0.55, 0.68),
    "white": (0.93, 0.93, 0.91),
    "black": (0.08, 0.08, 0.09),
    "grey": (0.5, 0.5, 0.52),
    "brown": (0.42, 0.27, 0.15),
}
_WOODS: tuple[Color, ...] = (
    (0.72, 0.53, 0.34),
    (0.55, 0.36, 0.2),
    (0.38, 0.23, 0.13),
    (0.24, 0.14, 0.09),
    (0.85, 0.71, 0.52),
    (0.62, 0.33, 0.18),
)
_FABRICS: tuple[Color, ...] = (
    (0.55, 0.52, 0.48),
    (0.3, 0.32, 0.36),
    (0.75, 0.68, 0.57),
    (0.2, 0.28, 0.42),
    (0.5, 0.16, 0.16),
    (0.36, 0.24, 0.16),
    (0.35, 0.45, 0.35),
    (0.86, 0.84, 0.8),
    (0.12, 0.12, 0.13),
    (0.72, 0.52, 0.2),
)
_METALS: tuple[Color, ...] = ((0.72, 0.73, 0.75), (0.55, 0.56, 0.58), (0.3, 0.3, 0.32), (0.75, 0.62, 0.33))


def pick(rng: Rng, *options: T) -> T:
    """One of the options, each as likely."""
    return options[int(rng.integers(len(options)))]


def maybe(rng: Rng, chance: float = 0.5) -> bool:
    """True with the given probability."""
    return bool(rng.random() < chance)


def count(rng: Rng, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return int(rng.integers(low, high + 1))


def near(rng: Rng, color: Color, spread: float = 0.06) -> Color:
    """A colour close to the given one: lightness and tint both wander."""
    r, g, b = np.clip(np.asarray(color) + rng.normal(0, spread) + rng.normal(0, spread / 3, 3), 0, 1)
    return float(r), float(g), float(b)


def wood(rng: Rng) -> Color:
    """From pale birch to near-black wenge, sometimes painted white."""
    return near(rng, (0.9, 0.89, 0.86) if maybe(rng, 0.15) else pick(rng, *_WOODS), 0.04)


def metal(rng: Rng) -> Color:
    """Steel, iron or brass."""
    return near(rng, pick(rng, *_METALS), 0.04)


def steel(rng: Rng) -> Color:
    """Bright to dull steel."""
    return near(rng, (0.68, 0.69, 0.71), 0.06)


def fabric(rng: Rng) -> Color:
    """Upholstery."""
    return near(rng, pick(rng, *_FABRICS), 0.05)


def white(rng: Rng) -> Color:
    """White goods and ceramics, seldom in a pastel."""
    return near(rng, (0.92, 0.92, 0.9) if maybe(rng, 0.85) else pick(rng, (0.8, 0.75, 0.62), (0.7, 0.8, 0.8)), 0.03)


def dark(rng: Rng) -> Color:
    """Black and dark grey plastic, rubber or glass."""
    return near(rng, (0.11, 0.11, 0.12), 0.04)


def leafy(rng: Rng) -> Color:
    """Greens of plants."""
    return near(rng, (0.2, 0.45, 0.16), 0.07)


def stone(rng: Rng) -> Color:
    """Walls: stone, brick, plaster."""
    return near(rng, pick(rng, (0.65, 0.62, 0.57), (0.6, 0.32, 0.24), (0.85, 0.82, 0.74), (0.75, 0.7, 0.6)), 0.05)


def paint(rng: Rng) -> tuple[str, Color]:
    """A named paint and a shade of it."""
    name = pick(rng, *PAINTS)
    return name, near(rng, PAINTS[name], 0.05)


def bright(rng: Rng) -> Color:
    """Any paint, unnamed."""
    return paint(rng)[1]
