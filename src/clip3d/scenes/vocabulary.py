"""What is usually found indoors, how large it is and where: what a question is weighed against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Terms = NDArray[np.float64]

# Metres above the floor between which the lowest point of a thing usually lies.
FLOOR, TOP, WALL, CEILING, ANYWHERE = (0.0, 0.15), (0.3, 1.3), (0.6, 1.9), (1.7, 3.5), (0.0, 2.0)

# Longer and shorter level side and height in metres, as such things are usually made, and where they stand or hang.
_THINGS: dict[str, tuple[float, float, float, tuple[float, float]]] = {
    "chair": (0.55, 0.5, 0.9, FLOOR), "office chair": (0.65, 0.6, 1.05, FLOOR),
    "armchair": (0.85, 0.8, 0.9, FLOOR), "stool": (0.4, 0.38, 0.55, FLOOR), "bench": (1.2, 0.4, 0.5, FLOOR),
    "sofa": (1.9, 0.85, 0.85, FLOOR), "ottoman": (0.6, 0.45, 0.42, FLOOR), "bed": (2.05, 1.4, 0.7, FLOOR),
    "crib": (1.25, 0.7, 0.95, FLOOR), "pillow": (0.55, 0.4, 0.2, TOP), "mattress": (1.95, 1.2, 0.25, FLOOR),
    "table": (1.3, 0.8, 0.75, FLOOR), "coffee table": (1.0, 0.6, 0.45, FLOOR), "desk": (1.4, 0.7, 0.75, FLOOR),
    "night stand": (0.48, 0.42, 0.55, FLOOR), "dresser": (1.1, 0.48, 0.85, FLOOR),
    "bookshelf": (0.9, 0.32, 1.8, FLOOR), "shelf": (0.9, 0.25, 0.4, ANYWHERE),
    "wardrobe": (1.2, 0.6, 2.0, FLOOR), "cabinet": (0.8, 0.45, 0.9, ANYWHERE),
    "filing cabinet": (0.6, 0.45, 1.0, FLOOR), "counter": (2.0, 0.62, 0.9, FLOOR),
    "box": (0.4, 0.3, 0.3, ANYWHERE), "crate": (0.5, 0.35, 0.35, FLOOR), "basket": (0.4, 0.3, 0.35, ANYWHERE),
    "bag": (0.4, 0.2, 0.4, ANYWHERE), "backpack": (0.35, 0.22, 0.45, ANYWHERE),
    "suitcase": (0.5, 0.25, 0.65, FLOOR), "trash can": (0.3, 0.28, 0.45, FLOOR),
    "bucket": (0.3, 0.3, 0.3, FLOOR), "door": (0.9, 0.08, 2.05, FLOOR), "window": (1.2, 0.08, 1.2, WALL),
    "curtain": (1.3, 0.15, 2.0, ANYWHERE), "blinds": (1.2, 0.06, 1.3, WALL), "stairs": (2.5, 1.0, 2.0, FLOOR),
    "railing": (1.5, 0.08, 0.9, FLOOR), "column": (0.4, 0.4, 2.6, FLOOR), "radiator": (1.0, 0.12, 0.6, FLOOR),
    "fireplace": (1.3, 0.45, 1.1, FLOOR), "picture frame": (0.6, 0.03, 0.6, WALL),
    "mirror": (0.6, 0.04, 0.9, WALL), "whiteboard": (1.6, 0.04, 1.1, WALL), "clock": (0.3, 0.05, 0.3, WALL),
    "rug": (2.0, 1.4, 0.03, FLOOR), "lamp": (0.3, 0.28, 0.5, TOP), "floor lamp": (0.45, 0.4, 1.6, FLOOR),
    "ceiling lamp": (0.5, 0.45, 0.35, CEILING), "fan": (0.4, 0.3, 0.6, ANYWHERE),
    "air conditioner": (0.85, 0.22, 0.3, CEILING), "television": (1.05, 0.12, 0.65, WALL),
    "computer monitor": (0.55, 0.18, 0.45, TOP), "computer": (0.45, 0.2, 0.42, ANYWHERE),
    "laptop": (0.35, 0.25, 0.22, TOP), "keyboard": (0.43, 0.15, 0.04, TOP),
    "computer mouse": (0.11, 0.06, 0.04, TOP), "printer": (0.45, 0.4, 0.3, TOP),
    "telephone": (0.2, 0.18, 0.12, TOP), "loudspeaker": (0.3, 0.25, 0.5, ANYWHERE),
    "projector": (0.35, 0.28, 0.12, CEILING), "camera": (0.13, 0.08, 0.1, ANYWHERE),
    "book": (0.24, 0.17, 0.05, TOP), "paper": (0.3, 0.21, 0.02, TOP), "cup": (0.11, 0.09, 0.1, TOP),
    "plate": (0.24, 0.24, 0.03, TOP), "bowl": (0.2, 0.2, 0.09, TOP), "bottle": (0.08, 0.08, 0.27, TOP),
    "vase": (0.16, 0.15, 0.3, TOP), "pot": (0.28, 0.24, 0.2, TOP), "pan": (0.42, 0.28, 0.09, TOP),
    "refrigerator": (0.7, 0.68, 1.75, FLOOR), "stove": (0.62, 0.6, 0.9, FLOOR),
    "microwave": (0.5, 0.38, 0.3, TOP), "oven": (0.6, 0.56, 0.6, ANYWHERE),
    "dishwasher": (0.6, 0.58, 0.85, FLOOR), "washing machine": (0.62, 0.6, 0.86, FLOOR),
    "coffee maker": (0.28, 0.22, 0.36, TOP), "toaster": (0.3, 0.18, 0.2, TOP),
    "kettle": (0.24, 0.18, 0.24, TOP), "sink": (0.6, 0.45, 0.3, TOP), "faucet": (0.2, 0.12, 0.3, TOP),
    "toilet": (0.68, 0.4, 0.78, FLOOR), "bathtub": (1.65, 0.75, 0.58, FLOOR),
    "shower": (0.9, 0.85, 2.05, FLOOR), "towel": (0.5, 0.08, 0.7, WALL),
    "toilet paper": (0.13, 0.11, 0.12, WALL), "potted plant": (0.5, 0.45, 0.8, ANYWHERE),
    "flowers": (0.3, 0.28, 0.4, TOP), "bicycle": (1.7, 0.5, 1.05, FLOOR), "ladder": (0.6, 0.3, 1.9, FLOOR),
    "piano": (1.48, 0.6, 1.15, FLOOR), "guitar": (0.4, 0.15, 1.0, FLOOR), "toy": (0.3, 0.22, 0.25, ANYWHERE),
    "ball": (0.23, 0.23, 0.23, FLOOR), "shoe": (0.28, 0.11, 0.12, FLOOR), "jacket": (0.5, 0.2, 0.8, WALL),
    "person": (0.55, 0.35, 1.7, FLOOR), "dog": (0.8, 0.3, 0.6, FLOOR), "cat": (0.45, 0.2, 0.3, ANYWHERE),
    "vacuum cleaner": (0.4, 0.3, 0.9, FLOOR), "ironing board": (1.3, 0.4, 0.9, FLOOR),
    "fire extinguisher": (0.2, 0.18, 0.55, WALL), "water cooler": (0.33, 0.33, 1.1, FLOOR),
    "vending machine": (0.95, 0.8, 1.83, FLOOR), "pipe": (1.5, 0.12, 0.6, ANYWHERE),
    "cable": (1.0, 0.3, 0.1, ANYWHERE), "coat rack": (0.5, 0.45, 1.75, FLOOR),
}  # fmt: skip

INDOORS: tuple[str, ...] = tuple(_THINGS)
# What is in a wall or hangs on one.
_HUNG = {
    "door", "window", "curtain", "blinds", "radiator", "picture frame", "mirror", "whiteboard", "clock", "towel",
    "fire extinguisher", "air conditioner", "television",
}  # fmt: skip
THIN = 0.15  # metres: what is no thicker may be part of a wall

# Log-likelihoods are bounded term by term: a thing may be of any size, and a part a piece of it.
MOST_OFF, MOST_OUTSIDE, MOST_FROM_WALL = 6.0, 1.5, 0.6


def size_terms(seen: NDArray[np.floating], on_wall: NDArray[np.bool_], to_wall: NDArray[np.floating]) -> Terms:
    """How far n parts are from the usual size and place of each of the b nouns of `INDOORS`: (n, b, 12), from 0 up.

    Squares of the logarithm of what is seen over what is usual, larger and smaller apart, as scans show pieces but
    nothing that is not there: of the longer and the shorter side; of the height, for what stands on the floor that
    of its top above the floor, as legs and feet are often missing; and of the height of the part alone. Then metres
    outside the usual heights, of what stands on the floor and, squared, of the rest; being part of a wall while
    thick; and metres from the next wall of what hangs on walls.

    Args:
        seen: (n, 4) longer and shorter level side, height, and height of the lowest point above the floor, in
            metres.
        on_wall: (n,) whether it was found in the plane of a wall.
        to_wall: (n,) metres to the next wall.
    """
    usual = np.array([[long, short, height, *place] for long, short, height, place in _THINGS.values()])
    stands = (usual[:, 3] == FLOOR[0]) & (usual[:, 4] == FLOOR[1])
    long, short, height, base = np.asarray(seen, np.float64).reshape(-1, 4).T[:, :, None]
    top = np.where(stands, base + height, height)
    shapes = (
        np.log(np.maximum(long, 0.02) / usual[:, 0]),
        np.log(np.maximum(short, 0.03) / np.maximum(usual[:, 1], 0.05)),
        np.log(np.maximum(top, 0.03) / np.maximum(usual[:, 2], 0.05)),
        np.log(np.maximum(height, 0.03) / np.maximum(usual[:, 2], 0.05)) * stands,
    )
    outside = np.maximum(np.maximum(usual[:, 3] - base, base - usual[:, 4]), 0)
    thick = (usual[:, 1] > THIN).astype(np.float64)
    hung = np.array([noun in _HUNG for noun in INDOORS], np.float64)
    terms = [np.minimum(side(off, 0) ** 2, MOST_OFF) for off in shapes for side in (np.maximum, np.minimum)]
    terms += [
        np.minimum(outside, MOST_OUTSIDE) * stands,
        np.minimum(outside**2, MOST_OUTSIDE) * ~stands,
        np.asarray(on_wall, np.float64)[:, None] * thick,
        np.minimum(np.asarray(to_wall, np.float64), MOST_FROM_WALL)[:, None] * hung,
    ]
    return np.stack(terms, axis=2)
