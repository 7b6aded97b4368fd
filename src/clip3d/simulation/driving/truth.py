"""What is true of a moment as its sensors have it: boxes, points, what hides them, where pictures show them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clip3d.lidar.camera import Camera
from clip3d.lidar.frame import Box
from clip3d.lidar.motion import inverse
from clip3d.simulation.chance import Rng
from clip3d.simulation.driving.lidar_sensor import Scan
from clip3d.simulation.driving.rays import RayCaster
from clip3d.simulation.driving.snapshot import REACH, Snapshot

Array = NDArray[np.float32]
Rectangle = tuple[float, float, float, float]

LOOKS = 48  # rays to each thing that tell how much of it is hidden
NEAR = 0.1  # metres before a camera within which it shows nothing
SMALLEST = 3.0  # pixels of a rectangle's side


def true_boxes(
    snapshot: Snapshot,
    caster: RayCaster,
    scanned: Scan,
    world_from_lidar: NDArray[np.float64],
    cameras: Sequence[Camera],
    rng: Rng,
) -> tuple[Box, ...]:
    """Boxes of all things of a snapshot within REACH, in the lidar's frame, near ones first.

    Their attributes: "words", most specific first; "points", how many of the sweep lie on it; "visible", the share
    of it that nothing else hides from the lidar, by rays to places spread evenly on its surface, which count where
    they meet the thing itself first; "cameras", by camera the same share, and how much of the thing lies within the
    picture; "velocity" (2,) metres a second in the lidar's frame; "moving"; "distance" in metres.

    Args:
        snapshot: the moment.
        caster: over its corners.
        scanned: the revolution.
        world_from_lidar: (4, 4).
        cameras: of the vehicle.
        rng: chance of the places on surfaces.
    """
    lidar_from_world = inverse(world_from_lidar)
    targets = _targets(snapshot, rng)
    counts = np.bincount(scanned.owners[scanned.owners >= 0], minlength=len(snapshot.things))
    visible = _visible(snapshot, caster, targets, world_from_lidar[:3, 3])
    views = [_view(snapshot, caster, targets, camera, world_from_lidar) for camera in cameras]
    found = []
    for i, thing in enumerate(snapshot.things):
        if np.hypot(*(thing.center[:2] - world_from_lidar[:2, 3])) > REACH:
            continue
        center = lidar_from_world[:3, :3] @ thing.center + lidar_from_world[:3, 3]
        ahead = lidar_from_world[:3, :3] @ np.array([np.cos(thing.yaw), np.sin(thing.yaw), 0.0])
        velocity = lidar_from_world[:3, :3] @ np.array([*thing.velocity, 0.0])
        rectangles = {c.name: view[i][0] for c, view in zip(cameras, views, strict=True) if i in view}
        seen = {c.name: view[i][1] for c, view in zip(cameras, views, strict=True) if i in view}
        attributes = {
            "words": list(thing.words),
            "points": int(counts[i]),
            "visible": round(float(visible[i]), 3),
            "cameras": seen,
            "velocity": [round(float(v), 3) for v in velocity[:2]],
            "moving": thing.moving,
            "distance": round(float(np.linalg.norm(center)), 2),
        }
        yaw = float(np.arctan2(ahead[1], ahead[0]))
        found.append(Box(thing.label, center, thing.size, yaw, thing.track, rectangles, attributes))
    return tuple(sorted(found, key=lambda box: box.attributes["distance"]))


def _targets(snapshot: Snapshot, rng: Rng) -> Array:
    """LOOKS places (t, LOOKS, 3) on the surface of each thing, spread by area."""
    n = len(snapshot.things)
    owned = np.flatnonzero(snapshot.owners >= 0)
    owned = owned[np.argsort(snapshot.owners[owned], kind="stable")]
    corners, owner = snapshot.corners[owned], snapshot.owners[owned]
    first = np.searchsorted(owner, np.arange(n))
    last = np.searchsorted(owner, np.arange(n), side="right")
    if not n:
        return np.zeros((0, LOOKS, 3), np.float32)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    total = np.concatenate([[0.0], np.cumsum(area, dtype=np.float64)])
    share = (np.arange(LOOKS) + rng.random((n, LOOKS))) / LOOKS
    reached = total[first][:, None] + share * (total[last] - total[first])[:, None]
    face = np.clip(np.searchsorted(total, reached, side="right") - 1, first[:, None], last[:, None] - 1)
    u, v = rng.random((2, n, LOOKS, 1))
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    a, b, c = (corners[face, k] for k in range(3))
    return np.asarray(a + u * (b - a) + v * (c - a), np.float32)


def _visible(
    snapshot: Snapshot, caster: RayCaster, targets: Array, eye: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share (t,) of the places on each thing whose rays from an eye meet that thing first."""
    n = len(targets)
    if not n:
        return np.zeros(0)
    rays = targets.reshape(-1, 3) - eye.astype(np.float32)
    face = caster.cast(eye.astype(np.float32), rays).face
    owner = np.where(face >= 0, snapshot.owners[face], -1).reshape(n, -1)
    return np.asarray((owner == np.arange(n)[:, None]).mean(1))


