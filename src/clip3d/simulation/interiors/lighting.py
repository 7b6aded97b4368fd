"""Light in a room: what colour a place on a surface shows to a camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.chance import Rng, maybe
from clip3d.simulation.interiors.room import Room

Array = NDArray[np.float32]
AMBIENT = 0.42
OUTSIDE = np.array([0.8, 0.88, 0.95], np.float32)  # what is seen through windows and open doors


@dataclass(frozen=True, eq=False)
class Light:
    """The lamps of a room as points.

    Attributes:
        places: (l, 3) metres.
        colors: (l, 3) strength at two metres.
        ambient: (3,) what reaches every place.
    """

    places: Array
    colors: Array
    ambient: Array


def draw_light(rng: Rng, room: Room) -> Light:
    """Daylight from the windows, and the lights under the ceiling where they are lit."""
    places, colors = [], []
    lit = maybe(rng, 0.8)
    warm = np.array([1.0, 0.95, 0.86]) * rng.uniform(0.9, 1.05)
    for thing in room.things:
        if thing.label == "window":
            c, s = np.cos(thing.yaw), np.sin(thing.yaw)
            places.append(np.array(thing.center) + np.array([c, s, 0]) * 0.2)
            colors.append(np.array([0.9, 0.95, 1.0]) * rng.uniform(0.2, 0.5))
        elif (lit and thing.label == "ceiling light") or thing.kind == "pendant lamp":
            places.append(np.array(thing.center) - [0, 0, thing.size[2] / 2 + 0.06])
            colors.append(warm)
    if not places or not lit:
        middle = room.outline.mean(0)
        places.append(np.array([*middle, room.height - 0.1]))
        colors.append(warm * 0.8)
    strength = np.array(colors, np.float32)
    strength *= np.float32(0.75 / max(1.0, float(strength.sum(0).mean())))
    return Light(np.array(places, np.float32), strength, np.float32(AMBIENT) * np.ones(3, np.float32))


def shade(room: Room, light: Light, points: Array, normals: Array, colors: Array) -> Array:
    """sRGB colours (n, 3) in [0, 1] of places on surfaces under the light, with shadows.

    Args:
        room: whose things throw shadows.
        light: of the room.
        points: (n, 3) metres.
        normals: (n, 3) unit vectors towards whoever looks.
        colors: (n, 3) sRGB of the surfaces.
    """
    shown = np.tile(light.ambient, (len(points), 1))
    shown *= (np.float32(0.85) + np.float32(0.15) * normals[:, 2:])
    start = points + normals * np.float32(0.01)
    for place, color in zip(light.places, light.colors, strict=True):
        way = place - start
        away = np.sqrt(np.einsum("nd,nd->n", way, way))
        facing = np.einsum("nd,nd->n", way, normals) / np.maximum(away, np.float32(1e-3))
        strength = np.maximum(facing, 0) * np.minimum(np.float32(2.2), 6 / (2 + away**2))
        dark = room.caster.blocked(start, way, np.full(len(way), 0.97, np.float32))
        shown += (strength * np.where(dark, np.float32(0.15), np.float32(1)))[:, None] * color
    linear = np.power(colors, np.float32(2.2)) * shown
    found: Array = np.power(np.clip(linear, 0, 1), np.float32(1 / 2.2)).astype(np.float32)
    return found
