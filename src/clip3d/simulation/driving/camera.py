"""Pictures of a moment of the street, as the cameras of the recording vehicle take them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary, proxy

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError
from clip3d.lidar.camera import Camera
from clip3d.simulation.driving.camera_lamps import Lamps
from clip3d.simulation.driving.camera_lens import View, develop
from clip3d.simulation.driving.camera_light import SHIFT, Lighting
from clip3d.simulation.driving.camera_scene import Scene, Seen, portions
from clip3d.simulation.driving.camera_sky import Sky
from clip3d.simulation.driving.rays import RayCaster
from clip3d.simulation.driving.snapshot import Snapshot

Array = NDArray[np.float32]

BAND = 1 << 18  # pixels that are looked at together: bounds the memory of a large picture
OPEN = 9.0  # metres within which things darken a place by hiding the sky
# Which of eight directions each of 4 x 4 pixels looks in for what hides the sky, if it looks.
_ORDER = np.array([[0, -1, 2, -1], [-1, 4, -1, 6], [3, -1, 1, -1], [-1, 7, -1, 5]])
# Where in a pixel its further samples lie, if its first does not tell all.
_OFFSETS = np.array(
    [(-0.36, -0.12), (0.12, -0.36), (0.36, 0.12), (-0.12, 0.36),
     (-0.3, 0.3), (0.3, -0.3), (0.3, 0.38), (-0.36, -0.4)]
)


def render(
    snapshot: Snapshot,
    caster: RayCaster,
    camera: Camera,
    world_from_camera: NDArray[np.floating],
    rng: np.random.Generator,
    *,
    samples: int = 4,
) -> NDArray[np.uint8]:
    """A picture of a moment of the street.

    Rays are cast through every pixel; light is that of the sun with its shadows, the sky with what hides it, and
    lamps; surfaces bear patterns by place; glass, paint and wet ground mirror. Air, weather, lens and sensor
    follow. The snapshot says what time of day and what weather it is.

    Args:
        snapshot: the moment.
        caster: at the snapshot's own corners.
        camera: its size and intrinsics; its picture is rectified, so it may have no distortion.
        world_from_camera: (4, 4) pose of the camera: x right, y down, z ahead, in the snapshot's world.
        rng: of noise, clouds, drops; equal states give equal pictures.
        samples: rays a pixel where a first ray finds an edge, 1 to 9.

    Returns:
        (height, width, 3) uint8 sRGB.

    Raises:
        ShapeError: if the pose is no (4, 4) matrix of finite numbers, the camera has distortion, or `samples` is
            out of range.
    """
    pose = np.asarray(world_from_camera, dtype=np.float64)
    if pose.shape != (4, 4) or not np.isfinite(pose).all():
        raise ShapeError(f"a camera's pose must be a finite (4, 4) matrix, got shape {pose.shape}")
    if any(camera.distortion):
        raise ShapeError(f"pictures are rendered without distortion; leave out that of camera {camera.name}")
    if not 1 <= samples <= len(_OFFSETS) + 1:
        raise ShapeError(f"samples must lie between 1 and {len(_OFFSETS) + 1}, got {samples}")
    scene, lamps = _prepared(snapshot, caster)
    sky = Sky.of(snapshot.conditions, rng)
    lighting = Lighting(scene, sky, lamps, rng)
    light = np.zeros((camera.height, camera.width, 3), np.float32)
    for rows in _bands(camera):
        light[rows] = _look(lighting, camera, pose, rows, samples)
    return develop(light, View.of(camera, pose, scene, sky), snapshot.conditions, rng)


# What is known of each caster's snapshot while that caster lives: several cameras look at one moment.
_known: WeakKeyDictionary[RayCaster, tuple[Snapshot, Scene, Lamps]] = WeakKeyDictionary()


def _prepared(snapshot: Snapshot, caster: RayCaster) -> tuple[Scene, Lamps]:
    known = _known.get(caster)
    if known is None or known[0] is not snapshot:
        # A scene that held its caster itself would keep it alive for ever.
        scene = Scene.of(snapshot, proxy(caster))
        _known[caster] = known = snapshot, scene, Lamps.of(snapshot, scene)
    return known[1], known[2]


def _bands(camera: Camera) -> Iterator[slice]:
    rows = max(BAND // camera.width // 4 * 4, 4)
    return (slice(top, min(top + rows, camera.height)) for top in range(0, camera.height, rows))


def _look(lighting: Lighting, camera: Camera, pose: NDArray[np.float64], rows: slice, samples: int) -> Array:
    """Radiance (rows, width, 3) that enters the lens."""
    shape = (rows.stop - rows.start, camera.width)
    y, x = np.divmod(np.arange(shape[0] * shape[1]), camera.width)
    y += rows.start
    eye = pose[:3, 3].astype(np.float32)
    first = lighting.scene.look(eye, _directions(camera, pose, x, y))
    edges = np.flatnonzero(_edges(lighting.scene, first, shape)) if samples > 1 else np.zeros(0, np.intp)
    open_sky = _open_sky(lighting.scene, first, shape)
    seen, pixel = first, np.arange(len(x))
    if len(edges):
        offsets = np.repeat(_OFFSETS[: samples - 1], len(edges), axis=0)
        more = np.tile(edges, samples - 1)
        rays = _directions(camera, pose, x[more] + offsets[:, 0], y[more] + offsets[:, 1])
        further = lighting.scene.look(eye, rays)
        # A further sample of the face that the first one met looks as that one does.
        other = np.flatnonzero(further.face != first.face[more])
        seen = seen.joined(further.pick(other))
        pixel = np.concatenate([pixel, more[other]])
    wide = np.float32(1 / camera.intrinsics[0, 0])
    facing = np.maximum(-np.einsum("nd,nd->n", seen.normal, seen.direction), 0.08)
    footprint = np.where(np.isfinite(seen.distance), seen.distance, 1) * wide / facing
    light = np.zeros((len(pixel), 3), np.float32)
    for part in portions(len(pixel)):
        light[part] = lighting.radiance(seen.part(part), open_sky[pixel[part]], footprint[part])
    found = light[: len(x)]
    if len(edges):
        others = np.bincount(pixel[len(x) :], minlength=len(x))[edges]
        total = found[edges] * (samples - others)[:, None]
        np.add.at(total, np.searchsorted(edges, pixel[len(x) :]), light[len(x) :])
        found[edges] = total / samples
    return found.reshape(*shape, 3)


def _directions(camera: Camera, pose: NDArray[np.float64], x: NDArray[Any], y: NDArray[Any]) -> Array:
    """Unit directions (n, 3) in the world of rays through pixels (n,), (n,)."""
    turn = (pose[:3, :3] @ np.linalg.inv(camera.intrinsics)).astype(np.float32)
    rays = x.astype(np.float32)[:, None] * turn[:, 0] + y.astype(np.float32)[:, None] * turn[:, 1] + turn[:, 2]
    rays /= np.sqrt(np.einsum("nd,nd->n", rays, rays))[:, None]
    return np.asarray(rays, dtype=np.float32)


def _edges(scene: Scene, seen: Seen, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which pixels (n,) border on one that shows another thing, another colour or a surface behind."""
    hit = seen.face >= 0
    face = np.maximum(seen.face, 0)
    if not len(scene.corners):
        return np.zeros(len(face), np.bool_)
    kind = np.where(hit, scene.owners[face] * 64 + scene.materials[face].astype(np.int32) + 64, -1)
    tint = np.where(hit, scene.tints[face], np.float32(0))
    tint = tint.reshape(shape)
    kind = kind.reshape(shape)
    leaf = (hit & scene.leaves[face]).reshape(shape)
    normal, position = seen.normal.reshape(*shape, 3), seen.position.reshape(*shape, 3)
    distance = np.where(hit, seen.distance, 0).reshape(shape)
    found = leaf.copy()
    for one, other in (
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
        ((slice(1, None),), (slice(None, -1),)),
    ):
        step = np.einsum("abd,abd->ab", position[one] - position[other], normal[one])
        differs = (
            (kind[one] != kind[other])
            | (np.abs(tint[one] - tint[other]) > 0.04)
            | (np.abs(step) > 0.02 + 0.01 * distance[one])
            | (np.einsum("abd,abd->ab", normal[one], normal[other]) < 0.8) & (kind[one] >= 0)
        )
        found[one] |= differs
        found[other] |= differs
    return found.ravel()


