"""The pictures of one object: colour views of a mesh or cloud from chance sides, or depth pictures of a cloud."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import Z_UP_FROM, PointCloud
from clip3d.clouds.reading import read, read_meshes
from clip3d.clouds.sampling import random_sample
from clip3d.errors import ShapeError

Picture = NDArray[np.uint8]
View = tuple[float, float]

# As many points as a splat shows at 224 pixels, and as many as the published depth pictures have.
SPLAT_POINTS = 16384
DEPTH_POINTS = 8192
MAX_VIEWS, MAX_SIZE = 1000, 4096


@dataclass(frozen=True)
class Rendering:
    """How pictures are drawn.

    Attributes:
        kind: "color" for shaded views, "depth" for depth pictures as CLIP goes 3D draws them.
        views: pictures an object. Of depth pictures the first three are the published code's.
        size: pixels of a side.
        seed: of the sides from which the objects are seen.
        elevation: degrees of the eye above the horizon, the lowest and the highest, for colour views.

    Raises:
        ShapeError: if a number is out of its range.
    """

    kind: Literal["color", "depth"] = "color"
    views: int = 5
    size: int = 224
    seed: int = 0
    elevation: tuple[float, float] = (0.0, 30.0)

    def __post_init__(self) -> None:
        if self.kind not in ("color", "depth"):
            raise ShapeError(f"kind must be color or depth, got {self.kind!r}")
        if not 1 <= self.views <= MAX_VIEWS or not 8 <= self.size <= MAX_SIZE or self.seed < 0:
            raise ShapeError(f"views must be 1 to {MAX_VIEWS}, size 8 to {MAX_SIZE}, and seed at least 0")
        if not -90 <= self.elevation[0] <= self.elevation[1] <= 90:
            raise ShapeError(f"elevation must rise from -90 at least to 90 at most, got {self.elevation}")


def draw(source: Path | PointCloud, key: str, rendering: Rendering) -> list[Picture]:
    """The pictures of one object, (size, size, 3) each, or (size, size) for depth.

    Args:
        source: a file, whose meshes are drawn face by face where it has any; or a cloud.
        key: the object's name, which with the seed decides the sides.
        rendering: how.

    Raises:
        CloudError: if the file cannot be used.
        ShapeError: if there is nothing to draw.
    """
    rng = np.random.default_rng([rendering.seed, int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")])
    if rendering.kind == "depth":
        cloud = read(source, points=DEPTH_POINTS) if isinstance(source, Path) else source
        return _depth(cloud, rendering, rng)
    views = [(rng.uniform(0, 360), rng.uniform(*rendering.elevation)) for _ in range(rendering.views)]
    if isinstance(source, Path):
        meshes, up = read_meshes(source)
        faces = sum(len(mesh.faces) for mesh in meshes)
        from clip3d.render.raster import MAX_FACES, draw_surface, surface_of

        if 0 < faces <= MAX_FACES:
            surface = surface_of(meshes, Z_UP_FROM[up], size=rendering.size)
            return [draw_surface(surface, view, size=rendering.size) for view in views]
        source = read(source, points=SPLAT_POINTS)
    return _splats(source, rendering, views)


def _splats(cloud: PointCloud, rendering: Rendering, views: list[View]) -> list[Picture]:
    from clip3d.render.splat import splat_views

    cloud = _at_most(cloud, SPLAT_POINTS).z_up()
    return list(splat_views(cloud.points, cloud.colors, cloud.normals, views=views, size=rendering.size))


def _depth(cloud: PointCloud, rendering: Rendering, rng: np.random.Generator) -> list[Picture]:
    from PIL import Image

    from clip3d.render.depth_discs import PUBLISHED, disc_depth_map, random_turn

    points = _at_most(cloud, DEPTH_POINTS).z_up().points
    turns = [*PUBLISHED, *(random_turn(rng) for _ in range(rendering.views - len(PUBLISHED)))][: rendering.views]
    maps = [Image.fromarray((disc_depth_map(points, turn) * 255).astype(np.uint8)) for turn in turns]
    side = (rendering.size, rendering.size)
    return [np.asarray(picture.resize(side, Image.Resampling.BILINEAR)) for picture in maps]


def _at_most(cloud: PointCloud, points: int) -> PointCloud:
    return cloud if len(cloud) <= points else cloud.select(random_sample(cloud.points, points, seed=0))
