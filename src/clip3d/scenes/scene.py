"""A scene that is asked for things: parted once, and answered as often as one likes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import overload

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.errors import CloudError, ShapeError
from clip3d.models.model import Model
from clip3d.scenes.answering import THRESHOLD, distinct, scores_of
from clip3d.scenes.boxes import Box
from clip3d.scenes.parted import Parted, part_scan
from clip3d.scenes.parts import points_of
from clip3d.scenes.segmenting import Method
from clip3d.scenes.vocabulary import INDOORS
from clip3d.scenes.voxels import Array
from clip3d.spaces import rank

MOST_ANSWERS = 20


@dataclass(frozen=True, eq=False)
class Instance:
    """A place in a scene that answers a phrase.

    Attributes:
        score: chance in [0, 1] that the phrase names it.
        box: upright and as small as may be, in the scan's own axes and unit.
        part: which of the scene's parts it is.
        scene: that it lies in.
    """

    score: float
    box: Box
    part: int
    scene: Scene = field(repr=False)

    @property
    def indices(self) -> NDArray[np.intp]:
        """The points (k,) of the scan that it holds, ascending."""
        return self.scene.indices([self.part])[0]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a scene says to a phrase; none of its parts fits where `instances` is empty.

    Attributes:
        words: the phrase.
        instances: best first.
        nearest: the best part whether it fits or not; None in a scene without parts.
        threshold: least score of an instance.
    """

    words: str
    instances: tuple[Instance, ...]
    nearest: Instance | None
    threshold: float

    def __bool__(self) -> bool:
        return bool(self.instances)

    def __len__(self) -> int:
        return len(self.instances)

    def __iter__(self) -> Iterator[Instance]:
        return iter(self.instances)


class Scene:
    """A scan in parts, asked in words.

        scene = Scene.of(clip3d.read("room.ply"), clip3d.load())
        for instance in scene.ask("bookshelf"):
            print(instance.score, instance.box.center)

    Attributes:
        parted: the scan in parts, with a vector each.
        model: whose towers answer.
        name: what the scene is called.
    """

    def __init__(
        self, parted: Parted, model: Model, cloud: PointCloud | Callable[[], PointCloud], name: str = "scene"
    ) -> None:
        """Make a scene of what `part_scan` or `read_parted` gives.

        Args:
            parted: the scan in parts.
            model: that made its vectors.
            cloud: the scan, or what reads it when its points are asked for.
            name: what to call it.
        """
        self.parted = parted
        self.model = model
        self.name = name
        self._cloud = cloud

    @classmethod
    def of(
        cls,
        cloud: PointCloud,
        model: Model,
        *,
        segmenter: Method = "graph",
        voxel: float | None = None,
        pictures: str | PathLike[str] | None = None,
    ) -> Scene:
        """Part a scan and give each part a vector; arguments and errors as of `part_scan`."""
        name = cloud.path.name if cloud.path is not None else "scene"
        return cls(part_scan(cloud, model, segmenter, voxel=voxel, pictures=pictures), model, cloud, name)

    @property
    def cloud(self) -> PointCloud:
        """The scan, read if need be.

        Raises:
            CloudError: if it cannot be read any more, or is another one by now.
        """
        if callable(self._cloud):
            cloud = self._cloud()
            if len(cloud) != self.parted.n:
                raise CloudError(cloud.path or self.name, "it is not the scan that was parted", "part it anew")
            self._cloud = cloud
        return self._cloud

    @cached_property
    def owner(self) -> NDArray[np.int32]:
        """The voxel (n,) of each point of the scan."""
        return self.parted.grid.owner_of(self.cloud.points)

    @cached_property
    def boxes(self) -> list[Box]:
        """The parts' boxes in the scan's own axes and unit."""
        return [self.parted.own_box(part.box) for part in self.parted.parts]

    def indices(self, parts: Sequence[int]) -> list[NDArray[np.intp]]:
        """The points (k,) of the scan in each of some parts, ascending."""
        sets = [self.parted.parts[part].voxels for part in parts]
        return points_of(self.owner, len(self.parted.points), sets)

    def ask(
        self,
        words: str,
        *,
        k: int = MOST_ANSWERS,
        threshold: float = THRESHOLD,
        templates: Sequence[str] | None = None,
    ) -> Answer:
        """The places that a phrase names, best first.

        Args:
            words: the phrase.
            k: at most so many places.
            threshold: least score of a place.
            templates: prompts with {} for the phrase; None for those of the model's card.

        Raises:
            ShapeError: if the phrase is empty, or k below 1.
        """
        if not words.strip() or k < 1:
            raise ShapeError(f"a question needs words, and k of at least 1, got {words!r} and {k}")
        scores = self.scores([words], templates)[:, 0]
        order = rank(scores)
        best = distinct(self.parted.parts, [int(i) for i in order if scores[i] >= threshold])
        found = tuple(self.instance(i, float(scores[i])) for i in best[:k])
        nearest = self.instance(int(order[0]), float(scores[order[0]])) if len(order) else None
        return Answer(words, found, nearest, threshold)

    def scores(self, labels: Sequence[str], templates: Sequence[str] | None = None) -> Array:
        """Chance (p, m) in [0, 1] that each of m labels names each of the p parts; `templates` as of `ask`."""
        vectors = self.model.label_vectors(labels, templates)
        own = self.parted.vectors
        return scores_of(self.model.space, self.parted.seen(), own, labels, vectors, self._background)

    @cached_property
    def _background(self) -> Array:
        return self.model.label_vectors(INDOORS)

    def instance(self, part: int, score: float) -> Instance:
        """A part as an answer."""
        return Instance(score, self.boxes[part], part, self)


@overload
def query_scene(  # type: ignore[overload-overlap]
    cloud: PointCloud,
    words: str,
    model: Model,
    *,
    segmenter: Method = "graph",
    pictures: str | PathLike[str] | None = None,
    k: int = MOST_ANSWERS,
    threshold: float = THRESHOLD,
    templates: Sequence[str] | None = None,
) -> Answer: ...
@overload
def query_scene(
    cloud: PointCloud,
    words: Sequence[str],
    model: Model,
    *,
    segmenter: Method = "graph",
    pictures: str | PathLike[str] | None = None,
    k: int = MOST_ANSWERS,
    threshold: float = THRESHOLD,
    templates: Sequence[str] | None = None,
) -> list[Answer]: ...
def query_scene(
    cloud: PointCloud,
    words: str | Sequence[str],
    model: Model,
    *,
    segmenter: Method = "graph",
    pictures: str | PathLike[str] | None = None,
    k: int = MOST_ANSWERS,
    threshold: float = THRESHOLD,
    templates: Sequence[str] | None = None,
) -> Answer | list[Answer]:
    """Where in a scanned room is what words name: boxes, points and scores, or that nothing there is like it.

    Args:
        cloud: of a room or a building, to 20 million points.
        words: a phrase, or several for an answer each.
        model: with a cloud tower and a text tower.
        segmenter: how the scan is parted: "graph", "clusters" or "kmeans".
        pictures: a folder of posed pictures, as for `part_scan`.
        k, threshold, templates: as for `Scene.ask`.

    Raises:
        ShapeError: if a phrase is empty, the segmenter unknown, or the cloud too large.
        ModelError: if the model lacks a tower.
        DataError: if the pictures cannot be read.
    """
    scene = Scene.of(cloud, model, segmenter=segmenter, pictures=pictures)
    if isinstance(words, str):
        return scene.ask(words, k=k, threshold=threshold, templates=templates)
    return [scene.ask(phrase, k=k, threshold=threshold, templates=templates) for phrase in words]
