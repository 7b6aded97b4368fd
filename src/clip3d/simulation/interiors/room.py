"""A furnished room: all of its triangles, and which thing each belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clip3d.simulation.driving.rays import RayCaster
from clip3d.simulation.driving.solids import Solid

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Thing:
    """One thing in a room, its walls, floor and ceiling included.

    Attributes:
        label: its class, of `ROOM_CLASSES`.
        words: what it may rightly be called, most specific first; its class is among them.
        center: (3,) of its box, metres.
        size: of its box along its own forward, left and up.
        yaw: radians from the room's x towards y in which it faces.
        kind: of `KINDS`, or the label of what belongs to the structure.
    """

    label: str
    words: tuple[str, ...]
    center: tuple[float, float, float]
    size: tuple[float, float, float]
    yaw: float
    kind: str


@dataclass(frozen=True, eq=False)
class Room:
    """A room in its own frame: z up, metres, the floor at z = 0.

    Attributes:
        use: "living room", "office", …
        outline: (k, 2) corners of the floor, counter-clockwise.
        height: of the ceiling.
        solid: all triangles.
        owners: (f,) int32, places in `things`.
        things: what is in it.
    """

    use: str
    outline: NDArray[np.float64]
    height: float
    solid: Solid
    owners: NDArray[np.int32]
    things: tuple[Thing, ...]

    @cached_property
    def caster(self) -> RayCaster:
        """At all triangles."""
        return RayCaster(self.solid.corners)

    @property
    def area(self) -> float:
        """Of the floor, square metres."""
        x, y = self.outline.T
        return float(abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2)
