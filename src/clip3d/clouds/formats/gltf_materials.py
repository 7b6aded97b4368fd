"""glTF's materials, as far as colour goes: base colour factor and base colour picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import Malformed, Numbers, srgb_of_linear
from clip3d.clouds.formats.gltf_accessors import Accessors, data_uri
from clip3d.clouds.formats.neighbours import Neighbours


@dataclass(frozen=True, eq=False)
class Surface:
    """What colours a primitive: a factor (3,) sRGB, a picture (h, w, 3), and which coordinates it uses, and how."""

    color: NDArray[np.float32] | None = None
    picture: NDArray[np.uint8] | None = None
    uv_set: int = 0
    offset: tuple[float, float] = (0.0, 0.0)
    scale: tuple[float, float] = (1.0, 1.0)
    rotation: float = 0.0

    def turn(self, uv: Numbers) -> Numbers:
        """Coordinates (n, 2) as glTF has them, v downwards, transformed and with v upwards."""
        cos, sin = np.cos(self.rotation), np.sin(self.rotation)
        scaled = uv.astype(np.float64) * self.scale
        u = cos * scaled[:, 0] + sin * scaled[:, 1] + self.offset[0]
        v = -sin * scaled[:, 0] + cos * scaled[:, 1] + self.offset[1]
        return np.stack([u, 1 - v], axis=1)


class Materials:
    """The surfaces of one glTF document."""

    def __init__(self, document: dict[str, Any], accessors: Accessors, neighbours: Neighbours) -> None:
        self._document, self._accessors, self._neighbours = document, accessors, neighbours
        self._surfaces: dict[int, Surface] = {}
        self._pictures: dict[int, NDArray[np.uint8] | None] = {}
        # glTF keeps factors and vertex colours in linear light, but trimesh writes them as displayed.
        self._linear = "trimesh" not in str(document["asset"].get("generator", "")).lower()

    def displayed(self, colors: Numbers) -> NDArray[np.float32]:
        """Factors or vertex colours of the document as sRGB (IEC 61966-2-1)."""
        if self._linear:
            return srgb_of_linear(colors)
        return np.clip(np.nan_to_num(np.asarray(colors, dtype=np.float32)), 0, 1)

    def surface(self, index: object) -> Surface:
        """The surface of a material; one that is missing or malformed has no colour."""
        materials = self._document.get("materials", [])
        if not isinstance(index, int) or not 0 <= index < len(materials):
            return Surface()
        if index not in self._surfaces:
            try:
                self._surfaces[index] = self._surface(materials[index])
            except (AttributeError, IndexError, KeyError, Malformed, OverflowError, TypeError, ValueError):
                self._surfaces[index] = Surface()
        return self._surfaces[index]

    def _surface(self, material: dict[str, Any]) -> Surface:
        older = material.get("extensions", {}).get("KHR_materials_pbrSpecularGlossiness")
        if older is not None:
            factor, texture = older.get("diffuseFactor"), older.get("diffuseTexture")
        else:
            roughness = material.get("pbrMetallicRoughness", {})
            factor, texture = roughness.get("baseColorFactor"), roughness.get("baseColorTexture")
        # A material that states nothing is white by default; that says no more than no colour at all.
        color = None if factor is None else self.displayed(np.array([float(value) for value in factor[:3]]))
        if color is not None and color.shape != (3,):
            color = None
        return Surface(color) if texture is None else self._textured(color, texture)

    def _textured(self, color: NDArray[np.float32] | None, texture: dict[str, Any]) -> Surface:
        transform = texture.get("extensions", {}).get("KHR_texture_transform", {})
        offset, scale = transform.get("offset", (0, 0)), transform.get("scale", (1, 1))
        return Surface(
            color=color,
            picture=self._picture(texture["index"]),
            uv_set=int(transform.get("texCoord", texture.get("texCoord", 0))),
            offset=(float(offset[0]), float(offset[1])),
            scale=(float(scale[0]), float(scale[1])),
            rotation=float(transform.get("rotation", 0)),
        )

    def _picture(self, texture: int) -> NDArray[np.uint8] | None:
        entry = self._document["textures"][texture]
        extensions = entry.get("extensions", {})
        source = extensions.get("EXT_texture_webp", {}).get("source", entry.get("source"))
        if not isinstance(source, int):
            return None
        if source not in self._pictures:
            self._pictures[source] = self._decoded(self._document["images"][source])
        return self._pictures[source]

    def _decoded(self, image: dict[str, Any]) -> NDArray[np.uint8] | None:
        uri = image.get("uri")
        if uri is None:
            return self._neighbours.decode(bytes(self._accessors.view(image["bufferView"])[0]))
        if not uri.startswith("data:"):
            return self._neighbours.picture(uri)
        data = data_uri(uri)
        return None if data is None else self._neighbours.decode(data)