def _open_sky(scene: Scene, seen: Seen, shape: tuple[int, int]) -> Array:
    """Share (n,) of the half space over each place in which nothing stands near: ambient occlusion.

    Every second pixel of a square of 4 x 4 looks in another of eight directions, dense as the cosine to the normal;
    pixels of alike surfaces then share what they found.
    """
    y, x = np.indices(shape, np.int32)
    looks = ((y + x) % 2 == 0).ravel()
    hit = np.flatnonzero(looks & (seen.face >= 0))
    open_ = np.ones(len(seen.face), np.float32)
    if not len(hit):
        return open_
    order = _ORDER[y.ravel()[hit] % 4, x.ravel()[hit] % 4]
    radius = np.sqrt((order + 0.5) / 8)
    angle = order * 2.399963  # the golden angle spreads a disc evenly (Vogel 1979)
    flat = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - radius**2)], axis=1)
    normal = seen.normal.take(hit, axis=0)
    # A frame about the normal without a branch (Duff and others 2017).
    sign = np.where(normal[:, 2] >= 0, 1, -1).astype(np.float32)
    a = -1 / (sign + normal[:, 2])
    b = normal[:, 0] * normal[:, 1] * a
    across = np.stack([1 + sign * normal[:, 0] ** 2 * a, sign * b, -sign * normal[:, 0]], axis=1)
    down = np.stack([b, sign + normal[:, 1] ** 2 * a, -normal[:, 1]], axis=1)
    flat = flat.astype(np.float32)
    rays = across * flat[:, :1] + down * flat[:, 1:2] + normal * flat[:, 2:]
    start = seen.position.take(hit, axis=0) + normal * np.float32(SHIFT * 2)
    open_[hit] = ~scene.caster.blocked(start, rays, np.full(len(hit), OPEN, np.float32))
    bins = np.round(seen.normal * 2).astype(np.int32) @ np.array([1, 5, 25], np.int32)
    face = np.maximum(seen.face, 0)
    alike = np.where(seen.face >= 0, bins * 4096 + scene.owners[face], -1).reshape(shape)
    return _shared(open_.reshape(shape), alike, looks.reshape(shape)).ravel()


def _shared(values: Array, alike: NDArray[np.integer], known: NDArray[np.bool_]) -> Array:
    """Means (h, w) over 4 x 4 pixels of the known ones that are alike; of all known ones where none is."""
    padded = np.pad(np.where(known, values, 0), 2)
    labels = np.pad(np.where(known, alike, -2), 2, constant_values=-2)
    total, count, every = np.zeros_like(values), np.zeros_like(values), np.zeros_like(values)
    h, w = values.shape
    for row in range(4):
        for column in range(4):
            part = padded[row : row + h, column : column + w]
            same = labels[row : row + h, column : column + w] == alike
            total += part * same
            count += same
            every += part
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), every / 8), dtype=np.float32)
