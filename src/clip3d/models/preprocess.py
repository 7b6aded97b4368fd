"""Inputs made ready for a tower, as its card says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.errors import ShapeError
from clip3d.lidar.frustum import Frustum
from clip3d.lidar.sweep import Sweep
from clip3d.lidar.wedge import wedge

Array = NDArray[np.float32]
Interpolation = Literal["bicubic", "bilinear"]
Rounding = Literal["nearest", "torchvision"]

# Below this a cloud's points are repeated: a tower needs neighbours.
MIN_POINTS = 32
# Farthest point sampling from more candidates than this costs time and changes nothing that shows.
MAX_CANDIDATES = 4096
# Of a picture longer than so many times its short side the middle is taken: resized whole, a line of pixels would
# fill the memory.
LONGEST_PICTURE = 100


@dataclass(frozen=True)
class CloudPreprocess:
    """How a cloud is prepared: turned z-up, sampled down to `points`, scaled to the unit sphere.

    Attributes:
        points: number of points the tower sees at most; a smaller cloud is seen as it is.
        color_fill: value in [0, 1] of all channels of a cloud that has no colour.
        turns: rotations about the vertical over which the vector of a cloud in any pose is averaged, for each side
            that it may stand on; 0 for a tower that needs clouds upright.
        outliers: points whose neighbours lie more than so many times farther than is usual in the cloud are left
            out (`clip3d.clouds.sampling.without_outliers`); 0 keeps all.
    """

    points: int = 1024
    color_fill: float = 0.5
    turns: int = 0
    outliers: float = 0.0

    @classmethod
    def from_card(cls, values: Mapping[str, Any]) -> CloudPreprocess:
        """From a card's `preprocess` table; unknown keys are an error."""
        return cls(**values)

    def __call__(self, cloud: PointCloud, *, points: int | None = None) -> tuple[Array, Array]:
        """Points (n, 3) in the unit sphere, z up, and colours (n, 3) in [0, 1], both float32.

        Args:
            cloud: any valid cloud.
            points: largest n, if it is to differ from the card's number.
        """
        from clip3d.clouds.normalizing import normalize_unit_sphere
        from clip3d.clouds.sampling import random_sample, resample, without_outliers

        cloud = cloud.z_up()
        most = self.candidates(points)
        if len(cloud) > most:
            cloud = cloud.select(random_sample(cloud.points, most, seed=0))
        if self.outliers:
            cloud = cloud.select(without_outliers(cloud.points, self.outliers))
        cloud = cloud.select(resample(cloud.points, self.seen(len(cloud), points)))
        xyz = normalize_unit_sphere(cloud.points)[0]
        colors = cloud.colors if cloud.colors is not None else np.full_like(xyz, self.color_fill)
        return xyz, colors

    def seen(self, p: int, points: int | None = None) -> int:
        """How many points the tower sees of a cloud of p, given the largest number if it is not the card's.

        Where outliers are left out, p counts those that remain; with all of a cloud's points this is the most.
        """
        return min(points or self.points, max(min(p, self.candidates(points)), MIN_POINTS))

    def candidates(self, points: int | None = None) -> int:
        """Among how many points those that the tower sees are chosen: never fewer than it is to see."""
        return max(MAX_CANDIDATES, points or self.points)


