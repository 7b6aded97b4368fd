"""Small pictures of items, kept with them: drawn of clouds, made smaller of pictures."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from clip3d.clouds.cloud import PointCloud

SIZE = 128
POINTS = 2048  # as many as such a picture shows
QUALITY = 85
# What comes of clouds such as one whose points all lie in one place.
CANNOT_BE_DRAWN = (ValueError, IndexError, ArithmeticError, MemoryError, np.linalg.LinAlgError)


def draw_cloud(cloud: PointCloud) -> bytes | None:
    """A picture of a cloud as JPEG, 128 pixels a side; None for one that cannot be drawn."""
    from clip3d.clouds.sampling import random_sample
    from clip3d.render.splat import splat

    if len(cloud) > POINTS:
        cloud = cloud.select(random_sample(cloud.points, POINTS, seed=0))
    stood = cloud.z_up()
    try:
        return _as_jpeg(splat(stood.points, stood.colors, stood.normals, size=SIZE))
    except CANNOT_BE_DRAWN:
        return None


def shrink_picture(picture: Any) -> bytes | None:
    """A PIL image as JPEG, 128 pixels at its longer side, on white where it is transparent."""
    from PIL import Image

    small = picture.convert("RGBA")
    small.thumbnail((SIZE, SIZE))
    paper = Image.new("RGBA", small.size, "white")
    return _as_jpeg(np.asarray(Image.alpha_composite(paper, small).convert("RGB")))


def _as_jpeg(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
