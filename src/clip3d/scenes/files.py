"""Answers as files: the scan coloured by them, their points, a picture, and a glTF scene."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.atomic import replacing
from clip3d.clouds.writing import write
from clip3d.errors import DataError
from clip3d.scenes.boxes import Box
from clip3d.scenes.marks import Mark, marked_voxels, paint
from clip3d.scenes.scene import Scene
from clip3d.scenes.structure import CEILING
from clip3d.scenes.voxels import Array

PathName = str | PathLike[str]

PICTURE, PICTURE_POINTS = 768, 120_000
VIEW = (30.0, 50.0)
# Pairs of corners of a box, as `Box.corners` orders them, that an edge joins.
EDGES = [(a, b) for a in range(8) for b in range(a + 1, 8) if bin(a ^ b).count("1") == 1]
POINTS, LINES = 0, 1  # glTF's kinds of primitives
FLOAT, BYTE, ARRAY_BUFFER = 5126, 5121, 34962
Y_UP = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])  # turns z up to glTF's y up


def write_ply(path: PathName, scene: Scene, marks: Sequence[Mark]) -> Path:
    """All points of the scan in its own frame, coloured by the answers, as PLY.

    Raises:
        CloudError: if the file cannot be written, or the scan not be read.
    """
    marked = marked_voxels(scene, marks)[scene.owner]
    cloud = scene.cloud
    return write(replace(cloud, colors=paint(cloud.colors, marked, list(marks))), Path(path))


def write_indices(path: PathName, scene: Scene, marks: Sequence[Mark]) -> Path:
    """The points of every answer as an npz file: `titles` (a,), `scores` (a,), `indices` and where each begins.

    The points of answer i are indices[starts[i] : starts[i + 1]], rows of the scan.

    Raises:
        DataError: if the file cannot be written.
        CloudError: if the scan cannot be read.
    """
    found = scene.indices([mark.instance.part for mark in marks])
    arrays = {
        "titles": np.array([mark.title for mark in marks], dtype=np.str_),
        "scores": np.array([mark.instance.score for mark in marks], np.float32),
        "indices": np.concatenate(found or [np.zeros(0, np.intp)]).astype(np.int64),
        "starts": np.concatenate([[0], np.cumsum([len(rows) for rows in found])]).astype(np.int64),
    }
    with _written(Path(path)) as temporary, temporary.open("xb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return Path(path)


def write_picture(path: PathName, scene: Scene, marks: Sequence[Mark], *, size: int = PICTURE) -> Path:
    """A picture of the scene from above with the answers in colour, the ceiling left out, as PNG.

    Raises:
        DataError: if the file cannot be written.
    """
    from PIL import Image

    with _written(Path(path)) as temporary:
        Image.fromarray(draw(scene, marks, size=size)).save(temporary, "PNG")
    return Path(path)


def draw(scene: Scene, marks: Sequence[Mark], *, size: int = PICTURE) -> NDArray[np.uint8]:
    """The picture (size, size, 3) that `write_picture` writes."""
    from clip3d.render.splat import splat

    parted, marked = scene.parted, marked_voxels(scene, marks)
    index = shown_voxels(scene, PICTURE_POINTS, marked)
    colors = paint(None if parted.colors is None else parted.colors[index], marked[index], list(marks))
    return splat(parted.points[index], colors, view=VIEW, size=size)


def shown_voxels(scene: Scene, most: int, marked: NDArray[np.int32]) -> NDArray[np.intp]:
    """At most so many voxels without the ceiling, those of answers before others: (v,) ascending."""
    index = np.flatnonzero((scene.parted.structure.labels != CEILING) | (marked >= 0))
    if len(index) <= most:
        return index
    first = np.random.default_rng(0).permutation(len(index)) + len(index) * (marked[index] < 0)
    return np.sort(index[np.argsort(first, kind="stable")[:most]])


def write_gltf(path: PathName, scene: Scene, marks: Sequence[Mark]) -> Path:
    """The voxels of the scene coloured by the answers, and a box of lines a answer, as binary glTF (.glb).

    The frame is glTF's: metres, y up; its origin is the scan's least corner, x as in the scan turned z up.

    Raises:
        DataError: if the file is not named .glb, or cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() != ".glb":
        raise DataError(target, "a glTF scene is written in one file", "name it .glb")
    parted = scene.parted
    colors = paint(parted.colors, marked_voxels(scene, marks), list(marks))
    builder = _Glb()
    builder.add("scan", POINTS, parted.points @ Y_UP.T.astype(np.float32), colors)
    for mark in marks:
        box: Box = parted.parts[mark.instance.part].box
        ends = box.corners()[np.array(EDGES).ravel()] @ Y_UP.T
        extras = {"score": round(mark.instance.score, 6)}
        builder.add(mark.title, LINES, ends.astype(np.float32), np.tile(mark.color, (len(ends), 1)), extras)
    with _written(target) as temporary:
        temporary.write_bytes(builder.content())
    return target


