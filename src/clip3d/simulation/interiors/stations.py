"""A terrestrial laser scanner on its tripod: a few stations, each a full sphere of beams."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.chance import Rng
from clip3d.simulation.interiors.depth_camera import standing_places
from clip3d.simulation.interiors.lighting import Light, shade
from clip3d.simulation.interiors.room import Room
from clip3d.simulation.interiors.scan import NOBODY, Scan, fuse, mixed
from clip3d.simulation.interiors.surfaces import MATERIAL

Array = NDArray[np.float32]
BELOW = -62.0  # degrees: the tripod hides what lies under it
# Share of beams that come back from each material: glass lets them through, mirrors send them on.
THROUGH = {MATERIAL["glass"]: 0.12, MATERIAL["mirror"]: 0.1, MATERIAL["screen"]: 0.75}
SIGMA = 0.002  # metres of range noise, at two metres on white


@dataclass(frozen=True, eq=False)
class Station:
    """Where a scanner stood and what it measured.

    Attributes:
        place: (3,) metres in the room.
        points: (p, 3) float32 in the room.
        instances: (p,) int32.
    """

    place: NDArray[np.float64]
    points: Array
    instances: NDArray[np.int32]


def scan_by_stations(room: Room, light: Light, rng: Rng, *, stations: int = 0, step: float = 0.28,
                     cell: float = 0.01) -> tuple[Scan, list[Station]]:  # fmt: skip
    """Scan a room from a few tripods; what none of them sees is missing.

    Args:
        room: to be scanned.
        light: in it.
        rng: chance.
        stations: how many; 0 for one to three by the room's size.
        step: degrees between beams.
        cell: metres of the cells of which each keeps one point.

    Returns:
        The registered cloud, coloured, and the stations.
    """
    stations = stations or int(np.clip(round(room.area / 14 + rng.uniform(-0.3, 0.7)), 1, 3))
    places = standing_places(room, stations, rng)[:stations]
    points, colors, owners, found = [], [], [], []
    for x, y in places:
        eye = np.array([x, y, rng.uniform(1.4, 1.7)])
        # Registration of stations is true to a millimetre or two.
        shift = rng.normal(0, 0.0015, 3)
        sphere, shown, things = _sphere(room, light, eye, step, rng)
        points.append((sphere + shift).astype(np.float32))
        colors.append(shown)
        owners.append(things)
        found.append(Station(eye, points[-1], things))
    measured = np.concatenate(colors).astype(np.float32)
    merged, mean, things = fuse(np.concatenate(points), measured, np.concatenate(owners), cell)
    return Scan(merged, np.rint(mean).astype(np.uint8), things), found


def _sphere(
    room: Room, light: Light, eye: NDArray[np.float64], step: float, rng: Rng
) -> tuple[Array, NDArray[np.uint8], NDArray[np.int32]]:
    azimuth, elevation = np.radians(np.arange(0, 360, step)), np.radians(np.arange(BELOW, 90, step))
    a, e = np.meshgrid(azimuth, elevation)
    ways = np.stack([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e)], -1).reshape(-1, 3).astype(np.float32)
    hits = room.caster.cast(eye.astype(np.float32), ways)
    met = hits.face >= 0
    material = room.solid.materials[hits.face]
    returns = np.ones(len(ways), np.float32)
    for number, share in THROUGH.items():
        returns[material == number] = share
    slant = np.abs(np.einsum("nd,nd->n", hits.normal, ways))
    bright = np.clip(room.solid.colors[hits.face].mean(1), 0.04, 1)
    returns *= np.clip(slant * bright / np.float32(0.03), 0, 1)
    distance, between = mixed(hits.distance, a.shape, rng, 0.35, 0.02, wraps=True)
    kept = np.flatnonzero(met & (rng.random(len(ways)) < returns) & np.isfinite(distance))
    noise = rng.normal(0, 1, len(kept)) * SIGMA / np.sqrt(np.clip(bright[kept] * slant[kept], 0.05, 1))
    points = eye + ways[kept] * (distance[kept] + noise)[:, None]
    true = eye.astype(np.float32) + ways[kept] * hits.distance[kept][:, None]
    shown = shade(room, light, true, hits.normal[kept], room.solid.colors[hits.face[kept]])
    owners = np.where(between[kept], NOBODY, room.owners[hits.face[kept]]).astype(np.int32)
    return points.astype(np.float32), np.rint(shown * 255).astype(np.uint8), owners
