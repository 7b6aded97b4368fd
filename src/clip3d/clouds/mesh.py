"""Triangle meshes with colour, and sampling of their surface by area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Texture:
    """A picture laid on a mesh.

    Attributes:
        image: (h, w, 3) uint8 sRGB; row 0 is the top of the picture.
        uv: (f, 3, 2) float32, texture coordinates of each face's corners; v grows upwards, and the picture repeats.
        tint: (3,) float32 in [0, 1] that multiplies the picture.
    """

    image: NDArray[np.uint8]
    uv: Array
    tint: Array | None = None

    def sample(self, face: NDArray[np.intp], barycentric: Array) -> Array:
        """Colours (n, 3) in [0, 1] at points given by face index (n,) and barycentric weights (n, 3)."""
        uv = np.einsum("nc,ncd->nd", barycentric, self.uv[face])
        uv = np.nan_to_num(uv - np.floor(uv))
        height, width = self.image.shape[:2]
        column = np.minimum((uv[:, 0] * width).astype(np.intp), width - 1)
        row = np.minimum(((1 - uv[:, 1]) * height).astype(np.intp), height - 1)
        colors = self.image[row, column].astype(np.float32) / 255
        return np.asarray(colors if self.tint is None else colors * self.tint, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Mesh:
    """One triangle mesh; a scene is a sequence of them in one frame.

    Attributes:
        vertices: (v, 3) float32, finite.
        faces: (f, 3) integer indices into vertices.
        color: what colours the surface, the first of: `texture`, `vertex_colors` (v, 3), `face_colors` (f, 3),
            all float32 in [0, 1] sRGB; None of them means no colour is known.
    """

    vertices: Array
    faces: NDArray[np.intp]
    face_colors: Array | None = None
    vertex_colors: Array | None = None
    texture: Texture | None = None

    def __post_init__(self) -> None:
        vertices = np.ascontiguousarray(self.vertices, dtype=np.float32)
        faces = np.ascontiguousarray(self.faces, dtype=np.intp)
        if vertices.ndim != 2 or vertices.shape[1] != 3 or not np.isfinite(vertices).all():
            raise ShapeError(f"vertices must be finite with shape (v, 3), got {vertices.shape}")
        if faces.ndim != 2 or faces.shape[1] != 3:
            raise ShapeError(f"faces must have shape (f, 3), got {faces.shape}")
        if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
            raise ShapeError(f"a face names vertex {int(faces.max())}, but there are {len(vertices)}")
        object.__setattr__(self, "vertices", vertices)
        object.__setattr__(self, "faces", faces)
        for name, rows in (("face_colors", len(faces)), ("vertex_colors", len(vertices))):
            value = getattr(self, name)
            if value is not None and value.shape != (rows, 3):
                raise ShapeError(f"{name} must have shape ({rows}, 3), got {value.shape}")
        if self.texture is not None and self.texture.uv.shape != (len(faces), 3, 2):
            raise ShapeError(f"texture.uv must have shape ({len(faces)}, 3, 2), got {self.texture.uv.shape}")

    @property
    def has_color(self) -> bool:
        """Whether anything colours the surface."""
        return any(c is not None for c in (self.texture, self.vertex_colors, self.face_colors))

    def corners(self) -> Array:
        """The corners of every face: (f, 3, 3)."""
        return self.vertices[self.faces]

    def colors_at(self, face: NDArray[np.intp], barycentric: Array) -> Array:
        """Colours (n, 3) at points given by face index (n,) and barycentric weights (n, 3); grey where unknown."""
        if self.texture is not None:
            return self.texture.sample(face, barycentric)
        if self.vertex_colors is not None:
            colors = np.einsum("nc,ncd->nd", barycentric, self.vertex_colors[self.faces[face]])
            return np.asarray(colors, dtype=np.float32)
        if self.face_colors is not None:
            return np.asarray(self.face_colors[face], dtype=np.float32)
        return np.full((len(face), 3), 0.5, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class SurfaceSample:
    """n points drawn on a surface: points, normals (n, 3) float32; colors (n, 3) or None where no mesh has any."""

    points: Array
    normals: Array
    colors: Array | None


def sample_surface(meshes: Sequence[Mesh], n: int, *, seed: int = 0) -> SurfaceSample:
    """Draw n points on the meshes, each surface getting its share by area.

    The points are stratified along the running sum of areas, so that no large face is missed by chance.

    Args:
        meshes: meshes in one frame.
        n: number of points.
        seed: of the generator; equal seeds give equal points.

    Raises:
        ShapeError: if the meshes have no area.
    """
    areas = [_areas(mesh) for mesh in meshes]
    running = np.cumsum(np.concatenate(areas)) if areas else np.zeros(0)
    total = float(running[-1]) if len(running) else 0.0
    if not np.isfinite(total) or total <= 0:
        raise ShapeError("the surface has no area to sample")

    generator = np.random.default_rng(seed)
    targets = (np.arange(n) + generator.random(n)) / n * total
    last = int(np.searchsorted(running, total))  # the last face with an area
    face = np.minimum(np.searchsorted(running, targets, side="right"), last)
    root, other = np.sqrt(generator.random(n)), generator.random(n)
    barycentric = np.stack([1 - root, root * (1 - other), root * other], axis=1)
    return _sample_at(meshes, face, barycentric)


def _areas(mesh: Mesh, block: int = 1 << 18) -> NDArray[np.float64]:
    """Twice the area of each face (f,), block by block, so that a large mesh needs little memory."""
    areas = np.zeros(len(mesh.faces))
    for start in range(0, len(mesh.faces), block):
        corners = mesh.vertices[mesh.faces[start : start + block]]
        areas[start : start + block] = np.linalg.norm(_cross(corners), axis=1)
    return areas


def _cross(corners: Array) -> NDArray[np.float64]:
    """Cross products (f, 3) of two sides; float64, since float32 would overflow or lose thin faces."""
    wide = corners.astype(np.float64)
    a, b = wide[:, 1] - wide[:, 0], wide[:, 2] - wide[:, 0]
    return np.stack(
        [
            a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1],
            a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2],
            a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0],
        ],
        axis=1,
    )


def _sample_at(meshes: Sequence[Mesh], face: NDArray[np.intp], barycentric: NDArray[np.float64]) -> SurfaceSample:
    """Points, normals and colours at ascending face numbers (n,), which run on from mesh to mesh."""
    n = len(face)
    points, normals = np.zeros((n, 3), dtype=np.float32), np.zeros((n, 3), dtype=np.float32)
    colors = np.zeros((n, 3), dtype=np.float32)
    bounds = np.cumsum([0] + [len(mesh.faces) for mesh in meshes])
    begin = np.searchsorted(face, bounds)
    for index, mesh in enumerate(meshes):
        mine = slice(begin[index], begin[index + 1])
        if mine.start == mine.stop:
            continue
        local, weights = face[mine] - bounds[index], barycentric[mine]
        corners = mesh.vertices[mesh.faces[local]]
        cross = _cross(corners)
        points[mine] = np.einsum("nc,ncd->nd", weights, corners)
        normals[mine] = cross / np.linalg.norm(cross, axis=1, keepdims=True)
        colors[mine] = mesh.colors_at(local, weights.astype(np.float32))
    colored = any(mesh.has_color for mesh in meshes)
    return SurfaceSample(points, normals, np.clip(colors, 0, 1) if colored else None)
