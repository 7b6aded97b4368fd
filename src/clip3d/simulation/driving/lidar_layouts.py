"""Beam layouts of real lidar sensors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Lidar:
    """A spinning lidar.

    Attributes:
        name: as `--sensor` names it.
        elevations: (k,) degrees above the horizon of its beams, lowest ring first.
        azimuth_step: degrees between firings.
        farthest: metres beyond which it reports nothing.
        nearest: metres within which it reports nothing.
        dark_reach: metres at which it just sees a surface that gives back a tenth of the light, straight on.
        noise: standard deviation of a range in metres.
    """

    name: str
    elevations: Floats
    azimuth_step: float
    farthest: float
    nearest: float = 0.9
    dark_reach: float = 80.0
    noise: float = 0.02

    def directions(self) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
        """Unit vectors (n, 3) of one revolution from straight ahead, and their rings (n,), not to be written to.

        All beams of a firing come together, lowest first.
        """
        return self._directions

    @cached_property
    def _directions(self) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
        columns = round(360 / self.azimuth_step)
        azimuth = -np.arange(columns) * (2 * np.pi / columns)  # seen from above they turn clockwise
        up = np.radians(self.elevations)
        flat = np.cos(up)[None]
        rays = np.stack(
            [
                np.cos(azimuth)[:, None] * flat,
                np.sin(azimuth)[:, None] * flat,
                np.broadcast_to(np.sin(up)[None], (columns, len(up))),
            ],
            axis=2,
        )
        ring = np.broadcast_to(np.arange(len(up), dtype=np.int16)[None], (columns, len(up)))
        return rays.reshape(-1, 3).astype(np.float32), ring.reshape(-1).copy()


def _rows(*parts: tuple[float, float, int] | float) -> Floats:
    """Elevations of evenly spaced parts (first, last, how many) and single beams, ascending."""
    found = [np.linspace(*p) if isinstance(p, tuple) else np.array([p]) for p in parts]
    return np.sort(np.concatenate(found))


# From the makers' manuals: VLP-16, HDL-32E, HDL-64E S2, and Pandar40P and Pandar64 (channel distribution).
# "generic-48" is no product: evenly spread beams, for tests with a layout that training does not see.
_LAYOUTS = (
    Lidar("vlp-16", _rows((-15, 15, 16)), 0.2, 100.0, dark_reach=60.0, noise=0.015),
    Lidar("hdl-32e", _rows((-30.67, 10.67, 32)), 0.16, 100.0, dark_reach=65.0, noise=0.01),
    Lidar("pandar40p", _rows(15, 11, 8, 5, 3, (-6, 2, 25), (-14, -7, 8), -19, -25), 0.2, 200.0, 0.3, 120.0, 0.015),
    Lidar("hdl-64e", _rows((-8.33, 2, 32), (-24.33, -8.83, 32)), 0.1728, 120.0, dark_reach=75.0, noise=0.015),
    Lidar("pandar64", _rows(15, 11, 8, 5, 3, (-6, 2, 49), (-14, -7, 8), -19, -25), 0.2, 200.0, 0.3, 120.0, 0.015),
    Lidar("generic-48", _rows((-25, 7, 48)), 0.2, 120.0, dark_reach=80.0),
)
LIDARS = {lidar.name: lidar for lidar in _LAYOUTS}
TRAINING_LIDARS = tuple(name for name in LIDARS if name != "generic-48")


def lidar_named(name: str) -> Lidar:
    """A sensor of `LIDARS`.

    Raises:
        ShapeError: if there is none of that name.
    """
    if name not in LIDARS:
        raise ShapeError(f"no lidar {name!r}: choose one of {', '.join(LIDARS)}")
    return LIDARS[name]
