"""nuScenes' annotations: boxes in the global frame, in columns that hold a million of them in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import FrameError
from clip3d.lidar.files import floats
from clip3d.lidar.frame import Box
from clip3d.lidar.motion import of_quaternion, unit_quaternion, yaw_of
from clip3d.lidar.sources.nuscenes_tables import Row, made, token


class _Names:
    """Words by number, each kept once."""

    def __init__(self) -> None:
        self.words: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def number(self, word: Any) -> int:
        if word not in self._numbers:
            self._numbers[word] = len(self.words)
            self.words.append(word)
        return self._numbers[word]


@dataclass(frozen=True, eq=False)
class Annotations:
    """Boxes of all samples.

    Attributes:
        start: by sample's token, where its rows begin and end.
        numbers: (n, 10) float64: middle, width, length, height, quaternion w, x, y, z, in the global frame.
        words: (n, 5) int32: label, track, attributes, visibility, lidar points, as numbers in `names`.
        names: the words of the first four.
    """

    start: dict[str, tuple[int, int]]
    numbers: NDArray[np.float64]
    words: NDArray[np.int32]
    names: tuple[list[Any], ...]

    def boxes(self, sample: str, lidar_from_global: NDArray[np.float64]) -> Iterator[Box]:
        """The boxes of a sample in the lidar's frame."""
        first, last = self.start.get(sample, (0, 0))
        for row, words in zip(self.numbers[first:last], self.words[first:last].tolist(), strict=True):
            pose = lidar_from_global @ of_quaternion(row[6:], row[:3])
            width, length, height = map(float, row[3:6])
            label, track, attributes, visibility = (self.names[at][words[at]] for at in range(4))
            extra = {"attributes": list(attributes), "visibility": visibility, "lidar_points": words[4]}
            yield Box(label, pose[:3, 3], (length, width, height), yaw_of(pose[:3, 0]), track, attributes=extra)


def read_annotations(folder: Path) -> Annotations | None:
    """All boxes of a folder of tables, or None where nobody labelled (as in the test set).

    Raises:
        FrameError: if a table cannot be used.
    """
    if not (folder / "sample_annotation.json").is_file():
        return None
    categories = dict(made(folder / "category.json", lambda row: (token(row), str(row["name"]))))
    instances = dict(
        made(folder / "instance.json", lambda row: (token(row), categories[row["category_token"]]))
    )
    attributes = _optional(folder / "attribute.json", "name")
    visibility = _optional(folder / "visibility.json", "level")
    samples, names = _Names(), tuple(_Names() for _ in range(4))
    owner, words, numbers = array("q"), array("i"), array("d")

    def keep(row: Row) -> None:
        found = floats([*row["translation"], *row["size"], *row["rotation"]], 10)
        unit_quaternion(found[6:])
        instance = row["instance_token"]
        kinds = tuple(attributes.get(token, token) for token in row.get("attribute_tokens") or ())
        seen = visibility.get(str(row.get("visibility_token")), "")
        told = (instances[instance], instance, kinds, seen)
        numbers.extend(found)
        owner.append(samples.number(row["sample_token"]))
        words.extend([name.number(word) for name, word in zip(names, told, strict=True)])
        words.append(int(row.get("num_lidar_pts") or 0))

    for _ in made(folder / "sample_annotation.json", keep):
        pass
    if not owner:
        return None
    order = np.argsort(np.array(owner), kind="stable")
    counts = np.bincount(np.array(owner), minlength=len(samples.words))
    ends = np.cumsum(counts)
    found = zip(samples.words, counts.tolist(), ends.tolist(), strict=True)
    return Annotations(
        {sample: (end - count, end) for sample, count, end in found},
        np.array(numbers, dtype=np.float64).reshape(-1, 10)[order],
        np.array(words, dtype=np.int32).reshape(-1, 5)[order],
        tuple(name.words for name in names),
    )


def _optional(path: Path, column: str) -> dict[str, str]:
    try:
        return dict(made(path, lambda row: (str(row["token"]), str(row.get(column, "")))))
    except FrameError:
        return {}
