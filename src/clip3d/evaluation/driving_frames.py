"""What a model says of frames of driving logs: vectors of frusta, of pictures, and of labelled objects.

One pass over the logs serves every protocol of driving.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clip3d.data.driving_logs import read_logs
from clip3d.data.driving_truth import CLASSES, class_of, frame_terms
from clip3d.errors import DataError, FileProblem, FrameError, ShapeError
from clip3d.lidar.box_pooling import pool_box
from clip3d.lidar.boxes import corners, counts_of, moved, owners, to_sweep
from clip3d.lidar.cell_features import CellFeatures, SweepFeatures
from clip3d.lidar.frame import Box, Frame, Log
from clip3d.lidar.frustum import square_about
from clip3d.lidar.views import Tiling, View, views
from clip3d.models.batching import in_batches
from clip3d.models.model import Model

if TYPE_CHECKING:
    from PIL.Image import Image

Array = NDArray[np.float32]
Progress = Callable[[str], None]

WITHIN = 40.0  # metres from the camera, along the ground, within which objects count; LidarCLIP's
CONTEXT = 1.3  # a crop is so many times as wide as the object
LEAST_PIXELS = 16
AT_ONCE = 16
PICTURE = 160  # pixels of a side, of pictures that are kept


@dataclass(frozen=True)
class Looking:
    """How frames are looked at.

    Attributes:
        every: objects are taken from one frame in so many.
        apart: seconds between the frames of one log whose scenes count, so that near copies do not.
        tiling: which parts of pictures: "square", "tiles" or "whole".
        least: points that a box must hold.
        within: metres from the camera within which objects count.
        cameras: their names; all if empty.
        crops: encode the picture of each object too.
        pictures: keep a small picture of each object.
        scenes: encode whole frusta and pictures.
        objects: pool the cells of objects.
        frames: largest number of frames of a log.

    Raises:
        ShapeError: if a number is out of range.
    """

    every: int = 1
    apart: float = 2.0
    tiling: Tiling = "square"
    least: int = 5
    within: float = WITHIN
    cameras: tuple[str, ...] = ()
    crops: bool = False
    pictures: bool = False
    scenes: bool = True
    objects: bool = True
    frames: int | None = None

    def __post_init__(self) -> None:
        if self.every < 1 or self.least < 1 or self.apart < 0 or self.within <= 0:
            raise ShapeError("every and least must be at least 1, apart not negative, within above 0")


@dataclass(frozen=True, eq=False)
class SeenObject:
    """A labelled object in one frustum.

    Attributes:
        log, frame, camera, tile: where it is seen.
        label: as the data set names it.
        kind: one of the classes.
        size: length, width, height in metres.
        distance: metres from the camera, along the ground.
        points: of the frustum in its box.
        pooled: vector (d,) of its cells, each weighted by its points in the box.
        under: vector (d,) of the mean of the cells under the box.
        found: how these came about, as `PooledBox.how`; "none" where the box has no cells.
        crop: raw vector (d,) of its picture, or None.
        rectangle: left, top, right, bottom in the undistorted picture of what was cropped.
        box: its place among the frame's boxes.
        aside: pixels from the frustum's middle to its own.
        picture: a small JPEG of the same crop, if it was to be kept and could be read.
    """

    log: str
    frame: str
    camera: str
    tile: int
    label: str
    kind: str
    size: tuple[float, float, float]
    distance: float
    points: int
    pooled: Array
    under: Array
    found: tuple[str, str]
    crop: Array | None
    rectangle: tuple[float, float, float, float]
    box: int = 0
    aside: float = 0.0
    picture: bytes | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """A frustum and its picture.

    Attributes:
        log, frame, camera, tile: where it is seen.
        time: seconds in its log's clock.
        sweep: raw vector (d,) of the frustum.
        picture: raw vector (d,) of the picture, or None where it cannot be read or the model has no image tower.
        terms: which are true of it.
    """

    log: str
    frame: str
    camera: str
    tile: int
    time: float
    sweep: Array
    picture: Array | None
    terms: dict[str, bool]


@dataclass(eq=False)
class Seen:
    """All that was looked at.

    Attributes:
        objects: that count.
        scenes: apart in time.
        frames: how many were read.
        logs: how many.
        left_out: labelled objects that did not count, by reason.
        problems: of files that could not be read.
        digest: SHA-256 over the frames that were read: points, labels, what is told of them, cameras, and the
            files of their pictures.
    """

    objects: list[SeenObject] = field(default_factory=list)
    scenes: list[Scene] = field(default_factory=list)
    frames: int = 0
    logs: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    problems: list[FileProblem] = field(default_factory=list)
    digest: str = ""


@dataclass(frozen=True, eq=False)
class _Shown:
    log: str
    frame: Frame
    view: View
    counts: NDArray[np.intp]  # of the frame's boxes, points of the frustum in each
    scene: bool
    objects: bool

    @cached_property
    def image(self) -> Image:
        """Of the view, read once; ImageError if it cannot be read."""
        return self.view.image


def look(model: Model, paths: Sequence[Path], how: Looking, progress: Progress = lambda line: None) -> Seen:
    """Encode the frames of all logs at or below some paths.

    Args:
        model: with a sweep tower; with an image tower for pictures.
        paths: folders of logs.
        how: what is looked at.
        progress: called with a line now and then.

    Raises:
        DataError: if there is no log, or no frame can be read.
        ModelError: if the model has no sweep tower.
    """
    model.tower_card("sweep")
    seen, digest = Seen(), hashlib.sha256()
    for log in (log for path in paths for log in read_logs(path, seen.problems.append)):
        seen.logs += 1
        before = len(seen.objects)
        for batch in in_batches(_shown(log, how, seen, digest), AT_ONCE):
            _encode(model, batch, how, seen)
        seen.objects[before:] = once_each(seen.objects[before:])
        progress(f"{log.name}: {seen.frames} frames, {len(seen.objects)} objects, {len(seen.scenes)} scenes")
    if not seen.frames:
        first = f", the first problem: {seen.problems[0].reason}" if seen.problems else ""
        wanted = "read" if how.scenes else "read that has labelled objects"
        raise DataError(paths[0], f"no frame could be {wanted}{first}")
    seen.digest = digest.hexdigest()
    return seen


def _shown(log: Log, how: Looking, seen: Seen, digest: Any) -> Iterator[_Shown]:
    """The frusta of a log that something is asked of."""
    last = -np.inf
    for number in range(len(log.frames))[: how.frames]:
        frame = log.frames[number]
        scene = how.scenes and frame.timestamp - last >= how.apart
        objects = how.objects and number % how.every == 0 and frame.boxes is not None
        if not (scene or objects):
            continue
        try:
            sweep = frame.sweep
        except FileProblem as problem:
            seen.problems.append(problem)
            continue
        last = frame.timestamp if scene else last
        seen.frames += 1
        digest.update(f"{log.name}/{frame.key}".encode() + sweep.points.tobytes() + sweep.intensity.tobytes())
        digest.update(_labels(frame).encode())
        for picture in _pictures(frame, how):
            digest.update(picture)
        boxes = frame.boxes or ()
        try:
            for view in views(frame, sweep, tiling=how.tiling, cameras=how.cameras or None):
                counts = counts_of(owners(to_sweep(view.frustum), boxes), boxes)
                yield _Shown(log.name, frame, view, counts, scene, objects)
        except ShapeError as error:  # a lens that leaves nothing of the picture, or labels without end
            seen.problems.append(FrameError(log.path, f"{frame.key}: {error}"))


def _labels(frame: Frame) -> str:
    """What a frame's labels and its log say that scores depend on."""
    boxes = frame.boxes
    told = None if boxes is None else [(box.label, box.center.tolist(), box.size, box.yaw) for box in boxes]
    return repr([told, {key: frame.metadata.get(key) for key in ("period", "weather")}])


