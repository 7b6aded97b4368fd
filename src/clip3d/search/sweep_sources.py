"""Which of the named paths are driving logs and sweeps, and which views a frame has."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from clip3d.clouds.formats.sweep_bin import is_sweep
from clip3d.errors import FileProblem, FrameError
from clip3d.lidar.distortion import undistorted_camera
from clip3d.lidar.frame import Frame, Log
from clip3d.lidar.frustum import Frustum
from clip3d.lidar.reading import find_layouts, layout_of, read_log, read_sweep
from clip3d.lidar.sweep import Sweep
from clip3d.lidar.sweep_files import SUFFIXES, is_written_sweep
from clip3d.lidar.views import views
from clip3d.lidar.wedge import wedge

ALONE = "sweep"  # the layout of a sweep's file by itself
# Of a sweep without a camera four quarters are seen, each from the sensor along its middle.
QUARTERS = {"ahead": 0.0, "left": np.pi / 2, "behind": np.pi, "right": -np.pi / 2}


@dataclass(frozen=True)
class Sources:
    """What paths stand for.

    Attributes:
        logs: driving logs, read frame by frame when asked for.
        others: paths that hold no sweep.
        problems: what could not be opened, and what the logs say is wrong with them.
    """

    logs: list[Log] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """Frames of all logs."""
        return sum(len(log) for log in self.logs)


def find_sweeps(paths: Iterable[Path], *, every: bool = False) -> Sources:
    """Tell logs and sweeps among paths from other things.

    A folder stands for the logs at or below it, if there are any, and for other things otherwise; a file for a
    sweep if it is named and filled as one, and for a log if it is a recording of one. One of clouds/ is a log
    only with calibration.toml or poses.csv beside it, unless every path is to be one.

    Args:
        paths: on this machine.
        every: take every file of a form that sweeps come in for a sweep, and every other path for a log.
    """
    found = Sources()
    seen: set[Path] = set()
    for path in paths:
        try:
            places = _places_of(path, every)
        except (FileProblem, OSError) as error:
            found.problems.append(error if isinstance(error, FileProblem) else FrameError(path, str(error)))
            continue
        for place, layout in places:
            if place in seen:  # named by itself beside a folder that holds it
                continue
            seen.add(place)
            alone = place.is_file() and place.suffix.lower() in SUFFIXES
            try:
                log = _alone(place) if alone else read_log(place, layout)
            except FileProblem as problem:
                found.problems.append(problem)
                continue
            found.logs.append(log)
            found.problems.extend(FrameError(log.path, problem) for problem in log.problems)
        if not places:
            found.others.append(path)
    return found


def _places_of(path: Path, every: bool) -> list[tuple[Path, str | None]]:
    """The logs and sweeps that a path stands for, with the layouts of those whose layout is known."""
    given: list[tuple[Path, str | None]] = [(path, None)]
    if path.is_dir():
        found: list[tuple[Path, str | None]] = []
        found += [(log, layout) for log, layout in find_layouts(path) if every or _is_told(log, layout)]
        return found or (given if every else [])
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return given if every or is_sweep(path) or is_written_sweep(path) else []
    return given if every or (path.is_file() and layout_of(path) is not None) else []


def _is_told(log: Path, layout: str) -> bool:
    """Whether more than a folder named clouds/, in which there may be anything, says that this is a log."""
    return layout != "plain" or any((log / name).is_file() for name in ("calibration.toml", "poses.csv"))


def logs_at(path: Path) -> Iterator[Path]:
    """Folders that are logs: the path itself, or else those right in it."""
    try:
        for folder in (path, *sorted(path.iterdir())) if path.is_dir() else ():
            layout = layout_of(folder) if folder.is_dir() else None
            if layout is not None and _is_told(folder, layout):
                yield folder
                if folder == path:
                    return
    except OSError:
        return


def open_log(path: str | Path, source: str) -> Log:
    """Open again what `find_sweeps` found, given its `Log.path` and `Log.source`.

    Raises:
        FrameError: if it is not there, or cannot be read.
    """
    path = Path(path)
    if source != ALONE:
        return read_log(path, source)
    if not path.is_file():
        raise FrameError(path, "there is no such file", "check the spelling of the path")
    return _alone(path)


def _alone(path: Path) -> Log:
    """A sweep's file as a log of one frame without cameras."""
    frame = Frame(path.stem, 0.0, partial(read_sweep, path), path=path)
    return Log(path.name, path, ALONE, (frame,), timed=False)


@dataclass(frozen=True)
class FrameViews:
    """A frame and the views of it that are embedded: one for each camera, or the quarters if it has none.

    Attributes:
        frame: whose sweep is seen.
        place: the sweep's file, or its log and key after #.
        names: of the views: the place, and after # the camera or quarter.
        options: for each view what decides its points besides the sweep.
        file: the sweep's own file, whose content tells the sweep's; None where a file holds many.
    """

    frame: Frame
    place: str
    names: tuple[str, ...]
    options: tuple[dict[str, object], ...]
    file: Path | None

    def frusta(self, sweep: Sweep) -> Iterator[Frustum]:
        """What each view sees of the frame's sweep, in their order."""
        if self.frame.pictures:
            yield from (view.frustum for view in views(self.frame, sweep))
        else:
            yield from (wedge(sweep, heading) for heading in QUARTERS.values())


def frame_views(log: Log, frame: Frame) -> FrameViews:
    """The views of a frame.

    Raises:
        FrameError: if it has no camera that can be used, and should have.
        ShapeError: if a camera's distortion leaves nothing of its picture.
    """
    own = frame.path if frame.path is not None and frame.path.suffix.lower() in SUFFIXES else None
    place = str(own) if own is not None else f"{log.path}#{frame.key}"
    if not frame.pictures and frame.problems:
        raise FrameError(place, "; ".join(frame.problems), "none of its cameras can be used")
    named: Sequence[str] = tuple(frame.pictures) or tuple(QUARTERS)
    told = [camera_facts(frame, name) for name in frame.pictures] or [{"quarter": name} for name in QUARTERS]
    return FrameViews(frame, place, tuple(f"{place}#{name}" for name in named), tuple(told), own)


def camera_facts(frame: Frame, name: str) -> dict[str, object]:
    """What decides the points of a camera's view besides the sweep, as plain values."""
    camera = undistorted_camera(frame.pictures[name].camera)
    numbers = [camera.intrinsics.tobytes(), camera.camera_from_lidar.tobytes()]
    digest = hashlib.sha256(b"".join([*numbers, np.array([camera.width, camera.height]).tobytes()]))
    return {"camera": digest.hexdigest(), "crop": "square"}
