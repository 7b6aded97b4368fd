"""What CLIP2Point's pre-training shows: a picture and two depth maps of each object, all from one side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clip3d.clouds.sampling import random_sample
from clip3d.data.drawing import Rendering, color_sides
from clip3d.data.renderings import read_settings
from clip3d.data.triplet_sources import TripletSource
from clip3d.data.triplets import Triplets
from clip3d.errors import CloudError, DataError, ImageError
from clip3d.models.preprocess import ImagePreprocess
from clip3d.render.clip2point_depth import DIRECTIONS, disc_depth_maps
from clip3d.render.splat import View, splat
from clip3d.towers.depth_drawing import DepthDrawing
from clip3d.training.loop import Progress

Pair = tuple[Tensor, NDArray[np.float32]]
Sides = Callable[[str], Sequence[View]]


@dataclass(frozen=True)
class Showing:
    """How objects are shown.

    Attributes:
        seed: of the order, the points, the sides and the distances.
        points: of a depth map.
        batch: objects in a step.
        epochs: of the run.
        jitter: largest change of the distances of an object's two depth maps, as a share.
        picture: how pictures are prepared.
        drawing: how depth maps are.
        sides: from which sides an object's own pictures show it, by its key; where there is none it is drawn.
    """

    seed: int
    points: int
    batch: int
    epochs: int
    jitter: float
    picture: ImagePreprocess
    drawing: DepthDrawing
    sides: Sides = lambda key: ()


@dataclass(frozen=True, eq=False)
class Drawn:
    """What one step sees of b objects.

    Attributes:
        depths: (2, b, 3, s, s) float32, the two depth maps of each, prepared for the image tower.
        pictures: (b, 3, s, s) float32, the picture of each, prepared for the image tower.
    """

    depths: Tensor
    pictures: Tensor


class Shown(Protocol):
    """What is shown, of which pairs are drawn."""

    def __len__(self) -> int:
        """How many there are."""

    def key(self, index: int) -> str:
        """A name that no other has."""

    def order(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """All indices once, in the order of one epoch."""

    def protocol(self) -> dict[str, Any]:
        """What a report says of the data: `data_sha256` over all that decides it."""


class DepthPairs:
    """Draws the batches of a run; each follows from the seed and the step alone.

    An object that cannot be read is told once, and the next of the epoch's order that can takes its place.

    Args:
        triplets: the objects.
        how: how they are shown.
        progress: called with lines for the user.

    Attributes:
        per_epoch: steps of an epoch.
        bad: reasons of the objects that could not be read, by key.
    """

    troubles: tuple[type[Exception], ...] = (CloudError, ImageError)  # of which an object is left out

    def __init__(self, triplets: Triplets | Shown, how: Showing, progress: Progress) -> None:
        self.objects, self.how, self.progress = triplets, how, progress
        self.size = min(how.batch, len(triplets))
        self.per_epoch = len(triplets) // self.size
        self.bad: dict[str, str] = {}

    def from_step(self, first: int) -> Iterator[Drawn]:
        """The batches of step `first` and all later ones."""
        epoch, order = -1, np.zeros(0, np.int64)
        for step in range(first, self.how.epochs * self.per_epoch):
            if step // self.per_epoch != epoch:
                epoch = step // self.per_epoch
                order = self.objects.order(np.random.default_rng([self.how.seed, epoch]))
            drawn = self._batch(np.roll(order, -(step % self.per_epoch) * self.size), step)
            depths, pictures = zip(*drawn, strict=True)
            yield Drawn(torch.stack(depths, 1), torch.from_numpy(np.stack(pictures)))

    def draw(self, index: int, rng: np.random.Generator) -> Pair:
        """Two depth maps (2, 3, s, s) and a picture (3, s, s) of an object from one side, drawn by chance.

        Raises:
            CloudError: if its cloud cannot be read.
            ImageError: if its picture cannot.
        """
        triplets = cast(Triplets, self.objects)
        cloud = triplets.cloud(index).z_up()
        sides = self.how.sides(triplets.key(index))[: triplets.views(index)]
        if sides:
            number = int(rng.integers(len(sides)))
            view, picture = sides[number], triplets.picture(index, number)
        else:
            view = DIRECTIONS[10][rng.integers(10)]
            picture = splat(cloud.points, cloud.colors, cloud.normals, view=view, size=self.how.picture.size)
        most = min(self.how.points, len(cloud))
        points = cloud.points[random_sample(cloud.points, most, seed=int(rng.integers(2**31)))]
        distances = 1 + self.how.jitter * rng.uniform(-1, 1, size=2)
        size = self.how.drawing.size
        maps = np.stack([disc_depth_maps(points, [view], size, distance=distance)[0] for distance in distances])
        return self.how.drawing.prepare(torch.from_numpy(maps)), self.how.picture(picture)

    def _batch(self, order: NDArray[np.int64], step: int) -> list[Pair]:
        """The first objects of an order that can be read, as many as a batch holds."""
        found: list[Pair] = []
        for index in order:
            drawn = self._try(int(index), np.random.default_rng([self.how.seed, step, int(index)]))
            found += [drawn] if drawn else []
            if len(found) == self.size:
                return found
        raise DataError("triplets", f"only {len(found)} objects can be read, a batch takes {self.size}")

    def _try(self, index: int, rng: np.random.Generator) -> Pair | None:
        key = self.objects.key(index)
        if key in self.bad:
            return None
        try:
            return self.draw(index, rng)
        except self.troubles as error:
            self.bad[key] = str(error)
            self.progress(f"left out: {error}")
            return None


def known_sides(sources: Sequence[TripletSource], data: Path) -> Sides:
    """From which sides `clip3d data render` drew the pictures of an object, by its key in the sources joined.

    Raises:
        DataError: if a source's pictures are depth maps, or their folder does not say how they were drawn.
    """
    renderings = [_rendering(data / source.pictures) if source.pictures else None for source in sources]

    def sides(key: str) -> Sequence[View]:
        number, own = ("0", key) if len(renderings) == 1 else key.split("/", 1)  # as `Joined.key` makes it
        rendering = renderings[int(number)]
        return color_sides(own, rendering) if rendering else ()

    return sides


def _rendering(folder: Path) -> Rendering:
    settings = read_settings(folder)
    if settings is None:
        reason = "does not say from which sides its pictures show the objects"
        raise DataError(folder, reason, "draw them with clip3d data render, or leave `pictures` out")
    try:
        items = settings["rendering"].items()
        stated: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in items}
        rendering = Rendering(**stated)
    except (TypeError, ValueError) as error:
        raise DataError(folder, f"says how its pictures were drawn wrongly: {error}") from error
    if rendering.kind != "color":
        raise DataError(folder, "holds depth maps; the teacher is shown pictures in colour")
    return rendering
