"""Where in a frame the answer lies: boxes in its sweep, and rectangles in its pictures.

The log of a hit is read again, its views are encoded cell by cell, and cells that answer above the rest are boxed.
It takes a moment a hit, so that it is done for hits that are shown alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clip3d.errors import Clip3dError, FileProblem, FrameError
from clip3d.lidar.boxes import moved
from clip3d.lidar.cell_features import CellFeatures, SweepFeatures
from clip3d.lidar.frame import Box, Frame, Log
from clip3d.lidar.frustum import Frustum
from clip3d.lidar.views import View, views
from clip3d.lidar.wedge import wedge
from clip3d.models.model import Model
from clip3d.models.picture_cells import How, picture_cells
from clip3d.search.questions.answers import Answers, Hit
from clip3d.search.questions.regions import MOST, regions_of, steadied
from clip3d.search.sweep_sources import QUARTERS, find_sweeps

if TYPE_CHECKING:
    from PIL.Image import Image

Array = NDArray[np.float32]

LEAST_SIDE = 0.3  # metres of a box that is drawn about points
TRIMMED = 2.0  # percent of the points of a region that its box leaves above and below, against strays


@dataclass(frozen=True, eq=False)
class SweepSpot:
    """Cells of a sweep that answer.

    Attributes:
        box: around their points, in the sweep's frame.
        score: mean centred cosine of the cells with what was asked of the lidar.
    """

    box: Box
    score: float

    def record(self) -> dict[str, Any]:
        """Ready for JSON: metres, radians, and degrees to the left of ahead."""
        x, y, _ = (float(value) for value in self.box.center)
        return {
            "center": [round(float(value), 3) for value in self.box.center],
            "size": [round(side, 3) for side in self.box.size],
            "yaw": round(self.box.yaw, 4),
            "score": round(self.score, 6),
            "distance": round(float(np.hypot(x, y)), 2),
            "bearing": round(float(np.degrees(np.arctan2(y, x))), 1),
        }


@dataclass(frozen=True)
class PictureSpot:
    """A part of a picture that answers.

    Attributes:
        camera: whose picture it is.
        rectangle: left, top, right, bottom in pixels of the undistorted picture.
        score: mean centred cosine of its cells with what was asked of the camera.
        how: what the cells are: see `PictureCells`.
    """

    camera: str
    rectangle: tuple[float, float, float, float]
    score: float
    how: How

    def record(self) -> dict[str, Any]:
        """Ready for JSON."""
        edges = [round(edge, 1) for edge in self.rectangle]
        return {"camera": self.camera, "rectangle": edges, "score": round(self.score, 6), "by": self.how}


@dataclass(frozen=True, eq=False)
class Located:
    """Where a hit answers, and what is needed to draw it.

    Attributes:
        sweep: boxes, the one with the best cell first; none where nothing is asked of the lidar.
        picture: rectangles, likewise.
        points: (n, 3) of the frame's sweep.
        seen: which of them the views of the hit see.
        crop: the picture of the best rectangle, or of the first camera; None without one.
        region: of the undistorted picture that the crop shows: left, top, right, bottom.
        camera: whose picture the crop is.
        problems: what could not be looked at.
    """

    sweep: tuple[SweepSpot, ...]
    picture: tuple[PictureSpot, ...]
    points: Array
    seen: NDArray[np.intp]
    crop: Image | None
    region: tuple[float, float, float, float]
    camera: str
    problems: tuple[FileProblem, ...] = ()

    def record(self) -> dict[str, Any]:
        """Ready for JSON."""
        sweep = [spot.record() for spot in self.sweep]
        return {"sweep": sweep, "picture": [spot.record() for spot in self.picture]}


def locate(
    answers: Answers, model: Model, hits: Iterable[Hit] | None = None
) -> tuple[dict[int, Located], list[FileProblem]]:
    """Where hits that are views of frames answer, by id, and what could not be read.

    Args:
        answers: of a collection.
        model: that answered.
        hits: some of them; by default all.
    """
    found: dict[int, Located] = {}
    problems: list[FileProblem] = []
    logs: dict[str, Log | FileProblem] = {}
    for hit in answers if hits is None else hits:
        if hit.record.kind != "frame":
            continue
        log = logs.setdefault(hit.path, _log_at(hit.path)) if hit.path not in logs else logs[hit.path]
        if isinstance(log, FileProblem):
            problems += [log] if log not in problems else []
            continue
        try:
            found[hit.id] = _locate(hit, _frame_of(hit, log), answers.directions, model)
            problems += found[hit.id].problems
        except FileProblem as problem:
            problems.append(problem)
        except Clip3dError as error:
            problems.append(FrameError(hit.path, f"{hit.part}: {error}"))
    return found, problems


def _log_at(path: str) -> Log | FileProblem:
    if not Path(path).exists():
        remedy = "index it where it is now; indexing this place again with --prune removes what it left"
        return FrameError(path, "it is no longer there", remedy)
    sources = find_sweeps([Path(path)], every=True)
    if sources.logs:
        return sources.logs[0]
    return sources.problems[0] if sources.problems else FrameError(path, "it is no driving log")


def _frame_of(hit: Hit, log: Log) -> Frame:
    key = str(hit.record.metadata.get("frame", ""))
    if key not in log.keys:
        raise FrameError(hit.path, f"it has no frame {key!r} any more", "index it again")
    return log[list(log.keys).index(key)]


@dataclass(frozen=True, eq=False)
class _Look:
    """One of the views of a hit: a camera's, or a quarter."""

    crop: Frustum
    view: View | None = None


