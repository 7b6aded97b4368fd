"""One moment of a simulated street: all that a lidar or a camera can see, as triangles, and its truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import ShapeError

Array = NDArray[np.float32]
Period = Literal["day", "dusk", "night"]
Weather = Literal["sunny", "cloudy", "rainy", "foggy"]
Mix = Literal["usual", "balanced"]

REACH = 90.0  # metres around the recording vehicle within which things have labels

# What surfaces are made of; a face names its material by its place here. How much of a lidar's light each gives
# back, and how each looks to a camera, is said where those sensors are.
MATERIALS = (
    "asphalt",
    "concrete",
    "road paint",
    "grass",
    "soil",
    "foliage",
    "bark",
    "car paint",
    "glass",
    "rubber",
    "metal",
    "retroreflector",
    "skin",
    "cloth",
    "brick",
    "plaster",
    "wood",
    "plastic",
    "lamp",
)
MATERIAL = {name: number for number, name in enumerate(MATERIALS)}


@dataclass(frozen=True)
class Conditions:
    """Light and weather.

    Attributes:
        period: of the day.
        weather: of the sky; rain and fog also stand in the way of a lidar's light.
        to_sun: unit vector towards the sun, or the moon at night.
        sun: its strength from 0 (hidden) to 1.
        visibility: metres at which fog or rain hides all but a twentieth of contrast (infinite in clear air).
        rain: millimetres an hour.
        wet: how wet the ground is, 0 to 1: it darkens and mirrors.
        lens_drops: whether water stands on the lens.
        blur: pixels, at 1,000 pixels of picture width, by which the camera's motion smears.
    """

    period: Period = "day"
    weather: Weather = "sunny"
    to_sun: tuple[float, float, float] = (0.3, 0.4, 0.866)
    sun: float = 1.0
    visibility: float = float("inf")
    rain: float = 0.0
    wet: float = 0.0
    lens_drops: bool = False
    blur: float = 0.0


@dataclass(frozen=True, eq=False)
class Lamp:
    """A light in the street: a street lamp, a headlight, a lit window, a traffic light.

    Attributes:
        position: (3,) world, metres.
        color: (3,) linear light, about 1 for a street lamp's strength at one metre times its square.
        direction: (3,) unit vector of a beam, or None where it shines all around.
        cosine: of a beam's half angle.
    """

    position: Array
    color: Array
    direction: Array | None = None
    cosine: float = -1.0


@dataclass(frozen=True, eq=False)
class Thing:
    """A thing with a label in a moment of the street.

    Attributes:
        label: one of the simulator's classes: "car", "pedestrian", …
        words: what else it may rightly be called, most specific first: "red sports car", "car", "vehicle".
        center: (3,) world, of its box.
        size: length along its heading, width, height, metres.
        yaw: radians from world x towards y.
        track: the same throughout a log.
        velocity: (2,) metres a second in the world.
        moving: whether it drives or walks, rather than stands.
    """

    label: str
    words: tuple[str, ...]
    center: NDArray[np.float64]
    size: tuple[float, float, float]
    yaw: float
    track: str
    velocity: tuple[float, float] = (0.0, 0.0)
    moving: bool = False


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All triangles of a moment, in the world's frame: x east, y north, z up, metres.

    Attributes:
        corners: (f, 3, 3) float32.
        colors: (f, 3) float32 in [0, 1], sRGB.
        materials: (f,) uint8, places in MATERIALS.
        owners: (f,) int32, places in `things`; -1 for ground, houses and whatever else has no label.
        things: with labels.
        lamps: that are lit.
        conditions: light and weather.
        world_from_vehicle: (4, 4) float64 of the recording vehicle: x forward, y left, z up, on the ground below
            its middle. The vehicle itself is not among the triangles.
        time: seconds since the log began.
        place: what kind of place it is in plain words: "motorway", "crossing", "car park", "residential street".
    """

    corners: Array
    colors: Array
    materials: NDArray[np.uint8]
    owners: NDArray[np.int32]
    things: tuple[Thing, ...]
    world_from_vehicle: NDArray[np.float64]
    lamps: tuple[Lamp, ...] = ()
    conditions: Conditions = field(default_factory=Conditions)
    time: float = 0.0
    place: str = "street"

    def __post_init__(self) -> None:
        count = len(self.corners)
        if self.corners.shape != (count, 3, 3):
            raise ShapeError(f"corners must have shape (f, 3, 3), got {self.corners.shape}")
        for name, shape in (("colors", (count, 3)), ("materials", (count,)), ("owners", (count,))):
            if getattr(self, name).shape != shape:
                raise ShapeError(f"{name} must have shape {shape}, got {getattr(self, name).shape}")
        if count and int(self.owners.max()) >= len(self.things):
            raise ShapeError(f"a face belongs to thing {int(self.owners.max())}, but there are {len(self.things)}")