@dataclass(frozen=True)
class ImagePreprocess:
    """How an image is prepared: short side to `size`, centre square, scaled channels.

    Attributes:
        size: pixels of the square that the tower sees.
        mean: of the channels, in [0, 1].
        std: of the channels, in [0, 1].
        background: grey level in [0, 1] that shows through transparent pixels.
        interpolation: of the resizing, "bicubic" or "bilinear"; a picture is smoothed before it is made smaller.
        rounding: "nearest" takes the long side to the nearest pixel and halves of the margin down, "torchvision"
            the long side down and halves of the margin to the even pixel, as the published CLIPs' preparation does.

    Raises:
        ValueError: if interpolation or rounding is none of these.
    """

    size: int = 224
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    background: float = 1.0
    interpolation: Interpolation = "bicubic"
    rounding: Rounding = "nearest"

    def __post_init__(self) -> None:
        for name, known in (("interpolation", get_args(Interpolation)), ("rounding", get_args(Rounding))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")

    @classmethod
    def from_card(cls, values: Mapping[str, Any]) -> ImagePreprocess:
        """From a card's `preprocess` table; unknown keys are an error."""
        return cls(**_typed(values))

    def __call__(self, image: Any) -> Array:
        """Pixels (3, size, size) float32 of a PIL image or an (h, w, 3) uint8 array."""
        from PIL import Image

        picture = as_rgb(image, self.background)
        width, height = self._resized(picture.size)
        picture = picture.resize((width, height), Image.Resampling[self.interpolation.upper()])
        left, top = self._margin(width), self._margin(height)
        picture = picture.crop((left, top, left + self.size, top + self.size))
        pixels = np.asarray(picture, dtype=np.float32) / 255
        pixels = (pixels - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32)

    def _resized(self, sides: tuple[int, int]) -> tuple[int, int]:
        """Width and height of a picture whose short side becomes `size`."""
        if self.rounding == "torchvision":
            width, height = (int(self.size * side / min(sides)) for side in sides)
        else:
            scale = self.size / min(sides)
            width, height = (max(self.size, round(side * scale)) for side in sides)
        return width, height

    def _margin(self, side: int) -> int:
        """Pixels that are cut off before the centre square."""
        return round((side - self.size) / 2) if self.rounding == "torchvision" else (side - self.size) // 2


@dataclass(frozen=True)
class SweepPreprocess:
    """How a sweep is prepared: cut down to the tower's extent, intensity scaled, and bounded.

    Attributes:
        extent: least x, y, z and largest x, y, z in metres; points outside are left out.
        points: most that the tower is shown; of more, so many are taken at random, the same each time.
        intensity: what intensities in [0, 1] are multiplied by; 0 for a tower that does not look at them.

    Raises:
        ValueError: if the extent is none, or fewer than one point may be shown.
    """

    extent: tuple[float, ...] = (0.0, -20.0, -2.0, 40.0, 20.0, 4.0)
    points: int = 100_000
    intensity: float = 1.0

    def __post_init__(self) -> None:
        if len(self.extent) != 6 or not np.less(self.extent[:3], self.extent[3:]).all():
            raise ValueError(f"extent must be least x, y, z and largest x, y, z, got {self.extent}")
        if self.points < 1:
            raise ValueError(f"points must be at least 1, got {self.points}")

    @classmethod
    def from_card(cls, values: Mapping[str, Any]) -> SweepPreprocess:
        """From a card's `preprocess` table; unknown keys are an error."""
        return cls(**_typed(values))

    def __call__(self, sweep: Frustum | Sweep) -> Array:
        """Points (p, 4) float32: x, y, z and intensity; none where the sweep has none in the extent.

        Args:
            sweep: what a camera sees; or a whole sweep, of which the quarter ahead is seen from its sensor.
        """
        seen = wedge(sweep) if isinstance(sweep, Sweep) else sweep
        low, high = np.array(self.extent, np.float32).reshape(2, 3)
        xyz = seen.points[:, :3]
        points = seen.points[((xyz >= low) & (xyz < high)).all(1)]
        if len(points) > self.points:
            points = points[np.sort(np.random.default_rng(0).permutation(len(points))[: self.points])]
        return points * np.array([1, 1, 1, self.intensity], np.float32)


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of JSON as a preparation has them: its lists are tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def as_rgb(image: Any, grey: float) -> Any:
    """A PIL image or an (h, w, 3) uint8 array as an opaque PIL image, on a background of a grey level in [0, 1]."""
    from PIL import Image

    picture = image if isinstance(image, Image.Image) else _from_array(image)
    return _on_background(_middle(picture), grey)


def _middle(picture: Any) -> Any:
    width, height = (min(side, LONGEST_PICTURE * min(picture.size)) for side in picture.size)
    if (width, height) == picture.size:
        return picture
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def _from_array(array: NDArray[np.uint8]) -> Any:
    from PIL import Image

    array = np.asarray(array)
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8:
        raise ShapeError(f"an image must be a PIL image or (h, w, 3) uint8, got {array.shape} {array.dtype}")
    return Image.fromarray(array)


def _on_background(picture: Any, grey: float) -> Any:
    from PIL import Image

    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        level = round(grey * 255)
        canvas = Image.new("RGBA", picture.size, (level, level, level, 255))
        picture = Image.alpha_composite(canvas, picture.convert("RGBA"))
    return picture.convert("RGB")