def _looks(hit: Hit, frame: Frame) -> tuple[list[_Look], Array]:
    """The views that a hit is of, and the points (n, 3) of its sweep."""
    sweep, kind, name = frame.sweep, hit.record.metadata.get("view"), hit.record.metadata.get("camera")
    if kind in ("camera", "cameras"):
        chosen = [str(name)] if kind == "camera" else None
        return [_Look(view.frustum, view) for view in views(frame, sweep, cameras=chosen)], sweep.points
    headings = [QUARTERS[str(name)]] if name in QUARTERS else list(QUARTERS.values())
    return [_Look(wedge(sweep, heading)) for heading in headings], sweep.points


def _locate(hit: Hit, frame: Frame, directions: Mapping[str, Array], model: Model) -> Located:
    looks, points = _looks(hit, frame)
    if not looks:
        raise FrameError(hit.path, f"{hit.part}: the camera is no longer there", "index it again")
    lidar, camera = _asked(directions, "lidar"), _asked(directions, "camera", "image")
    spots: list[SweepSpot] = []
    if lidar is not None and "sweep" in model.card.towers and hasattr(model.tower("sweep"), "dense"):
        spots = _sweep_spots(model, [look.crop for look in looks], lidar)
    problems: list[FileProblem] = []
    images = [(look.view, _image_of(look.view, problems)) for look in looks if look.view is not None]
    pictures = [(view, image) for view, image in images if image is not None]
    marks: list[tuple[PictureSpot, int]] = []
    if camera is not None and "image" in model.card.towers:
        marks = _picture_spots(model, pictures, camera)
    view, image = pictures[marks[0][1] if marks else 0] if pictures else (None, None)
    seen = [look.crop.index for look in looks if look.crop.index is not None]
    return Located(
        sweep=tuple(spots),
        picture=tuple(spot for spot, _ in marks),
        points=points,
        seen=np.unique(np.concatenate(seen)) if seen else np.zeros(0, np.intp),
        crop=image,
        region=(0.0, 0.0, 0.0, 0.0) if view is None else view.region,
        camera="" if view is None else view.camera.name,
        problems=tuple(problems),
    )


def _asked(directions: Mapping[str, Array], *sensors: str) -> Array | None:
    """The direction that vectors of a sensor were compared with, or that of both together."""
    for name, direction in directions.items():
        if name.rpartition("-")[2] in sensors:
            return direction
    return next((d for name, d in directions.items() if name.rpartition("-")[2] == "joint"), None)


def _image_of(view: View, problems: list[FileProblem]) -> Image | None:
    try:
        return view.image
    except FileProblem as problem:
        problems.append(problem)
        return None


# In the sweep


def _sweep_spots(model: Model, crops: Sequence[Frustum], direction: Array) -> list[SweepSpot]:
    found = model.encode_sweeps(crops, dense=True)
    assert isinstance(found, SweepFeatures)
    spots: list[tuple[float, SweepSpot]] = []
    for crop, cells in zip(crops, found.cells, strict=True):
        if not len(cells.cells):
            continue
        each = model.space.scores(direction, cells.features)
        scores = np.full(cells.grid.cells, np.nan, np.float32)
        scores[cells.cells] = each
        steady = steadied(scores.reshape(cells.grid.rows, cells.grid.columns))
        for region in regions_of(steady):
            numbers = region.rows * cells.grid.columns + region.columns
            box = _box_about(cells, numbers, crop)
            if box is not None:
                best = float(steady[region.rows, region.columns].max())
                spots.append((best, SweepSpot(box, float(scores[numbers].mean()))))
    return [spot for _, spot in sorted(spots, key=lambda one: -one[0])[:MOST]]


def _box_about(cells: CellFeatures, numbers: NDArray[np.intp], crop: Frustum) -> Box | None:
    """The box around the points in some cells, in the sweep's frame; None without points."""
    of = cells.grid.cell_of(crop.points[:, :3])
    inside = crop.points[np.isin(of, numbers), :3].astype(np.float64)
    if not len(inside):
        return None
    low, high = np.percentile(inside, [TRIMMED, 100 - TRIMMED], axis=0)
    length, width, height = (float(side) for side in np.maximum(high - low, LEAST_SIDE))
    here = Box("", (low + high) / 2, (length, width, height), 0.0)
    return moved(here, np.asarray(np.linalg.inv(crop.frustum_from_lidar), np.float64))


# In the picture


def _picture_spots(
    model: Model, pictures: Sequence[tuple[View, Image]], direction: Array
) -> list[tuple[PictureSpot, int]]:
    """Rectangles of several cameras' pictures, best cell first, each with the number of its picture."""
    found: list[tuple[float, PictureSpot, int]] = []
    for number, ((view, _), seen) in enumerate(
        zip(pictures, picture_cells(model, [image for _, image in pictures]), strict=True)
    ):
        rows, columns, dim = seen.features.shape
        scores = model.space.scores(direction, seen.features.reshape(-1, dim)).reshape(rows, columns)
        left, top, right, bottom = view.region
        across, down = (right - left) / columns, (bottom - top) / rows
        for region in regions_of(scores):
            rectangle = (
                left + float(region.columns.min()) * across,
                top + float(region.rows.min()) * down,
                left + float(region.columns.max() + 1) * across,
                top + float(region.rows.max() + 1) * down,
            )
            spot = PictureSpot(view.camera.name, rectangle, region.score, seen.how)
            found.append((float(scores[region.rows, region.columns].max()), spot, number))
    return [(spot, number) for _, spot, number in sorted(found, key=lambda one: -one[0])[:MOST]]
