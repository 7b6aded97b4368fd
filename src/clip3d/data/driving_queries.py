"""Queries of two sides, one for each sensor, whose truth a simulated log knows: things for the lidar; light,
weather and lens for the camera.

LidarCLIP asks so for what a camera misses (Hess et al. 2024, section 4.2), and shows pictures; there is no truth of
glare or wet lenses in its data, so nothing is measured there.
"""

from __future__ import annotations

from dataclasses import dataclass

from clip3d.data.driving_prompts import LENS_PROMPTS, OBJECTS, PERIOD, WEATHER
from clip3d.data.driving_shots import Shot, Thing
from clip3d.data.driving_truth import SEEN

HIDDEN = 0.25  # share of a thing below which a picture does not show it

# What a camera may be asked, by the word that a simulated log has for it.
CAMERA: dict[str, tuple[str, ...]] = {
    **LENS_PROMPTS,
    "fog": ("fog", "a photo taken in fog", "a foggy street", "a photo of a foggy road"),
    "night": tuple(prompt.replace("{}", "night") for prompt in PERIOD),
    "rain": tuple(prompt.replace("{}", "rainy") for prompt in WEATHER),
}
# The same in a phrase that ends a sentence.
SAID = {
    "sun glare": "in sun glare",
    "drops on the lens": "with water drops on the lens",
    "blurred": "in a blurred photo",
    "fog": "in fog",
    "night": "at night",
    "rain": "in the rain",
}


@dataclass(frozen=True)
class TwoSided:
    """A query of two sides.

    Attributes:
        kind: of the thing that the lidar is asked for.
        near: metres within which it stands, or None for anywhere.
        condition: that the camera is asked for, one of `CAMERA`.
    """

    kind: str
    near: float | None
    condition: str

    @property
    def title(self) -> str:
        """As a user would type it: lidar | camera."""
        return f"{self.thing} | {self.condition}"

    @property
    def thing(self) -> str:
        """What the lidar is asked for."""
        return f"{self.kind} close by" if self.near else self.kind

    @property
    def lidar_prompts(self) -> tuple[str, ...]:
        """The paper's templates of objects."""
        name = f"nearby {self.kind}" if self.near else self.kind
        return tuple(template.replace("{}", name) for template in OBJECTS)

    @property
    def camera_prompts(self) -> tuple[str, ...]:
        """Phrases for the condition."""
        return CAMERA[self.condition]

    @property
    def one_prompt(self) -> tuple[str, ...]:
        """Both sides in one sentence, for both sensors."""
        name = f"nearby {self.kind}" if self.near else self.kind
        return (f"a {name} {SAID[self.condition]}", f"a photo of a {name} {SAID[self.condition]}")

    def holds_for_lidar(self, shot: Shot) -> bool:
        """Whether the lidar has such a thing in the square."""
        return any(reached(thing, self.kind, self.near) for thing in shot.things)

    def holds_for_camera(self, shot: Shot) -> bool:
        """Whether the log says so of the picture."""
        return self.condition in shot.told

    def holds(self, shot: Shot) -> bool:
        """Whether both sides are true."""
        return self.holds_for_camera(shot) and self.holds_for_lidar(shot)


def reached(thing: Thing, kind: str, near: float | None = None) -> bool:
    """Whether a thing is of a kind, stands in the square and has enough points on it; hidden or not."""
    close = near is None or thing.distance < near
    return thing.kind == kind and thing.inside and thing.points >= SEEN and close


def hidden(thing: Thing, camera: str) -> bool:
    """Whether something hides a thing from a camera."""
    return thing.shown(camera) < HIDDEN


NEAR = 15.0
QUERIES: tuple[TwoSided, ...] = (
    TwoSided("pedestrian", None, "sun glare"),
    TwoSided("car", NEAR, "sun glare"),
    TwoSided("pedestrian", None, "drops on the lens"),
    TwoSided("car", NEAR, "drops on the lens"),
    TwoSided("cyclist", None, "night"),
    TwoSided("pedestrian", NEAR, "night"),
    TwoSided("truck", None, "rain"),
    TwoSided("bus", None, "rain"),
    TwoSided("pedestrian", None, "fog"),
    TwoSided("truck", None, "night"),
)
# Those of the paper's figure: what goes wrong with a picture, while something stands close by.
FIGURE: tuple[TwoSided, ...] = tuple(
    TwoSided(kind, NEAR, condition)
    for condition in ("blurred", "drops on the lens", "sun glare", "night")
    for kind in ("truck", "pedestrian", "car")
)
