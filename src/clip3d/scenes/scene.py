"""A scene that is asked for things: parted once, and answered as often as one likes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.errors import ShapeError
from clip3d.models.model import Model
from clip3d.scenes.answering import distinct, fits_of, least_fit
from clip3d.scenes.boxes import Box
from clip3d.scenes.parts import Part, choose_parts, part_clouds, points_of
from clip3d.scenes.segmenting import Method, check_method, segment_voxels
from clip3d.scenes.structure import Structure
from clip3d.scenes.surface import Surface
from clip3d.scenes.voxels import Array, Voxels, voxelise
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
    """A scan in parts, each with a vector.

        scene = Scene.of(clip3d.read("room.ply"), clip3d.load())
        for instance in scene.ask("bookshelf"):
            print(instance.score, instance.box.center)

    Attributes:
        cloud: the scan.
        model: whose towers answer.
        voxels, surface, structure: what was made of it.
        parts: that may be an answer.
        vectors: (p, d) float32, one a part.
        method: of the segmentation.
    """

    def __init__(
        self,
        cloud: PointCloud,
        model: Model,
        voxels: Voxels,
        surface: Surface,
        structure: Structure,
        parts: Sequence[Part],
        vectors: Array,
        method: Method,
    ) -> None:
        self.cloud = cloud
        self.model = model
        self.voxels = voxels
        self.surface = surface
        self.structure = structure
        self.parts = list(parts)
        self.vectors = vectors
        self.method = method

    @classmethod
    def of(
        cls, cloud: PointCloud, model: Model, *, segmenter: Method = "graph", voxel: float | None = None
    ) -> Scene:
        """Part a scan and give each part a vector.

        Args:
            cloud: of a room or a building, to 20 million points.
            model: with a cloud tower and a text tower.
            segmenter: "graph", "clusters" or "kmeans".
            voxel: edge in metres on which the work is done; None for what the scan's size asks for.

        Raises:
            ShapeError: if there is no segmenter of that name, or the cloud is too large.
            ModelError: if the model lacks a cloud tower.
        """
        check_method(segmenter)
        model.tower_card("cloud")
        voxels = voxelise(cloud, size=voxel)
        surface, structure, scales = segment_voxels(voxels, segmenter)
        parts = choose_parts(surface, scales)
        vectors = model.encode_clouds(part_clouds(cloud, voxels, surface, structure.rotation, parts))
        return cls(cloud, model, voxels, surface, structure, parts, vectors, segmenter)

    @cached_property
    def boxes(self) -> list[Box]:
        """The parts' boxes in the scan's own axes and unit."""
        return [self._own(part.box) for part in self.parts]

    def _own(self, box: Box) -> Box:
        turn = self.structure.rotation
        center = self.voxels.to_scan(box.center @ turn)
        return Box(center, box.size / self.voxels.metres, box.axes @ turn @ self.voxels.rotation)

    def indices(self, parts: Sequence[int]) -> list[NDArray[np.intp]]:
        """The points (k,) of the scan in each of some parts, ascending."""
        return points_of(self.voxels.owner, len(self.voxels), [self.parts[part].voxels for part in parts])

    def ask(
        self,
        words: str,
        *,
        k: int = MOST_ANSWERS,
        threshold: float | None = None,
        templates: Sequence[str] | None = None,
    ) -> Answer:
        """The places that a phrase names, best first.

        Args:
            words: the phrase.
            k: at most so many places.
            threshold: least score of a place, if not the model's.
            templates: prompts with {} for the phrase; None for those of the model's card.

        Raises:
            ShapeError: if the phrase is empty, or k below 1.
        """
        if not words.strip() or k < 1:
            raise ShapeError(f"a question needs words, and k of at least 1, got {words!r} and {k}")
        scores = fits_of(self.model, self.vectors, self.model.label_vectors([words], templates))[:, 0]
        least = least_fit(self.model, threshold)
        order = rank(scores)
        best = distinct(self.parts, [int(i) for i in order if scores[i] >= least])
        found = tuple(self._instance(i, scores) for i in best[:k])
        nearest = self._instance(int(order[0]), scores) if len(order) else None
        return Answer(words, found, nearest, least)

    def _instance(self, part: int, scores: NDArray[np.floating]) -> Instance:
        return Instance(float(scores[part]), self.boxes[part], part, self)


@overload
def query_scene(  # type: ignore[overload-overlap]
    cloud: PointCloud,
    words: str,
    model: Model,
    *,
    segmenter: Method = "graph",
    k: int = MOST_ANSWERS,
    threshold: float | None = None,
    templates: Sequence[str] | None = None,
) -> Answer: ...
@overload
def query_scene(
    cloud: PointCloud,
    words: Sequence[str],
    model: Model,
    *,
    segmenter: Method = "graph",
    k: int = MOST_ANSWERS,
    threshold: float | None = None,
    templates: Sequence[str] | None = None,
) -> list[Answer]: ...
def query_scene(
    cloud: PointCloud,
    words: str | Sequence[str],
    model: Model,
    *,
    segmenter: Method = "graph",
    k: int = MOST_ANSWERS,
    threshold: float | None = None,
    templates: Sequence[str] | None = None,
) -> Answer | list[Answer]:
    """Where in a scanned room is what words name: boxes, points and scores, or that nothing there is like it.

    Args:
        cloud: of a room or a building, to 20 million points.
        words: a phrase, or several for an answer each.
        model: with a cloud tower and a text tower.
        segmenter: how the scan is parted: "graph", "clusters" or "kmeans".
        k, threshold, templates: as for `Scene.ask`.

    Raises:
        ShapeError: if a phrase is empty, the segmenter unknown, or the cloud too large.
        ModelError: if the model lacks a tower.
    """
    scene = Scene.of(cloud, model, segmenter=segmenter)
    if isinstance(words, str):
        return scene.ask(words, k=k, threshold=threshold, templates=templates)
    return [scene.ask(phrase, k=k, threshold=threshold, templates=templates) for phrase in words]
