"""The facets of a shot of a driving log, a shot being one camera of one frame: what a model can be asked of it.

Its sweep with the cells of its things, its picture, crops of its things, its points as a cloud or as a depth map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clip3d.clouds.cloud import PointCloud
from clip3d.data.driving_shots import Shot, Thing
from clip3d.errors import FileProblem, ShapeError
from clip3d.lidar.box_pooling import points_in_box, pool_box
from clip3d.lidar.boxes import moved
from clip3d.lidar.cell_features import SweepFeatures
from clip3d.lidar.distortion import undistorted_picture
from clip3d.lidar.frame import Box
from clip3d.lidar.frustum import central_square
from clip3d.lidar.views import View, views
from clip3d.lidar.wedge import wedge
from clip3d.models.model import Model
from clip3d.render.scene_depth import scene_depth

Array = NDArray[np.float32]
Named = dict[str, Array]
Tell = Callable[[str], None]

WHOLE, QUARTER = "whole", "quarter"
HEADINGS = (0.0, np.pi / 2, np.pi, -np.pi / 2)  # of the quarters of a sweep
WITHIN = 40.0  # metres from the camera, along the ground, within which things count; LidarCLIP's


def counting(shot: Shot) -> list[tuple[int, Thing]]:
    """The things that are to be named, with their places: seen, their middle in the square, within 40 m."""
    return [
        (place, thing)
        for place, thing in enumerate(shot.things)
        if thing.kind is not None and thing.rectangle is not None and thing.inside and thing.away <= WITHIN
    ]


class Facet(Protocol):
    """One way to look at shots."""

    @property
    def of_picture(self) -> bool:
        """Whether it is the picture that decides the vectors, not the sweep."""

    @property
    def tower(self) -> str:
        """Of everything in the model that decides the vectors."""

    def names(self, shot: Shot) -> list[str]:
        """Of the vectors that a shot has."""

    def make(self, shots: Sequence[Shot], tell: Tell) -> Iterator[Named]:
        """Vectors of each shot, or none where it cannot be read, which is told."""


@dataclass(frozen=True, eq=False)
class Sweeps:
    """The frustum behind a picture, with the cells under each thing ("under:3") and by its points ("points:3")."""

    model: Model
    of_picture = False

    @property
    def tower(self) -> str:
        """Of everything that decides the vectors."""
        return self.model.tower_card("sweep").id

    def names(self, shot: Shot) -> list[str]:
        """See `Facet`."""
        dense = hasattr(self.model.tower("sweep"), "dense")
        things = [place for place, _ in counting(shot)] if dense else []
        return [WHOLE, *(f"{how}:{place}" for place in things for how in ("under", "points"))]

    def make(self, shots: Sequence[Shot], tell: Tell) -> Iterator[Named]:
        """See `Facet`."""
        seen = list(_seen(shots, tell))
        frusta = [view.frustum for view in seen if view is not None]
        dense = hasattr(self.model.tower("sweep"), "dense")
        found = self.model.encode_sweeps(frusta, normalize=False, dense=dense)
        vectors, cells = (found.vectors, found.cells) if isinstance(found, SweepFeatures) else (found, None)
        rows = iter(range(len(frusta)))
        for shot, view in zip(shots, seen, strict=True):
            if view is None:
                yield {}
                continue
            row = next(rows)
            named = {WHOLE: vectors[row]}
            for place, thing in counting(shot) if cells is not None else ():
                assert cells is not None
                box = moved(thing.box, view.frustum.frustum_from_lidar)
                named[f"under:{place}"] = pool_box(cells[row], box).vector
                named[f"points:{place}"] = pool_box(cells[row], box, view.frustum.points).vector
            yield named


@dataclass(frozen=True, eq=False)
class Quarters:
    """The whole sweep without a camera: four quarters, each seen from the sensor, as ("quarter:0") and so on."""

    model: Model
    of_picture = False

    @property
    def tower(self) -> str:
        """Of everything that decides the vectors."""
        return self.model.tower_card("sweep").id

    def names(self, shot: Shot) -> list[str]:
        """See `Facet`."""
        return [f"{QUARTER}:{place}" for place in range(len(HEADINGS))]

    def make(self, shots: Sequence[Shot], tell: Tell) -> Iterator[Named]:
        """See `Facet`."""
        for shot in shots:
            try:
                sweep = shot.load().sweep
            except FileProblem as problem:
                tell(f"{shot.frame}: {problem}")
                yield {}
                continue
            found = self.model.encode_sweeps([wedge(sweep, heading) for heading in HEADINGS], normalize=False)
            yield dict(zip(self.names(shot), found, strict=True))


@dataclass(frozen=True, eq=False)
class Pictures:
    """The central square of a picture; with `crops` the rectangle of each thing too ("crop:3")."""

    model: Model
    crops: bool = False
    of_picture = True

    @property
    def tower(self) -> str:
        """Of everything that decides the vectors."""
        return self.model.tower_card("image").id

    def names(self, shot: Shot) -> list[str]:
        """See `Facet`."""
        return [WHOLE, *(f"crop:{place}" for place, _ in (counting(shot) if self.crops else ()))]

    def make(self, shots: Sequence[Shot], tell: Tell) -> Iterator[Named]:
        """See `Facet`."""
        for shot in shots:
            try:
                picture = shot.load().pictures[shot.camera]
                image = undistorted_picture(picture.load(), picture.camera)
            except (FileProblem, ShapeError) as problem:
                tell(f"{shot.frame}, {shot.camera}: {problem}")
                yield {}
                continue
            named: dict[str, Any] = {WHOLE: central_square(*image.size)}
            if self.crops:
                named |= {f"crop:{place}": _pixels(thing, image.size) for place, thing in counting(shot)}
            made = self.model.encode_images((image.crop(edges) for edges in named.values()), normalize=False)
            yield dict(zip(named, made, strict=True))


@dataclass(frozen=True, eq=False)
class Clouds:
    """The points of a frustum as one cloud, and those in the box of each thing ("box:3"), by the cloud tower."""

    model: Model
    scenes: bool = True
    things: bool = True
    of_picture = False

    @property
    def tower(self) -> str:
        """Of everything that decides the vectors."""
        return self.model.tower_card("cloud").id

    def names(self, shot: Shot) -> list[str]:
        """See `Facet`."""
        things = [f"box:{place}" for place, _ in counting(shot)] if self.things else []
        return [WHOLE, *things] if self.scenes else things

    def make(self, shots: Sequence[Shot], tell: Tell) -> Iterator[Named]:
        """See `Facet`."""
        for shot, view in zip(shots, _seen(shots, tell), strict=True):
            if view is None:
                yield {}
                continue
            points = view.frustum.points[:, :3]
            clouds = {WHOLE: points} if self.scenes else {}
            for place, thing in counting(shot) if self.things else ():
                clouds[f"box:{place}"] = in_own_frame(points, moved(thing.box, view.frustum.frustum_from_lidar))
            filled = {name: xyz for name, xyz in clouds.items() if len(xyz)}
            made = self.model.encode_clouds(PointCloud(xyz, up="z", unit="m") for xyz in filled.values())
            # what has no point is as near to one word as to any other
            yield {name: np.zeros(self.model.space.dim, np.float32) for name in clouds} | dict(
                zip(filled, made, strict=True)
            )


@dataclass(frozen=True, eq=False)
class Depths:
    """The points of a frustum as a depth map through the camera's lens, by an image tower that learned such maps.

    The model's cloud tower looks at depth maps; its image tower within is what looks here.
    """

    model: Model
    of_picture = False

    @property
    def tower(self) -> str:
        """Of everything that decides the vectors."""
        return f"through the lens, {self.model.tower_card('cloud').id}"

    def names(self, shot: Shot) -> list[str]:
        """See `Facet`."""
        return [WHOLE]

    def make(self, shots: Sequence[Shot], tell: Tell) -> Iterator[Named]:
        """See `Facet`."""
        import torch

        tower: Any = self.model.tower("cloud")
        for view in _seen(shots, tell):
            if view is None:
                yield {}
                continue
            drawn = torch.from_numpy(scene_depth(view, tower.draw.size))
            with torch.inference_mode():
                found = tower.image(tower.draw.prepare(drawn)[None].to(self.model.device))
            yield {WHOLE: found[0].float().cpu().numpy()}


def in_own_frame(points: NDArray[np.floating], box: Box) -> Array:
    """The points (n, 3) in a box, about its middle and along its heading, in metres."""
    found = points[points_in_box(points, box)].astype(np.float64) - box.center
    cosine, sine = np.cos(box.yaw), np.sin(box.yaw)
    return np.asarray(found @ np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]), np.float32)


def frames_of(shots: Sequence[Shot]) -> Iterator[list[Shot]]:
    """Shots that follow one another and are of one frame, together."""
    for _, own in groupby(shots, lambda shot: (id(shot.log), shot.number)):
        yield list(own)


def _seen(shots: Sequence[Shot], tell: Tell) -> Iterator[View | None]:
    """The view of each shot, each frame's sweep read once."""
    for own in frames_of(shots):
        found: dict[str, View] = {}
        try:
            found = {view.camera.name: view for view in views(own[0].load(), cameras=[s.camera for s in own])}
        except (FileProblem, ShapeError) as problem:
            tell(f"{own[0].frame}: {problem}")
        yield from (found.get(shot.camera) for shot in own)


def _pixels(thing: Thing, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A thing's rectangle in whole pixels within the picture, none of its sides shorter than one."""
    assert thing.rectangle is not None
    low = zip(thing.rectangle[:2], size, strict=True)
    left, top = (min(max(int(np.floor(edge)), 0), most - 1) for edge, most in low)
    high = zip(thing.rectangle[2:], (left, top), size, strict=True)
    right, bottom = (min(max(int(np.ceil(edge)), least + 1), most) for edge, least, most in high)
    return left, top, right, bottom
