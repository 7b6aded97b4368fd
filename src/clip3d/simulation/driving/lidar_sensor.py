"""A spinning lidar in a street: what comes back from its rays, how strong, and what does not.

At night nothing changes: a lidar brings its own light, and headlights are far too weak in its band to matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.lidar.sweep import Sweep
from clip3d.simulation.chance import Rng
from clip3d.simulation.driving.lidar_layouts import Lidar
from clip3d.simulation.driving.rays import RayCaster
from clip3d.simulation.driving.snapshot import MATERIAL, MATERIALS, Conditions, Snapshot

Array = NDArray[np.float32]

# Share of light of about .9 micrometres that a surface gives back straight on, and by how much it varies. Diffuse
# values of the usual order (asphalt .1 to .2, foliage .4 to .6, white paint .6 to .8); a retroreflector exceeds 1.
_REFLECTANCE: dict[str, tuple[float, float]] = {
    "asphalt": (0.13, 0.03),
    "concrete": (0.3, 0.05),
    "road paint": (0.62, 0.12),
    "grass": (0.42, 0.08),
    "soil": (0.25, 0.05),
    "foliage": (0.48, 0.12),
    "bark": (0.28, 0.06),
    "car paint": (0.3, 0.08),
    "glass": (0.06, 0.03),
    "rubber": (0.05, 0.015),
    "metal": (0.4, 0.12),
    "retroreflector": (6.0, 2.5),
    "skin": (0.45, 0.05),
    "cloth": (0.35, 0.12),
    "brick": (0.32, 0.06),
    "plaster": (0.55, 0.08),
    "wood": (0.38, 0.07),
    "plastic": (0.4, 0.1),
    "lamp": (0.5, 0.2),
}
_MEAN = np.array([_REFLECTANCE[name][0] for name in MATERIALS], np.float32)
_SPREAD = np.array([_REFLECTANCE[name][1] for name in MATERIALS], np.float32)
# Paint takes colour's part in the near infrared: dark cars are hard to see.
_COLORED = np.array([name in ("car paint", "cloth", "plastic", "metal") for name in MATERIALS])
# Rough surfaces give back more at grazing angles than a flat one (Oren and Nayar 1994); smooth ones mirror it away.
_ANGLE = np.array(
    [
        {"car paint": 1.2, "glass": 3.0, "metal": 1.3, "plastic": 1.0, "retroreflector": 0.3}.get(name, 0.55)
        for name in MATERIALS
    ],
    np.float32,
)
_GLASS, _LEAVES, _ASPHALT = MATERIAL["glass"], MATERIAL["foliage"], MATERIAL["asphalt"]
_THROUGH = 0.8  # of the light that meets glass goes through


@dataclass(frozen=True, eq=False)
class Scan:
    """A revolution with what only a simulator knows.

    Attributes:
        sweep: in the sensor's frame.
        owners: (n,) int32 place of what each point lies on in the snapshot's things; -1 for what has no label, -2
            for rain and fog.
        materials: (n,) uint8, places in MATERIALS; of rain and fog without meaning.
    """

    sweep: Sweep
    owners: NDArray[np.int32]
    materials: NDArray[np.uint8]


def scan(
    snapshot: Snapshot,
    caster: RayCaster,
    lidar: Lidar,
    world_from_lidar: NDArray[np.float64],
    rng: Rng,
    timestamp: float = 0.0,
) -> Scan:
    """One revolution, as if the world stood still for it.

    Args:
        snapshot: the moment.
        caster: over its corners.
        lidar: the sensor.
        world_from_lidar: (4, 4) its pose.
        rng: chance of noise, dropouts and weather.
        timestamp: of the sweep.
    """
    rays, ring = lidar.directions()
    # Where a revolution begins is chance.
    begins = np.radians(rng.uniform(0, lidar.azimuth_step))
    rays = rays @ np.array(
        [[np.cos(begins), np.sin(begins), 0], [-np.sin(begins), np.cos(begins), 0], [0, 0, 1]], np.float32
    )
    turn, origin = world_from_lidar[:3, :3].astype(np.float32), world_from_lidar[:3, 3].astype(np.float32)
    directions = rays @ turn.T
    distance, face, normal = _first_opaque(snapshot, caster, origin, directions, rng)
    met = np.flatnonzero(face >= 0)
    range_, material = distance[met], snapshot.materials[face[met]]
    facing = np.abs(np.einsum("nd,nd->n", normal.take(met, axis=0), directions.take(met, axis=0)))
    light = _light(snapshot, face[met], material, facing, rng)
    range_ = _measured(range_, material, lidar, rng)
    strength = light * _clear(snapshot.conditions, range_)
    seen = _is_detected(strength, range_, lidar, rng) & (range_ > lidar.nearest) & (range_ < lidar.farthest)
    met, range_, strength, material = met[seen], range_[seen], strength[seen], material[seen]
    owners = snapshot.owners[face[met]]
    range_ = _mixed(met, range_, len(lidar.elevations), rng)
    drops, near, weak = _weather(snapshot.conditions, len(rays), lidar, rng)
    dropped = np.zeros(len(rays), np.bool_)
    dropped[drops] = True
    kept = ~dropped[met]
    index = np.concatenate([met[kept], drops])
    ranges = np.concatenate([range_[kept], near]).astype(np.float32)
    intensity = np.concatenate([strength[kept], weak])
    order = np.argsort(index, kind="stable")
    index = index[order]
    sweep = Sweep(
        points=rays.take(index, axis=0) * ranges[order][:, None],
        intensity=np.clip(intensity[order], 0, 1).astype(np.float32),
        ring=ring[index],
        timestamp=timestamp,
        sensor=lidar.name,
    )
    rain = np.full(len(drops), -2, np.int32)
    return Scan(
        sweep,
        np.concatenate([owners[kept], rain])[order],
        np.concatenate([material[kept], np.zeros(len(drops), np.uint8)])[order],
    )


def _first_opaque(
    snapshot: Snapshot, caster: RayCaster, origin: Array, directions: Array, rng: Rng
) -> tuple[Array, NDArray[np.int32], Array]:
    """Distance, face and normal of what each ray meets; most that meet glass go on behind it, through two panes."""
    hits = caster.cast(origin, directions)
    distance, face, normal = hits.distance, hits.face.copy(), hits.normal
    if not len(snapshot.corners):
        return distance, face, normal
    through = np.flatnonzero((face >= 0) & (snapshot.materials[face] == _GLASS))
    through = through[rng.random(len(through)) < _THROUGH]
    for _ in range(4):
        if not len(through):
            break
        start = origin + directions[through] * (distance[through] + 0.01)[:, None]
        behind = caster.cast(start, directions[through])
        distance[through] += behind.distance + np.float32(0.01)
        face[through] = behind.face
        normal[through] = behind.normal
        through = through[(behind.face >= 0) & (snapshot.materials[behind.face] == _GLASS)]
    face[through] = -1
    return distance, face, normal


def _light(
    snapshot: Snapshot, face: NDArray[np.int32], material: NDArray[np.uint8], facing: Array, rng: Rng
) -> Array:
    """What share of the light comes back from surfaces, straight on 1 for a perfect white one."""
    noise = rng.standard_normal(len(face), np.float32)
    mean = _MEAN[material]
    colored = np.flatnonzero(_COLORED[material])
    mean[colored] *= np.float32(0.25) + np.float32(1.4) * snapshot.colors.take(face[colored], axis=0).mean(1)
    share = np.maximum(mean + _SPREAD[material] * noise * np.float32(0.6), 0.005)
    share *= np.maximum(facing, 1e-3) ** _ANGLE[material]
    wet = snapshot.conditions.wet
    if wet:  # wet ground mirrors the light away
        share = np.where(material == _ASPHALT, share * (1 - 0.65 * wet), share)
    return np.asarray(share, np.float32)


def _measured(range_: Array, material: NDArray[np.uint8], lidar: Lidar, rng: Rng) -> Array:
    """Ranges with noise; among leaves light goes some way in before it comes back."""
    noisy = range_ + rng.standard_normal(len(range_), np.float32) * np.float32(lidar.noise)
    leaves = np.flatnonzero(material == _LEAVES)
    noisy[leaves] += rng.exponential(0.18, len(leaves)).astype(np.float32) - np.float32(0.1)
    return noisy


def _clear(conditions: Conditions, range_: Array) -> Array | float:
    """What share of the light is left after the way there and back."""
    if not np.isfinite(conditions.visibility):
        return 1.0
    # Koschmieder: contrast of a twentieth at the visibility, for one way.
    return np.asarray(np.exp(-2 * np.log(20) / conditions.visibility * range_), np.float32)


def _is_detected(strength: Array, range_: Array, lidar: Lidar, rng: Rng) -> NDArray[np.bool_]:
    """Whether an echo is told from noise: its strength falls with the square of the range."""
    needed = 0.1 * (range_ / np.float32(lidar.dark_reach)) ** 2
    luck = np.exp(rng.standard_normal(len(range_), np.float32) * np.float32(0.35))
    return np.asarray((strength * luck > needed) & (rng.random(len(range_), np.float32) > 0.004))


def _mixed(ray: NDArray[np.intp], range_: Array, beams: int, rng: Rng) -> Array:
    """Some beams that touch an edge report a range between what lies before and behind."""
    whole = np.full(int(ray.max(initial=0)) + beams + 1, np.nan, np.float32)
    whole[ray] = range_
    beside = whole[ray + beams]  # the same beam, one firing on
    apart = np.abs(beside - range_)
    with np.errstate(invalid="ignore"):
        edge = np.flatnonzero((apart > 0.5) & (apart < 4))
    touched = edge[rng.random(len(edge)) < 0.05]
    share = rng.random(len(touched)).astype(np.float32)
    out = range_.copy()
    out[touched] = range_[touched] * share + beside[touched] * (1 - share)
    return out


def _weather(conditions: Conditions, rays: int, lidar: Lidar, rng: Rng) -> tuple[NDArray[np.intp], Array, Array]:
    """Rays that rain or fog sends back: which, from how far, how strong."""
    if conditions.rain <= 0 and not np.isfinite(conditions.visibility):
        return np.zeros(0, np.intp), np.zeros(0, np.float32), np.zeros(0, np.float32)
    if conditions.rain > 0:
        share, reach = min(0.0006 * conditions.rain, 0.02), 5.0
    else:
        share, reach = min(1.6 / conditions.visibility, 0.04), 3.0
    drops = np.flatnonzero(rng.random(rays, np.float32) < share)
    near = (lidar.nearest + rng.exponential(reach, len(drops))).astype(np.float32)
    weak = np.abs(rng.normal(0, 0.02, len(drops))).astype(np.float32)
    return drops, np.minimum(near, lidar.farthest), weak
