"""What is kept of a frame of a driving log: its views, each with what the lidar and what a camera saw of it.

A view is one camera's, all cameras' together, one quarter of the sweep, or the sweep alone, without any camera.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import clip3d
from clip3d.data.driving_truth import frame_terms
from clip3d.errors import Clip3dError, FileProblem, FrameError, ImageError, ShapeError
from clip3d.lidar.boxes import counts_of, owners, to_sweep
from clip3d.lidar.frame import Frame, Log
from clip3d.lidar.frustum import Frustum
from clip3d.lidar.sweep import Sweep
from clip3d.lidar.views import View, views
from clip3d.lidar.wedge import wedge
from clip3d.models.fingerprint import Fingerprint, stamp_of
from clip3d.models.model import Model
from clip3d.search.conditions.columns import check_name
from clip3d.search.keeping.known import Known
from clip3d.search.keeping.thumbnails import shrink_picture
from clip3d.search.stores.frame_vectors import VIEW_KINDS, ViewKind
from clip3d.search.stores.store import Trace, Value
from clip3d.search.sweep_sources import QUARTERS, camera_facts

Array = NDArray[np.float32]
# What every view has besides what its log and frame say of themselves.
FACTS = ("log", "frame", "time", "camera", "view", "pictures", "points")
LONGEST_TEXT = 1000
MOST_FILES = 100  # of a recording that is a folder
DIGITS = 32


@dataclass(frozen=True)
class Place:
    """Where a view is seen.

    Attributes:
        frame: key of the frame in its log.
        kind: of the view.
        name: of the camera or quarter; empty for views of several.
    """

    frame: str
    kind: ViewKind
    name: str = ""

    @property
    def part(self) -> str:
        """Names it among all views of its log, such as `000012#front`, `000012@sweep` or `000012@ahead`."""
        return f"{self.frame}#{self.name}" if self.kind == "camera" else f"{self.frame}@{self.name or self.kind}"


@dataclass(frozen=True, eq=False)
class SeenView:
    """One camera's view, or a quarter of the sweep, read and prepared.

    Attributes:
        place: of the view.
        sweep: points (p, 4) float32 for the sweep tower; None for a model without one.
        pixels: (3, s, s) float32 for the image tower; None without one or without a picture.
        content: digests of both.
        metadata: of the view.
        thumbnail: a small picture as JPEG.
    """

    place: Place
    sweep: Array | None
    pixels: Array | None
    content: tuple[str, str]
    metadata: Mapping[str, Value]
    thumbnail: bytes | None


@dataclass(frozen=True, eq=False)
class ReadFrame:
    """A frame that was read.

    Attributes:
        views: the cameras' and the quarters'.
        wholes: views of several of these.
        trace: of the frame; each view's has its own part and content.
        settled: False if a file may have changed while it was read, or a picture could not be read.
        problems: pictures that could not be read.
    """

    views: tuple[SeenView, ...]
    wholes: Mapping[Place, tuple[Place, ...]]
    trace: Trace
    settled: bool
    problems: list[FileProblem] = field(default_factory=list)

    def trace_of(self, place: Place, contents: Iterable[tuple[str, str]]) -> Trace:
        """The trace of a view of what has these contents; without, where it is to be read again the next time."""
        told = hashlib.sha256(json.dumps(list(contents)).encode()).hexdigest() if self.settled else ""
        return replace(self.trace, part=place.part, content=told)


class FrameReader:
    """Reads frames into the views that a collection keeps.

    Attributes:
        model: whose towers are read for: sweep, image or both.
        kinds: of views that are wanted; a frame without cameras has its quarters and sweep in any case.
        thumbnails: make small pictures.
    """

    def __init__(self, model: Model, kinds: Sequence[ViewKind] = VIEW_KINDS, *, thumbnails: bool = True) -> None:
        self.kinds = tuple(kinds)
        self.thumbnails = thumbnails
        self.towers = {name: model.tower_card(name).id for name in ("sweep", "image") if name in model.card.towers}
        self._points = model.sweep_preparation() if "sweep" in self.towers else None
        self._pixels = model.image_preparation() if "image" in self.towers else None

    def places(self, frame: Frame) -> dict[Place, tuple[Place, ...]]:
        """The views that are kept of a frame; for those of several, which these are."""
        return self._places(frame, self.kinds)

    def all_places(self, frame: Frame) -> dict[Place, tuple[Place, ...]]:
        """Those that a run that wants every kind keeps."""
        return self._places(frame, VIEW_KINDS)

    def _places(self, frame: Frame, kinds: Sequence[ViewKind]) -> dict[Place, tuple[Place, ...]]:
        cameras = tuple(Place(frame.key, "camera", name) for name in frame.pictures)
        quarters = tuple(Place(frame.key, "quarter", name) for name in QUARTERS) if self._points else ()
        found: dict[Place, tuple[Place, ...]] = {}
        if "camera" in kinds:
            found |= dict.fromkeys(cameras, ())
        if "cameras" in kinds and cameras:
            found[Place(frame.key, "cameras")] = cameras
        if ("quarter" in kinds or not cameras) and quarters:
            found |= dict.fromkeys(quarters, ())
        if ("sweep" in kinds or not cameras) and quarters:
            found[Place(frame.key, "sweep")] = quarters
        return found

    def reading(self, frame: Frame) -> str:
        """Digest of what decides a frame's vectors and metadata besides the bytes of sweep and pictures.

        Raises:
            ShapeError: if a camera's lens leaves nothing of its picture.
        """
        boxes = [(box.label, box.center.tolist(), box.size, box.yaw) for box in frame.boxes or ()]
        cameras = {name: camera_facts(frame, name) for name in frame.pictures}
        said = [self.towers, clip3d.__version__, sorted(self.kinds), cameras, frame.timestamp, boxes]
        text = json.dumps([*said, frame.boxes is None, plain_metadata(frame)], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]

    def read(self, log: Log, frame: Frame) -> ReadFrame | FileProblem:
        """Read a frame, on any thread; a picture that cannot be read is missing from its view, and told."""
        place, started = f"{log.path}#{frame.key}", time.time_ns()
        if not frame.pictures and frame.problems:
            return FrameError(place, "; ".join(frame.problems), "none of its cameras can be used")
        try:
            wanted = self.places(frame)
            if not wanted:
                return FrameError(place, "it has no picture, and the model no sweep tower", "attach a sweep tower")
            sources = sources_of(log, frame)
            stamps = tuple(stamp_of(path) for path in sources)
            problems: list[FileProblem] = []
            needed = set(wanted) | {part for parts in wanted.values() for part in parts}
            seen = tuple(self._views(log, frame, needed, problems))
            reading = self.reading(frame)
        except FileProblem as problem:
            return problem
        except Clip3dError as error:
            return FrameError(place, str(error))
        except MemoryError:
            return FrameError(place, "reading it needs more memory than there is", "split it")
        # what may have changed while it was read is read again the next time
        known = Fingerprint("", sources, stamps, time.time_ns())
        settled = bool(sources) and not known.written_since(started) and not problems
        whole = {one: parts for one, parts in wanted.items() if parts}
        kept = tuple(view for view in seen if view.sweep is not None or view.pixels is not None)
        trace = Trace(str(log.path), frame.key, "", reading, sources, stamps, started)
        return ReadFrame(kept, whole, trace, settled, problems)

    def _views(self, log: Log, frame: Frame, wanted: set[Place], problems: list[FileProblem]) -> Iterator[SeenView]:
        sweep = frame.sweep if self._points else None
        seen = Sweep(np.zeros((0, 3), np.float32), np.zeros(0, np.float32)) if sweep is None else sweep
        digest = "" if sweep is None else _digest(seen.points, seen.intensity)
        facts = {**plain_metadata(frame), "pictures": len(frame.pictures)}
        if log.timed:
            facts["time"] = float(frame.timestamp)
        if any(place.kind in ("camera", "cameras") for place in wanted):
            for view in views(frame, seen):
                place = Place(frame.key, "camera", view.camera.name)
                pixels, thumbnail = self._picture(view, problems)
                yield self._seen(frame, place, view.frustum, digest, pixels, thumbnail, facts)
        for name, heading in QUARTERS.items():
            place = Place(frame.key, "quarter", name)
            if place in wanted:
                yield self._seen(frame, place, wedge(seen, heading), digest, None, None, facts)

    def _seen(
        self,
        frame: Frame,
        place: Place,
        crop: Frustum,
        digest: str,
        pixels: Array | None,
        thumbnail: bytes | None,
        facts: Mapping[str, Value],
    ) -> SeenView:
        prepared = self._points(crop) if self._points else None
        shown = "" if pixels is None else _digest(pixels)
        terms = self._terms(frame, crop) if self._points else {}
        own: dict[str, Value] = {"frame": frame.key, "view": place.kind, "camera": place.name}
        said = {**terms, **facts, **own, **({"points": len(crop)} if self._points else {})}
        region = [place.name, place.kind] if place.kind == "quarter" else [camera_facts(frame, place.name)]
        content = hashlib.sha256(json.dumps([digest, region]).encode()).hexdigest()
        return SeenView(place, prepared, pixels, (content, shown), said, thumbnail)

    def _terms(self, frame: Frame, crop: Frustum) -> dict[str, Value]:
        """What is true of a view, where its frame was labelled."""
        if frame.boxes is None:
            return {}
        counts = counts_of(owners(to_sweep(crop), frame.boxes), frame.boxes)
        return dict(frame_terms(frame.boxes, counts.tolist(), {}))

    def _picture(self, view: View, problems: list[FileProblem]) -> tuple[Array | None, bytes | None]:
        if self._pixels is None and not self.thumbnails:
            return None, None
        try:
            image = view.image
        except FileProblem as problem:
            problems.append(problem)
            return None, None
        except (OSError, ValueError) as error:
            problems.append(ImageError(view.camera.name, f"its picture cannot be used: {error}"))
            return None, None
        pixels = self._pixels(image) if self._pixels else None
        return pixels, shrink_picture(image) if self.thumbnails else None


def frame_of(part: str, keys: Container[str] = ()) -> str:
    """The key of the frame that a view of this part is of: one of some keys, if it is of one of these.

    Names of cameras, such as the topics of a recording, may hold the signs that stand before them.
    """
    ends = [place for place, sign in enumerate(part) if sign in "#@"]
    return next((part[:end] for end in reversed(ends) if part[:end] in keys), part[: ends[-1]] if ends else part)


def by_frame(parts: Mapping[str, Known], keys: Container[str]) -> dict[str, dict[str, Known]]:
    """The records of one log, given by their part, by the key of their frame and their part."""
    found: dict[str, dict[str, Known]] = {}
    for part, one in parts.items():
        found.setdefault(frame_of(part, keys), {})[part] = one
    return found


def sources_of(log: Log, frame: Frame) -> tuple[str, ...]:
    """The files that a frame is made of: its own, or those of the recording; none where nothing names them."""
    own = [frame.path, *(picture.path for picture in frame.pictures.values())]
    files = [str(path) for path in own if path is not None and Path(path).is_file()]
    if not files and log.path.is_dir():
        files = sorted(str(path) for path in log.path.iterdir() if path.is_file())
        files = files if len(files) <= MOST_FILES else []
    return tuple(dict.fromkeys(files or ([str(log.path)] if log.path.is_file() else [])))


def plain_metadata(frame: Frame) -> dict[str, Value]:
    """What a log says of a frame in plain values, under names that columns may have."""
    found: dict[str, Value] = {}
    for name, value in frame.metadata.items():
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, str | bool | int | float) and _can_be_kept(str(name), value):
            found[str(name)] = value
    return found


def facts_of(frame: Frame) -> set[str]:
    """Names of what a log says of a frame's views by itself, which goes before what users say."""
    labelled = () if frame.boxes is None else frame_terms((), (), {})
    return {*FACTS, *plain_metadata(frame), *labelled}


def _can_be_kept(name: str, value: Any) -> bool:
    try:
        check_name(name)
    except ShapeError:
        return False
    if isinstance(value, str):
        return len(value) <= LONGEST_TEXT and "\0" not in value
    return isinstance(value, bool) or (np.isfinite(value) and abs(value) < 2**63)


def _digest(*arrays: NDArray[Any]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
