"""Posed pictures beside a scan: which of them show a part, where in them, and what the image tower says of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import nlargest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import DataError
from clip3d.models.model import Model
from clip3d.scenes.parts import Part
from clip3d.scenes.voxels import Array
from clip3d.spaces import unit

if TYPE_CHECKING:
    from PIL.Image import Image

COLOR, POSE, INTRINSIC = "color", "pose", "intrinsic"
SUFFIXES = (".jpg", ".jpeg", ".png")
# Of a long recording so many pictures are looked at, evenly spread.
MOST_VIEWS = 150
# A part is shown by so many pictures, each with at least this share of its voxels, on so many pixels.
SHOWN_BY, LEAST_SHARE, LEAST_PIXELS = 2, 0.3, 12
NEAREST = 0.1  # metres before the camera
SINGULAR = 1e-6  # determinant of a pose that cannot be inverted; that of a rigid one is 1
MARGIN = 0.15  # of the longer side about a part
# Occlusion is told in a map of depths with cells as large as a voxel this far away.
DEPTHS_AT, TOLERANCE = 2.5, 0.06  # metres
# Of pictures beside the cloud: more finds more on simulated rooms, but names the first answer worse
# (benchmarks/scene_pictures.py).
WEIGHT = 0.2


@dataclass(frozen=True, eq=False)
class View:
    """A posed picture.

    Attributes:
        path: of it.
        scan_from_camera: (4, 4) float64, the camera looking along z, y down, metres, in the scan's own axes.
        intrinsics: (3, 3) float64, in pixels.
    """

    path: Path
    scan_from_camera: NDArray[np.float64]
    intrinsics: NDArray[np.float64]


def list_views(folder: Path, most: int = MOST_VIEWS) -> list[View]:
    """The posed pictures of a folder as ScanNet's exporter lays it out: color/7.jpg, pose/7.txt, intrinsic/….

    Args:
        folder: with them; `intrinsic/intrinsic_color.txt` is of all pictures, 3 by 3 or 4 by 4.
        most: pictures, evenly spread; those without a pose are left out, as are poses that are not finite or
            cannot be inverted.

    Raises:
        DataError: if there is no picture with a pose, or a matrix cannot be read.
    """
    found = sorted((p for p in (folder / COLOR).glob("*") if p.suffix.lower() in SUFFIXES), key=_number)
    found = [path for path in found if (folder / POSE / f"{path.stem}.txt").is_file()]
    if not found:
        raise DataError(folder, "it has no picture with a pose", f"lay out {COLOR}/0.jpg, {POSE}/0.txt and so on")
    intrinsics = _matrix(folder / INTRINSIC / "intrinsic_color.txt")[:3, :3]
    views = []
    for row in np.unique(np.linspace(0, len(found) - 1, min(most, len(found))).round().astype(int)):
        pose = _matrix(folder / POSE / f"{found[row].stem}.txt")
        if pose.shape == (4, 4) and np.isfinite(pose).all() and abs(np.linalg.det(pose)) > SINGULAR:
            views.append(View(found[row], pose, intrinsics))
    if not views:
        raise DataError(folder / POSE, "none of the poses is a finite matrix of 4 by 4 that can be inverted")
    return views


def views_key(folder: Path) -> str:
    """Of what the pictures of a folder hold, by names, sizes and times."""
    files = sorted(p for name in (COLOR, POSE, INTRINSIC) for p in (folder / name).glob("*") if p.is_file())
    told = [(p.relative_to(folder).as_posix(), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


def _number(path: Path) -> tuple[int, str]:
    return (int(path.stem), "") if path.stem.isdigit() else (-1, path.stem)


def _matrix(path: Path) -> NDArray[np.float64]:
    try:
        matrix = np.loadtxt(path, dtype=np.float64, ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(path, f"it cannot be read as a matrix: {error}") from error
    if matrix.shape[0] < 3 or matrix.shape[1] < 3:
        raise DataError(path, f"it has {matrix.shape[0]} by {matrix.shape[1]} numbers, not 3 by 3 or 4 by 4")
    return matrix


@dataclass(frozen=True)
class Sight:
    """A part in a picture.

    Attributes:
        part: which.
        share: of its voxels that are seen.
        rectangle: about it in pixels: left, upper, right, lower.
    """

    part: int
    share: float
    rectangle: tuple[int, int, int, int]


def join_pictures(vectors: Array, seen: Array, weight: float = WEIGHT) -> Array:
    """Vectors (p, d) of parts joined with those of the pictures that show them, of unit length.

    Args:
        vectors: (p, d) of their clouds.
        seen: (p, d) of their pictures, zeros where there are none, as `picture_vectors` gives them.
        weight: of pictures, from 0 to 1.
    """
    if not len(vectors):
        return vectors
    there = seen.any(axis=1)
    joined = unit(vectors)
    joined[there] = unit((1 - weight) * joined[there] + weight * unit(seen[there]))
    return joined


def picture_vectors(
    model: Model, views: Sequence[View], points: NDArray[np.floating], spacing: float, parts: Sequence[Part]
) -> Array:
    """The mean vector (p, d) float32 of the pictures that show each part best; zeros where none does.

    Args:
        model: with an image tower.
        views: posed pictures.
        points: (m, 3) voxels of the scan in its own axes, metres.
        spacing: of them in metres.
        parts: p of them.

    Raises:
        DataError: if a picture cannot be read.
        ModelError: if the model lacks an image tower.
    """
    model.tower_card("image")
    shown_by: list[list[tuple[Path, Sight]]] = [[] for _ in parts]
    for view in views:
        for sight in sights(view, _size(view.path), points, spacing, parts):
            shown_by[sight.part].append((view.path, sight))
    wanted: dict[Path, list[Sight]] = {}
    for found_in in shown_by:
        for path, sight in nlargest(SHOWN_BY, found_in, key=lambda item: item[1].share):
            wanted.setdefault(path, []).append(sight)
    found = np.zeros((len(parts), model.space.dim), np.float32)
    for path, shown in wanted.items():
        picture = _open(path)
        vectors = model.encode_images([picture.crop(sight.rectangle) for sight in shown])
        for sight, vector in zip(shown, vectors, strict=True):
            found[sight.part] += vector
    return found


def sights(
    view: View, size: tuple[int, int], points: NDArray[np.floating], spacing: float, parts: Sequence[Part]
) -> list[Sight]:
    """The parts that a picture of a width and height shows enough of; arguments as of `picture_vectors`.

    A voxel is seen if its depth is the least in its cell of a map of depths that all voxels are drawn into, up to
    a tolerance.
    """
    wide, high = size
    camera = np.linalg.inv(view.scan_from_camera)
    own = points @ camera[:3, :3].T + camera[:3, 3]
    depth = own[:, 2]
    front = depth > NEAREST
    pixels = own[front] @ view.intrinsics.T
    u, v = pixels[:, 0] / depth[front], pixels[:, 1] / depth[front]
    inside = (u >= 0) & (u < wide) & (v >= 0) & (v < high)
    index = np.flatnonzero(front)[inside]
    u, v, far = u[inside], v[inside], depth[index]
    if not len(index):
        return []
    cell = max(float(view.intrinsics[0, 0]) * spacing / DEPTHS_AT * 1.5, 1.0)
    across = int(wide / cell) + 1
    place = (v / cell).astype(np.int64) * across + (u / cell).astype(np.int64)
    nearest = np.full((int(high / cell) + 1) * across, np.inf)
    np.minimum.at(nearest, place, far)
    clear = far <= nearest[place] + max(TOLERANCE, 2 * spacing)
    where = np.full((len(points), 2), np.nan)
    where[index[clear]] = np.stack([u[clear], v[clear]], axis=1)
    found = []
    for number, part in enumerate(parts):
        mine = where[part.voxels]
        mine = mine[~np.isnan(mine[:, 0])]
        share = len(mine) / len(part.voxels)
        if share < LEAST_SHARE:
            continue
        low, top = mine.min(axis=0), mine.max(axis=0)
        if (top - low).max() < LEAST_PIXELS:
            continue
        half = (0.5 + MARGIN) * (top - low).max()
        middle = (low + top) / 2
        left, upper = (int(max(value, 0)) for value in middle - half)
        right, lower = (int(min(value, most)) for value, most in zip(middle + half + 1, size, strict=True))
        found.append(Sight(number, share, (left, upper, right, lower)))
    return found


def _open(path: Path) -> Image:
    """A picture, read whole."""
    with _reading(path) as opened:
        return opened.convert("RGB")


def _size(path: Path) -> tuple[int, int]:
    """Width and height of a picture, of which no more than its head is read."""
    with _reading(path) as opened:
        return opened.size


@contextmanager
def _reading(path: Path) -> Iterator[Image]:
    import PIL.Image

    try:
        with PIL.Image.open(path) as opened:
            yield opened
    except (OSError, ValueError) as error:
        raise DataError(path, f"it cannot be read as a picture: {error}") from error
