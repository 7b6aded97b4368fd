"""What a lens, a sensor and its processor make of the light that reaches a camera."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clip3d.lidar.camera import Camera
from clip3d.simulation.driving.camera_scene import Scene
from clip3d.simulation.driving.camera_sky import Sky
from clip3d.simulation.driving.camera_water import drops, streaks
from clip3d.simulation.driving.snapshot import Conditions

Array = NDArray[np.float32]

# The least light for which a camera still opens up (Lamp's unit).
DARKEST = 2e-4
SATURATED = 60.0  # times white beyond which a brighter light spreads no further


@dataclass(frozen=True, eq=False)
class View:
    """Where the sun stands for the lens.

    Attributes:
        sun: its pixel (x, y), or None where it is behind, hidden or not lit.
        strength: luminance of its light, 0 where `sun` is None.
        fog: how much of a light's beam the air between spreads, 0 to 1.
    """

    sun: tuple[float, float] | None
    strength: float
    fog: float

    @classmethod
    def of(cls, camera: Camera, pose: NDArray[np.float64], scene: Scene, sky: Sky) -> View:
        """The view of a camera in a scene."""
        fog = float(1 - np.exp(-40 * sky.extinction))
        ahead = pose[:3, :3].T @ sky.to_sun
        strength = float(luminance(sky.sun))
        if ahead[2] <= 0.2 or not strength or not sky.sharp:
            return cls(None, 0.0, fog)
        eye = pose[:3, 3].astype(np.float32)
        if scene.caster.blocked(eye[None], sky.to_sun[None])[0]:
            return cls(None, 0.0, fog)
        x, y = (camera.intrinsics @ ahead)[:2] / ahead[2]
        outside = max(-x, x - camera.width, -y, y - camera.height, 0.0) / camera.width
        # Lenses have hoods: a sun well outside the picture leaves no trace in it.
        strength *= float(np.exp(-sky.extinction * 400 - 6 * outside))
        return cls((float(x), float(y)), strength, fog)


def luminance(light: Array) -> Array:
    """Luminance (…) of linear light (…, 3) (Rec. 709)."""
    return np.asarray(light @ np.array([0.2126, 0.7152, 0.0722], np.float32))


def develop(light: Array, view: View, conditions: Conditions, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture (h, w, 3) uint8 that a camera makes of radiance (h, w, 3)."""
    from scipy.ndimage import gaussian_filter

    height, width = light.shape[:2]
    if conditions.rain > 0:
        light = streaks(light, conditions.rain, rng)
    if conditions.blur > 0:
        light = smear(light, conditions.blur * width / 1000, rng)
    # Lenses of such cameras blur by about half a pixel of a picture that has been made smaller.
    light = gaussian_filter(light, (0.38, 0.38, 0), mode="nearest")
    if conditions.lens_drops:
        light = drops(light, rng)
    gain = _exposure(luminance(light), conditions, rng)
    light = light * np.float32(gain)
    light = _glare(light, view, gain)
    light *= _vignette(height, width)[..., None]
    return _sensor(light, gain, conditions, rng)


def smear(light: Array, length: float, rng: np.random.Generator) -> Array:
    """Blur light (h, w, 3) along a line `length` pixels long, mostly level as when a vehicle turns or shakes."""
    angle = rng.normal(0, 0.5)
    steps = max(int(np.ceil(length)), 1) + 1
    along = np.linspace(-length / 2, length / 2, steps)
    found = np.zeros_like(light)
    for step in along:
        found += _moved(light, step * np.cos(angle), step * np.sin(angle))
    return np.asarray(found / len(along), dtype=np.float32)


def _moved(light: Array, right: float, down: float) -> Array:
    """Light moved by parts of pixels; borders repeat."""
    for axis, by in ((1, right), (0, down)):
        whole = int(np.floor(by))
        part = np.float32(by - whole)
        size = light.shape[axis]
        near = np.clip(np.arange(size) - whole, 0, size - 1)
        far = np.clip(near - 1, 0, size - 1)
        if part < 1e-3:
            light = light.take(near, axis=axis)
        else:
            light = light.take(near, axis=axis) * (1 - part) + light.take(far, axis=axis) * part
    return light


def _exposure(bright: Array, conditions: Conditions, rng: np.random.Generator) -> float:
    """By what the light is multiplied so that 1 is white: the picture's lower part counts most, as in cars."""
    height = bright.shape[0]
    weight = np.linspace(0.4, 1.0, height, dtype=np.float32)[:, None]
    dim = np.float32(DARKEST / 50)
    mean = float(np.exp((np.log(np.maximum(bright, dim)) * weight).sum() / (weight.sum() * bright.shape[1])))
    # Lamps and the sun may burn out; most of a bright sky, or what lamps light, should not.
    share, limit = {"day": (90, 1.5), "dusk": (85, 0.75), "night": (98.5, 2.0)}[conditions.period]
    high = float(np.percentile(bright, share))
    key = {"day": 0.2, "dusk": 0.12, "night": 0.075}[conditions.period]
    key *= {"sunny": 1.0, "cloudy": 1.1, "rainy": 1.15, "foggy": 1.9}[conditions.weather]
    wanted = min(key / max(mean, DARKEST / 5), max(limit, 1.5 * key) / max(high, 1e-6), 0.1 / DARKEST)
    return float(wanted * rng.uniform(0.85, 1.15))


