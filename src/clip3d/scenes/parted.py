"""A scan in parts with their vectors: all that answers need of it; and as a file, read back in a moment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import Z_UP_FROM, Axis, PointCloud, Unit
from clip3d.data.npz import read_npz, write_npz
from clip3d.models.model import Model
from clip3d.scenes.answering import Seen
from clip3d.scenes.boxes import Box
from clip3d.scenes.parts import Part, choose_parts, part_clouds
from clip3d.scenes.pictures import join_pictures, list_views, picture_vectors
from clip3d.scenes.segmenting import Method, check_method, segment_voxels
from clip3d.scenes.structure import NOTHING, Structure, Wall, lying
from clip3d.scenes.threads import one_thread
from clip3d.scenes.voxels import Array, Grid, voxelise

FORM = 3  # of the file, and of what is done with a scan: a change makes anew what was kept
MOST_BYTES = 256 * 1024**2
ARRAYS = (
    *("facts", "points", "colors", "keys", "cells", "rotation", "origin", "labels", "gravity", "walls"),
    *("voxels", "lengths", "boxes", "touching", "vectors"),
)
FAR = 3.0  # metres: farther from walls tells no more


@dataclass(frozen=True, eq=False)
class Parted:
    """A scan in parts.

    Attributes:
        points: (m, 3) float32, its voxels, in metres, z against gravity.
        colors: (m, 3) float32 in [0, 1], or None.
        grid: how points of the scan come to voxels.
        spacing: edge in metres of the square of surface that is a voxel's own.
        structure: what is floor, ceiling and walls, and how the voxels were turned to gravity.
        parts: that may be an answer.
        vectors: (p, d) float32, one a part.
        method: of the segmentation.
        up, unit: of the scan.
        n: points of the scan.
        notes: what was taken for granted.
    """

    points: Array
    colors: Array | None
    grid: Grid
    spacing: float
    structure: Structure
    parts: tuple[Part, ...]
    vectors: Array
    method: Method
    up: Axis
    unit: Unit
    n: int
    notes: tuple[str, ...] = ()

    def seen(self) -> Seen:
        """What is known of the parts besides their vectors."""
        boxes = [part.box for part in self.parts]
        sizes = [[*box.size, self.above_floor(box)] for box in boxes]
        return Seen(
            scales=np.array([part.scales for part in self.parts], np.float64),
            touching=np.array([part.touching for part in self.parts], np.float64),
            area=np.array([self.area(part) for part in self.parts], np.float64),
            on_wall=np.array([self.on_wall(part) for part in self.parts], np.bool_),
            to_wall=np.array([self.to_wall(box) for box in boxes], np.float64),
            sizes=np.array(sizes, np.float64).reshape(-1, 4),
        )

    def area(self, part: Part) -> float:
        """Square metres of surface that were seen of a part."""
        return len(part.voxels) * self.spacing**2

    def on_wall(self, part: Part) -> bool:
        """Whether a part lies in the plane of a wall."""
        return bool(self.structure.labels[part.voxels[0]] != NOTHING)

    def to_wall(self, box: Box) -> float:
        """Metres from a part's box to the plane of the next wall; FAR where there is none nearer."""
        found = FAR
        for wall in self.structure.walls:
            half = float(np.abs(box.axes @ wall.normal) @ box.size) / 2
            found = min(found, max(abs(float(box.center @ wall.normal) - wall.offset) - half, 0.0))
        return found

    def above_floor(self, box: Box) -> float:
        """Metres from the floor to the lowest point of a part's box."""
        return float(box.center[2] - box.size[2] / 2 - self.structure.floor)

    def own_box(self, box: Box) -> Box:
        """A box of the voxels in the scan's own axes and unit."""
        turn = self.structure.rotation
        center = self.grid.to_scan(box.center @ turn)
        return Box(center, box.size / self.grid.metres, box.axes @ turn @ self.grid.rotation)


def part_scan(
    cloud: PointCloud,
    model: Model,
    method: Method = "graph",
    *,
    voxel: float | None = None,
    pictures: str | PathLike[str] | None = None,
) -> Parted:
    """Part a scan and give each part a vector.

    Args:
        cloud: of a room or a building, to 20 million points.
        model: with a cloud tower.
        method: of the segmentation.
        voxel: edge in metres on which the work is done; None for what the scan's size asks for.
        pictures: a folder of posed pictures of the room, as of `clip3d.scenes.pictures.list_views`; the image
            tower's vectors of parts are joined with the cloud tower's. None for none.

    Raises:
        ShapeError: if there is no segmenter of that name, or the cloud is too large.
        ModelError: if the model lacks a cloud tower, or, with pictures, an image tower.
        DataError: if the pictures cannot be read.
    """
    check_method(method)
    model.tower_card("cloud")
    views = None if pictures is None else list_views(Path(pictures))
    voxels = voxelise(cloud, size=voxel)
    surface, structure, scales = segment_voxels(voxels, method)
    notes, across = voxels.notes, lying(surface)
    if across:
        notes = (*notes, f"the room seems to lie on its side, {_own_axis(cloud.up, across)} may point up: --up")
    parts = choose_parts(surface, structure.labels == NOTHING, scales)
    normalize = model.card.space["stored"] == "unit"
    clouds = part_clouds(cloud, voxels, surface, structure.rotation, parts)
    with one_thread():
        vectors = model.encode_clouds(clouds, normalize=normalize)
        if views is not None:
            own = voxels.grid.to_scan(surface.points @ structure.rotation) * voxels.grid.metres
            seen = picture_vectors(model, views, own, surface.spacing, parts)
            vectors = join_pictures(vectors, seen)
            shown = int(seen.any(axis=1).sum())
            notes = (*notes, f"{shown} of {len(parts)} parts are shown by {len(views)} pictures")
    return Parted(
        points=surface.points,
        colors=surface.colors,
        grid=voxels.grid,
        spacing=surface.spacing,
        structure=structure,
        parts=tuple(parts),
        vectors=vectors,
        method=method,
        up=cloud.up,
        unit=cloud.unit,
        n=len(cloud),
        notes=notes,
    )


