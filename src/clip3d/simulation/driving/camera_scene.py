"""What a camera's rays can meet in a moment of the street, prepared once a picture."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.driving.camera_surfaces import leafless, stains
from clip3d.simulation.driving.rays import RayCaster
from clip3d.simulation.driving.snapshot import MATERIAL, Conditions, Snapshot

Array = NDArray[np.float32]

_LEAVES = MATERIAL["foliage"]
PORTION = 1 << 16  # places
LAYERS = 2  # of leaves through which a ray may slip
SMOOTH = 0.8  # cosine up to which neighbouring faces count as one curved surface


@dataclass(frozen=True, eq=False)
class Seen:
    """Places that rays meet first.

    Attributes:
        direction: (n, 3) float32 of each ray, of unit length.
        face: (n,) int32, -1 where a ray meets nothing.
        distance: (n,) float32 metres from the ray's origin, infinite where it meets nothing.
        position: (n, 3) float32 in the world; of no meaning where a ray meets nothing.
        normal: (n, 3) float32, towards the ray's origin, as of a smooth surface where faces approach one.
    """

    direction: Array
    face: NDArray[np.int32]
    distance: Array
    position: Array
    normal: Array

    def pick(self, index: NDArray[np.intp]) -> Seen:
        """The places that `index` names."""
        # `take` gathers rows several times as fast as brackets do.
        return Seen(**{name: values.take(index, axis=0) for name, values in vars(self).items()})

    def part(self, some: slice) -> Seen:
        """The places of a slice."""
        return Seen(**{name: values[some] for name, values in vars(self).items()})

    def joined(self, other: Seen) -> Seen:
        """These places, then those."""
        mine, more = vars(self), vars(other)
        return Seen(**{name: np.concatenate([mine[name], more[name]]) for name in mine})


def portions(count: int) -> list[slice]:
    """Slices of so many places that are worked on together: few enough to stay near the processor."""
    return [slice(first, first + PORTION) for first in range(0, max(count, 1), PORTION)]


@dataclass(frozen=True, eq=False)
class Scene:
    """A snapshot ready for rays.

    Attributes:
        caster: at its triangles.
        corners: (f, 3, 3) float32.
        normals: (f, 3, 3) float32 at the corners, for surfaces that are to look curved.
        curved: (f,) bool, whether a face's normals differ.
        colors: (f, 3) float32, linear light.
        tints: (f,) float32, the sums of these.
        materials: (f,).
        owners: (f,).
        leaves: (f,) bool, which faces are foliage.
        conditions: its light and weather.
    """

    caster: RayCaster
    corners: Array
    normals: Array
    curved: NDArray[np.bool_]
    colors: Array
    tints: Array
    materials: NDArray[np.uint8]
    owners: NDArray[np.int32]
    leaves: NDArray[np.bool_]
    conditions: Conditions

    @classmethod
    def of(cls, snapshot: Snapshot, caster: RayCaster) -> Scene:
        """The scene of a snapshot; `caster` must be of its corners."""
        corners = np.ascontiguousarray(snapshot.corners, dtype=np.float32)
        still = caster.still
        if still is None:
            shapes = _Shapes.of(corners, snapshot.colors)
        else:
            if still not in _known:
                _known[still] = _Shapes.of(corners[: len(still)], snapshot.colors[: len(still)])
            moving = _Shapes.of(corners[len(still) :], snapshot.colors[len(still) :])
            shapes = _known[still].joined(moving)
        return cls(
            caster=caster,
            corners=corners,
            normals=shapes.normals,
            curved=shapes.curved,
            colors=shapes.colors,
            tints=shapes.tints,
            materials=snapshot.materials,
            owners=snapshot.owners,
            leaves=snapshot.materials == _LEAVES,
            conditions=snapshot.conditions,
        )

    def look(self, origins: Array, directions: Array) -> Seen:
        """What rays (n, 3) of unit length from origins (n, 3) or (3,) meet first, slipping between leaves."""
        origins = np.broadcast_to(origins, directions.shape)
        hits = self.caster.cast(origins, directions)
        face, distance, normal, u, v = hits.face, hits.distance, hits.normal, hits.u, hits.v
        open_ = np.flatnonzero(face >= 0)
        for _ in range(LAYERS):
            open_ = open_[self.leaves[face[open_]]]
            open_ = open_[leafless(origins[open_] + directions[open_] * distance[open_, None])]
            if not len(open_):
                break
            passed = distance[open_] + np.float32(0.01)
            behind = self.caster.cast(origins[open_] + directions[open_] * passed[:, None], directions[open_])
            face[open_], distance[open_] = behind.face, behind.distance + passed
            u[open_], v[open_], normal[open_] = behind.u, behind.v, behind.normal
            open_ = open_[behind.face >= 0]
        far = np.where(face >= 0, distance, 0)[:, None]
        if len(self.corners):
            self._smooth(face, u, v, normal, directions)
        return Seen(directions, face, distance, origins + directions * far, normal)

    def _smooth(self, face: NDArray[np.int32], u: Array, v: Array, normal: Array, directions: Array) -> None:
        """Turn normals (n, 3) in place as if faces that meet at a small angle were one curved surface."""
        hit = np.flatnonzero((face >= 0) & self.curved[face])
        bent = self.normals.take(face[hit], axis=0)
        u, v = u[hit, None], v[hit, None]
        bent = bent[:, 0] * (1 - u - v) + bent[:, 1] * u + bent[:, 2] * v
        bent /= np.maximum(np.sqrt(np.einsum("nd,nd->n", bent, bent)), 1e-20)[:, None]
        flat, directions = normal.take(hit, axis=0), directions.take(hit, axis=0)
        bent *= np.where(np.einsum("nd,nd->n", bent, flat) < 0, -1, 1)[:, None].astype(np.float32)
        # At a silhouette the curved surface may look away from the ray; the flat face never does.
        kept = np.einsum("nd,nd->n", bent, directions) < 0
        normal[hit[kept]] = bent[kept]

    def puddles(self, x: Array, y: Array) -> Array:
        """How wet wet ground is at places (n,), (n,): from 0.6 to 1, with puddles."""
        return np.asarray(np.clip(0.8 + 0.35 * stains(x, y), 0.6, 1), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class _Shapes:
    """What of faces depends on them alone: see `Scene`."""

    normals: Array
    curved: NDArray[np.bool_]
    colors: Array
    tints: Array

    @classmethod
    def of(cls, corners: Array, colors: Array) -> _Shapes:
        """Of faces (f, 3, 3) with sRGB colours (f, 3)."""
        normals, colors = _corner_normals(corners), linear(colors)
        return cls(normals, (np.abs(normals - normals[:, :1]) > 0.01).any(axis=(1, 2)), colors, colors.sum(axis=1))

    def joined(self, other: _Shapes) -> _Shapes:
        """These faces, then those."""
        mine, more = vars(self), vars(other)
        return _Shapes(**{name: np.concatenate([mine[name], more[name]]) for name in mine})


# Of what stands still in many moments, while its caster lives.
_known: WeakKeyDictionary[RayCaster, _Shapes] = WeakKeyDictionary()


def linear(colors: NDArray[np.floating]) -> Array:
    """Linear light of sRGB values in [0, 1] (IEC 61966-2-1)."""
    colors = np.asarray(colors, dtype=np.float32)
    return np.where(colors <= 0.04045, colors / 12.92, ((np.maximum(colors, 0.04045) + 0.055) / 1.055) ** 2.4)


def _corner_normals(corners: Array) -> Array:
    """Normals (f, 3, 3) at the corners of faces: the mean of all that meet there, else the face's own."""
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat /= np.maximum(np.sqrt(np.einsum("nd,nd->n", flat, flat)), 1e-20)[:, None]
    places = np.round(corners.reshape(-1, 3) * 1000).astype(np.int64)
    # Places that chance gives the same key lie metres apart; the angle between their faces tells most of them.
    _, vertex = np.unique(places @ np.array([73856093, 19349663, 83492791]), return_inverse=True)
    every = np.repeat(flat, 3, axis=0)
    mean = np.stack([np.bincount(vertex.ravel(), every[:, axis]) for axis in range(3)], axis=1).astype(np.float32)
    mean /= np.maximum(np.sqrt(np.einsum("nd,nd->n", mean, mean)), 1e-20)[:, None]
    at_corner = mean[vertex.ravel()]
    alike = np.einsum("nd,nd->n", at_corner, every) > SMOOTH
    return np.where(alike[:, None], at_corner, every).reshape(-1, 3, 3)
