"""Drawing light and weather."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from clip3d.simulation.chance import Rng, maybe
from clip3d.simulation.driving.snapshot import Conditions, Mix, Period, Weather

T = TypeVar("T")

PERIODS: dict[Period, float] = {"day": 0.6, "dusk": 0.15, "night": 0.25}
WEATHERS: dict[Weather, float] = {"sunny": 0.42, "cloudy": 0.25, "rainy": 0.21, "foggy": 0.12}
_BALANCED_PERIODS: dict[Period, float] = {"day": 0.48, "dusk": 0.2, "night": 0.32}
_BALANCED_WEATHERS: dict[Weather, float] = {"sunny": 0.4, "cloudy": 0.12, "rainy": 0.28, "foggy": 0.2}


def draw_conditions(
    rng: Rng, period: Period | None = None, weather: Weather | None = None, mix: Mix = "usual"
) -> Conditions:
    """Draw light and weather that fit each other.

    Args:
        rng: chance.
        period: of the day, drawn if None.
        weather: drawn if None; "sunny" at night is a clear sky.
        mix: "balanced" draws night, rain, fog, a low sun ahead, drops and blur more often.
    """
    rare = mix == "balanced"
    drawn_period = _one(rng, _BALANCED_PERIODS if rare else PERIODS)
    drawn_weather = _one(rng, _BALANCED_WEATHERS if rare else WEATHERS)
    period, weather = period or drawn_period, weather or drawn_weather
    # A low sun ahead is what blinds; it is rare by chance, so it is drawn on purpose.
    low = maybe(rng, 0.8 if rare else 0.3)
    elevation = np.radians(rng.uniform(4, 14) if period == "dusk" or low else rng.uniform(20, 65))
    azimuth = rng.normal(0, 0.25) if low else rng.uniform(-np.pi, np.pi)
    flat = np.cos(elevation)
    to_sun = (float(flat * np.cos(azimuth)), float(flat * np.sin(azimuth)), float(np.sin(elevation)))
    shine = {"sunny": 1.0, "cloudy": 0.25, "rainy": 0.08, "foggy": 0.05}[weather]
    sun = shine * {"day": 1.0, "dusk": 0.5, "night": 0.02}[period] * float(rng.uniform(0.8, 1.0))
    rain = float(np.exp(rng.uniform(np.log(2), np.log(40)))) if weather == "rainy" else 0.0
    visibility = float("inf")
    if weather == "foggy":
        visibility = float(np.exp(rng.uniform(np.log(50), np.log(250))))
    elif weather == "rainy":
        visibility = 4000.0 / (1 + rain * 0.5)
    wet = 1.0 if weather == "rainy" else (float(rng.uniform(0.3, 0.8)) if maybe(rng, 0.15) else 0.0)
    drops = weather == "rainy" and maybe(rng, 0.6)
    blurs = 0.25 if period == "night" or rare else 0.08
    blur = float(rng.uniform(3, 8)) if maybe(rng, blurs) else 0.0
    return Conditions(period, weather, to_sun, sun, visibility, rain, wet, drops, blur)


def is_glaring(conditions: Conditions, heading: float) -> bool:
    """Whether whoever looks along `heading` (radians from world x) has a strong, low sun before them."""
    x, y, z = conditions.to_sun
    ahead = x * np.cos(heading) + y * np.sin(heading)
    return bool(conditions.sun > 0.3 and z < 0.3 and ahead > 0.85)


def _one(rng: Rng, shares: dict[T, float]) -> T:
    names = list(shares)
    weights = np.array(list(shares.values()))
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]