def _view(
    snapshot: Snapshot, caster: RayCaster, targets: Array, camera: Camera, world_from_lidar: NDArray[np.float64]
) -> dict[int, tuple[Rectangle, dict[str, float]]]:
    """Rectangles in a camera's picture of the things that it sees, with their visible share and share within."""
    camera_from_world = camera.camera_from_lidar @ inverse(world_from_lidar)
    eye = inverse(camera_from_world)[:3, 3]
    found = {}
    inside = _inside(camera, camera_from_world, targets)
    candidates = np.flatnonzero(inside.any(1))
    if not len(candidates):
        return {}
    face = caster.cast(eye.astype(np.float32), targets[candidates].reshape(-1, 3) - eye.astype(np.float32)).face
    owner = np.where(face >= 0, snapshot.owners[face], -1).reshape(len(candidates), -1)
    for row, i in enumerate(candidates):
        seen = (owner[row] == i) & inside[i]
        if not seen.any():
            continue
        rectangle = _rectangle(camera, camera_from_world, snapshot.corners[snapshot.owners == i])
        if rectangle is not None:
            shares = {"visible": float(seen.sum() / inside[i].sum()), "within": float(inside[i].mean())}
            found[int(i)] = (rectangle, {name: round(value, 3) for name, value in shares.items()})
    return found


def _inside(camera: Camera, camera_from_world: NDArray[np.float64], targets: Array) -> NDArray[np.bool_]:
    """Which places (t, k, 3) lie within a camera's picture."""
    there = targets @ camera_from_world[:3, :3].T.astype(np.float32) + camera_from_world[:3, 3].astype(np.float32)
    pixels = camera.project(there.reshape(-1, 3)).reshape(*there.shape[:2], 2)
    with np.errstate(invalid="ignore"):
        within = (pixels >= -0.5).all(2) & (pixels < np.array([camera.width, camera.height]) - 0.5).all(2)
    return np.asarray(within & (there[:, :, 2] > NEAR))


def _rectangle(camera: Camera, camera_from_world: NDArray[np.float64], corners: Array) -> Rectangle | None:
    """The smallest rectangle in the picture around what of triangles (f, 3, 3) lies in it and before the camera."""
    points = corners.reshape(-1, 3) @ camera_from_world[:3, :3].T + camera_from_world[:3, 3]
    pixels = camera.project(points[points[:, 2] > NEAR])
    if not len(pixels):
        return None
    # Pixel 0 is centred on 0, so that the picture begins half a pixel before.
    left, top = np.maximum(pixels.min(0), -0.5)
    right, bottom = np.minimum(pixels.max(0), np.array([camera.width, camera.height]) - 0.5)
    if right - left < SMALLEST or bottom - top < SMALLEST:
        return None
    return float(left), float(top), float(right), float(bottom)
