"""What a pre-training measures on objects that it does not learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from clip3d.data.triplets import Triplets
from clip3d.errors import DataError, FileProblem
from clip3d.models.model import Model
from clip3d.models.preprocess import CloudPreprocess
from clip3d.training.loop import Progress
from clip3d.training.objectives import centre

LIMIT, AT_ONCE = 256, 32


@dataclass(eq=False)
class _Shown:
    """Points and colours (n, p, 3), pixels (n, 3, s, s) or what the teacher makes of them (n, d), labels (n,)."""

    points: Tensor
    colors: Tensor
    pictures: Tensor | None
    labels: Tensor
    names: Tensor


class HeldOut:
    """Held-out objects: called with a `Learner` in eval mode, it measures how well they are named and found.

    At most 256 objects are measured, evenly spread; those whose files are damaged are told and passed over.

    Args:
        triplets: the objects.
        teacher: names their classes, in its card's prompts.
        points: of a cloud, the farthest from each other, not augmented.
        mean: (d,) that is subtracted from unit vectors before they are compared.
        pictured: measure the first picture of each object too.
        progress: called with a line for each object that cannot be read.

    Attributes:
        objects: how many are measured; 0 before the first call.
    """

    def __init__(
        self,
        triplets: Triplets,
        teacher: Model,
        points: int,
        mean: Tensor,
        *,
        pictured: bool,
        progress: Progress,
    ) -> None:
        self.triplets, self.teacher, self.points, self.mean = triplets, teacher, points, mean
        self.pictured, self.objects, self.progress = pictured, 0, progress
        self._shown: _Shown | None = None

    def __call__(self, learner: nn.Module) -> dict[str, float]:
        """Shares: `clouds named` and `pictures named` right among the classes, `clouds found` by their pictures."""
        image: nn.Module | None = learner.image  # type: ignore[assignment]
        if self._shown is None:
            self._shown = self._read(image is not None)
            self.objects = len(self._shown.labels)
        shown = self._shown
        with torch.inference_mode():
            seen = self._vectors(learner.clouds, shown.points, shown.colors)  # type: ignore[arg-type]
            numbers = {"clouds named": _hit(seen @ shown.names.T, shown.labels)}
            if shown.pictures is not None:
                looked = self._vectors(image or nn.Identity(), shown.pictures)
                numbers["pictures named"] = _hit(looked @ shown.names.T, shown.labels)
                own = torch.arange(len(seen), device=seen.device)
                numbers["clouds found"] = _hit(looked @ seen.T, own)
        return numbers

    def _read(self, pixels: bool) -> _Shown:
        prepare = CloudPreprocess(self.points)
        rows: list[tuple[Any, ...]] = []
        for index in np.unique(np.linspace(0, len(self.triplets) - 1, LIMIT).round().astype(np.int64)):
            try:
                points, colors = prepare(self.triplets.cloud(int(index)))
                picture = self.triplets.picture(int(index), 0) if self.pictured else None
            except FileProblem as problem:
                self.progress(f"{problem}; it is not among the held-out objects that are measured")
                continue
            filled = np.resize(np.arange(len(points)), self.points)
            rows.append((points[filled], colors[filled], picture, self.triplets.labels[index]))
        if not rows:
            raise DataError("the held-out data", "no object of it can be read")
        xyz, rgb, drawn, labels = zip(*rows, strict=True)
        vectors = torch.from_numpy(self.teacher.label_vectors(list(self.triplets.classes)))
        device = self.mean.device
        return _Shown(
            points=torch.from_numpy(np.stack(xyz)),
            colors=torch.from_numpy(np.stack(rgb)),
            pictures=self._pictures(drawn, pixels) if self.pictured else None,
            labels=torch.tensor(labels, device=device),
            names=centre(vectors.to(device), self.mean),
        )

    def _pictures(self, drawn: Sequence[Any], pixels: bool) -> Tensor:
        if pixels:
            return torch.from_numpy(np.stack([self.teacher.prepare_image(picture) for picture in drawn]))
        return torch.from_numpy(self.teacher.encode_images(drawn))

    def _vectors(self, tower: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """Centred unit vectors (n, d) of what a tower makes of its inputs."""
        parts = [tower(*(column.to(self.mean.device) for column in part)).float() for part in _in_parts(inputs)]
        return centre(torch.cat(parts), self.mean)


def _in_parts(inputs: tuple[Tensor, ...]) -> Iterator[tuple[Tensor, ...]]:
    yield from zip(*(column.split(AT_ONCE) for column in inputs), strict=True)  # type: ignore[no-untyped-call]


def _hit(scores: Tensor, truth: Tensor) -> float:
    """Share of rows whose highest score is in the right column."""
    return float((scores.argmax(1) == truth).float().mean())
