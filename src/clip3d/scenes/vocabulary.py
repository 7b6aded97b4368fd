"""What is usually found indoors, how large it is and where: what a question is weighed against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Metres above the floor between which the lowest point of a thing usually lies.
FLOOR, TOP, WALL, CEILING, ANYWHERE = (0.0, 0.15), (0.3, 1.3), (0.6, 1.9), (1.7, 3.5), (0.0, 2.0)

# Longest level side and height in metres, as such things are usually made, and where they stand or hang.
_THINGS: dict[str, tuple[float, float, tuple[float, float]]] = {
    "chair": (0.55, 0.9, FLOOR), "office chair": (0.65, 1.05, FLOOR), "armchair": (0.85, 0.9, FLOOR),
    "stool": (0.4, 0.55, FLOOR), "bench": (1.2, 0.5, FLOOR), "sofa": (1.9, 0.85, FLOOR),
    "ottoman": (0.6, 0.42, FLOOR), "bed": (2.05, 0.7, FLOOR), "crib": (1.25, 0.95, FLOOR),
    "pillow": (0.55, 0.2, TOP), "mattress": (1.95, 0.25, FLOOR), "table": (1.3, 0.75, FLOOR),
    "coffee table": (1.0, 0.45, FLOOR), "desk": (1.4, 0.75, FLOOR), "night stand": (0.48, 0.55, FLOOR),
    "dresser": (1.1, 0.85, FLOOR), "bookshelf": (0.9, 1.8, FLOOR), "shelf": (0.9, 0.4, ANYWHERE),
    "wardrobe": (1.2, 2.0, FLOOR), "cabinet": (0.8, 0.9, ANYWHERE), "filing cabinet": (0.6, 1.0, FLOOR),
    "counter": (2.0, 0.9, FLOOR), "box": (0.4, 0.3, ANYWHERE), "crate": (0.5, 0.35, FLOOR),
    "basket": (0.4, 0.35, ANYWHERE), "bag": (0.4, 0.4, ANYWHERE), "backpack": (0.35, 0.45, ANYWHERE),
    "suitcase": (0.5, 0.65, FLOOR), "trash can": (0.3, 0.45, FLOOR), "bucket": (0.3, 0.3, FLOOR),
    "door": (0.9, 2.05, FLOOR), "window": (1.2, 1.2, WALL), "curtain": (1.3, 2.0, ANYWHERE),
    "blinds": (1.2, 1.3, WALL), "stairs": (2.5, 2.0, FLOOR), "railing": (1.5, 0.9, FLOOR),
    "column": (0.4, 2.6, FLOOR), "radiator": (1.0, 0.6, FLOOR), "fireplace": (1.3, 1.1, FLOOR),
    "picture frame": (0.6, 0.6, WALL), "mirror": (0.6, 0.9, WALL), "whiteboard": (1.6, 1.1, WALL),
    "clock": (0.3, 0.3, WALL), "rug": (2.0, 0.03, FLOOR), "lamp": (0.3, 0.5, TOP), "floor lamp": (0.45, 1.6, FLOOR),
    "ceiling lamp": (0.5, 0.35, CEILING), "fan": (0.4, 0.6, ANYWHERE), "air conditioner": (0.85, 0.3, CEILING),
    "television": (1.05, 0.65, WALL), "computer monitor": (0.55, 0.45, TOP), "computer": (0.45, 0.42, ANYWHERE),
    "laptop": (0.35, 0.22, TOP), "keyboard": (0.43, 0.04, TOP), "computer mouse": (0.11, 0.04, TOP),
    "printer": (0.45, 0.3, TOP), "telephone": (0.2, 0.12, TOP), "loudspeaker": (0.3, 0.5, ANYWHERE),
    "projector": (0.35, 0.12, CEILING), "camera": (0.13, 0.1, ANYWHERE), "book": (0.24, 0.05, TOP),
    "paper": (0.3, 0.02, TOP), "cup": (0.11, 0.1, TOP), "plate": (0.24, 0.03, TOP), "bowl": (0.2, 0.09, TOP),
    "bottle": (0.08, 0.27, TOP), "vase": (0.16, 0.3, TOP), "pot": (0.28, 0.2, TOP), "pan": (0.42, 0.09, TOP),
    "refrigerator": (0.7, 1.75, FLOOR), "stove": (0.62, 0.9, FLOOR), "microwave": (0.5, 0.3, TOP),
    "oven": (0.6, 0.6, ANYWHERE), "dishwasher": (0.6, 0.85, FLOOR), "washing machine": (0.62, 0.86, FLOOR),
    "coffee maker": (0.28, 0.36, TOP), "toaster": (0.3, 0.2, TOP), "kettle": (0.24, 0.24, TOP),
    "sink": (0.6, 0.3, TOP), "faucet": (0.2, 0.3, TOP), "toilet": (0.68, 0.78, FLOOR),
    "bathtub": (1.65, 0.58, FLOOR), "shower": (0.9, 2.05, FLOOR),
    "towel": (0.5, 0.7, WALL), "toilet paper": (0.13, 0.12, WALL),
    "potted plant": (0.5, 0.8, ANYWHERE), "flowers": (0.3, 0.4, TOP), "bicycle": (1.7, 1.05, FLOOR),
    "ladder": (0.6, 1.9, FLOOR), "piano": (1.48, 1.15, FLOOR), "guitar": (0.4, 1.0, FLOOR),
    "toy": (0.3, 0.25, ANYWHERE), "ball": (0.23, 0.23, FLOOR), "shoe": (0.28, 0.12, FLOOR),
    "jacket": (0.5, 0.8, WALL), "person": (0.55, 1.7, FLOOR), "dog": (0.8, 0.6, FLOOR),
    "cat": (0.45, 0.3, ANYWHERE),
    "vacuum cleaner": (0.4, 0.9, FLOOR), "ironing board": (1.3, 0.9, FLOOR), "fire extinguisher": (0.2, 0.55, WALL),
    "water cooler": (0.33, 1.1, FLOOR), "vending machine": (0.95, 1.83, FLOOR), "pipe": (1.5, 0.6, ANYWHERE),
    "cable": (1.0, 0.1, ANYWHERE), "coat rack": (0.5, 1.75, FLOOR),
}  # fmt: skip

INDOORS: tuple[str, ...] = tuple(_THINGS)

SPREAD = 0.45  # of the logarithm of a side about the usual one, as things differ and scans show parts of them
PLACE_SPREAD = 0.3  # metres that a thing stands outside its usual heights
# Log-odds are bounded: a thing may be of any size, and a part a piece of it.
LEAST = -5.0


def size_evidence(seen: NDArray[np.floating]) -> NDArray[np.float64]:
    """Log-likelihood (n, b) of what is seen of n parts under each of the b nouns of `INDOORS`, up to a constant.

    Args:
        seen: (n, 3) longest level side, height, and height of the lowest point above the floor, in metres.
    """
    usual = np.array([[length, height, *place] for length, height, place in _THINGS.values()])
    seen = np.asarray(seen, np.float64)
    off = np.log(np.maximum(seen[:, None, :2], 0.01) / np.maximum(usual[None, :, :2], 0.05)) / SPREAD
    base = seen[:, 2:]
    outside = np.maximum(np.maximum(usual[None, :, 2] - base, base - usual[None, :, 3]), 0) / PLACE_SPREAD
    found: NDArray[np.float64] = np.maximum(-0.5 * ((off**2).sum(axis=2) + outside**2), LEAST)
    return found
