"""Segmentation by name: a scan becomes labels at one scale or several."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from clip3d.clouds.cloud import PointCloud
from clip3d.errors import ShapeError
from clip3d.scenes.kmeans import kmeans_labels
from clip3d.scenes.merging import BOTH, COLOR, SHAPE, merge_tree
from clip3d.scenes.patches import Patches, components, make_patches
from clip3d.scenes.structure import NOTHING, WALL, Structure, find_structure
from clip3d.scenes.surface import Surface, surface_of
from clip3d.scenes.voxels import Labels, Voxels, voxelise

Method = Literal["graph", "clusters", "kmeans"]
# A segmenter gives, for each scale from fine to coarse, the part (m,) int32 of each voxel, -1 for none.
Segmenter = Callable[[Surface, Structure], list[Labels]]

CUTS = (0.06, 0.09, 0.13, 0.19, 0.27, 0.38, 0.55)
SHAPE_CUTS = (0.13, 0.19, 0.27, 0.38, 0.55)
WALL_CUTS = (0.09, 0.13, 0.19, 0.27, 0.38)
GAPS = (0.0, 0.12)  # metres over which clusters are connected


def by_graph(surface: Surface, structure: Structure) -> list[Labels]:
    """Patches merged over their graph, by shape and colour and by shape alone, cut at several heights; what hangs
    together; and what differs in colour from the wall that it is on.
    """
    found: list[Labels] = []
    standing, walls = structure.labels == NOTHING, structure.labels == WALL
    if walls.any():
        patches = make_patches(surface, walls)
        found += [_of_voxels(patches, scale) for scale in merge_tree(patches, WALL_CUTS, COLOR)]
    if standing.any():
        patches = make_patches(surface, standing)
        scales = [*merge_tree(patches, CUTS, BOTH), *merge_tree(patches, SHAPE_CUTS, SHAPE)]
        scales += [components(len(patches), patches.pairs[patches.gap <= gap]) for gap in GAPS]
        found += [_of_voxels(patches, scale) for scale in scales]
    return found or [np.full(len(surface), -1, np.int32)]


def _of_voxels(patches: Patches, scale: Labels) -> Labels:
    """The part (m,) of each voxel from that (p,) of each patch."""
    return np.where(patches.owner >= 0, scale[patches.owner], -1).astype(np.int32)


def by_clusters(surface: Surface, structure: Structure) -> list[Labels]:
    """What hangs together once floor, ceiling and walls are gone (density clustering), with and without gaps."""
    standing = structure.labels == NOTHING
    if not standing.any():
        return [np.full(len(surface), -1, np.int32)]
    patches = make_patches(surface, standing)
    scales = [components(len(patches), patches.pairs[patches.gap <= gap]) for gap in GAPS]
    return [_of_voxels(patches, scale) for scale in scales]


def by_kmeans(surface: Surface, structure: Structure) -> list[Labels]:
    """As published by CLIP goes 3D: between the lowest and the highest layer, by coordinates alone."""
    return [kmeans_labels(surface.points)]


SEGMENTERS: dict[Method, Segmenter] = {"graph": by_graph, "clusters": by_clusters, "kmeans": by_kmeans}


def check_method(name: str) -> Method:
    """The name, if it is one of a segmenter; else ShapeError."""
    for known in get_args(Method):
        if name == known:
            return known  # type: ignore[no-any-return]
    raise ShapeError(f"the segmenter must be one of {', '.join(get_args(Method))}, got {name!r}")


def segment_cloud(cloud: PointCloud, method: Method = "graph", *, size: float | None = None) -> Labels:
    """Parts of a scene without labels.

    Args:
        cloud: of a room, to 20 million points, with colours and normals where they are known.
        method: "graph", "clusters" or "kmeans".
        size: edge of a voxel in metres; None for what the scan's size asks for.

    Returns:
        (s, n) int32: at each of s scales, fine to coarse, the part of each point, -1 for none.

    Raises:
        ShapeError: if there is no segmenter of that name, or the cloud is too large.
    """
    check_method(method)
    voxels = voxelise(cloud, size=size)
    _, _, scales = segment_voxels(voxels, method)
    return np.stack([scale[voxels.owner] for scale in scales])


def segment_voxels(voxels: Voxels, method: Method) -> tuple[Surface, Structure, list[Labels]]:
    """The surface of voxels turned to gravity, what of it is the room's own, and the parts at each scale (m,)."""
    surface, structure = find_structure(surface_of(voxels))
    return surface, structure, SEGMENTERS[method](surface, structure)