def _own_axis(up: Axis, turned: Literal["x", "y"]) -> Axis:
    """The axis of the scan that became one of those of the scan turned z up."""
    row = Z_UP_FROM[up][0 if turned == "x" else 1]
    return get_args(Axis)[int(np.abs(row).argmax())]  # type: ignore[no-any-return]


def write_parted(parted: Parted, path: Path) -> None:
    """Write a scan in parts to an npz file, whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    grid, structure, boxes = parted.grid, parted.structure, [part.box for part in parted.parts]
    facts = {
        "form": FORM,
        "method": parted.method,
        "up": parted.up,
        "unit": parted.unit,
        "n": parted.n,
        "notes": parted.notes,
        "size": grid.size,
        "spacing": parted.spacing,
        "metres": grid.metres,
        "tilt": structure.tilt,
        "floor": structure.floor,
        "ceiling": structure.ceiling,
    }
    arrays: dict[str, NDArray[Any]] = {
        "facts": np.array(json.dumps(facts)),
        "points": parted.points,
        "colors": np.zeros((0, 3), np.uint8) if parted.colors is None else _to_bytes(parted.colors),
        "keys": grid.keys,
        "cells": grid.cells,
        "rotation": grid.rotation,
        "origin": grid.origin,
        "labels": structure.labels,
        "gravity": structure.rotation,
        "walls": np.array([[*w.normal, w.offset, w.area, w.inner] for w in structure.walls]).reshape(-1, 6),
        "voxels": np.concatenate([part.voxels for part in parted.parts] or [np.zeros(0, np.int32)]),
        "lengths": np.array([[len(p.voxels), p.scale, p.scales] for p in parted.parts], np.int64).reshape(-1, 3),
        "boxes": np.array([[*b.center, *b.size, *b.axes.ravel()] for b in boxes]).reshape(-1, 15),
        "touching": np.array([part.touching for part in parted.parts]),
        "vectors": parted.vectors,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_npz(path, arrays)


def read_parted(path: Path) -> Parted:
    """What `write_parted` wrote.

    Raises:
        OSError: if there is no such file.
        DataError: if it is damaged.
        ValueError, KeyError, TypeError, IndexError: if it holds something else.
    """
    if path.stat().st_size > MOST_BYTES:
        raise ValueError("it is larger than a scan in parts can be")
    arrays = read_npz(path, required=ARRAYS)
    facts = json.loads(str(arrays["facts"]))
    if facts["form"] != FORM:
        raise ValueError("it was written by another version")
    walls = tuple(Wall(row[:3], float(row[3]), float(row[4]), bool(row[5])) for row in arrays["walls"])
    structure = Structure(
        arrays["labels"], arrays["gravity"], facts["tilt"], facts["floor"], facts["ceiling"], walls
    )
    grid = Grid(
        arrays["keys"], arrays["cells"], facts["size"], facts["metres"], arrays["rotation"], arrays["origin"]
    )
    parts = tuple(_parts(arrays["voxels"], arrays["lengths"], arrays["touching"], arrays["boxes"]))
    colors = np.divide(arrays["colors"], 255, dtype=np.float32) if len(arrays["colors"]) else None
    if len(arrays["points"]) != len(grid) or len(arrays["vectors"]) != len(parts):
        raise ValueError("its arrays do not belong together")
    return Parted(
        points=arrays["points"],
        colors=colors,
        grid=grid,
        spacing=float(facts["spacing"]),
        structure=structure,
        parts=parts,
        vectors=arrays["vectors"],
        method=check_method(facts["method"]),
        up=facts["up"],
        unit=facts["unit"],
        n=int(facts["n"]),
        notes=tuple(facts["notes"]),
    )


def _parts(
    voxels: NDArray[np.int32],
    lengths: NDArray[np.int64],
    touching: NDArray[np.float64],
    boxes: NDArray[np.float64],
) -> Sequence[Part]:
    ends, found = np.cumsum(lengths[:, 0]), []
    for end, (length, scale, scales), border, box in zip(ends, lengths, touching, boxes, strict=True):
        own = Box(box[:3], box[3:6], box[6:].reshape(3, 3))
        found.append(Part(voxels[end - length : end], int(scale), int(scales), float(border), own))
    return found


def _to_bytes(colors: Array) -> NDArray[np.uint8]:
    return np.rint(colors * 255).astype(np.uint8)
