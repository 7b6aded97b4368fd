"""Rays against the triangles of a moment, by Embree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import MissingExtra

Array = NDArray[np.float32]

NOTHING = np.int32(-1)


@dataclass(frozen=True, eq=False)
class Hits:
    """Where rays meet a surface first.

    Attributes:
        distance: (n,) float32 in lengths of the ray's direction, infinite where it meets nothing.
        face: (n,) int32, -1 where it meets nothing.
        u: (n,) float32, weight of the face's second corner at the place that is hit.
        v: (n,) float32, of its third.
        normal: (n, 3) float32, of unit length, towards the ray's origin; zeros where it meets nothing.
    """

    distance: Array
    face: NDArray[np.int32]
    u: Array
    v: Array
    normal: Array


class RayCaster:
    """Casts rays at triangles.

    To build the tree of triangles costs more than to cast a revolution of rays, so that what stands still in many
    moments is best given as a caster of its own, built once.

    Attributes:
        still: the caster of what stands still, or None.

    Args:
        corners: (f, 3, 3) float32 triangles in one frame; there may be none.
        still: casts at other triangles of the same frame; it has no `still` itself. Its faces come first in the
            numbers of faces, those of `corners` follow.

    Raises:
        MissingExtra: if the package embreex is not installed.
    """

    def __init__(self, corners: Array, still: RayCaster | None = None) -> None:
        try:
            from embreex.mesh_construction import TriangleMesh
            from embreex.rtcore_scene import EmbreeScene
        except ImportError as error:
            raise MissingExtra("casting rays", "embreex", "simulate") from error
        self.still = still
        # Embree keeps pointers into what it is given.
        self._corners = np.ascontiguousarray(corners, dtype=np.float32)
        self._scene = EmbreeScene()
        if len(self._corners):
            self._mesh = TriangleMesh(self._scene, self._corners)

    def __len__(self) -> int:
        return len(self._corners) + (len(self.still) if self.still is not None else 0)

    def cast(self, origins: Array, directions: Array) -> Hits:
        """What rays (n, 3) from origins (n, 3) or (3,) meet first."""
        origins, directions = self._rays(origins, directions)
        still = None if self.still is None else self.still._first(origins, directions)
        own = self._first(origins, directions, None if still is None else still.distance.copy())
        hits = still or own
        if still is not None:
            nearer = np.flatnonzero(own.face >= 0)
            hits.face[nearer] = own.face[nearer] + np.int32(len(self) - len(self._corners))
            for mine, others in ((hits.distance, own.distance), (hits.u, own.u), (hits.v, own.v)):
                mine[nearer] = others[nearer]
            hits.normal[nearer] = own.normal[nearer]
        missed = hits.face < 0
        hits.distance[missed] = np.inf
        hits.normal[missed] = 0
        scale = np.sqrt(np.einsum("nd,nd->n", hits.normal, hits.normal))
        np.maximum(scale, np.float32(1e-30), out=scale)
        np.copysign(scale, -np.einsum("nd,nd->n", hits.normal, directions), out=scale)
        np.divide(hits.normal, scale[:, None], out=hits.normal)
        return hits

    def _first(self, origins: Array, directions: Array, farthest: Array | None = None) -> Hits:
        """What rays meet first of this caster's own triangles, with normals as Embree gives them."""
        n = len(directions)
        if not n or not len(self._corners):
            none = np.full(n, np.inf, np.float32), np.full(n, NOTHING), np.zeros((n, 3), np.float32)
            return Hits(none[0], none[1], np.zeros(n, np.float32), np.zeros(n, np.float32), none[2])
        found = self._scene.run(origins, directions, farthest, output=True)
        return Hits(found["tfar"], found["primID"], found["u"], found["v"], found["Ng"])

    def blocked(self, origins: Array, directions: Array, farthest: Array | None = None) -> NDArray[np.bool_]:
        """Whether anything lies on rays (n, 3), no farther than `farthest` (n,) lengths of their direction."""
        origins, directions = self._rays(origins, directions)
        limit = None if farthest is None else np.ascontiguousarray(farthest, np.float32)
        dark = np.zeros(len(directions), np.bool_)
        for caster in (self, self.still):
            if caster is not None and len(caster._corners) and len(directions):
                dark |= caster._scene.run(origins, directions, limit, query="OCCLUDED") == 0
        return dark

    def _rays(self, origins: Array, directions: Array) -> tuple[Array, Array]:
        directions = np.ascontiguousarray(directions, dtype=np.float32)
        return np.ascontiguousarray(np.broadcast_to(origins, directions.shape), dtype=np.float32), directions
