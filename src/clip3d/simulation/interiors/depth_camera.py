"""A depth camera that is carried through a room: its walk, its views, and the cloud that is fused from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.chance import Rng
from clip3d.simulation.driving.rays import Hits
from clip3d.simulation.interiors.footprints import Footprint
from clip3d.simulation.interiors.lighting import OUTSIDE, Light, shade
from clip3d.simulation.interiors.room import Room
from clip3d.simulation.interiors.scan import NOBODY, Scan, fuse, mixed
from clip3d.simulation.interiors.surfaces import LIFT, RETURNS

Array = NDArray[np.float32]
NEAREST, FARTHEST = 0.35, 4.5  # metres
FIELD = 58.0  # degrees from left to right, as those of structured light have
# Standard deviation of depth, metres: Nguyen, Izadi and Lovell 2012, "Modeling Kinect sensor noise", equation 2.
NOISE = (0.0012, 0.0019, 0.4)
STEPS = 400  # places of the walk that are tried


@dataclass(frozen=True, eq=False)
class View:
    """What the camera saw once.

    Attributes:
        room_from_camera: (4, 4) float64: x right, y down, z ahead.
        intrinsics: (3, 3) float64.
        depth: (h, w) float32 metres along z as measured, 0 where nothing came back.
        instances: (h, w) int32, -1 for none and for mixed pixels.
        points: (h * w, 3) float32 in the room where the depth says, as the drifting pose has them.
        surface: (h * w, 3) float32, colours of the surfaces without light, or of what is outside.
        normals: (h * w, 3) float32.
        true_points: (h * w, 3) float32, where the rays met the surfaces; zeros for none.
    """

    room_from_camera: NDArray[np.float64]
    intrinsics: NDArray[np.float64]
    depth: Array
    instances: NDArray[np.int32]
    points: Array
    surface: Array
    normals: Array
    true_points: Array

    def picture(self, room: Room, light: Light) -> NDArray[np.uint8]:
        """The colour picture (h, w, 3) of the same view."""
        met = np.linalg.norm(self.normals, axis=1) > 0.5
        shown = self.surface.copy()
        shown[met] = shade(room, light, self.true_points[met], self.normals[met], self.surface[met])
        return np.rint(shown.reshape(*self.depth.shape, 3) * 255).astype(np.uint8)


def walk(room: Room, views: int, rng: Rng) -> list[NDArray[np.float64]]:
    """Poses (4, 4) of a camera that is carried around between the furniture and turned about.

    Args:
        room: to be scanned.
        views: how many poses.
        rng: chance.
    """
    stops = standing_places(room, max(3, views // 12), rng)
    t = np.linspace(0, len(stops) - 1, views)
    path = np.column_stack([np.interp(t, np.arange(len(stops)), stops[:, i]) for i in range(2)])
    height = rng.uniform(1.35, 1.65) + 0.08 * np.sin(np.linspace(0, rng.uniform(6, 14), views))
    turns = max(2.0, views / 24)
    yaw = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi * turns, views) + rng.normal(0, 0.15, views)
    pitch = np.radians(-22 + 17 * np.sin(np.linspace(0, rng.uniform(18, 40), views)) + rng.normal(0, 4, views))
    return [_pose(np.array([x, y, z]), a, b) for (x, y), z, a, b in zip(path, height, yaw, pitch, strict=True)]


def standing_places(room: Room, number: int, rng: Rng) -> NDArray[np.float64]:
    """Places (n, 2) at which somebody can stand, in an order that makes a short way."""
    taken = [
        Footprint(np.array(t.center[:2]), np.array(t.size[:2]) / 2 + 0.2, t.yaw)
        for t in room.things
        if t.label not in ("wall", "floor", "ceiling", "rug", "curtain") and t.center[2] - t.size[2] / 2 < 1.8
        and t.center[2] + t.size[2] / 2 > 0.15
    ]  # fmt: skip
    low, high = room.outline.min(0) + 0.3, room.outline.max(0) - 0.3
    found: list[NDArray[np.float64]] = []
    for _ in range(STEPS):
        place = rng.uniform(low, high)
        here = Footprint(place, np.array([0.05, 0.05]), 0.0)
        if _indoors(room.outline, place) and not any(here.meets(other) for other in taken):
            found.append(place)
    if not found:
        found = [room.outline.mean(0)]
    chosen = [found[int(rng.integers(len(found)))]]
    # Farthest first, so that the whole room is visited; then the nearest next, so that nobody runs to and fro.
    while len(chosen) < min(number, len(found)):
        away = [min(float(np.hypot(*(place - c))) for c in chosen) for place in found]
        chosen.append(found[int(np.argmax(away))])
    way, left = [chosen[0]], chosen[1:]
    while left:
        nearest = min(range(len(left)), key=lambda i: float(np.hypot(*(left[i] - way[-1]))))
        way.append(left.pop(nearest))
    return np.array(way if len(way) > 1 else way * 2)


def _indoors(outline: NDArray[np.float64], place: NDArray[np.float64]) -> bool:
    x, y = place
    a, b = outline, np.roll(outline, -1, 0)
    crosses = (a[:, 1] > y) != (b[:, 1] > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    return bool((crosses & (x < at)).sum() % 2)


def _pose(eye: NDArray[np.float64], yaw: float, pitch: float) -> NDArray[np.float64]:
    """(4, 4) of a camera at an eye that looks along yaw, up by pitch, radians."""
    ahead = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
    right = np.array([np.sin(yaw), -np.cos(yaw), 0.0])
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = right, np.cross(ahead, right), ahead, eye
    return pose


def intrinsics(width: int, height: int) -> NDArray[np.float64]:
    """(3, 3) of the camera at a size in pixels."""
    focal = width / 2 / np.tan(np.radians(FIELD / 2))
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1.0]])


def look(room: Room, pose: NDArray[np.float64], size: tuple[int, int], rng: Rng,
         drift: NDArray[np.float64] | None = None) -> View:  # fmt: skip
    """One view, with the errors of such cameras.

    Depth noise grows with the square of the distance; pixels at edges lie between both surfaces; dark, shiny and
    slanted surfaces, glass and mirrors leave holes, and so does what is too near or too far.

    Args:
        room: that is seen.
        pose: (4, 4) room from camera.
        size: width and height in pixels.
        rng: chance.
        drift: (3,) metres by which the pose is taken wrongly.
    """
    width, height = size
    k = intrinsics(width, height)
    u, v = np.meshgrid(np.arange(width), np.arange(height))
    # A pixel's ray leaves it anywhere: the pattern's spots do not lie on the pixels' grid (lateral noise).
    shift = rng.normal(0, 0.4, (2, height, width))
    rays = np.stack([(u + shift[0] - k[0, 2]) / k[0, 0], (v + shift[1] - k[1, 2]) / k[1, 1], np.ones(u.shape)], -1)
    ways = (rays.reshape(-1, 3) @ pose[:3, :3].T).astype(np.float32)
    eye = pose[:3, 3].astype(np.float32)
    hits = room.caster.cast(eye, ways)  # the rays' third coordinate is 1, so distances are depths
    met = hits.face >= 0
    true = np.where(met[:, None], eye + ways * np.where(met, hits.distance, 0)[:, None], 0).astype(np.float32)
    surface = np.where(met[:, None], room.solid.colors[hits.face], OUTSIDE)
    blended, between = mixed(hits.distance, (height, width), rng, 0.5, 0.03)
    lost = _lost(room, hits, ways, surface, rng) | ~np.isfinite(blended)
    depth = np.where(lost, 0, blended)
    sigma = NOISE[0] + NOISE[1] * (depth - NOISE[2]) ** 2
    error = _error(rng, width, height).ravel() * sigma
    depth = np.where(lost, 0, depth + error).astype(np.float32)
    depth[(depth < NEAREST) | (depth > FARTHEST)] = 0
    ideal = np.stack([(u - k[0, 2]) / k[0, 0], (v - k[1, 2]) / k[1, 1], np.ones(u.shape)], -1).reshape(-1, 3)
    moved = eye if drift is None else eye + drift.astype(np.float32)
    points = (ideal @ pose[:3, :3].T).astype(np.float32) * depth[:, None] + moved
    owners = np.where(met & ~between, room.owners[hits.face], NOBODY).astype(np.int32)
    return View(pose, k, depth.reshape(height, width), owners.reshape(height, width), points.astype(np.float32),
                surface.astype(np.float32), hits.normal, true)  # fmt: skip


def _error(rng: Rng, width: int, height: int) -> NDArray[np.float64]:
    """Depth noise (h, w) of unit variance at most: neighbours err alike, since the pattern is matched by windows.

    A view stands for the second or so of frames around it, whose fusing takes most of the noise of single pixels.
    """
    rows, columns = np.linspace(0, 7.999, height), np.linspace(0, 9.999, width)
    coarse = rng.normal(0, 1, (9, 11))
    i, j = rows.astype(int), columns.astype(int)
    a, b = (rows - i)[:, None], (columns - j)[None]
    smooth = ((1 - a) * (1 - b) * coarse[i][:, j] + (1 - a) * b * coarse[i][:, j + 1]
              + a * (1 - b) * coarse[i + 1][:, j] + a * b * coarse[i + 1][:, j + 1])  # fmt: skip
    found: NDArray[np.float64] = 0.3 * smooth + 0.3 * rng.normal(0, 1, (height, width))
    return found


def _lost(room: Room, hits: Hits, ways: Array, surface: Array, rng: Rng) -> NDArray[np.bool_]:
    """Which pixels (n,) give no depth."""
    met = hits.face >= 0
    material = room.solid.materials[hits.face]
    slant = np.abs(np.einsum("nd,nd->n", hits.normal, ways)) / np.sqrt(np.einsum("nd,nd->n", ways, ways))
    bright = np.clip(surface.mean(1) + LIFT[material], 0, 1)
    # Light comes back in proportion to brightness and slant, thinned by the square of the way.
    strength = bright * slant / (np.where(met, hits.distance, 1) / np.float32(2.5)) ** 2
    seen = RETURNS[material] * np.clip(strength / np.float32(0.06), 0, 1)
    return np.asarray(~met | (rng.random(len(ways)) > seen))


def scan_by_camera(room: Room, light: Light, rng: Rng, *, views: int = 0, size: tuple[int, int] = (200, 150),
                   cell: float = 0.02) -> tuple[Scan, list[View]]:  # fmt: skip
    """Carry a depth camera through a room and fuse what it saw.

    Args:
        room: to be scanned.
        light: in it.
        rng: chance.
        views: how many; 0 for about five a square metre, 40 to 160.
        size: width and height of a view in pixels.
        cell: metres of the cells in which points are fused.

    Returns:
        The fused cloud, coloured, and the views.
    """
    views = views or int(np.clip(room.area * 5, 40, 160))
    # Poses are known to a centimetre or so, and their error wanders.
    drift = np.cumsum(rng.normal(0, 0.0012, (views, 3)), axis=0)
    drift -= drift.mean(0)
    seen = [look(room, pose, size, rng, drift[i]) for i, pose in enumerate(walk(room, views, rng))]
    there = [view.depth.ravel() > 0 for view in seen]

    def of_all(name: str) -> NDArray[np.float32]:
        return np.concatenate([getattr(v, name).reshape(len(t), -1)[t] for v, t in zip(seen, there, strict=True)])

    depth, facts = of_all("depth"), np.concatenate([of_all(n) for n in ("surface", "normals", "true_points")], 1)
    # Each view counts by the inverse of its variance, as volumetric fusion weighs them.
    weights = 1 / (NOISE[0] + NOISE[1] * (depth[:, 0] - NOISE[2]) ** 2) ** 2
    owners = np.asarray(of_all("instances")[:, 0], np.int32)
    points, facts, owners = fuse(of_all("points"), facts, owners, cell, least=2, weights=weights.astype(np.float32))
    normals = facts[:, 3:6] / np.maximum(np.linalg.norm(facts[:, 3:6], axis=1, keepdims=True), 1e-3)
    shown = shade(room, light, facts[:, 6:], normals.astype(np.float32), np.clip(facts[:, :3], 0, 1))
    noisy = shown + rng.normal(0, 0.02, shown.shape)
    return Scan(points, np.rint(np.clip(noisy, 0, 1) * 255).astype(np.uint8), owners), seen
