"""The classes of ScanNet and S3DIS, and which of them the classes of simulated rooms are.

NYU40: Gupta, Arbelaez and Malik 2013. ScanNet's benchmark takes 20 of them (Dai et al. 2017). S3DIS: Armeni et al.
2016.
"""

from __future__ import annotations

NYU40: tuple[str, ...] = (
    "wall", "floor", "cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf", "picture",
    "counter", "blinds", "desk", "shelves", "curtain", "dresser", "pillow", "mirror", "floor mat", "clothes",
    "ceiling", "books", "refrigerator", "television", "paper", "towel", "shower curtain", "box", "whiteboard",
    "person", "night stand", "toilet", "sink", "lamp", "bathtub", "bag", "otherstructure", "otherfurniture",
    "otherprop",
)  # fmt: skip
NYU40_ID = {name: number for number, name in enumerate(NYU40, 1)}
# As labels.combined.tsv of ScanNet writes some of them.
SPELLINGS = {
    "bookshelf": ("bookshelf", "bookcase"), "night stand": ("night stand", "nightstand"), "television":
    ("television", "tv"), "sofa": ("sofa", "couch"), "floor mat": ("floor mat", "rug", "mat"), "shelves":
    ("shelves", "shelf"), "picture": ("picture", "painting"), "refrigerator": ("refrigerator", "refridgerator",
    "fridge")
}  # fmt: skip
SCANNET20: tuple[str, ...] = tuple(
    NYU40[number - 1] for number in (*range(1, 13), 14, 16, 24, 28, 33, 34, 36, 39)
)
S3DIS13: tuple[str, ...] = (
    "ceiling", "floor", "wall", "beam", "column", "window", "door", "table", "chair", "sofa", "bookcase", "board",
    "clutter",
)  # fmt: skip

# What is asked of each set: its classes that name a thing, not a surface of the room and not a remainder.
SCANNET_QUERIES: tuple[str, ...] = (
    "cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf", "picture", "counter", "desk",
    "curtain", "refrigerator", "shower curtain", "toilet", "sink", "bathtub", "pillow", "mirror", "television",
    "lamp", "night stand", "dresser", "box", "bag", "books", "towel", "whiteboard", "shelves", "clothes",
)  # fmt: skip
S3DIS_QUERIES: tuple[str, ...] = ("table", "chair", "sofa", "bookcase", "board", "door", "window", "column", "beam")
# Of simulated rooms: 20 that both real sets and mini's training know.
ROOM_QUERIES: tuple[str, ...] = (
    "chair", "table", "desk", "bed", "sofa", "bookshelf", "cabinet", "door", "window", "curtain", "sink", "toilet",
    "bathtub", "refrigerator", "lamp", "plant", "monitor", "television", "night stand", "dresser",
)  # fmt: skip

_FURNITURE = ("stool", "ottoman", "bench", "stove", "dishwasher", "washing machine", "shower", "plant", "coat rack",
              "piano", "shelf")  # fmt: skip
_STRUCTURES = ("radiator", "column", "ceiling light")
_SAME = {"rug": "floor mat", "shelf": "shelves", "stool": "chair", "ottoman": "otherfurniture"}


def nyu40_of(label: str) -> str:
    """The class of NYU40 that a class of simulated rooms belongs to."""
    if label in NYU40_ID:
        return label
    if label in _SAME:
        return _SAME[label]
    if label in _FURNITURE:
        return "otherfurniture"
    return "otherstructure" if label in _STRUCTURES else "otherprop"