class _Glb:
    """A binary glTF file in the making (glTF 2.0, section 4.4): meshes of points and lines with colours."""

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.length = 0
        self.tree: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": "clip3d"},
            "scene": 0,
            "scenes": [{"nodes": []}],
            "nodes": [],
            "meshes": [],
            "accessors": [],
            "bufferViews": [],
        }

    def add(
        self, name: str, mode: int, points: Array, colors: Array, extras: dict[str, Any] | None = None
    ) -> None:
        """A node with points (n, 3) and their colours (n, 3) in [0, 1] sRGB."""
        linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
        bytes_ = np.full((len(colors), 4), 255, np.uint8)
        bytes_[:, :3] = np.rint(np.clip(linear, 0, 1) * 255)
        limits = {"min": points.min(axis=0).tolist(), "max": points.max(axis=0).tolist()}
        position = self._accessor(points.astype("<f4").tobytes(), FLOAT, "VEC3", len(points), limits)
        color = self._accessor(bytes_.tobytes(), BYTE, "VEC4", len(points), {"normalized": True})
        primitive = {"attributes": {"POSITION": position, "COLOR_0": color}, "mode": mode}
        self.tree["meshes"].append({"name": name, "primitives": [primitive]})
        node = {"name": name, "mesh": len(self.tree["meshes"]) - 1}
        self.tree["nodes"].append(node if extras is None else {**node, "extras": extras})
        self.tree["scenes"][0]["nodes"].append(len(self.tree["nodes"]) - 1)

    def _accessor(self, data: bytes, kind: int, form: str, count: int, more: dict[str, Any]) -> int:
        view = {"buffer": 0, "byteOffset": self.length, "byteLength": len(data), "target": ARRAY_BUFFER}
        self.tree["bufferViews"].append(view)
        self.data.append(data)
        self.length += len(data)
        place = len(self.tree["bufferViews"]) - 1
        self.tree["accessors"].append(
            {"bufferView": place, "componentType": kind, "type": form, "count": count, **more}
        )
        return len(self.tree["accessors"]) - 1

    def content(self) -> bytes:
        """The file."""
        body = b"".join(self.data)
        tree = json.dumps({**self.tree, "buffers": [{"byteLength": len(body)}]}).encode()
        tree += b" " * (-len(tree) % 4)
        body += b"\0" * (-len(body) % 4)
        head = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(tree) + 8 + len(body))
        return b"".join(
            [head, struct.pack("<I4s", len(tree), b"JSON"), tree, struct.pack("<I4s", len(body), b"BIN\0"), body]
        )


@contextmanager
def _written(path: Path) -> Iterator[Path]:
    """`replacing`, whose errors name the file."""
    try:
        with replacing(path) as temporary:
            yield temporary
    except OSError as error:
        raise DataError(path, f"it cannot be written: {error.strerror or error}") from error