def _pictures(frame: Frame, how: Looking) -> Iterator[bytes]:
    """Of each camera that counts how it looks, and its picture's file where it has one."""
    for name, picture in frame.pictures.items():
        if how.cameras and name not in how.cameras:
            continue
        camera = picture.camera
        lens = [camera.intrinsics.tolist(), camera.camera_from_lidar.tolist(), camera.distortion]
        yield repr([name, camera.width, camera.height, *lens]).encode()
        try:
            yield b"" if picture.path is None else picture.path.read_bytes()
        except OSError:
            yield b"missing"


def _encode(model: Model, batch: list[_Shown], how: Looking, seen: Seen) -> None:
    found = model.encode_sweeps([one.view.frustum for one in batch], normalize=False, dense=True)
    assert isinstance(found, SweepFeatures)
    for one, vector, cells in zip(batch, found.vectors, found.cells, strict=True):
        if one.objects:
            _add_objects(model, one, cells, how, seen)
        if one.scene:
            _add_scene(model, one, vector, seen)


def _add_scene(model: Model, one: _Shown, vector: Array, seen: Seen) -> None:
    frame, view = one.frame, one.view
    terms = frame_terms(frame.boxes, one.counts.tolist(), frame.metadata)
    picture = None
    if "image" in model.card.towers:
        try:
            picture = model.encode_images([one.image], normalize=False)[0]
        except FileProblem as problem:
            seen.problems.append(problem)
    seen.scenes.append(
        Scene(one.log, frame.key, view.camera.name, view.tile, frame.timestamp, vector, picture, terms)
    )


