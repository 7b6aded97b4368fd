"""Moving, copying, deforming and joining meshes. Every function returns a new mesh and keeps its face colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clip3d.clouds.mesh import Mesh
from clip3d.simulation.shapes import Floats, Vector

_AXES = {"x": 0, "y": 1, "z": 2}


def move(mesh: Mesh, by: Vector) -> Mesh:
    """Shift by (x, y, z) metres."""
    return replace(mesh, vertices=mesh.vertices + np.asarray(by, dtype=np.float32))


def rotate(mesh: Mesh, axis: str, degrees: float, about: Vector = (0.0, 0.0, 0.0)) -> Mesh:
    """Turn about an axis through `about`, counter-clockwise seen from the axis' tip."""
    centre = np.asarray(about)
    return replace(mesh, vertices=(mesh.vertices - centre) @ turning(axis, degrees).T + centre)


def turning(axis: str, degrees: float) -> Floats:
    """The rotation matrix (3, 3) about a main axis."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i = _AXES[axis]
    j, k = (i + 1) % 3, (i + 2) % 3
    matrix = np.eye(3)
    matrix[j, j], matrix[j, k], matrix[k, j], matrix[k, k] = cosine, -sine, sine, cosine
    return matrix


def scale(mesh: Mesh, by: float | Vector) -> Mesh:
    """Stretch by one factor, or by one for each axis (positive)."""
    return replace(mesh, vertices=mesh.vertices * np.asarray(by, dtype=np.float32))


def mirror(mesh: Mesh, axis: str = "y") -> Mesh:
    """Reflect through the plane across an axis; faces are turned so that the outside stays outside."""
    sign = np.ones(3, dtype=np.float32)
    sign[_AXES[axis]] = -1
    return replace(mesh, vertices=mesh.vertices * sign, faces=mesh.faces[:, ::-1])


def both_sides(mesh: Mesh, axis: str = "y") -> Mesh:
    """The mesh and its mirror image."""
    return merge([mesh, mirror(mesh, axis)])


def copies(mesh: Mesh, offsets: ArrayLike) -> Mesh:
    """One copy at each of the (n, 3) offsets."""
    shifts = np.asarray(offsets, dtype=np.float32).reshape(-1, 3)
    return _stack(mesh, (mesh.vertices[None] + shifts[:, None]))


def ring(mesh: Mesh, count: int, axis: str = "z", start: float = 0.0, arc: float = 360.0) -> Mesh:
    """`count` copies turned about an axis in equal steps, starting at `start` degrees and spread over `arc`."""
    steps = start + arc * np.arange(count) / (count if arc >= 360 else max(count - 1, 1))
    return _stack(mesh, np.stack([mesh.vertices @ turning(axis, float(s)).T for s in steps]))


def _stack(mesh: Mesh, vertices: NDArray[Any]) -> Mesh:
    n, v = vertices.shape[:2]
    faces = (mesh.faces[None] + (np.arange(n) * v)[:, None, None]).reshape(-1, 3)
    colors = None if mesh.face_colors is None else np.tile(mesh.face_colors, (n, 1))
    return Mesh(vertices.reshape(-1, 3), faces, face_colors=colors)


def merge(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of all; every part needs face colours."""
    starts = np.cumsum([0, *(len(m.vertices) for m in meshes)])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + start for m, start in zip(meshes, starts, strict=False)]),
        face_colors=np.concatenate([m.face_colors for m in meshes if m.face_colors is not None]),
    )


def deform(mesh: Mesh, factor: ArrayLike, axes: str = "xy") -> Mesh:
    """Stretch each vertex by its own (v,) factor along the named axes."""
    vertices = mesh.vertices.copy()
    for axis in axes:
        vertices[:, _AXES[axis]] *= np.asarray(factor, dtype=np.float32)
    return replace(mesh, vertices=vertices)


def taper(mesh: Mesh, top: float) -> Mesh:
    """Narrow x and y linearly with height, to the factor `top` at the highest point."""
    z = mesh.vertices[:, 2]
    t = (z - z.min()) / max(float(np.ptp(z)), 1e-9)
    return deform(mesh, 1 + (top - 1) * t)


def twist(mesh: Mesh, degrees: float) -> Mesh:
    """Turn about z in proportion to height, by `degrees` at the highest point."""
    z = mesh.vertices[:, 2]
    angle = np.radians(degrees) * (z - z.min()) / max(float(np.ptp(z)), 1e-9)
    x, y = mesh.vertices[:, 0], mesh.vertices[:, 1]
    turned = np.stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle), z], axis=1)
    return replace(mesh, vertices=turned)


def bend(mesh: Mesh, degrees: float) -> Mesh:
    """Curl an object that lies along x upwards about y, so that its ends differ in direction by `degrees`."""
    x, z = mesh.vertices[:, 0], mesh.vertices[:, 2]
    length = max(float(np.ptp(x)), 1e-9)
    angle = np.radians(degrees) * (x - x.mean()) / length
    radius = length / np.radians(degrees)
    reach = radius - z
    bent = np.stack([reach * np.sin(angle), mesh.vertices[:, 1], radius - reach * np.cos(angle)], axis=1)
    return replace(mesh, vertices=bent)


def upright(mesh: Mesh) -> Mesh:
    """Stand a plate drawn in x and y on its edge: its y becomes z, and its thickness is centred along y."""
    thickness = float(mesh.vertices[:, 2].max() + mesh.vertices[:, 2].min()) / 2
    return rotate(move(mesh, (0, 0, -thickness)), "x", 90)
