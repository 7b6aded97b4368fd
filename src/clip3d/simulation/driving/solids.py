"""Coloured triangles with materials that stand in a street, and what parts of procedural things are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.driving.snapshot import MATERIAL
from clip3d.simulation.people import SKINS
from clip3d.simulation.shapes import Color

Array = NDArray[np.float32]
# From colours (n, 3) to the materials (n,) that parts of such colours are of.
Guess = Callable[[Array], NDArray[np.uint8]]


@dataclass(frozen=True, eq=False)
class Solid:
    """Triangles in metres: x ahead, y left, z up, standing on z = 0.

    Attributes:
        corners: (f, 3, 3) float32.
        colors: (f, 3) float32 in [0, 1], sRGB.
        materials: (f,) uint8, places in `MATERIALS`.
    """

    corners: Array
    colors: Array
    materials: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.corners)

    def low_high(self) -> tuple[Array, Array]:
        """Its lowest and highest coordinates, (3,) each."""
        return self.corners.min((0, 1)), self.corners.max((0, 1))

    def areas(self) -> Array:
        """Of its triangles (f,) in square metres."""
        a, b, c = self.corners[:, 0], self.corners[:, 1], self.corners[:, 2]
        area: Array = np.linalg.norm(np.cross(b - a, c - a), axis=1) / np.float32(2)
        return area

    def without_fine(self, smallest: float) -> Solid:
        """It, without triangles below so many square metres, but with all lamps and reflectors."""
        shining = (self.materials == MATERIAL["lamp"]) | (self.materials == MATERIAL["retroreflector"])
        kept = (self.areas() >= smallest) | shining
        return Solid(self.corners[kept], self.colors[kept], self.materials[kept])

    def placed(self, at: Sequence[float], yaw: float = 0.0) -> Solid:
        """It, turned by `yaw` radians from x towards y and then moved to `at` (x, y, z)."""
        return Solid(placed(self.corners, at, yaw), self.colors, self.materials)

    def scaled(self, by: Sequence[float] | float) -> Solid:
        """It, stretched along its axes by positive factors."""
        return Solid(self.corners * np.asarray(by, np.float32), self.colors, self.materials)

    def standing(self) -> Solid:
        """It, with the middle of its footprint at the origin and its lowest point on z = 0."""
        low, high = self.low_high()
        shift = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]], np.float32)
        return Solid(self.corners - shift, self.colors, self.materials)


def placed(corners: Array, at: Sequence[float], yaw: float) -> Array:
    """Triangles (f, 3, 3) turned by `yaw` radians about z and moved."""
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]], np.float32)
    moved: Array = corners @ turn + np.asarray(at, np.float32)
    return moved


def join(solids: Sequence[Solid]) -> Solid:
    """One of all; nothing where there are none."""
    if not solids:
        return Solid(np.zeros((0, 3, 3), np.float32), np.zeros((0, 3), np.float32), np.zeros(0, np.uint8))
    return Solid(
        np.concatenate([s.corners for s in solids]),
        np.concatenate([s.colors for s in solids]),
        np.concatenate([s.materials for s in solids]),
    )


def solid_of(parts: Sequence[Mesh], guess: Guess) -> Solid:
    """What procedural makers give, with a guess of what each part is made of from its colour."""
    corners = np.concatenate([m.vertices[m.faces] for m in parts])
    colors = np.concatenate([np.asarray(m.face_colors, np.float32) for m in parts])
    return Solid(corners, colors, guess(colors))


def made_of(material: str) -> Guess:
    """Everything is of one material."""
    return lambda colors: np.full(len(colors), MATERIAL[material], np.uint8)


def plain(mesh: Mesh, material: str) -> Solid:
    """A mesh of one material."""
    return solid_of([mesh], made_of(material))


def quads(corners: NDArray[np.floating], color: Color | Array, material: str) -> Solid:
    """Flat four-cornered faces (n, 4, 3), counter-clockwise seen from outside, in one colour or in (n, 3)."""
    four = np.asarray(corners, np.float32).reshape(-1, 4, 3)
    both = np.concatenate([four[:, [0, 1, 2]], four[:, [0, 2, 3]]])
    shades = np.broadcast_to(np.asarray(color, np.float32), (len(four), 3))
    return Solid(both, np.tile(shades, (2, 1)), np.full(len(both), MATERIAL[material], np.uint8))


def repainted(solid: Solid, old: Color, new: Color) -> Solid:
    """It, with all faces of one colour in another."""
    colors = solid.colors.copy()
    colors[np.abs(colors - np.asarray(old, np.float32)).max(1) < 1e-3] = new
    return Solid(solid.corners, colors, solid.materials)


def _assigned(colors: Array, default: str, *rules: tuple[NDArray[np.bool_], str]) -> NDArray[np.uint8]:
    """The material of the first rule that fits each colour."""
    materials = np.full(len(colors), MATERIAL[default], np.uint8)
    for fits, material in reversed(rules):
        materials[fits] = MATERIAL[material]
    return materials


def _near(colors: Array, color: Color, within: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(colors - np.asarray(color, np.float32)).max(1) < within)


def vehicle_materials(colors: Array) -> NDArray[np.uint8]:
    """Dark and bluish is a window, black a tyre, near white a lamp, red a tail lamp, grey steel; else paint."""
    grey = (np.ptp(colors, axis=1) < 0.05) & (colors.mean(1) > 0.5) & (colors.mean(1) < 0.68)
    return _assigned(
        colors,
        "car paint",
        (_near(colors, (0.155, 0.19, 0.23), 0.035) & (colors[:, 2] > colors[:, 0] + 0.04), "glass"),
        (_near(colors, (0.95, 0.95, 0.85), 0.005), "lamp"),
        (_near(colors, (0.7, 0.05, 0.05), 0.005), "retroreflector"),
        (_near(colors, PLATE, 0.005), "retroreflector"),
        (_near(colors, (0.08, 0.08, 0.08), 0.004), "rubber"),
        (grey, "metal"),
    )


PLATE: Color = (0.97, 0.97, 0.93)  # of number plates


def person_materials(colors: Array) -> NDArray[np.uint8]:
    """What is coloured as skin is skin, the rest cloth."""
    skin = np.any([_near(colors, skin, 0.1) for skin in SKINS], axis=0) & (colors[:, 0] > colors[:, 2] + 0.1)
    return _assigned(colors, "cloth", (skin, "skin"))


def cycle_materials(colors: Array) -> NDArray[np.uint8]:
    """Tyres are black, rims grey, the rest is painted metal."""
    dark, grey = colors.max(1) < 0.16, np.ptp(colors, axis=1) < 0.06
    return _assigned(colors, "car paint", (dark, "rubber"), (grey, "metal"))


def plant_materials(colors: Array) -> NDArray[np.uint8]:
    """What is brown or grey is bark, the rest foliage."""
    brown = (colors[:, 0] >= colors[:, 1]) & (colors[:, 0] < 0.55)
    return _assigned(colors, "foliage", (brown, "bark"))


def furniture_materials(colors: Array) -> NDArray[np.uint8]:
    """Bright lamps and signs shine back, glass is pale blue, brown is wood, the rest painted metal."""
    bluish = (colors[:, 2] > colors[:, 0] + 0.05) & (np.ptp(colors, axis=1) < 0.3) & (colors.mean(1) > 0.4)
    brown = (colors[:, 0] > colors[:, 2] + 0.1) & (colors.max(1) < 0.75) & (colors[:, 1] > 0.3 * colors[:, 0])
    return _assigned(colors, "metal", (bluish, "glass"), (brown, "wood"))


def sign_materials(colors: Array) -> NDArray[np.uint8]:
    """Faces of road signs are retroreflective where they are white, red, blue or yellow; posts are steel."""
    grey = (np.ptp(colors, axis=1) < 0.1) & (colors.mean(1) < 0.85)
    return _assigned(colors, "retroreflector", (grey, "metal"))
