"""glTF's node tree: where each mesh stands in the scene."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.formats.contents import MAX_PARTS, Malformed
from clip3d.clouds.posing import quaternion_rotation

Matrix = NDArray[np.float64]
STATED = {"matrix", "translation", "rotation", "scale"}


def scene_from_mesh(document: dict[str, Any]) -> Iterator[tuple[int, Matrix]]:
    """Every mesh index that the scene uses, once a use, with its transform (4, 4).

    Raises:
        Malformed: if nodes do not form a tree, as glTF demands.
    """
    nodes, meshes = document.get("nodes", []), document.get("meshes", [])
    todo: list[tuple[int, Matrix]] = [(root, np.eye(4)) for root in reversed(_roots(document, nodes, meshes))]
    reached: set[int] = set()
    if not nodes:
        yield from ((index, np.eye(4)) for index in range(len(meshes)))
    while todo:
        index, parent = todo.pop()
        if not isinstance(index, int) or not 0 <= index < len(nodes):
            raise Malformed(f"it names node {str(index)[:40]}, but there are {len(nodes)}", "export it again")
        if index in reached:
            raise Malformed(f"its nodes do not form a tree: node {index} is reached twice", "export it again")
        if len(reached) > 4 * MAX_PARTS:
            raise Malformed(f"it has more than {4 * MAX_PARTS:,} nodes", "simplify the scene")
        reached.add(index)
        matrix = parent @ _local(nodes[index]) if STATED & nodes[index].keys() else parent
        mesh = nodes[index].get("mesh")
        if mesh is not None:
            if not isinstance(mesh, int) or not 0 <= mesh < len(meshes):
                raise Malformed(f"a node names mesh {str(mesh)[:40]} of {len(meshes)}", "export it again")
            yield mesh, matrix
        todo += [(child, matrix) for child in reversed(nodes[index].get("children", []))]


def _roots(document: dict[str, Any], nodes: list[Any], meshes: list[Any]) -> list[int]:
    """The roots of the scene to show; without scenes, every node that is no other node's child."""
    scenes = document.get("scenes", [])
    if scenes:
        chosen = document.get("scene", 0)
        if not isinstance(chosen, int) or not 0 <= chosen < len(scenes):
            raise Malformed(f"it names scene {str(chosen)[:40]}, but there are {len(scenes)}", "export it again")
        return list(scenes[chosen].get("nodes", []))
    children = {child for node in nodes for child in node.get("children", []) if isinstance(child, int)}
    return [index for index in range(len(nodes)) if index not in children]


def _local(node: dict[str, Any]) -> Matrix:
    """Parent-from-node: a matrix stored by columns, or translation after rotation (x, y, z, w) after scale."""
    if "matrix" in node:
        values = np.array(node["matrix"], dtype=np.float64)
        if values.shape != (16,):
            raise Malformed("a node's matrix does not have 16 numbers")
        return values.reshape(4, 4).T
    matrix = np.eye(4)
    matrix[:3, 3] = _vector(node, "translation", (0, 0, 0))
    matrix[:3, :3] = _rotation(_vector(node, "rotation", (0, 0, 0, 1))) * _vector(node, "scale", (1, 1, 1))
    return matrix


def _vector(node: dict[str, Any], name: str, default: tuple[float, ...]) -> Matrix:
    values = np.array(node.get(name, default), dtype=np.float64)
    if values.shape != (len(default),):
        raise Malformed(f"a node's {name} does not have {len(default)} numbers")
    return values


def _rotation(quaternion: Matrix) -> Matrix:
    length = np.linalg.norm(quaternion)
    x, y, z, w = quaternion / length if length > 0 else (0.0, 0.0, 0.0, 1.0)
    return quaternion_rotation(w, x, y, z)
