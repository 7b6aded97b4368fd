"""A scanned room whose things are known."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.errors import ShapeError


@dataclass(frozen=True)
class SceneThing:
    """One thing of a scene.

    Attributes:
        label: its class, in the words of the set that it comes from.
        words: what it is called, most specific first; its class is among them.
    """

    label: str
    words: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.label not in self.words:
            object.__setattr__(self, "words", (*self.words, self.label))


@dataclass(frozen=True, eq=False)
class LabelledScene:
    """A scan with the thing that each point belongs to.

    Attributes:
        name: of the scene, unlike those of the others of its set.
        cloud: z up, metres.
        instances: (p,) int32, places in `things`; -1 for points that nobody labelled.
        things: with labels; some may have no points.
        path: folder or file that it was read from.
        facts: what else is known: "use" of the room, "scanner", "shapes", where they are told.
    """

    name: str
    cloud: PointCloud
    instances: NDArray[np.int32]
    things: tuple[SceneThing, ...]
    path: Path = Path()
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.instances.shape != (len(self.cloud),):
            raise ShapeError(f"instances must have shape ({len(self.cloud)},), got {self.instances.shape}")
        if self.instances.min(initial=-1) < -1 or self.instances.max(initial=-1) >= len(self.things):
            raise ShapeError(f"instances must lie between -1 and {len(self.things) - 1}")

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Points (t,) of each thing."""
        return np.bincount(self.instances[self.instances >= 0], minlength=len(self.things)).astype(np.int64)

    def points_of(self, thing: int) -> NDArray[np.intp]:
        """The points (k,) of one thing, ascending."""
        return np.flatnonzero(self.instances == thing)

    def bounds(self, thing: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Least and largest coordinates (3,) of a thing's points; ShapeError if it has none."""
        points = self.cloud.points[self.points_of(thing)]
        if not len(points):
            raise ShapeError(f"{self.name}: thing {thing} has no points")
        return points.min(0), points.max(0)
