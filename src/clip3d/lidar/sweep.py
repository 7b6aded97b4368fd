"""One revolution of a lidar: finite points in the declared frame, with what the sensor said of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Sweep:
    """Points of one revolution: x forward, y left, z up, in metres, origin at the sensor. It may be empty.

    Attributes:
        points: (n, 3) float32, finite.
        intensity: (n,) float32 in [0, 1], how much of the light came back; zeros where the sensor does not say.
        ring: (n,) int16, the beam of each point from 0, or None where the sensor does not say.
        timestamp: seconds, in the log's own clock; 0 where it is unknown.
        sensor: its name in the log, such as "velodyne".
        dropped: points left out on reading, since they were not finite or lay at the origin.
        path: the file that it was read from, or None.
    """

    points: Array
    intensity: Array = field(default_factory=lambda: np.zeros(0, np.float32))
    ring: NDArray[np.int16] | None = None
    timestamp: float = 0.0
    sensor: str = "lidar"
    dropped: int = 0
    path: Path | None = None

    def __post_init__(self) -> None:
        points = np.ascontiguousarray(self.points, dtype=np.float32)
        if points.ndim != 2 or points.shape[1] != 3:
            raise ShapeError(f"points of a sweep must have shape (n, 3), got {points.shape}")
        if not np.isfinite(points).all():
            raise ShapeError("points of a sweep hold NaN or infinite values: leave them out, as Sweep.of_rows does")
        intensity = np.ascontiguousarray(self.intensity, dtype=np.float32)
        if not len(intensity) and len(points):
            intensity = np.zeros(len(points), np.float32)
        if intensity.shape != (len(points),):
            raise ShapeError(f"intensity must be one number a point, ({len(points)},), got {intensity.shape}")
        if not ((intensity >= 0) & (intensity <= 1)).all():
            raise ShapeError("intensity must lie in [0, 1]: divide by the largest that the sensor gives")
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "intensity", intensity)
        if self.ring is not None:
            ring = np.ascontiguousarray(self.ring, dtype=np.int16)
            if ring.shape != (len(points),):
                raise ShapeError(f"ring must be one number a point, ({len(points)},), got {ring.shape}")
            object.__setattr__(self, "ring", ring)

    def __len__(self) -> int:
        return len(self.points)

    def __repr__(self) -> str:
        origin = f", path={str(self.path)!r}" if self.path else ""
        return f"Sweep({len(self)} points, sensor={self.sensor!r}, timestamp={self.timestamp:.6f}{origin})"

    @classmethod
    def of_rows(
        cls,
        points: NDArray[np.floating],
        intensity: NDArray[np.floating] | None = None,
        ring: NDArray[np.integer] | None = None,
        *,
        timestamp: float = 0.0,
        sensor: str = "lidar",
        path: Path | None = None,
    ) -> Sweep:
        """A sweep of what a sensor wrote: points that are not finite, or lie at the origin (no echo), are left out.

        Args:
            points: (n, 3) of any float type, in the sweep's frame.
            intensity: (n,) or None; not finite counts as 0, and it is clipped to [0, 1].
            ring: (n,) or None.
            timestamp: see the class, as for what follows.
            sensor: its name.
            path: of its file.
        """
        points = np.asarray(points, dtype=np.float32)
        if points.ndim != 2 or points.shape[1] != 3:
            raise ShapeError(f"points of a sweep must have shape (n, 3), got {points.shape}")
        kept = np.isfinite(points).all(1) & (points != 0).any(1)
        light = np.zeros(len(points), np.float32) if intensity is None else np.asarray(intensity, np.float32)
        light = np.clip(np.nan_to_num(light, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
        return cls(
            points=points[kept],
            intensity=light[kept],
            ring=None if ring is None else np.asarray(ring)[kept].astype(np.int16),
            timestamp=timestamp,
            sensor=sensor,
            dropped=int(len(points) - kept.sum()),
            path=path,
        )
