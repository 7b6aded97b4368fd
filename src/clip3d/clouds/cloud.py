"""The one point cloud type: an object that exists is valid."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError

Array = NDArray[np.float32]
Axis = Literal["x", "y", "z"]
Unit = Literal["mm", "cm", "m", "in", "ft", "unknown"]
FrameSource = Literal["file", "default", "user"]

METRES_PER_UNIT: dict[str, float] = {"mm": 0.001, "cm": 0.01, "m": 1.0, "in": 0.0254, "ft": 0.3048}

# A proper rotation that carries each up axis onto z. Handedness is kept.
Z_UP_FROM: dict[str, Array] = {
    "z": np.eye(3, dtype=np.float32),
    "y": np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=np.float32),
    "x": np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]], dtype=np.float32),
}


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Points of one object or one scene, in a declared frame.

    Attributes:
        points: (p, 3) float32, finite, in the file's own axes and unit.
        colors: (p, 3) float32 in [0, 1], sRGB as displayed, or None.
        normals: (p, 3) float32, unit length, or None.
        up: the axis that points up.
        unit: the unit of `points`; "unknown" where neither the format nor the user states it.
        frame_source: who said so: the file or its format, the reader's documented default, or the user.
        path: the file that it was read from, or None.
        sources: every file that was read to make it (materials and textures too).
    """

    points: Array
    colors: Array | None = None
    normals: Array | None = None
    up: Axis = "z"
    unit: Unit = "unknown"
    frame_source: FrameSource = "default"
    path: Path | None = None
    sources: tuple[Path, ...] = field(default=())

    def __post_init__(self) -> None:
        points = _float_array(self.points, "points")
        if len(points) == 0:
            raise ShapeError("a cloud needs at least one point, got none")
        if not np.isfinite(points).all():
            raise ShapeError("points hold NaN or infinite values")
        object.__setattr__(self, "points", points)
        for name in ("colors", "normals"):
            value = getattr(self, name)
            if value is None:
                continue
            value = _float_array(value, name)
            if len(value) != len(points):
                raise ShapeError(f"{name} must have one row a point: expected {len(points)}, got {len(value)}")
            object.__setattr__(self, name, value)
        if self.colors is not None and not ((self.colors >= 0) & (self.colors <= 1)).all():
            raise ShapeError("colors must lie in [0, 1]")
        if self.up not in get_args(Axis):
            raise ShapeError(f"up must be one of x, y, z, got {self.up!r}")
        if self.unit not in get_args(Unit):
            raise ShapeError(f"unit must be one of {', '.join(get_args(Unit))}, got {self.unit!r}")

    def __len__(self) -> int:
        return len(self.points)

    def __repr__(self) -> str:
        extras = "".join(f", {name}" for name in ("colors", "normals") if getattr(self, name) is not None)
        origin = f", path={str(self.path)!r}" if self.path else ""
        return f"PointCloud({len(self)} points{extras}, up={self.up!r}, unit={self.unit!r}{origin})"

    def select(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> PointCloud:
        """Keep the points that `index` (integers or a mask) names, with their colours and normals."""
        return replace(
            self,
            points=self.points[index],
            colors=None if self.colors is None else self.colors[index],
            normals=None if self.normals is None else self.normals[index],
        )

    def z_up(self) -> PointCloud:
        """The same cloud turned so that z points up (a proper rotation, no mirroring)."""
        rotation = Z_UP_FROM[self.up]
        return replace(
            self,
            points=self.points @ rotation.T,
            normals=None if self.normals is None else self.normals @ rotation.T,
            up="z",
        )


def _float_array(value: object, name: str) -> Array:
    array = np.ascontiguousarray(value, dtype=np.float32)
    if array.ndim != 2 or array.shape[1] != 3:
        raise ShapeError(f"{name} must have shape (p, 3), got {array.shape}")
    return array
