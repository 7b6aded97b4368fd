"""Surfaces whose pictures have holes: leaves and fences drawn on flat cards."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import Axis, PointCloud
from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.pictures import FORMATS
from clip3d.clouds.mesh import Mesh, Texture, sample_surface

MAX_PICTURE_SIDE = 8192
SPARE = 4  # as many times more points are drawn where some of the surface may be clear
MIN_OPAQUE = 0.05  # below this share of opaque surface, the alpha channel means something else


@dataclass(frozen=True, eq=False)
class Skin:
    """A picture for a mesh: image (h, w, 3) uint8 sRGB; opacity (h, w) uint8, or None where all of it is opaque."""

    image: NDArray[np.uint8]
    opacity: NDArray[np.uint8] | None


def read_skin(data: bytes) -> Skin:
    """Decode a picture file (PNG, JPEG, BMP, TGA, WebP, GIF, DDS).

    Raises:
        Malformed: if it is no picture, or larger than 8192 pixels a side.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=(*FORMATS, "DDS")) as picture:
            if max(picture.size) > MAX_PICTURE_SIDE:
                raise Malformed(f"a skin of {picture.size[0]} by {picture.size[1]} pixels is too large")
            pixels = np.asarray(picture.convert("RGBA"))
    except Malformed:
        raise
    except Exception as error:  # a decoder can raise anything on hostile bytes
        raise Malformed(f"its skin cannot be read: {error}") from error
    clear = bool((pixels[..., 3] < 128).any())
    return Skin(np.ascontiguousarray(pixels[..., :3]), np.ascontiguousarray(pixels[..., 3]) if clear else None)


def skinned(mesh: Mesh, uv: NDArray[np.float32] | None, skin: Skin | None) -> tuple[Mesh, Mesh]:
    """The mesh with the skin's colours, and the same mesh with its opacity as a grey picture.

    Args:
        mesh: f faces; keeps its own colours where there is no skin.
        uv: (f, 3, 2), v upwards, or None.
        skin: its picture, or None.
    """
    opaque = Mesh(mesh.vertices, mesh.faces)
    if skin is None or uv is None:
        return mesh, opaque
    mesh = replace(mesh, texture=Texture(skin.image, uv))
    if skin.opacity is None:
        return mesh, opaque
    grey = np.repeat(skin.opacity[..., None], 3, axis=2)
    return mesh, replace(opaque, texture=Texture(grey, uv))


def tinted(skin: Skin, color: tuple[int, int, int]) -> Skin:
    """An opaque skin that shows a colour (sRGB, of 255) where the other is clear: as a team marks it."""
    if skin.opacity is None:
        return skin
    share = skin.opacity[..., None].astype(np.float32) / 255
    return Skin((skin.image * share + np.array(color, np.float32) * (1 - share)).astype(np.uint8), None)


def sample_opaque(pairs: Sequence[tuple[Mesh, Mesh]], points: int, *, up: Axis, seed: int = 0) -> PointCloud:
    """Points on what can be seen of some skinned meshes, with colours.

    Args:
        pairs: of `skinned`; an opacity mesh without a texture is opaque.
        points: how many; fewer come back only where hardly any of the surface is opaque.
        up: axis of the meshes.

    Raises:
        ShapeError: if the meshes have no area.
    """
    if all(opacity.texture is None for _, opacity in pairs):
        sample = sample_surface([mesh for mesh, _ in pairs], points, seed=seed)
        return PointCloud(sample.points, sample.colors, sample.normals, up=up)
    drawn = sample_surface([mesh for mesh, _ in pairs], SPARE * points, seed=seed)
    # The same seed on the same surfaces gives the same points, so the greys belong to them.
    white = [replace(o, face_colors=np.ones((len(o.faces), 3), np.float32)) for _, o in pairs]
    greys = sample_surface(white, SPARE * points, seed=seed).colors
    cloud = PointCloud(drawn.points, drawn.colors, drawn.normals, up=up)
    opaque = np.flatnonzero(greys[:, 0] >= 0.5) if greys is not None else np.arange(len(cloud))
    if len(opaque) < MIN_OPAQUE * len(cloud):
        opaque = np.arange(len(cloud))
    return cloud.select(np.random.default_rng(seed).permutation(opaque)[:points])