def _glare(light: Array, view: View, gain: float) -> Array:
    """Spread what is brighter than white over its surroundings, as dust and glass do; the sun veils and flares."""
    from scipy.ndimage import gaussian_filter

    height, width = light.shape[:2]
    excess = np.clip(light - 1, 0, SATURATED)
    if excess.max() > 0.05:
        small = _smaller(excess, 4)
        spread = np.zeros_like(small)
        wide = width / 4
        for size, share in ((0.006, 0.10), (0.02, 0.05 + 0.1 * view.fog), (0.07, 0.012 + 0.06 * view.fog)):
            spread += np.float32(share) * gaussian_filter(small, (size * wide, size * wide, 0), mode="constant")
        spread += _star(np.clip(small - 6, 0, None))
        light = light + _larger(spread, 4, height, width)
    if view.sun is not None:
        sun = (view.sun[0] / 4, view.sun[1] / 4)
        small = _flare(-(-height // 4), -(-width // 4), sun, view.strength * gain)
        light = light + _larger(small, 4, height, width)
    return light


def _star(bright: Array) -> Array:
    """Short rays from very bright places, as an iris of six blades draws."""
    found = np.zeros_like(bright)
    if bright.max() <= 0:
        return found
    reach = max(bright.shape[1] // 16, 2)
    for angle in np.radians((12, 72, 132)):
        for step in range(-reach, reach + 1):
            right, down = round(step * np.cos(angle)), round(step * np.sin(angle))
            fade = np.float32(0.004 * np.exp(-4 * abs(step) / reach))
            found += fade * _moved(bright, right, down)
    return found


def _flare(height: int, width: int, sun: tuple[float, float], strength: float) -> Array:
    """Veil (h, w, 3) of a sun that shines into the lens from pixel `sun`, and its ghosts through the middle."""
    y, x = np.mgrid[:height, :width].astype(np.float32) / np.float32(width)
    at = np.array(sun, np.float32) / np.float32(width)
    distance = np.hypot(x - at[0], y - at[1])
    power = min(strength * 0.15, 1.5)
    # Veiling falls with the square of the angle (Stiles and Holladay).
    veil = 0.005 / (0.006 + distance**2) + 0.5 * np.exp(-distance * 14) + 4 * np.exp(-((distance / 0.025) ** 2))
    veil *= power
    found = veil[..., None] * np.array([1.0, 0.93, 0.8], np.float32)
    middle = np.array([0.5, height / width / 2], np.float32)
    for place, size, color in (
        (0.5, 0.03, (0.1, 0.25, 0.12)), (1.35, 0.05, (0.2, 0.12, 0.06)), (1.8, 0.09, (0.06, 0.1, 0.2)),
    ):  # fmt: skip
        ghost = at + (middle - at) * place
        inside = np.clip((size - np.hypot(x - ghost[0], y - ghost[1])) / (0.2 * size), 0, 1)
        found += (0.25 * power * inside)[..., None] * np.array(color, np.float32)
    return np.asarray(found, dtype=np.float32)


def _smaller(light: Array, by: int) -> Array:
    height, width = light.shape[:2]
    padded = np.pad(light, ((0, -height % by), (0, -width % by), (0, 0)), mode="edge")
    rows, columns = padded.shape[0] // by, padded.shape[1] // by
    return np.asarray(padded.reshape(rows, by, columns, by, 3).mean(axis=(1, 3)))


def _larger(light: Array, by: int, height: int, width: int) -> Array:
    """Light between the middles of cells `by` pixels wide, (height, width, 3)."""
    for axis, size in ((0, height), (1, width)):
        place = np.clip((np.arange(size) + 0.5) / by - 0.5, 0, light.shape[axis] - 1)
        below = np.floor(place).astype(np.intp)
        part = (place - below).astype(np.float32)[(slice(None),) + (None,) * (2 - axis)]
        above = np.minimum(below + 1, light.shape[axis] - 1)
        light = light.take(below, axis=axis) * (1 - part) + light.take(above, axis=axis) * part
    return light


def _vignette(height: int, width: int) -> Array:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    radius = ((x - width / 2) ** 2 + (y - height / 2) ** 2) / ((width**2 + height**2) / 4)
    return np.asarray(1 - 0.22 * radius, dtype=np.float32)


def _sensor(light: Array, gain: float, conditions: Conditions, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Noise of photons and of the read-out, a white balance that misses a little, a shoulder, sRGB."""
    amplified = np.log10(max(gain, 0.01) * 100)
    shot = 0.004 + 0.0022 * max(amplified, 0)
    read = 0.0006 + 0.0009 * max(amplified, 0)
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    light = light + noise * np.sqrt(np.clip(light, 0, 1) * np.float32(shot**2 * 4) + np.float32(read**2))
    balance = np.exp(rng.normal(0, 0.025, 3)).astype(np.float32)
    light = np.maximum(light * balance, 0)
    # The shoulder is longer at night, as of sensors that see far brighter lights than they could show.
    knee, reach = (0.4, 1.2) if conditions.period == "night" else (0.6, 0.4)
    light = np.where(light < knee, light, 1 - (1 - knee) * np.exp(-(light - knee) / reach))
    return np.asarray(_encoding()[np.minimum(light * 4095 + 0.5, 4095).astype(np.intp)])


@functools.cache
def _encoding() -> NDArray[np.uint8]:
    """sRGB of 4,096 steps of linear light, with the contrast that cameras add."""
    light = np.linspace(0, 1, 4096)
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)
    encoded = encoded + 0.03 * np.sin(2 * np.pi * (encoded - 0.5))
    return np.clip(encoded * 255 + 0.5, 0, 255).astype(np.uint8)