def _add_objects(model: Model, one: _Shown, cells: CellFeatures, how: Looking, seen: Seen) -> None:
    whole, cuts = None, how.crops or how.pictures
    found: list[SeenObject] = []
    parts: list[Image] = []  # of the picture, one an object; none where it is not asked for, or cannot be read
    for place, (box, points) in enumerate(zip(one.frame.boxes or (), one.counts.tolist(), strict=True)):
        kind = class_of(box.label)
        if kind is None:
            continue
        placed = moved(box, one.view.frustum.frustum_from_lidar)
        distance = float(np.hypot(*placed.center[:2]))
        if reason := _left_out(one.view, box, distance, points, how):
            seen.left_out[reason] = seen.left_out.get(reason, 0) + 1
            continue
        weighted = pool_box(cells, placed, one.view.frustum.points)
        under = pool_box(cells, placed)
        rectangle = _rectangle(one.view, box)
        if cuts and whole is None:
            try:
                whole = one.image
            except FileProblem as problem:
                seen.problems.append(problem)
                cuts = False
        if whole is not None:
            parts.append(_cut(whole, rectangle, one.view.region))
        found.append(
            SeenObject(
                log=one.log,
                frame=one.frame.key,
                camera=one.view.camera.name,
                tile=one.view.tile,
                label=box.label,
                kind=kind,
                size=box.size,
                distance=distance,
                points=points,
                pooled=weighted.vector,
                under=under.vector,
                found=(weighted.how, under.how),
                crop=None,
                rectangle=rectangle,
                box=place,
                aside=abs(sum(rectangle[::2]) - sum(one.view.region[::2])) / 2,
                picture=_small(parts[-1]) if parts and how.pictures else None,
            )
        )
    if parts and how.crops:
        crops = model.encode_images(parts, normalize=False)
        found = [replace(one_seen, crop=crop) for one_seen, crop in zip(found, crops, strict=True)]
    seen.objects += found


def once_each(objects: Sequence[SeenObject]) -> list[SeenObject]:
    """Of each object in one camera's tiles, which overlap, that which is nearest to its tile's middle."""
    best: dict[tuple[str, str, str, int], SeenObject] = {}
    for one in objects:
        key = (one.log, one.frame, one.camera, one.box)
        if key not in best or one.aside < best[key].aside:
            best[key] = one
    return list(best.values())


def _left_out(view: View, box: Box, distance: float, points: int, how: Looking) -> str:
    """Why an object does not count; nothing if it does."""
    camera = view.camera
    at = camera.to_camera(box.center[None])
    u, v = camera.project(at)[0]
    left, top, right, bottom = view.region
    if not (at[0, 2] > 0 and left <= u < right and top <= v < bottom):
        return "middle outside of the picture"
    if distance > how.within:
        return f"beyond {how.within:g} m"
    return f"fewer than {how.least} points" if points < how.least else ""


def _rectangle(view: View, box: Box) -> tuple[float, float, float, float]:
    """A square about a box's projection, with some context, within the view's region."""
    camera = view.camera
    at = camera.to_camera(corners(box))
    at[:, 2] = at[:, 2].clip(0.3)
    pixels = camera.project(at)
    low, high = np.maximum(pixels.min(0), view.region[:2]), np.minimum(pixels.max(0), view.region[2:])
    u, v = (low + high) / 2
    return square_about(u, v, CONTEXT * float((high - low).max()), view.region, LEAST_PIXELS)


def _cut(image: Image, rectangle: Sequence[float], region: Sequence[float]) -> Image:
    """A rectangle of the undistorted picture from the crop that is a region of it, padded to a square."""
    width, height = region[2] - region[0], region[3] - region[1]
    shift_x = region[0] - max(height - width, 0) / 2
    shift_y = region[1] - max(width - height, 0) / 2
    left, top, right, bottom = rectangle
    edges = (left - shift_x, top - shift_y, right - shift_x, bottom - shift_y)
    return image.crop((round(edges[0]), round(edges[1]), round(edges[2]), round(edges[3])))


def _small(image: Image) -> bytes:
    """A JPEG of a picture, no side of it longer than `PICTURE`."""
    small = image.copy()  # a thumbnail is made in place, and the picture itself may still be encoded
    small.thumbnail((PICTURE, PICTURE))
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=85)
    return stream.getvalue()


def classes_of(seen: Seen) -> NDArray[np.intp]:
    """The class (n,) of each object, as a place in `CLASSES`."""
    return np.array([CLASSES.index(one.kind) for one in seen.objects], np.intp)
