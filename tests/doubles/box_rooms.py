"""A room of boxes, sampled as points, with the object of each point: 0 for floor, ceiling and walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.mesh import Mesh, sample_surface
from clip3d.simulation.chance import Color
from clip3d.simulation.moving import merge, move
from clip3d.simulation.shapes import box

SIZE = (5.0, 4.0, 2.6)


@dataclass(frozen=True)
class BoxRoom:
    """A cloud with the number of the object (n,) that each point lies on, and the objects' names from 1."""

    cloud: PointCloud
    objects: np.ndarray
    names: tuple[str, ...]

    def of(self, name: str) -> np.ndarray:
        return np.flatnonzero(self.objects == self.names.index(name) + 1)


def table(color: Color = (0.5, 0.3, 0.2)) -> Mesh:
    legs = [box((0.06, 0.06, 0.7), (x, y, 0), color) for x in (-0.6, 0.6) for y in (-0.3, 0.3)]
    return merge([*legs, box((1.4, 0.8, 0.04), (0, 0, 0.7), color)])


def furnished_room(points: int = 120_000, *, noise: float = 0.003, ceiling: bool = True, seed: int = 0) -> BoxRoom:
    """A table with a box on it, a wardrobe against the wall, and a crate that stands free; z up, metres."""
    rng = np.random.default_rng(seed)
    wide, deep, high = SIZE
    shell = [
        box((wide, deep, 0.02), (0, 0, -0.02), (0.6, 0.55, 0.5)),
        *(box((wide, 0.02, high), (0, s * (deep / 2 + 0.01), 0), (0.9, 0.9, 0.85)) for s in (-1, 1)),
        *(box((0.02, deep, high), (s * (wide / 2 + 0.01), 0, 0), (0.9, 0.9, 0.85)) for s in (-1, 1)),
    ]
    if ceiling:
        shell.append(box((wide, deep, 0.02), (0, 0, high), (0.95, 0.95, 0.95)))
    things = {
        "table": move(table(), (1.0, 0.5, 0)),
        "parcel": box((0.4, 0.3, 0.3), (1.0, 0.5, 0.74), (0.2, 0.3, 0.8)),
        "wardrobe": box((1.2, 0.6, 2.0), (-1.0, 1.7, 0), (0.55, 0.2, 0.15)),
        "crate": box((0.6, 0.6, 0.6), (-1.0, -0.8, 0), (0.2, 0.6, 0.3)),
    }
    meshes = [merge(shell), *things.values()]
    areas = [float(np.linalg.norm(np.cross(*_sides(mesh)), axis=1).sum()) for mesh in meshes]
    drawn = [
        sample_surface([mesh], max(1, round(points * area / sum(areas))), seed=seed + i)
        for i, (mesh, area) in enumerate(zip(meshes, areas, strict=True))
    ]
    xyz = np.concatenate([d.points for d in drawn])
    colors = np.concatenate([d.colors for d in drawn if d.colors is not None])
    objects = np.concatenate([np.full(len(d.points), i) for i, d in enumerate(drawn)])
    seen = np.abs(xyz[:, :2]).max(axis=1) < 10
    seen &= (np.abs(xyz[:, 0]) < wide / 2 + 0.005) & (np.abs(xyz[:, 1]) < deep / 2 + 0.005)  # the inside of walls
    seen &= (xyz[:, 2] > -0.005) & (xyz[:, 2] < high + 0.005)
    xyz = xyz + rng.normal(0, noise, xyz.shape)
    order = rng.permutation(np.flatnonzero(seen))
    cloud = PointCloud(xyz[order].astype(np.float32), colors[order], up="z", unit="m")
    return BoxRoom(cloud, objects[order], tuple(things))


def _sides(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    corners = mesh.corners().astype(np.float64)
    return corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]


def overlap(found: np.ndarray, true: np.ndarray) -> float:
    """Intersection over union of two sets of points."""
    both = len(np.intersect1d(found, true))
    return both / (len(found) + len(true) - both)
