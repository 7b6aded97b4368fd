"""The doors for sweeps and logs: a file becomes a Sweep, a folder a Log, and every problem a FrameError."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from clip3d.clouds.formats.recordings import RECORDINGS
from clip3d.errors import FrameError
from clip3d.lidar.frame import Log
from clip3d.lidar.sweep import Sweep
from clip3d.lidar.sweep_files import FORMS, Form, load_sweep

# In the order in which they are tried: what would also look like a later one comes first.
LAYOUTS: dict[str, tuple[str, str]] = {
    "ros": ("clip3d.lidar.sources.ros", "a recording: .bag, .db3, .mcap or the folder that ROS 2 recorded into"),
    "kitti-raw": ("clip3d.lidar.sources.kitti_raw", "a drive's velodyne_points/data/, image_02/data/, oxts/"),
    "kitti-odometry": ("clip3d.lidar.sources.kitti_odometry", "a sequence's velodyne/, image_2/, calib.txt"),
    "kitti-object": ("clip3d.lidar.sources.kitti_object", "velodyne/, calib/, image_2/, perhaps label_2/"),
    "nuscenes": ("clip3d.lidar.sources.nuscenes", "v1.0-mini/ or another version's tables, samples/"),
    "nuscenes-sweeps": ("clip3d.lidar.sources.nuscenes_sweeps", "the same, every picture, by name only"),
    "once": ("clip3d.lidar.sources.once", "data/SEQUENCE/ or one sequence: SEQUENCE.json, lidar_roof/, cam01/ …"),
    "plain": ("clip3d.lidar.sources.folders", "clouds/, images/CAMERA/, calibration.toml"),
}


class Source(Protocol):
    """What a module of `clip3d.lidar.sources` gives."""

    def recognises(self, path: Path) -> bool:
        """Whether a path looks like its layout, told from names alone."""

    def read(self, path: Path, **options: str) -> Log:
        """The log at a path; a recording of ROS may be given the `topic` of its sweeps."""


def read_sweep(
    path: str | Path, like: str | None = None, *, axes: str | None = None, intensity: float | None = None
) -> Sweep:
    """Read one sweep, in the frame x forward, y left, z up, metres, origin at the sensor.

    Points that are not finite or lie at the origin (no echo) are left out and counted in `Sweep.dropped`.

    Args:
        path: a .bin of rows of float32 (KITTI and ONCE four, nuScenes' .pcd.bin five), or a .pcd, .ply, .npy or
            .npz with x, y, z and perhaps intensity (or reflectance) and ring.
        like: "kitti", "nuscenes" or "once": whose axes, columns and intensities the file has. By default a file
            named .pcd.bin is nuScenes', and any other is taken to be in our axes already.
        axes: where the file's x, y and z point, such as "right-forward-up"; overrules `like`.
        intensity: the number that stands for the brightest echo; overrules `like`. Without either it is what an
            integer type holds at most, or of other numbers 1, 255 or 65,535, the first that none exceeds.

    Returns:
        The sweep, its intensity in [0, 1].

    Raises:
        FrameError: if `like` is unknown, or whatever is wrong with the file.
        ShapeError: if `axes` or `intensity` cannot be used.
    """
    path = Path(path)
    if like is None:
        form = FORMS["nuscenes"] if path.name.lower().endswith(".pcd.bin") else Form()
    elif like in FORMS:
        form = FORMS[like]
    else:
        raise FrameError(path, f"no sensor is known as {like!r}", f"it is one of {', '.join(FORMS)}")
    form = replace(form, axes=axes or form.axes, brightest=form.brightest if intensity is None else intensity)
    return load_sweep(path, form)


def read_log(path: str | Path, source: str | None = None, *, topic: str | None = None) -> Log:
    """Open a driving log; its frames are read when they are asked for.

    Args:
        path: a folder, or a recording of ROS.
        source: its layout, one of `LAYOUTS`; by default it is told from the names in the folder.
        topic: of a recording of ROS, that of the sweeps; by default the one with the most clouds.

    Returns:
        The log. What is missing, or has no partner in time, is told in `problems` of the log and of its frames; a
        sweep or picture that cannot be read raises FrameError or ImageError when it is asked for.

    Raises:
        FrameError: if there is nothing there, it is of no known layout (the message lists them), or what all of it
            depends on, such as its calibration, cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise FrameError(path, "there is no such file or folder", "check the spelling of the path")
    if source is not None and source not in LAYOUTS:
        raise FrameError(path, f"no layout is named {source!r}", f"it is one of {', '.join(LAYOUTS)}")
    found = source or layout_of(path)
    if found is None:
        known = "; ".join(f"{name}: {files}" for name, (_, files) in LAYOUTS.items())
        raise FrameError(path, "its files are those of no known layout of a driving log", f"known are {known}")
    if topic is not None and found != "ros":
        raise FrameError(path, "it is no recording of ROS, whose topics can be chosen", "leave the topic out")
    options = {} if topic is None else {"topic": topic}
    try:
        return _source(found).read(path.resolve() if path.name in ("", ".", "..") else path, **options)
    except OSError as error:
        raise FrameError(path, f"it cannot be read: {error.strerror or error}", "check its permissions") from error


def layout_of(path: Path) -> str | None:
    """The layout that the names in a folder, or a file's name, are those of; None for any other."""
    return next((name for name in LAYOUTS if _source(name).recognises(path)), None)


def find_logs(folder: str | Path) -> Iterator[Path]:
    """The logs at or below a folder, in the order of their names; nothing below a log is looked at.

    Hidden folders and links to folders are passed over.
    """
    yield from (path for path, _ in find_layouts(folder))


def find_layouts(folder: str | Path) -> Iterator[tuple[Path, str]]:
    """What `find_logs` finds, each with the name of its layout."""
    waiting = [Path(folder)]
    while waiting:
        path = waiting.pop()
        layout = layout_of(path)
        if layout is not None:
            yield path, layout
            continue
        try:
            with os.scandir(path) as entries:
                inner = [entry for entry in entries if _may_be_log(entry)]
        except OSError:
            continue
        waiting += [Path(entry.path) for entry in sorted(inner, key=lambda entry: entry.name, reverse=True)]


def _may_be_log(entry: os.DirEntry[str]) -> bool:
    """Whether an entry of a folder is a folder or named as a recording, the only files that are logs."""
    if entry.name.startswith(".") or entry.is_symlink():
        return False
    return entry.is_dir() or Path(entry.name).suffix.lower() in RECORDINGS


def _source(name: str) -> Source:
    return cast(Source, import_module(LAYOUTS[name][0]))
