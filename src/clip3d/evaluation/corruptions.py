"""Clouds made worse on purpose: what a scan, a careless export or a wrong axis does to them, in fixed doses.

Clouds come and go z up; those that go in lie in the unit sphere, so that a dose means the same for all. A
corrupted cloud depends on nothing but the cloud, the seed, its index, the name of the corruption and the level.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from clip3d.clouds import augmenting
from clip3d.clouds.cloud import PointCloud
from clip3d.clouds.normalizing import normalize_unit_sphere
from clip3d.errors import ShapeError

Level = float | str
Change = Callable[[PointCloud, Level, Generator], PointCloud]

VISIBLE_AT_MOST = 0.6  # of a cloud's points in a partial view
VIEWS = 5
FAR = 1000.0  # radii


@dataclass(frozen=True)
class Corruption:
    """One kind of harm.

    Attributes:
        name: what users call it.
        levels: the doses, mildest first.
        change: from a z-up cloud in the unit sphere, a level and a source of randomness to a new cloud.
        protocol: what is done, for the report.
        form: a level as text.
        shared: the draw is the same for all clouds, not one for each.
        needs_color: it changes colours alone.
    """

    name: str
    levels: tuple[Level, ...]
    change: Change
    protocol: str
    form: str = "{}"
    shared: bool = False
    needs_color: bool = False

    def __call__(self, cloud: PointCloud, level: Level, *, seed: int, index: int) -> PointCloud:
        """The corrupted cloud, z up.

        Args:
            cloud: any valid cloud; it is turned z up and scaled to the unit sphere first.
            level: one of `levels`, or another of their kind.
            seed: of all draws, at least 0.
            index: of the cloud in its set; other clouds get other draws.
        """
        return self.change(in_unit_sphere(cloud), level, self._rng(level, seed, index))

    def label(self, level: Level) -> str:
        """The level as users read it, such as "10%"."""
        return self.form.format(level)

    def _rng(self, level: Level, seed: int, index: int) -> Generator:
        words = zlib.crc32(f"{self.name}/{level}".encode())
        return np.random.default_rng([seed, words, 0 if self.shared else index + 1])


def in_unit_sphere(cloud: PointCloud) -> PointCloud:
    """The cloud turned z up, its centroid at the origin, its farthest point at distance 1; normals are left out."""
    return PointCloud(normalize_unit_sphere(cloud.z_up().points).points, cloud.colors, up="z")


def choose(names: Sequence[str] | None) -> list[Corruption]:
    """The corruptions of these names in the order of the table; all for None.

    Raises:
        ShapeError: if a name is unknown.
    """
    unknown = [name for name in names or () if name not in CORRUPTIONS]
    if unknown:
        raise ShapeError(f"there is no corruption {unknown[0]!r}; there are: {', '.join(CORRUPTIONS)}")
    return [corruption for name, corruption in CORRUPTIONS.items() if names is None or name in names]


def _fewer(cloud: PointCloud, level: Level, rng: Generator) -> PointCloud:
    count = min(int(level), len(cloud))
    return cloud.select(np.sort(rng.permutation(len(cloud))[:count]))


def _noise(cloud: PointCloud, level: Level, rng: Generator) -> PointCloud:
    return _moved(cloud, cloud.points + rng.normal(0, float(level), cloud.points.shape))


def _outliers(cloud: PointCloud, level: Level, rng: Generator) -> PointCloud:
    thrown = rng.permutation(len(cloud))[: round(float(level) * len(cloud))]
    points = cloud.points.copy()
    points[thrown] = rng.uniform(-1, 1, (len(thrown), 3))
    return _moved(cloud, points)


def _occlusion(cloud: PointCloud, level: Level, rng: Generator) -> PointCloud:
    return cloud.select(augmenting.partial_view(cloud.points, rng, most=VISIBLE_AT_MOST))


def _cut(cloud: PointCloud, level: Level, rng: Generator) -> PointCloud:
    height = cloud.points @ rng.normal(size=3)
    stays = len(cloud) - int(float(level) * len(cloud))
    return cloud.select(np.sort(np.argsort(height, kind="stable")[:stays]))


def _tilt(cloud: PointCloud, level: Level, rng: Generator) -> PointCloud:
    heading = augmenting.rotation_about("z", rng.uniform(0, 2 * np.pi))
    lean = augmenting.rotation_about("x", np.radians(float(level)))
    return _moved(cloud, augmenting.rotate(cloud.points, heading @ lean @ heading.T))


def _rotation(cloud: PointCloud, level: Level, rng: Generator) -> PointCloud:
    return _moved(cloud, augmenting.rotate(cloud.points, augmenting.random_rotation(rng)))


def _scale(cloud: PointCloud, level: Level, rng: Generator) -> PointCloud:
    return _moved(cloud, cloud.points * float(level))


def _shift(cloud: PointCloud, level: Level, rng: Generator) -> PointCloud:
    direction = rng.normal(size=3)
    return _moved(cloud, cloud.points + float(level) * direction / np.linalg.norm(direction))


def _mirror(cloud: PointCloud, level: Level, rng: Generator) -> PointCloud:
    return _moved(cloud, augmenting.mirror(cloud.points))


def _dropout(cloud: PointCloud, level: Level, rng: Generator) -> PointCloud:
    return cloud.select(augmenting.dropout(len(cloud), float(level), rng))


def _color(cloud: PointCloud, level: Level, rng: Generator) -> PointCloud:
    colors = cloud.colors
    if colors is None or level == "removed":
        return PointCloud(cloud.points, None, up="z")
    if level == "inverted":
        return PointCloud(cloud.points, 1 - colors, up="z")
    rows = (1, 3) if level == "one for all" else colors.shape
    return PointCloud(cloud.points, np.broadcast_to(rng.uniform(size=rows), colors.shape), up="z")


def _moved(cloud: PointCloud, points: NDArray[np.floating]) -> PointCloud:
    return PointCloud(points.astype(np.float32), cloud.colors, up="z")


_ALL = (
    Corruption(
        "points",
        (64, 128, 256, 512, 1024, 2048, 4096, 8192),
        _fewer,
        "that many of the file's points, drawn at random",
        "{:,}",
    ),
    Corruption("noise", (0.01, 0.02, 0.05), _noise, "N(0, sigma) added to each coordinate; radius 1", "sigma {:g}"),
    Corruption(
        "outliers", (0.01, 0.05, 0.1), _outliers, "that share of the points put anywhere in [-1, 1]^3", "{:.0%}"
    ),
    Corruption(
        "occlusion",
        tuple(range(1, VIEWS + 1)),
        _occlusion,
        "hidden-point removal from directions that are the same for all objects, "
        f"eye at {augmenting.EYE:g} radii; of the points the nearest {VISIBLE_AT_MOST:.0%} at most",
        "view {}",
        shared=True,
    ),
    Corruption("cut", (0.5,), _cut, "that share of the points cut away by a plane of random direction", "{:.0%}"),
    Corruption("tilt", (5, 10, 15, 30), _tilt, "leaning by that angle in a random direction", "{:g} degrees"),
    Corruption("rotation", ("any",), _rotation, "a rotation drawn evenly from all"),
    Corruption("scale", (0.1, 10.0), _scale, "all coordinates multiplied", "x {:g}"),
    Corruption("shift", (FAR,), _shift, "moved away from the origin in a random direction", "{:,.0f} radii"),
    Corruption("mirror", ("left and right",), _mirror, "reflected in an upright plane"),
    Corruption("dropout", (0.5, 0.75, 0.9), _dropout, "that share of the points removed at random", "{:.0%}"),
    Corruption(
        "color",
        ("removed", "random", "one for all", "inverted"),
        _color,
        "colours left out; drawn for each point; one drawn colour for the whole object; 1 - colour",
        needs_color=True,
    ),
)
CORRUPTIONS = {corruption.name: corruption for corruption in _ALL}
