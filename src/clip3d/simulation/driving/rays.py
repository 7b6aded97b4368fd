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

    Args:
        corners: (f, 3, 3) float32 triangles in one frame; there may be none.

    Raises:
        MissingExtra: if the package embreex is not installed.
    """

    def __init__(self, corners: Array) -> None:
        try:
            from embreex.mesh_construction import TriangleMesh
            from embreex.rtcore_scene import EmbreeScene
        except ImportError as error:
            raise MissingExtra("simulating drives", "embreex", "simulate") from error
        # Embree keeps pointers into what it is given.
        self._corners = np.ascontiguousarray(corners, dtype=np.float32)
        self._scene = EmbreeScene()
        if len(self._corners):
            self._mesh = TriangleMesh(self._scene, self._corners)

    def cast(self, origins: Array, directions: Array) -> Hits:
        """What rays (n, 3) from origins (n, 3) or (3,) meet first."""
        origins, directions = self._rays(origins, directions)
        if not len(self._corners) or not len(directions):
            n = len(directions)
            none = np.full(n, np.inf, np.float32), np.full(n, NOTHING), np.zeros(n, np.float32)
            return Hits(none[0], none[1], none[2], none[2], np.zeros((n, 3), np.float32))
        found = self._scene.run(origins, directions, output=True)
        face = found["primID"]
        missed = face < 0
        normal = found["Ng"].astype(np.float32)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-30)
        normal *= np.where(np.einsum("nd,nd->n", normal, directions) > 0, -1, 1)[:, None].astype(np.float32)
        normal[missed] = 0
        distance = np.where(missed, np.float32(np.inf), found["tfar"])
        return Hits(distance, face, found["u"], found["v"], normal)

    def blocked(self, origins: Array, directions: Array, farthest: Array | None = None) -> NDArray[np.bool_]:
        """Whether anything lies on rays (n, 3), no farther than `farthest` (n,) lengths of their direction."""
        origins, directions = self._rays(origins, directions)
        if not len(self._corners) or not len(directions):
            return np.zeros(len(directions), np.bool_)
        limit = None if farthest is None else np.ascontiguousarray(farthest, np.float32)
        found = self._scene.run(origins, directions, limit, query="OCCLUDED")
        return np.asarray(found == 0)

    def _rays(self, origins: Array, directions: Array) -> tuple[Array, Array]:
        directions = np.ascontiguousarray(directions, dtype=np.float32)
        return np.ascontiguousarray(np.broadcast_to(origins, directions.shape), dtype=np.float32), directions
