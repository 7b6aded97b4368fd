"""Changes to a frustum such as other sensors, mounts and roads bring: a tower learns not to mind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class SensorChange:
    """How strongly the points of a frustum are changed; zeros throughout leave them as they are.

    Attributes:
        beams: chance that beams are dropped: every second to fourth is kept, or a random part.
        fewest_beams: least share of the beams that is kept.
        dropout: chance that single points are dropped, at most `most_dropout` of them.
        most_dropout: see there.
        range_noise: largest standard deviation of the range, metres, drawn for each frustum.
        remap: chance that intensity goes through a random power and gain.
        dark: chance that intensity is all zero, as of a sensor that does not measure it.
        turn: largest turn about the upright axis, degrees.
        tilt: standard deviation of pitch and roll, degrees.
        shift: largest move along the ground, metres, each way.
        height: standard deviation of a move up or down, metres.

    Raises:
        ValueError: if a chance or share is not in [0, 1], or anything is negative.
    """

    beams: float = 0.5
    fewest_beams: float = 0.3
    dropout: float = 0.3
    most_dropout: float = 0.4
    range_noise: float = 0.03
    remap: float = 0.5
    dark: float = 0.25
    turn: float = 5.0
    tilt: float = 1.0
    shift: float = 0.5
    height: float = 0.2

    def __post_init__(self) -> None:
        for name in ("beams", "fewest_beams", "dropout", "most_dropout", "remap", "dark"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        for name in ("range_noise", "turn", "tilt", "shift", "height"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")

    def __call__(
        self, points: Array, ring: NDArray[np.integer], rng: np.random.Generator
    ) -> tuple[Array, NDArray[np.intp]]:
        """Changed points (m, 4) float32, and which of the given ones (m,) they are.

        Args:
            points: (n, 4) float32: x forward, y left, z up in metres, intensity.
            ring: (n,) the beam of each.
            rng: decides everything; as many numbers are drawn whatever the points are, but for those of each point.
        """
        kept = self._kept(ring, rng)
        changed = points[kept]
        places = changed[:, :3] * self._stretched(changed, rng)[:, None]
        places = places @ self._turned(rng).T + self._moved(rng)
        light = self._relit(changed[:, 3], rng)
        return np.concatenate([places, light[:, None]], 1).astype(np.float32), kept

    def _kept(self, ring: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.intp]:
        keep = np.ones(len(ring), np.bool_)
        thins, even, drops = rng.random() < self.beams, rng.random() < 0.5, rng.random() < self.dropout
        share, lost = rng.uniform(self.fewest_beams, 1), rng.uniform(0, self.most_dropout)
        stride, seed = int(rng.integers(2, 5)), int(rng.integers(2**32))
        own = np.random.default_rng(seed)
        if thins and even and 1 / stride >= self.fewest_beams:
            keep &= ring % stride == own.integers(stride)
        elif thins:
            count = int(ring.max(initial=0)) + 1
            keep &= (own.random(count) < share)[ring.clip(0)]
        if drops:
            keep &= own.random(len(ring)) >= lost
        return np.flatnonzero(keep)

    def _stretched(self, points: Array, rng: np.random.Generator) -> NDArray[np.float64]:
        """Factors (n,) of the distance from the origin."""
        deviation, own = rng.uniform(0, self.range_noise), np.random.default_rng(int(rng.integers(2**32)))
        distance = np.linalg.norm(points[:, :3], axis=1).clip(0.5)
        factors: NDArray[np.float64] = 1 + deviation * own.normal(size=len(points)) / distance
        return factors

    def _turned(self, rng: np.random.Generator) -> NDArray[np.float64]:
        yaw = np.radians(rng.uniform(-self.turn, self.turn))
        pitch, roll = np.radians(rng.normal(0, 1, 2) * self.tilt)
        about_z = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
        about_y = np.array([[np.cos(pitch), 0, np.sin(pitch)], [0, 1, 0], [-np.sin(pitch), 0, np.cos(pitch)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(roll), -np.sin(roll)], [0, np.sin(roll), np.cos(roll)]])
        turned: NDArray[np.float64] = about_z @ about_y @ about_x
        return turned

    def _moved(self, rng: np.random.Generator) -> NDArray[np.float64]:
        along = rng.uniform(-self.shift, self.shift, 2)
        return np.array([*along, rng.normal() * self.height])

    def _relit(self, light: Array, rng: np.random.Generator) -> Array:
        bends, dark = rng.random() < self.remap, rng.random() < self.dark
        power, gain = np.exp(rng.uniform(-0.7, 0.7)), rng.uniform(0.5, 1.5)
        if dark:
            return np.zeros_like(light)
        return (gain * light**power).clip(0, 1).astype(np.float32) if bends else light


def mirrored(points: Array) -> Array:
    """Points (n, 4) with left and right exchanged."""
    return points * np.array([1, -1, 1, 1], np.float32)


def beams_of(points: NDArray[np.floating], bins: int = 64) -> NDArray[np.int16]:
    """Beams (n,) where a sensor does not say: bins of elevation, seen from the origin, of equal numbers of points.

    Args:
        points: (n, 3) in the sensor's frame.
        bins: how many.
    """
    if not len(points):
        return np.zeros(0, np.int16)
    elevation = np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1]))
    edges = np.quantile(elevation, np.linspace(0, 1, bins + 1)[1:-1])
    found: NDArray[np.int16] = np.searchsorted(edges, elevation).astype(np.int16)
    return found
