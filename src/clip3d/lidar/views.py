"""What a picture tower and a sweep tower are to see of one frame: a crop of a picture, and the frustum behind it.

Both come from one function, so that the region of the undistorted picture that CLIP sees and the region that points
are kept in are always the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from clip3d.errors import ShapeError
from clip3d.lidar.camera import Camera
from clip3d.lidar.distortion import Region, undistorted_camera, undistorted_picture
from clip3d.lidar.frame import Frame, Picture
from clip3d.lidar.frustum import Frustum, central_square, frustum, square_tiles
from clip3d.lidar.sweep import Sweep

if TYPE_CHECKING:
    from PIL.Image import Image

Tiling = Literal["square", "tiles", "whole"]
TILINGS: tuple[Tiling, ...] = ("square", "tiles", "whole")
# CLIP's mean colour, which its normalisation turns into zeros.
FILLING = (122, 116, 104)


@dataclass(frozen=True, eq=False)
class View:
    """A crop of one camera's picture with the points behind it.

    Attributes:
        camera: of the undistorted picture.
        region: left, top, right, bottom in its pixels.
        frustum: the points that fall into the region.
        tile: its number among the views of its camera in this frame, from 0.
        load: gives the crop; see `image`.
    """

    camera: Camera
    region: Region
    frustum: Frustum
    tile: int
    load: Callable[[], Image]

    @property
    def image(self) -> Image:
        """The undistorted picture's crop, RGB and square, so that CLIP's own centre crop keeps all of it.

        Raises:
            ImageError: if the picture cannot be read.
        """
        return self.load()


def regions(camera: Camera, tiling: Tiling = "square") -> tuple[Region, ...]:
    """Regions of a camera's undistorted picture.

    Args:
        camera: whose picture it is.
        tiling: "square": the central square, as CLIP crops and the paper pairs; "tiles": squares that cover the
            picture; "whole": all of it.

    Raises:
        ShapeError: if the tiling is unknown.
    """
    if tiling == "square":
        return (central_square(camera.width, camera.height),)
    if tiling == "tiles":
        return square_tiles(camera.width, camera.height)
    if tiling == "whole":
        return ((0.0, 0.0, float(camera.width), float(camera.height)),)
    raise ShapeError(f"tiling must be one of {', '.join(TILINGS)}, got {tiling!r}")


def views(
    frame: Frame,
    sweep: Sweep | None = None,
    *,
    tiling: Tiling = "square",
    cameras: Collection[str] | None = None,
    nearest: float = 0.0,
) -> Iterator[View]:
    """Pairs of picture crop and frustum of a frame, camera by camera, from left to right.

    The frusta of tiles are turned to face the middle of their tile; the others look along the optical axis.

    Args:
        frame: whose pictures are cropped; they are read only when a view's `image` is asked for.
        sweep: the frame's, where it was read already.
        tiling: see `regions`.
        cameras: names of those that count; by default all.
        nearest: metres ahead of the camera that a point must lie beyond.

    Raises:
        FrameError: if the sweep cannot be read.
        ShapeError: if the tiling is unknown.
    """
    pictures = {name: picture for name, picture in frame.pictures.items() if cameras is None or name in cameras}
    if not pictures:
        return
    points = frame.sweep if sweep is None else sweep
    for picture in pictures.values():
        ideal = undistorted_camera(picture.camera)
        for tile, region in enumerate(regions(ideal, tiling)):
            seen = frustum(points, ideal, region, nearest=nearest, facing=tiling == "tiles")
            yield View(ideal, region, seen, tile, partial(crop, picture, region))


def crop(picture: Picture, region: Region) -> Image:
    """A region of the undistorted picture, filled up to a square with CLIP's mean colour where it is none."""
    from PIL import Image as Images

    cut = undistorted_picture(picture.load(), picture.camera, region)
    side = max(cut.size)
    if cut.size == (side, side):
        return cut
    square = Images.new("RGB", (side, side), FILLING)
    square.paste(cut, ((side - cut.size[0]) // 2, (side - cut.size[1]) // 2))
    return square
