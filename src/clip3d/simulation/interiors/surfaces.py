"""What things in rooms are made of, guessed from their colours, and how each surface answers a sensor's light."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.driving.solids import Guess, Solid
from clip3d.simulation.shapes import Color

Array = NDArray[np.float32]

# A face names its material by its place here.
MATERIALS = ("matt", "cloth", "wood", "metal", "ceramic", "screen", "glass", "mirror", "foliage", "light")
MATERIAL = {name: number for number, name in enumerate(MATERIALS)}
# Of the infrared light that a depth camera throws, the share of pixels that come back whatever their slant and
# colour. Glass, mirrors and dark screens send it elsewhere; polished metal partly.
RETURNS = np.array([1.0, 1.0, 0.99, 0.8, 0.94, 0.45, 0.12, 0.1, 0.9, 0.7], np.float32)
# How much a material's brightness in the infrared is above what its colour says: dark cloth is often bright there.
LIFT = np.array([0.1, 0.3, 0.2, 0.1, 0.2, 0.02, 0.05, 0.05, 0.35, 0.5], np.float32)


def _assigned(colors: Array, default: str, *rules: tuple[NDArray[np.bool_], str]) -> NDArray[np.uint8]:
    found = np.full(len(colors), MATERIAL[default], np.uint8)
    for fits, material in reversed(rules):
        found[fits] = MATERIAL[material]
    return found


def _glassy(colors: Array) -> NDArray[np.bool_]:
    return np.asarray((colors[:, 2] > colors[:, 0] + 0.06) & (colors.mean(1) > 0.6))


def _dark(colors: Array) -> NDArray[np.bool_]:
    return np.asarray(colors.max(1) < 0.2)


def _steely(colors: Array) -> NDArray[np.bool_]:
    return np.asarray((np.ptp(colors, axis=1) < 0.06) & (colors.mean(1) > 0.35) & (colors.mean(1) < 0.78))


def all_of(material: str) -> Guess:
    """Everything is of one material."""
    return lambda colors: np.full(len(colors), MATERIAL[material], np.uint8)


def wooden(colors: Array) -> NDArray[np.uint8]:
    """Grey is metal, pale blue is glass, the rest wood or paint."""
    return _assigned(colors, "wood", (_glassy(colors), "glass"), (_steely(colors), "metal"))


def upholstered(colors: Array) -> NDArray[np.uint8]:
    """Grey is metal, the rest cloth."""
    return _assigned(colors, "cloth", (_steely(colors), "metal"))


def glazed(colors: Array) -> NDArray[np.uint8]:
    """Pale blue is glass, the rest paint."""
    return _assigned(colors, "matt", (_glassy(colors), "glass"))


def electric(colors: Array) -> NDArray[np.uint8]:
    """Dark is a screen or polished plastic, grey metal."""
    return _assigned(colors, "matt", (_dark(colors), "screen"), (_steely(colors), "metal"))


def mirrored(colors: Array) -> NDArray[np.uint8]:
    """Pale is the mirror, the rest its frame."""
    pale = (colors.mean(1) > 0.7) & (np.ptp(colors, axis=1) < 0.2)
    return _assigned(colors, "wood", (pale | _glassy(colors), "mirror"))


def sanitary(colors: Array) -> NDArray[np.uint8]:
    """Grey is metal, the rest ceramic."""
    return _assigned(colors, "ceramic", (_steely(colors), "metal"))


def white_goods(colors: Array) -> NDArray[np.uint8]:
    """Grey is brushed steel, dark a glass door, the rest enamel."""
    return _assigned(colors, "ceramic", (_dark(colors), "screen"), (_steely(colors), "metal"))


def leafy(colors: Array) -> NDArray[np.uint8]:
    """Green is leaves, the rest a pot."""
    green = (colors[:, 1] > colors[:, 0]) & (colors[:, 1] > colors[:, 2])
    return _assigned(colors, "matt", (green, "foliage"))


GUESSES: Mapping[str, Guess] = {
    "wood": wooden,
    "cloth": upholstered,
    "matt": all_of("matt"),
    "glazed": glazed,
    "electric": electric,
    "mirror": mirrored,
    "sanitary": sanitary,
    "white goods": white_goods,
    "leafy": leafy,
    "light": all_of("light"),
}


def rectangle(origin: Array, along: Array, across: Array, color: Color, material: str, step: float = 0.0) -> Solid:
    """A flat rectangle from a corner along two sides, its front where the first side turns to the second.

    Args:
        origin: (3,) corner, metres.
        along: (3,) one side with its length.
        across: (3,) the other.
        color: of all of it.
        material: of all of it.
        step: metres of a side of the tiles into which it is cut; 0 for one tile.
    """
    a, b = (max(1, round(float(np.linalg.norm(v)) / step)) if step else 1 for v in (along, across))
    i, j = (grid.ravel()[:, None] for grid in np.meshgrid(np.arange(a), np.arange(b), indexing="ij"))
    ends = ((0, 0), (1, 0), (1, 1), (0, 1))
    four = np.stack([origin + along * ((i + di) / a) + across * ((j + dj) / b) for di, dj in ends], 1)
    four = four.astype(np.float32)
    faces = np.concatenate([four[:, [0, 1, 2]], four[:, [0, 2, 3]]])
    shades = np.tile(np.asarray(color, np.float32), (len(faces), 1))
    return Solid(faces, shades, np.full(len(faces), MATERIAL[material], np.uint8))
