"""What a reader hands to the door: meshes or points, the frame that the file states, and how it complains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clip3d.clouds.cloud import Axis, Unit
from clip3d.clouds.mesh import Mesh, Texture

Numbers = NDArray[Any]

MAX_POINTS = 50_000_000
MAX_FACES = 20_000_000
MAX_PARTS = 20_000
MAX_INFLATED_BYTES = 600 * 1024**2


def inflation_limit(packed: int) -> int:
    """How many bytes a packed file of so many bytes may unpack to: twentyfold, or 64 MiB if that is more."""
    return min(MAX_INFLATED_BYTES, max(64 * 1024**2, 20 * packed))


class Malformed(Exception):
    """A file's content cannot be used; the door adds the path and raises CloudError."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        self.reason, self.remedy = reason, remedy
        super().__init__(reason)


@dataclass(frozen=True, eq=False)
class Contents:
    """The content of one file in its own axes and unit: meshes, or points where there are none.

    Attributes:
        meshes: meshes in one frame.
        points: (p, 3) of any float type, perhaps with NaN; used when there are no meshes.
        colors: (p, 3) in [0, 1] sRGB, or None.
        normals: (p, 3) of any length, or None.
        up, unit: as the file or its format states them; None where neither does.
    """

    meshes: Sequence[Mesh] = ()
    points: Numbers | None = None
    colors: Numbers | None = None
    normals: Numbers | None = None
    up: Axis | None = None
    unit: Unit | None = None


def make_mesh(
    vertices: ArrayLike,
    faces: Numbers,
    *,
    vertex_colors: Numbers | None = None,
    face_colors: Numbers | None = None,
    picture: NDArray[np.uint8] | None = None,
    uv: Numbers | None = None,
    tint: Numbers | None = None,
) -> Mesh:
    """Check the parts of a mesh and leave out faces with a corner that is not finite.

    Args:
        vertices: (v, 3) of any float type.
        faces: (f, 3) indices into vertices.
        vertex_colors, face_colors: (v, 3) and (f, 3) in [0, 1] sRGB, or None.
        picture, uv, tint: (h, w, 3) uint8, (f, 3, 2) and (3,); used when both picture and uv are given.

    Raises:
        Malformed: if a face names a missing vertex, or fewer than half of the faces have finite corners.
    """
    check_faces(faces, len(np.asarray(vertices)))
    with np.errstate(over="ignore", invalid="ignore"):
        positions = np.ascontiguousarray(vertices, dtype=np.float32)
    finite = rows_finite(positions)
    if not finite.all():
        keep = np.logical_and.reduce(finite[faces], axis=1)
        lost = len(faces) - int(keep.sum())
        if 2 * lost > len(faces):
            raise Malformed(f"{lost} of {len(faces)} faces have corners that are not finite")
        positions = np.where(finite[:, None], positions, np.float32(0))
        faces = faces[keep]
        face_colors = None if face_colors is None else face_colors[keep]
        uv = None if uv is None else uv[keep]
    texture = None
    if picture is not None and uv is not None:
        texture = Texture(picture, _float32(uv), None if tint is None else _float32(tint))
    return Mesh(
        positions,
        faces.astype(np.intp, copy=False),
        vertex_colors=None if vertex_colors is None else _unit_range(vertex_colors),
        face_colors=None if face_colors is None else _unit_range(face_colors),
        texture=texture,
    )


def rows_finite(rows: Numbers) -> NDArray[np.bool_]:
    """Which rows (n,) hold only finite values."""
    return np.asarray(np.isfinite(rows).all(axis=1), dtype=np.bool_)


def check_faces(faces: Numbers, count: int) -> None:
    """Raise Malformed if a face (f, 3) names a vertex that is not among `count`."""
    if len(faces) > MAX_FACES:
        raise Malformed(f"{len(faces):,} triangles, more than {MAX_FACES:,}", "simplify the mesh")
    if len(faces) and (faces.min() < 0 or faces.max() >= count):
        worst = int(faces.min() if faces.min() < 0 else faces.max())
        raise Malformed(f"a face names vertex {worst}, but there are {count}", "it is damaged: export it again")


def fan(counts: Numbers, limit: int = MAX_FACES) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Cut polygons into triangles that share the polygon's first corner.

    Args:
        counts: (n,) corners of each polygon; polygons of fewer than three give nothing.

    Returns:
        corners (f, 3), positions in the running list of all polygons' corners, and owner (f,), the polygon of each.
    """
    counts = counts.astype(np.intp)
    triangles = np.maximum(counts - 2, 0)
    if triangles.sum() > limit:
        raise Malformed(f"{int(triangles.sum()):,} triangles, more than {limit:,}", "simplify the mesh")
    owner = np.repeat(np.arange(len(counts)), triangles)
    step = np.arange(len(owner)) - (np.cumsum(triangles) - triangles)[owner]
    first = (np.cumsum(counts) - counts)[owner]
    return np.stack([first, first + step + 1, first + step + 2], axis=1), owner


def to_unit_range(colors: Numbers) -> NDArray[np.float32]:
    """Colours of any type, 0-1 or 0-255 (told by whether any exceeds 1) or 16 bit by type, as float32 in [0, 1]."""
    if colors.dtype.kind in "iu" and colors.dtype.itemsize == 1:
        return _unit_range(colors / np.float32(255))
    if colors.dtype.kind == "u" and colors.dtype.itemsize == 2:
        return _unit_range(colors / np.float32(65535))
    values = np.nan_to_num(colors.astype(np.float32), nan=0, posinf=255, neginf=0)
    return _unit_range(values / np.float32(255) if values.size and values.max() > 1 else values)


def srgb_of_linear(colors: ArrayLike) -> NDArray[np.float32]:
    """Colours in linear light as sRGB (IEC 61966-2-1), clipped to [0, 1]; NaN becomes 0."""
    values = np.clip(np.nan_to_num(np.asarray(colors, dtype=np.float32)), 0, 1)
    curve = 1.055 * np.maximum(values, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(values <= 0.0031308, values * 12.92, curve).astype(np.float32)


def _unit_range(colors: Numbers) -> NDArray[np.float32]:
    return np.clip(np.nan_to_num(_float32(colors)), 0, 1)


def _float32(values: Numbers) -> NDArray[np.float32]:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ascontiguousarray(values, dtype=np.float32)
