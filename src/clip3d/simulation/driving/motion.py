"""How things move along a road, across it, or stand; and that no two of them are in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.driving.models import Model
from clip3d.simulation.driving.road import Road

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pace:
    """How far something has come by each time.

    Attributes:
        times: (k,) seconds, ascending.
        distance: (k,) metres, never falling.
    """

    times: Floats
    distance: Floats

    def at(self, time: float) -> tuple[float, float]:
        """Distance and speed at a time."""
        i = int(np.clip(np.searchsorted(self.times, time, side="right") - 1, 0, len(self.times) - 2))
        step = self.times[i + 1] - self.times[i]
        speed = (self.distance[i + 1] - self.distance[i]) / step
        return float(self.distance[i] + speed * (time - self.times[i])), float(speed)


STILL = Pace(np.array([0.0, 1.0]), np.zeros(2))


def steady(speed: float, duration: float) -> Pace:
    """Always the same speed in m/s."""
    end = max(duration, 1.0)
    return Pace(np.array([0.0, end]), np.array([0.0, end * speed]))


def changing(times: Floats, speeds: Floats) -> Pace:
    """From speeds (k,) at times (k,)."""
    mean = (speeds[1:] + speeds[:-1]) / 2
    return Pace(times, np.concatenate([[0.0], np.cumsum(mean * np.diff(times))]))


def stopping(speed: float, distance: float, duration: float) -> Pace:
    """From a speed to a stand after a distance in metres."""
    times = np.linspace(0, max(duration, 1.0), 60)
    slowing = 2.0  # m/s², comfortable
    cruise = max(distance - speed**2 / (2 * slowing), 0.0)
    brake = slowing if cruise > 0 else speed**2 / (2 * max(distance, 0.5))
    gone = speed * times
    late = np.maximum(times - cruise / max(speed, 1e-6), 0)
    late = np.minimum(late, speed / brake)
    return Pace(times, np.minimum(gone, cruise) + speed * late - brake * late**2 / 2)


@dataclass(frozen=True, eq=False)
class Actor:
    """Something with a label and its way.

    Attributes:
        looks: gives the model for a phase of its walk, from 0 to PHASES - 1.
        size: length, width and height in metres that it takes up; its models differ little.
        phases: how many looks there are, 1 for what does not walk.
        start: s and d at time 0.
        way: direction along s and d: (1, 0) ahead, (-1, 0) back, (0, 1) to the left, (0, -1) to the right.
        pace: along it.
        turn: radians by which it is turned from its way.
        track: its name.
        cycle: metres of way in which the phases pass once.
    """

    looks: Callable[[int], Model]
    size: tuple[float, float, float]
    phases: int
    start: tuple[float, float]
    way: tuple[int, int]
    pace: Pace
    turn: float = 0.0
    track: str = ""
    cycle: float = 1.4

    def place(self, time: float) -> tuple[float, float, float]:
        """s, d and speed."""
        gone, speed = self.pace.at(time)
        return self.start[0] + self.way[0] * gone, self.start[1] + self.way[1] * gone, speed

    def heading(self, road_heading: float) -> float:
        """Of its way in the world, where the road has the heading."""
        return road_heading + float(np.arctan2(self.way[1], self.way[0]))

    def model(self, time: float) -> Model:
        """How it looks at a time."""
        gone, speed = self.pace.at(time)
        walks = self.phases > 1 and speed > 0
        return self.looks(int(gone / self.cycle * self.phases) % self.phases if walks else 0)


@dataclass(eq=False)
class Occupancy:
    """Where everything is at some times of a log, so that nothing else is put there.

    Attributes:
        road: on which all move.
        times: (t,) seconds.
        centers: (t, n, 2) world, of discs that cover things.
        radii: (n,).
    """

    road: Road
    times: Floats
    centers: list[Floats] = field(default_factory=list)
    radii: list[Floats] = field(default_factory=list)

    def add(self, actor: Actor, margin: float = 0.15) -> bool:
        """Take a thing's place unless something is there at any time; say whether it was free."""
        centers, radii = self._discs(actor, margin)
        if self.centers:
            others, their = np.concatenate(self.centers, axis=1), np.concatenate(self.radii)
            # Only what is ever near matters.
            apart = ((centers[:, :, None] - others[:, None]) ** 2).sum(-1)
            if (apart < (radii[:, None] + their[None]) ** 2).any():
                return False
        self.centers.append(centers)
        self.radii.append(radii)
        return True

    def _discs(self, actor: Actor, margin: float) -> tuple[Floats, Floats]:
        length, width, _ = actor.size
        n = max(int(np.ceil(length / max(width, 0.4))), 1)
        along = (np.arange(n) + 0.5) / n * length - length / 2
        states = np.array([actor.place(float(t))[:2] for t in self.times])
        x, y, heading = self.road.at(states[:, 0], states[:, 1])
        yaw = heading + np.arctan2(actor.way[1], actor.way[0]) + actor.turn
        centers = np.stack(
            [x[:, None] + along * np.cos(yaw)[:, None], y[:, None] + along * np.sin(yaw)[:, None]], axis=2
        )
        return centers, np.full(n, width / 2 * 1.05 + margin)
