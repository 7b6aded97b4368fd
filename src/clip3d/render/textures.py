"""Textures made coarse enough for small pictures, so that they do not sparkle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.mesh import Mesh

Array = NDArray[np.float32]


def at_scale(mesh: Mesh, corners: Array, size: int) -> Mesh:
    """The mesh with a texture of about one texel a pixel, where it has a finer one.

    Args:
        mesh: any.
        corners: (f, 3, 3) of its faces in the unit ball.
        size: pixels a side of pictures that the unit ball about fills.
    """
    texture = mesh.texture
    if texture is None:
        return mesh
    height, width = texture.image.shape[:2]
    first, second = (texture.uv[:, corner].astype(np.float64) - texture.uv[:, 0] for corner in (1, 2))
    flat = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    texels = float(np.abs(np.nan_to_num(flat)).sum()) * height * width
    solid = corners.astype(np.float64)
    pixels = float(np.linalg.norm(np.cross(solid[:, 1] - solid[:, 0], solid[:, 2] - solid[:, 0]), axis=1).sum())
    ratio = np.sqrt(texels / max(pixels * (size / 2) ** 2, 1e-12))
    times = int(min(ratio, height, width))
    if times < 2:
        return mesh
    from PIL import Image

    image = np.asarray(Image.fromarray(texture.image).reduce(times), dtype=np.uint8)
    return replace(mesh, texture=replace(texture, image=image))
