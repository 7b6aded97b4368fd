"""What a camera sees of the sky, and the light that the sky and the sun throw on the street.

Light is counted in the unit of `Lamp.color`: 1 is about 1,300 lux at a metre, so that a street lamp eight metres
up, full sunlight (about 75) and a night of the town (under a thousandth) keep their proportions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.driving.camera_surfaces import clouds
from clip3d.simulation.driving.snapshot import Conditions

Array = NDArray[np.float32]

SUNLIGHT = 75.0
DISC = np.cos(np.radians(0.3))
CONTRAST_LOST = 2.996  # -ln(1/20): the optical depth at which a twentieth of contrast is left
CLEAR_AIR = 25_000.0
HIGH_CLOUD = 400.0


def _color(*parts: float) -> Array:
    return np.array(parts, dtype=np.float32)


def _times(color: Array, factor: float) -> Array:
    return np.asarray(color * np.float32(factor))


@dataclass(frozen=True, eq=False)
class Sky:
    """Light from above.

    Attributes:
        to_sun: (3,) unit vector towards the sun or the moon.
        sun: (3,) irradiance from it.
        zenith: (3,) radiance overhead.
        horizon: (3,) radiance low above the ground.
        glow: (3,) radiance that is added around the sun.
        cover: share of the sky under clouds, 0 to 1.
        cloud: (3,) radiance of a cloud.
        air: (3,) radiance of thick haze or fog.
        extinction: of the air a metre.
        sharp: whether the sun shows as a disc, rather than through clouds.
        drift: (2,) where in the clouds' pattern the sky begins.
    """

    to_sun: Array
    sun: Array
    zenith: Array
    horizon: Array
    glow: Array
    cover: float
    cloud: Array
    air: Array
    extinction: float
    sharp: bool
    drift: Array

    @property
    def from_above(self) -> Array:
        """(3,) irradiance of the sky on the ground."""
        clear = np.pi * (0.6 * self.zenith + 0.4 * self.horizon)
        return np.asarray((1 - self.cover) * clear + self.cover * np.pi * self.cloud, dtype=np.float32)

    @property
    def from_below(self) -> Array:
        """(3,) irradiance of the lit ground on what faces it."""
        lit = self.from_above + self.sun * max(float(self.to_sun[2]), 0.0)
        return np.asarray(lit * _color(0.17, 0.16, 0.15), dtype=np.float32)

    def radiance(self, directions: Array, *, disc: bool = True) -> Array:
        """Radiance (n, 3) from unit directions (n, 3)."""
        up = directions[:, 2]
        height = np.sqrt(np.clip(up, 0, 1))[:, None]
        seen = self.horizon + (self.zenith - self.horizon) * height
        nearness = directions @ self.to_sun
        off = nearness - 1
        seen += self.glow * (0.12 * np.exp(3 * off) + 0.5 * np.exp(12 * off) + np.exp(150 * off))[:, None]
        if self.cover > 0.02:
            seen = self._clouded(np.asarray(seen, dtype=np.float32), directions, nearness)
        if disc and self.sharp and self.sun.any():
            strength = np.minimum(self.sun / 6.9e-5, 3e5).astype(np.float32)
            inside = np.clip((nearness - DISC) / (1 - DISC) * 3, 0, 1)
            seen += strength * inside[:, None]
        if self.extinction > CONTRAST_LOST / CLEAR_AIR:
            depth = self.extinction * HIGH_CLOUD / np.maximum(up, 0.03)
            left = np.exp(-np.minimum(depth, 30))[:, None]
            seen = seen * left + self.haze(nearness) * (1 - left)
        below = up < 0
        seen[below] = self.horizon * 0.7 if self.extinction <= CONTRAST_LOST / CLEAR_AIR else self.air
        return np.asarray(seen, dtype=np.float32)

    def haze(self, nearness: Array) -> Array:
        """Radiance (n, 3) of thick air, seen under the cosine `nearness` (n,) to the sun: it scatters ahead."""
        ahead = np.exp(6 * (nearness - 1))[:, None] * self.sun * 0.02
        return np.asarray(self.air + ahead, dtype=np.float32)

    def _clouded(self, seen: Array, directions: Array, nearness: Array) -> Array:
        flat = directions[:, :2] / (np.maximum(directions[:, 2:], 0) + np.float32(0.12)) + self.drift
        thick, fine = clouds(np.asarray(flat, dtype=np.float32))
        edge = 1.6 - 3.2 * self.cover
        amount = np.clip((thick + 0.2 * fine - edge) * 1.4, 0, 1)[:, None]
        lit = 1 + 0.35 * np.exp(5 * (nearness - 1))[:, None]
        shade = (0.88 + 0.1 * fine - 0.12 * np.clip(thick - edge, 0, 1.5))[:, None]
        fade = np.clip(directions[:, 2:] * 9, 0.25, 1)
        amount = amount * fade if self.cover < 0.9 else amount
        return np.asarray(seen * (1 - amount) + self.cloud * lit * shade * amount, dtype=np.float32)

    @classmethod
    def of(cls, conditions: Conditions, rng: np.random.Generator) -> Sky:
        """The sky of some conditions; `rng` places its clouds."""
        to_sun = np.asarray(conditions.to_sun, dtype=np.float32)
        to_sun = to_sun / max(float(np.linalg.norm(to_sun)), 1e-6)
        low = float(np.exp(-max(float(to_sun[2]), 0.0) / 0.14))
        daylight = _times(_color(1.0, 0.95, 0.88), 1 - low) + _times(_color(1.0, 0.52, 0.2), low)
        cover = {"sunny": rng.uniform(0.12, 0.5), "cloudy": rng.uniform(0.75, 1.0), "rainy": 1.0, "foggy": 1.0}[
            conditions.weather
        ]
        grey = {"sunny": 1.0, "cloudy": 0.75, "rainy": 0.4, "foggy": 0.7}[conditions.weather]
        if conditions.period == "day":
            sun = _times(daylight, SUNLIGHT * (1 - 0.6 * low))
            zenith, horizon, dull = _color(1.1, 2.2, 4.6), _color(4.6, 5.6, 6.6), _color(4.7, 4.9, 5.15)
            cloud, glow = _color(9.0, 9.0, 9.1), _times(daylight, 9 * conditions.sun)
            dull = _times(dull, grey)
        elif conditions.period == "dusk":
            sun = _color(6.0, 2.7, 0.96)
            zenith, horizon, dull = _color(0.17, 0.26, 0.5), _color(0.78, 0.66, 0.6), _color(0.42, 0.42, 0.52)
            cloud, glow = _color(0.7, 0.45, 0.42), _times(_color(2.4, 1.0, 0.32), max(conditions.sun, 0.25))
            dull = _times(dull, grey)
        else:
            sun = _color(1.6e-4, 1.8e-4, 2e-4)
            zenith, horizon = _color(4e-5, 5e-5, 9e-5), _color(1.9e-4, 1.5e-4, 1.5e-4)
            dull = cloud = _color(1.8e-4, 1.5e-4, 1.45e-4)
            glow = _times(sun, 2)
        if conditions.weather != "sunny":
            zenith, horizon, cloud, glow = _times(dull, 1.05), _times(dull, 0.85), dull, _times(dull, 0)
        visibility = min(max(conditions.visibility, 5.0), CLEAR_AIR)
        return cls(
            to_sun=to_sun,
            sun=np.asarray(sun * conditions.sun, dtype=np.float32),
            zenith=zenith,
            horizon=horizon,
            glow=np.asarray(glow, dtype=np.float32),
            cover=float(cover),
            cloud=np.asarray(cloud, dtype=np.float32),
            air=np.asarray(cloud if conditions.weather != "sunny" else horizon * 0.9, dtype=np.float32),
            extinction=CONTRAST_LOST / visibility,
            sharp=conditions.weather == "sunny",
            drift=rng.uniform(0, 50, 2).astype(np.float32),
        )
