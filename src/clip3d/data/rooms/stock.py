"""Models of a built library as furnishings of simulated rooms.

A library keeps points, no surfaces: each point becomes a small square that lies as its neighbourhood does, so that
rays meet it. Its true size is not known either: a model is scaled to a size that its kind has.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clip3d.data.library import Library, read_library
from clip3d.errors import DataError
from clip3d.simulation.driving.solids import Solid
from clip3d.simulation.interiors.furnishings import KINDS, Furnishing, Shapes, furnishing
from clip3d.simulation.interiors.surfaces import GUESSES

POINTS = 1500  # of a model that become squares
MOST = 24  # models of a kind
OVERLAP = 1.9  # sides of squares in distances to their neighbours, so that no light falls between them
# Kinds by the names that models of a library have; the first that a model is called decides.
NAMED: dict[str, str] = {
    "office chair": "office chair", "swivel chair": "office chair", "desk chair": "office chair", "armchair":
    "armchair", "dining chair": "dining chair", "stool": "stool", "chair": "dining chair", "sofa": "sofa",
    "couch": "sofa", "double bed": "double bed", "bed": "double bed", "coffee table": "coffee table",
    "dining table": "dining table", "desk": "office desk", "bookcase": "bookshelf", "bookshelf": "bookshelf",
    "wardrobe": "wardrobe", "dresser": "dresser", "chest of drawers": "dresser", "bedside table": "night stand",
    "nightstand": "night stand", "night stand": "night stand", "sideboard": "sideboard", "refrigerator":
    "refrigerator", "fridge": "refrigerator", "toilet": "toilet", "bathtub": "bathtub", "wash basin":
    "wash basin", "washbasin": "wash basin", "floor lamp": "floor lamp", "table lamp": "table lamp", "desk lamp":
    "desk lamp", "potted plant": "plant", "plant": "plant", "television": "television", "monitor": "monitor",
    "laptop": "laptop", "piano": "piano", "trash can": "trash can", "washing machine": "washing machine", "stove":
    "stove", "table": "dining table",
}  # fmt: skip


@lru_cache(maxsize=4)
def read_stock(path: Path, shapes: Shapes) -> dict[str, tuple[Furnishing, ...]]:
    """Furnishings by kind, of the library's objects that are held out or not as `shapes` says.

    Raises:
        DataError: if the file is no library, or none of its objects is a thing of rooms.
    """
    library = read_library(path)
    wanted = library.held_out if shapes == "held-out" else ~library.held_out
    found: dict[str, list[Furnishing]] = {}
    for row in np.flatnonzero(wanted):
        phrases = library.phrases(int(row))
        kind = next((NAMED[phrase] for phrase in phrases if phrase in NAMED), None)
        if kind is not None and len(found.setdefault(kind, [])) < MOST:
            found[kind].append(_furnishing(library, int(row), kind, tuple(phrases)))
    if not found:
        part = "held out and " if shapes == "held-out" else ""
        raise DataError(path, f"none of its {int(wanted.sum())} objects is {part}a thing of rooms",
                        "take furniture.npz of clip3d data build")  # fmt: skip
    return {kind: tuple(models) for kind, models in found.items()}


def _furnishing(library: Library, row: int, kind: str, phrases: tuple[str, ...]) -> Furnishing:
    what = KINDS[kind]
    cloud = library.cloud(row, POINTS)
    colors = np.full_like(cloud.points, 0.6) if cloud.colors is None else cloud.colors
    example = furnishing(kind, "train", row % 7)
    low, high = cloud.points.min(0), cloud.points.max(0)
    extent = np.maximum(high - low, 1e-3)
    # As large as one that is drawn, in the measure that differs least, without being stretched.
    scale = float(np.median(np.asarray(example.size) / extent))
    solid = _squares((cloud.points * np.float32(scale)).astype(np.float32), colors, kind).standing()
    low, high = solid.low_high()
    depth, width, height = (float(v) for v in high - low)
    return Furnishing(kind, what.label, phrases, solid, (depth, width, height))


def _squares(points: NDArray[np.float32], colors: NDArray[np.float32], kind: str) -> Solid:
    from scipy.spatial import cKDTree

    away, near = cKDTree(points).query(points, k=9)
    patch = points[near] - points[near].mean(1, keepdims=True)
    _, _, axes = np.linalg.svd(patch, full_matrices=False)
    half = np.minimum(away[:, 4], np.median(away[:, 4]) * 2)[:, None] * OVERLAP / 2
    a, b = axes[:, 0] * half, axes[:, 1] * half
    four = np.stack([points - a - b, points + a - b, points + a + b, points - a + b], 1).astype(np.float32)
    corners = np.concatenate([four[:, [0, 1, 2]], four[:, [0, 2, 3]]])
    shades = np.tile(colors.astype(np.float32), (2, 1))
    return Solid(corners, shades, GUESSES[KINDS[kind].surface](shades))
