"""MJCF, MuJoCo's scene format, as far as it joins visible parts into one object: bodies, meshes, simple solids.

Collision shapes (classes named *_col) are left out. Angles are in radians and rotate about x, y, z in turn, each
about the axis as turned so far: MuJoCo's defaults.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.augmenting import rotation_about
from clip3d.clouds.cloud import Axis
from clip3d.clouds.formats.contents import Malformed
from clip3d.clouds.formats.neighbours import Neighbours
from clip3d.clouds.formats.stl import read_stl
from clip3d.clouds.formats.xml_guard import parse_xml
from clip3d.clouds.mesh import Mesh
from clip3d.clouds.posing import quaternion_rotation
from clip3d.data.cutouts import read_skin
from clip3d.simulation.shapes import box, capsule, cylinder, sphere

Array = NDArray[np.float32]
GREY = (0.5, 0.5, 0.5)
MAX_DEPTH = 50
AXES: tuple[Axis, ...] = ("x", "y", "z")


@dataclass(frozen=True)
class Definitions:
    """What bodies refer to by name: the XML that holds the assets, and a function that opens the files it names."""

    xml: bytes
    load: Callable[[str], bytes]

    @cached_property
    def _root(self) -> ElementTree.Element:
        return parse_xml(self.xml)

    def mesh(self, name: str) -> Mesh:
        """The STL mesh of that name, scaled as stated."""
        asset = self._asset("mesh", name)
        file = asset.get("file", "")
        found = read_stl(self.load(file), Neighbours(Path(file))).meshes[0]
        return replace(found, vertices=found.vertices * _vector(asset, "scale", (1, 1, 1)).astype(np.float32))

    def color(self, material: str) -> Array:
        """A material's colour (3,); the mean of its picture where it has one and states no colour."""
        asset = self._asset("material", material)
        if asset.get("rgba") is None and (texture := asset.get("texture")) is not None:
            image = read_skin(self.load(self._asset("texture", texture).get("file", ""))).image
            return np.asarray(image.reshape(-1, 3).mean(axis=0) / 255, np.float32)
        return np.clip(_vector(asset, "rgba", (*GREY, 1))[:3], 0, 1).astype(np.float32)

    def _asset(self, kind: str, name: str) -> ElementTree.Element:
        for element in self._root.iter(kind):
            if element.get("name") == name:
                return element
        raise Malformed(f"it defines no {kind} named {name!r}")


def read_mjcf(xml: bytes, definitions: Definitions) -> list[Mesh]:
    """The visible parts of the bodies of a file, joined in their rest pose, z up, metres.

    Raises:
        Malformed: if the XML is damaged or refers to what is not there.
    """
    meshes: list[Mesh] = []
    for body in parse_xml(xml).findall("body"):
        _collect(body, np.eye(4), definitions, meshes, 0)
    return meshes


def _collect(
    body: ElementTree.Element,
    world_from_parent: NDArray[np.float64],
    definitions: Definitions,
    meshes: list[Mesh],
    depth: int,
) -> None:
    if depth > MAX_DEPTH:
        raise Malformed(f"its bodies are nested more than {MAX_DEPTH} deep")
    world_from_body = world_from_parent @ _placing(body)
    for geom in body.findall("geom"):
        if not geom.get("class", "").endswith("_col"):
            meshes.append(_placed(_geom(geom, definitions), world_from_body @ _placing(geom)))
    for child in body.findall("body"):
        _collect(child, world_from_body, definitions, meshes, depth + 1)


def _geom(geom: ElementTree.Element, definitions: Definitions) -> Mesh:
    material = geom.get("material")
    color = definitions.color(material) if material else _vector(geom, "rgba", (*GREY, 1))[:3].astype(np.float32)
    if name := geom.get("mesh"):
        mesh = definitions.mesh(name)
    else:
        mesh = _solid(geom.get("type", "sphere"), _vector(geom, "size", (0.01,)))
    return Mesh(mesh.vertices, mesh.faces, face_colors=np.tile(np.clip(color, 0, 1), (len(mesh.faces), 1)))


def _solid(kind: str, size: NDArray[np.float64]) -> Mesh:
    """A solid centred on the origin; sizes are half-lengths and radii, as MJCF has them."""
    radius, half = float(size[0]), float(size[1] if len(size) > 1 else size[0])
    if kind == "box" and len(size) == 3:
        return box(tuple(2 * size), at=(0, 0, -size[2]))
    if kind == "cylinder":
        return cylinder(radius, 2 * half, at=(0, 0, -half))
    if kind == "capsule":
        return capsule((0, 0, -half), (0, 0, half), radius)
    if kind == "sphere":
        return sphere(radius)
    raise Malformed(f"a solid of type {kind!r} is not known here")


def _placed(mesh: Mesh, matrix: NDArray[np.float64]) -> Mesh:
    return replace(mesh, vertices=(mesh.vertices @ matrix[:3, :3].T + matrix[:3, 3]).astype(np.float32))


def _placing(element: ElementTree.Element) -> NDArray[np.float64]:
    """The 4x4 matrix of an element's pos with its euler or quat (w first)."""
    matrix = np.eye(4)
    matrix[:3, 3] = _vector(element, "pos", (0, 0, 0))
    if element.get("quat"):
        quaternion = _vector(element, "quat", (1, 0, 0, 0))
        matrix[:3, :3] = quaternion_rotation(*quaternion / np.linalg.norm(quaternion))
    elif element.get("euler"):
        for axis, angle in zip(AXES, _vector(element, "euler", (0, 0, 0)), strict=True):
            matrix[:3, :3] = matrix[:3, :3] @ rotation_about(axis, float(angle))
    return matrix


def _vector(element: ElementTree.Element, name: str, default: tuple[float, ...]) -> NDArray[np.float64]:
    text = element.get(name)
    try:
        values = np.array(text.split(), dtype=np.float64) if text else np.array(default, dtype=np.float64)
    except ValueError as error:
        raise Malformed(f"{name} {text!r} is not made of numbers") from error
    if not np.isfinite(values).all() or not len(values) or (len(default) > 1 and len(values) != len(default)):
        raise Malformed(f"{name} {text!r} should be {len(default)} finite numbers")
    return values
